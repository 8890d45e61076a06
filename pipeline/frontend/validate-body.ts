// Decodes and validates one function body in one walk over its bytes (spec appendix "Validation Algorithm").
//
// Operand types and control frames stand in typed arrays that are reused for all bodies of a module; nothing recurses. In
// unreachable code the operand stack is polymorphic: popping at a frame's base gives `Type.none`, which matches every type.
import type { FuncIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { Type, isRef, typeName, type FuncType } from "../../ir/types.js";
import { emptyBlock, valueBlocks } from "./block-type.js";
import { laterFeature, opcodeName, prefixedName, printOpcode } from "./error.js";
import { Limit } from "./limits.js";
import { Code, CodeFc, Shape, maxAlign, shapes, shapesFc } from "./opcodes.js";
import { Reader } from "./reader.js";
import { SimdImm, simdOps } from "./simd-ops.js";

/** Locals above this many are looked up in runs, so that a short body with a long list of locals stays cheap. */
const expandedLocals = 256;

export class BodyValidator extends Reader {
  private readonly m: Module;
  private readonly dataCount: number;
  /** `declared[f]`: f may be named by ref.func (the spec's C.refs). */
  private readonly declared: Uint8Array;

  private func = 0 as FuncIndex;
  /** Offset of the opcode at hand. */
  private at = 0;
  private opcode = 0;
  private prefixed = -1;

  private stack: Uint8Array = new Uint8Array(1024);
  private height = 0;
  /** Height at which the innermost frame begins, and whether its rest is unreachable. */
  private base = 0;
  private unreachable = false;

  private depth = 0;
  private frameCode: Uint8Array = new Uint8Array(64);
  private frameBase: Int32Array = new Int32Array(64);
  private frameDead: Uint8Array = new Uint8Array(64);
  /** The serial of the br_table that looked at this label last. */
  private frameSeen: Int32Array = new Int32Array(64);
  private readonly frameSig: FuncType[] = [];
  private tables = 0;

  private localCount = 0;
  private readonly localTypes = new Uint8Array(expandedLocals);
  private runCount = 0;
  /** Run i holds the locals below `runEnd[i]` that are in no run before. */
  private runEnd: Int32Array = new Int32Array(16);
  private runType: Uint8Array = new Uint8Array(16);

  constructor(m: Module, dataCount: number) {
    super(m.bytes, 0, 0, "a function body");
    this.m = m;
    this.dataCount = dataCount;
    this.declared = new Uint8Array(m.funcs.length);
    for (const f of m.referencedFuncs()) this.declared[f] = 1;
  }

  /** Validates the body of a function whose byte range is known; throws a WasmError. */
  validate(func: FuncIndex): void {
    const decl = this.m.funcs[func]!;
    this.func = func;
    this.pos = decl.bodyStart;
    this.end = decl.bodyEnd;
    this.where = `the body of function ${func}`;
    const sig = this.m.funcType(func);
    this.readLocals(sig);
    this.height = 0;
    this.depth = 0;
    this.pushFrame(Code.block, { params: [], results: sig.results });
    while (this.depth > 0) this.instruction();
    if (this.pos !== this.end) {
      this.fail("malformed", `expected the end of ${this.where}, found ${this.end - this.pos} bytes behind its last end`, this.pos);
    }
  }

  // ---------------------------------------------------------------- locals

  private readLocals(sig: FuncType): void {
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

  private addLocals(count: number, type: Type): void {
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

  private localType(): Type {
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

  private push(type: Type): void {
    if (this.height === this.stack.length) this.stack = grown8(this.stack);
    this.stack[this.height++] = type;
  }

  /** Pops an operand of a type (`Type.none`: any); returns its type, `Type.none` when only unreachable code could have pushed it. */
  private pop(expected: Type): Type {
    if (this.height === this.base) {
      if (this.unreachable) return Type.none;
      return this.missing(expected);
    }
    const found: Type = this.stack[--this.height]!;
    if (found !== expected && found !== Type.none && expected !== Type.none) this.mismatch(expected, found);
    return found;
  }

  private pushAll(types: readonly Type[]): void {
    for (let i = 0; i < types.length; i++) this.push(types[i]!);
  }

  private popAll(types: readonly Type[]): void {
    for (let i = types.length - 1; i >= 0; i--) this.pop(types[i]!);
  }

  /** The stack's top must fit these types, and stays as it is. */
  private peekAll(types: readonly Type[]): void {
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

  private operator(): string {
    if (this.opcode === Code.prefix_fc) return prefixedName(this.prefixed);
    if (this.opcode === Code.prefix_simd) return simdOps[this.prefixed]?.name ?? printOpcode(this.prefixed, this.opcode);
    return opcodeName(this.opcode);
  }

  private missing(expected: Type): never {
    const what = expected === Type.none ? "an operand" : `an operand of type ${typeName(expected)}`;
    this.fail("invalid", `expected ${what} for ${this.operator()}, found no more on the stack of this block, in function ${this.func}`, this.at);
  }

  private mismatch(expected: Type, found: Type): never {
    this.fail("invalid", `expected type ${typeName(expected)} for ${this.operator()}, found ${typeName(found)}, in function ${this.func}`, this.at);
  }

  private wrongIndex(space: string, length: number, found: number): never {
    this.fail("invalid", `expected a ${space} index below ${length} for ${this.operator()}, found ${found}, in function ${this.func}`, this.at);
  }

  // ---------------------------------------------------------------- control frames

  private pushFrame(code: Code, sig: FuncType): void {
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
  private leaveFrame(): FuncType {
    const sig = this.frameSig[this.depth - 1]!;
    this.popAll(sig.results);
    if (this.height !== this.base) {
      const left = this.height - this.base;
      const found = `${left} more (${typeName(this.stack[this.height - 1]!)} on top)`;
      this.fail("invalid", `expected ${sig.results.length} values at ${this.operator()}, found ${found}, in function ${this.func}`, this.at);
    }
    return sig;
  }

  private popFrame(): void {
    const d = --this.depth;
    if (d === 0) return;
    this.base = this.frameBase[d - 1]!;
    this.unreachable = this.frameDead[d - 1] === 1;
  }

  private restUnreachable(): void {
    this.height = this.base;
    this.unreachable = true;
  }

  private label(): number {
    const index = this.u32("a label");
    if (index >= this.depth) this.wrongIndex("label", this.depth, index);
    return this.depth - 1 - index;
  }

  private labelTypes(frame: number): readonly Type[] {
    const sig = this.frameSig[frame]!;
    return this.frameCode[frame] === Code.loop ? sig.params : sig.results;
  }

  /** Spec 5.4.1: 0x40, a value type, or a type index as a non-negative 33-bit number. */
  private blockType(): FuncType {
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

  // ---------------------------------------------------------------- instructions

  private instruction(): void {
    this.at = this.pos;
    const opcode = this.byte("an instruction, or end");
    this.opcode = opcode;
    const shape = shapes[opcode]!;
    if (shape !== 0) {
      if (opcode <= Code.last_memarg) this.memarg(maxAlign[opcode]!);
      this.simple(shape);
      return;
    }
    switch (opcode) {
      case Code.unreachable:
        return this.restUnreachable();
      case Code.nop:
        return;
      case Code.block:
      case Code.loop: {
        const sig = this.blockType();
        this.popAll(sig.params);
        return this.pushFrame(opcode, sig);
      }
      case Code.if_: {
        const sig = this.blockType();
        this.pop(Type.i32);
        this.popAll(sig.params);
        return this.pushFrame(opcode, sig);
      }
      case Code.else_: {
        if (this.frameCode[this.depth - 1] !== Code.if_) this.fail("malformed", `expected an if around else, found none, in function ${this.func}`, this.at);
        const sig = this.leaveFrame();
        this.popFrame();
        return this.pushFrame(Code.else_, sig);
      }
      case Code.end: {
        const sig = this.leaveFrame();
        if (this.frameCode[this.depth - 1] === Code.if_) this.checkIfWithoutElse(sig);
        this.popFrame();
        return this.pushAll(sig.results);
      }
      case Code.br:
        this.popAll(this.labelTypes(this.label()));
        return this.restUnreachable();
      case Code.br_if: {
        const types = this.labelTypes(this.label());
        this.pop(Type.i32);
        this.popAll(types);
        return this.pushAll(types);
      }
      case Code.br_table:
        return this.brTable();
      case Code.return_:
        this.popAll(this.frameSig[0]!.results);
        return this.restUnreachable();
      case Code.call: {
        const index = this.u32("a function index");
        if (index >= this.m.funcs.length) this.wrongIndex("function", this.m.funcs.length, index);
        const sig = this.m.funcType(index as FuncIndex);
        this.popAll(sig.params);
        return this.pushAll(sig.results);
      }
      case Code.call_indirect:
        return this.callIndirect();
      case Code.drop:
        this.pop(Type.none);
        return;
      case Code.select:
        return this.select();
      case Code.select_typed: {
        const n = this.u32("the number of types of select");
        if (n !== 1) this.fail("invalid", `expected one type for select, found ${n}, in function ${this.func}`, this.at);
        const type = this.valueType("the type of select");
        this.pop(Type.i32);
        this.pop(type);
        this.pop(type);
        return this.push(type);
      }
      case Code.local_get:
        return this.push(this.localType());
      case Code.local_set:
        this.pop(this.localType());
        return;
      case Code.local_tee: {
        const type = this.localType();
        this.pop(type);
        return this.push(type);
      }
      case Code.global_get:
        return this.push(this.global().type);
      case Code.global_set: {
        const global = this.global();
        if (!global.mutable) this.fail("invalid", `expected a mutable global for global.set, found an immutable one, in function ${this.func}`, this.at);
        this.pop(global.type);
        return;
      }
      case Code.table_get: {
        const elem = this.table();
        this.pop(Type.i32);
        return this.push(elem);
      }
      case Code.table_set: {
        const elem = this.table();
        this.pop(elem);
        this.pop(Type.i32);
        return;
      }
      case Code.memory_size:
        this.memory();
        return this.push(Type.i32);
      case Code.memory_grow:
        this.memory();
        this.pop(Type.i32);
        return this.push(Type.i32);
      case Code.i32_const:
        this.s32("a constant");
        return this.push(Type.i32);
      case Code.i64_const:
        this.s64("a constant");
        return this.push(Type.i64);
      case Code.f32_const:
        this.skip(4, "a float constant");
        return this.push(Type.f32);
      case Code.f64_const:
        this.skip(8, "a float constant");
        return this.push(Type.f64);
      case Code.ref_null:
        return this.push(this.refType("the type of ref.null"));
      case Code.ref_is_null: {
        const type = this.pop(Type.none);
        if (type !== Type.none && !isRef(type)) {
          this.fail("invalid", `expected a reference for ref.is_null, found ${typeName(type)}, in function ${this.func}`, this.at);
        }
        return this.push(Type.i32);
      }
      case Code.ref_func: {
        const index = this.u32("a function index");
        if (index >= this.m.funcs.length) this.wrongIndex("function", this.m.funcs.length, index);
        if (this.declared[index] === 0) {
          const where = "in an element segment, an export or a global";
          this.fail("invalid", `expected ref.func of a function that is declared ${where}, found function ${index}, in function ${this.func}`, this.at);
        }
        return this.push(Type.funcref);
      }
      case Code.prefix_fc:
        return this.instructionFc();
      case Code.prefix_simd:
        return this.instructionSimd();
      default: {
        const later = laterFeature(opcode);
        if (later !== undefined) this.fail("unsupported", `${later}: not supported, found opcode ${printOpcode(opcode)}, in function ${this.func}`, this.at);
        this.fail("malformed", `expected an instruction, found ${printOpcode(opcode)}, which is none, in function ${this.func}`, this.at);
      }
    }
  }

  /** Fixed operand and result types. */
  private simple(shape: number): void {
    const c = (shape >> 6) & 7;
    if (c !== 0) this.pop(c);
    const b = (shape >> 3) & 7;
    if (b !== 0) this.pop(b);
    const a = shape & 7;
    if (a !== 0) this.pop(a);
    const result = (shape >> Shape.result_shift) & 7;
    if (result !== 0) this.push(result);
  }

  private instructionFc(): void {
    const sub = this.u32("an opcode behind 0xfc");
    this.prefixed = sub;
    const m = this.m;
    switch (sub) {
      case CodeFc.memory_init:
        this.dataIndex();
        this.memory();
        return this.popThree();
      case CodeFc.data_drop:
        return this.dataIndex();
      case CodeFc.memory_copy:
        this.memory();
        this.memory();
        return this.popThree();
      case CodeFc.memory_fill:
        this.memory();
        return this.popThree();
      case CodeFc.table_init: {
        const elem = this.elemIndex();
        const type = this.table();
        if (m.elems[elem]!.type !== type) this.mismatch(type, m.elems[elem]!.type);
        return this.popThree();
      }
      case CodeFc.elem_drop:
        this.elemIndex();
        return;
      case CodeFc.table_copy: {
        const to = this.table();
        const from = this.table();
        if (to !== from) this.mismatch(to, from);
        return this.popThree();
      }
      case CodeFc.table_grow: {
        const type = this.table();
        this.pop(Type.i32);
        this.pop(type);
        return this.push(Type.i32);
      }
      case CodeFc.table_size:
        this.table();
        return this.push(Type.i32);
      case CodeFc.table_fill: {
        const type = this.table();
        this.pop(Type.i32);
        this.pop(type);
        this.pop(Type.i32);
        return;
      }
      default:
        if (sub <= CodeFc.last_trunc_sat) return this.simple(shapesFc[sub]!);
        this.fail("malformed", `expected an instruction, found opcode ${printOpcode(sub, 0xfc)}, which is none, in function ${this.func}`, this.at);
    }
  }

  private popThree(): void {
    this.pop(Type.i32);
    this.pop(Type.i32);
    this.pop(Type.i32);
  }

  private instructionSimd(): void {
    const sub = this.u32("an opcode behind 0xfd");
    this.prefixed = sub;
    const row = simdOps[sub];
    if (!row) {
      if (sub >= 0x100 && sub <= 0x12f) this.fail("unsupported", `relaxed SIMD: not supported, found opcode ${printOpcode(sub, 0xfd)}, in function ${this.func}`, this.at);
      this.fail("malformed", `expected an instruction, found opcode ${printOpcode(sub, 0xfd)}, which is none, in function ${this.func}`, this.at);
    }
    this.usesSimd(this.at);
    if (row.imm === SimdImm.memarg || row.imm === SimdImm.memarg_lane) this.memarg(row.align);
    if (row.imm === SimdImm.lane || row.imm === SimdImm.memarg_lane) this.lane(row.lanes);
    else if (row.imm === SimdImm.bytes) this.skip(16, "the bytes of v128.const");
    else if (row.imm === SimdImm.shuffle) for (let i = 0; i < 16; i++) this.lane(32);
    this.simple(row.shape);
  }

  private lane(lanes: number): void {
    const lane = this.byte("a lane index");
    if (lane >= lanes) this.fail("invalid", `expected a lane index below ${lanes} for ${this.operator()}, found ${lane}, in function ${this.func}`, this.at);
  }

  /** `else` may be missing only where parameters serve as results. */
  private checkIfWithoutElse(sig: FuncType): void {
    const { params, results } = sig;
    if (params === results) return;
    let same = params.length === results.length;
    for (let i = 0; same && i < params.length; i++) same = params[i] === results[i];
    if (!same) this.fail("invalid", `expected an else, as the results of the if are not its parameters, found end, in function ${this.func}`, this.at);
  }

  private brTable(): void {
    this.pop(Type.i32);
    const n = this.count("labels", Limit.function_bytes);
    const serial = ++this.tables;
    let arity = -1;
    for (let i = 0; i <= n; i++) {
      const frame = this.label();
      if (this.frameSeen[frame] === serial) continue;
      this.frameSeen[frame] = serial;
      const types = this.labelTypes(frame);
      if (arity >= 0 && types.length !== arity) {
        this.fail("invalid", `expected labels of ${arity} values for br_table, found one of ${types.length}, in function ${this.func}`, this.at);
      }
      arity = types.length;
      this.peekAll(types);
    }
    this.restUnreachable();
  }

  private callIndirect(): void {
    const type = this.u32("a type index");
    const sig = this.m.types[type];
    if (!sig) this.wrongIndex("type", this.m.types.length, type);
    const elem = this.table();
    if (elem !== Type.funcref) this.fail("invalid", `expected a table of funcref for call_indirect, found one of ${typeName(elem)}, in function ${this.func}`, this.at);
    this.pop(Type.i32);
    this.popAll(sig.params);
    this.pushAll(sig.results);
  }

  private select(): void {
    this.pop(Type.i32);
    const b = this.pop(Type.none);
    const a = this.pop(b);
    const type = a === Type.none ? b : a;
    if (isRef(type)) this.fail("invalid", `expected operands of a number or vector type for select without a type, found ${typeName(type)}, in function ${this.func}`, this.at);
    this.push(type);
  }

  // ---------------------------------------------------------------- immediates

  private skip(n: number, what: string): void {
    if (n > this.end - this.pos) this.failEnd(what);
    this.pos += n;
  }

  private memarg(max: number): void {
    const at = this.pos;
    const align = this.u32("an alignment");
    if (align > max) {
      this.fail("invalid", `expected an alignment of at most 2^${max} bytes for ${this.operator()}, found ${align < 32 ? `2^${align}` : align}, in function ${this.func}`, at);
    }
    this.u32("an offset");
    if (this.m.memories.length === 0) this.wrongIndex("memory", 0, 0);
  }

  private memory(): void {
    const index = this.byte("a memory index");
    if (index !== 0) this.fail("malformed", `expected 0 as the memory of ${this.operator()}, found ${printOpcode(index)}, in function ${this.func}`, this.pos - 1);
    if (this.m.memories.length === 0) this.wrongIndex("memory", 0, 0);
  }

  private global(): { type: Type; mutable: boolean } {
    const index = this.u32("a global index");
    return this.m.globals[index] ?? this.wrongIndex("global", this.m.globals.length, index);
  }

  /** Reads a table index; the type of its elements. */
  private table(): Type {
    const index = this.u32("a table index");
    return (this.m.tables[index] ?? this.wrongIndex("table", this.m.tables.length, index)).elem;
  }

  private elemIndex(): number {
    const index = this.u32("an element segment's index");
    if (index >= this.m.elems.length) this.wrongIndex("element segment", this.m.elems.length, index);
    return index;
  }

  private dataIndex(): void {
    const index = this.u32("a data segment's index");
    if (this.dataCount < 0) this.fail("malformed", `expected a data count section, needed for ${this.operator()}, found none, in function ${this.func}`, this.at);
    if (index >= this.dataCount) this.wrongIndex("data segment", this.dataCount, index);
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
