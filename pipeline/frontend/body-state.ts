// What validating a body keeps track of: locals, the operand stack, control frames (spec appendix "Validation Algorithm").
//
// All in typed arrays that are reused for the bodies of a module. In unreachable code the operand stack is polymorphic: popping at a
// frame's base gives `Type.none`, which matches every type.
import type { FuncIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { Type, typeName, type FuncType } from "../../ir/types.js";
import { emptyBlock, valueBlocks } from "./block-type.js";
import { opcodeName, prefixedName, printOpcode } from "./error.js";
import { Limit } from "./limits.js";
import { Code } from "./opcodes.js";
import { Reader } from "./reader.js";
import { simdOps } from "./simd-ops.js";

/** Locals above this many are looked up in runs, so that a short body with a long list of locals stays cheap. */
const expandedLocals = 256;

export class BodyState extends Reader {
  protected readonly m: Module;

  protected func = 0 as FuncIndex;
  /** Offset of the opcode at hand. */
  protected at = 0;
  protected opcode = 0;
  protected prefixed = -1;

  protected stack: Uint8Array = new Uint8Array(1024);
  protected height = 0;
  protected maxHeight = 0;
  /** Height at which the innermost frame begins, and whether its rest is unreachable. */
  protected base = 0;
  protected unreachable = false;

  protected depth = 0;
  protected frameCode: Uint8Array = new Uint8Array(64);
  protected frameBase: Int32Array = new Int32Array(64);
  protected frameDead: Uint8Array = new Uint8Array(64);
  /** The serial of the br_table that looked at this label last. */
  protected frameSeen: Int32Array = new Int32Array(64);
  protected readonly frameSig: FuncType[] = [];
  protected tables = 0;

  protected localCount = 0;
  protected readonly localTypes = new Uint8Array(expandedLocals);
  protected runCount = 0;
  /** Run i holds the locals below `runEnd[i]` that are in no run before. */
  protected runEnd: Int32Array = new Int32Array(16);
  protected runType: Uint8Array = new Uint8Array(16);

  constructor(m: Module) {
    super(m.bytes, 0, 0, "a function body");
    this.m = m;
  }

  // ---------------------------------------------------------------- locals

  protected readLocals(sig: FuncType): void {
    this.localCount = 0;
    this.runCount = 0;
    for (const type of sig.params) this.addLocals(1, type);
    const n = this.count("groups of locals", Limit.function_bytes, 2);
    for (let i = 0; i < n; i++) {
      const at = this.pos;
      const count = this.u32("the number of locals in a group");
      if (count > Limit.locals - this.localCount) {
        this.fail("invalid", `expected at most ${Limit.locals} locals in function ${this.func}, found ${this.localCount + count}`, at);
      }
      this.addLocals(count, this.valueType("the type of locals"));
    }
  }

  protected addLocals(count: number, type: Type): void {
    const end = this.localCount + count;
    if (this.localCount < expandedLocals) this.localTypes.fill(type, this.localCount, Math.min(end, expandedLocals));
    this.localCount = end;
    if (this.runCount > 0 && this.runType[this.runCount - 1] === type) {
      this.runEnd[this.runCount - 1] = end;
      return;
    }
    if (this.runCount === this.runEnd.length) {
      this.runEnd = grown32(this.runEnd);
      this.runType = grown8(this.runType);
    }
    this.runEnd[this.runCount] = end;
    this.runType[this.runCount++] = type;
  }

  protected localType(): Type {
    const index = this.u32("a local index");
    if (index >= this.localCount) this.wrongIndex("local", this.localCount, index);
    if (index < expandedLocals) return this.localTypes[index]!;
    let low = 0;
    let high = this.runCount - 1;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.runEnd[mid]! <= index) low = mid + 1;
      else high = mid;
    }
    return this.runType[low]!;
  }

  // ---------------------------------------------------------------- the operand stack

  protected push(type: Type): void {
    if (this.height === this.stack.length) this.stack = grown8(this.stack);
    this.stack[this.height++] = type;
    if (this.height > this.maxHeight) this.maxHeight = this.height;
  }

  /** Pops an operand of a type (`Type.none`: any); returns its type, `Type.none` when only unreachable code could have pushed it. */
  protected pop(expected: Type): Type {
    if (this.height === this.base) {
      if (this.unreachable) return Type.none;
      return this.missing(expected);
    }
    const found: Type = this.stack[--this.height]!;
    if (found !== expected && found !== Type.none && expected !== Type.none) this.mismatch(expected, found);
    return found;
  }

  protected pushAll(types: readonly Type[]): void {
    for (let i = 0; i < types.length; i++) this.push(types[i]!);
  }

  protected popAll(types: readonly Type[]): void {
    for (let i = types.length - 1; i >= 0; i--) this.pop(types[i]!);
  }

  /** The stack's top must fit these types, and stays as it is. */
  protected peekAll(types: readonly Type[]): void {
    let at = this.height;
    for (let i = types.length - 1; i >= 0; i--) {
      if (at === this.base) {
        if (!this.unreachable) this.missing(types[i]!);
        return;
      }
      const found: Type = this.stack[--at]!;
      if (found !== types[i] && found !== Type.none) this.mismatch(types[i]!, found);
    }
  }

  /** Refuses the instruction at hand. */
  protected refuse(sentence: string, kind: "malformed" | "invalid" = "invalid"): never {
    this.fail(kind, `${sentence}, in function ${this.func}`, this.at);
  }

  protected operator(): string {
    if (this.opcode === Code.prefix_fc) return prefixedName(this.prefixed);
    if (this.opcode === Code.prefix_simd) return simdOps[this.prefixed]?.name ?? printOpcode(this.prefixed, this.opcode);
    return opcodeName(this.opcode);
  }

  protected missing(expected: Type): never {
    const what = expected === Type.none ? "an operand" : `an operand of type ${typeName(expected)}`;
    this.refuse(`expected ${what} for ${this.operator()}, found no more on the stack of this block`);
  }

  protected mismatch(expected: Type, found: Type): never {
    this.refuse(`expected type ${typeName(expected)} for ${this.operator()}, found ${typeName(found)}`);
  }

  protected wrongIndex(space: string, length: number, found: number): never {
    this.refuse(`expected a ${space} index below ${length} for ${this.operator()}, found ${found}`);
  }

  // ---------------------------------------------------------------- control frames

  protected pushFrame(code: Code, sig: FuncType): void {
    const d = this.depth++;
    if (d === this.frameCode.length) {
      this.frameCode = grown8(this.frameCode);
      this.frameDead = grown8(this.frameDead);
      this.frameBase = grown32(this.frameBase);
      this.frameSeen = grown32(this.frameSeen);
    }
    if (d > 0) this.frameDead[d - 1] = this.unreachable ? 1 : 0;
    this.frameCode[d] = code;
    this.frameBase[d] = this.height;
    this.frameSeen[d] = 0;
    this.frameSig[d] = sig;
    this.base = this.height;
    this.unreachable = false;
    this.pushAll(sig.params);
  }

  /** Pops the results of the innermost frame; nothing may be left below them. */
  protected leaveFrame(): FuncType {
    const sig = this.frameSig[this.depth - 1]!;
    this.popAll(sig.results);
    if (this.height !== this.base) {
      const left = this.height - this.base;
      const found = `${left} more (${typeName(this.stack[this.height - 1]!)} on top)`;
      this.refuse(`expected ${sig.results.length} values at ${this.operator()}, found ${found}`);
    }
    return sig;
  }

  protected popFrame(): void {
    const d = --this.depth;
    if (d === 0) return;
    this.base = this.frameBase[d - 1]!;
    this.unreachable = this.frameDead[d - 1] === 1;
  }

  protected restUnreachable(): void {
    this.height = this.base;
    this.unreachable = true;
  }

  protected label(): number {
    const index = this.u32("a label");
    if (index >= this.depth) this.wrongIndex("label", this.depth, index);
    return this.depth - 1 - index;
  }

  protected labelTypes(frame: number): readonly Type[] {
    const sig = this.frameSig[frame]!;
    return this.frameCode[frame] === Code.loop ? sig.params : sig.results;
  }

  /** Spec 5.4.1: 0x40, a value type, or a type index as a non-negative 33-bit number. */
  protected blockType(): FuncType {
    const at = this.pos;
    const code = this.byte("a block type");
    if (code === 0x40) return emptyBlock;
    this.pos = at;
    if ((code & 0xc0) === 0x40) return valueBlocks[this.valueType("a block type")]!;
    const index = this.s33("a block type");
    if (this.high !== 0) this.fail("malformed", `expected a block type, found a negative number that is none`, at);
    const sig = this.m.types[index >>> 0];
    if (!sig) this.fail("invalid", `expected a type index below ${this.m.types.length} as a block type, found ${index >>> 0}`, at);
    return sig;
  }
}

function grown32(column: Int32Array): Int32Array {
  const bigger = new Int32Array(column.length * 2);
  bigger.set(column);
  return bigger;
}

function grown8(column: Uint8Array): Uint8Array {
  const bigger = new Uint8Array(column.length * 2);
  bigger.set(column);
  return bigger;
}
