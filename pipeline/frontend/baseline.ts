// A validated body => calls of a baseline compiler, one an instruction: the front end of the tier that makes no IR.
//
// Two walks over the bytes: the first (`scanUses`) counts what locals and calls need, so that homes and frame are known at the start;
// the second reads each instruction and says it to the compiler. A comparison is shown together with the branch, `if` or `select` behind it,
// an operation together with the `local.set` behind it. Unreachable code is skipped. Trusts the bytes: decode.ts has validated them.
import type { BaselineCompiler, BodyFacts } from "../../backends/baseline/compiler.js";
import type { FuncCode } from "../../ir/code.js";
import { NONE, type FuncIndex, type GlobalIndex, type TypeIndex } from "../../ir/entity.js";
import { Builtin } from "../../ir/layout.js";
import type { Module } from "../../ir/module.js";
import { Op, opOfOpcode, opOfPrefixedOpcode } from "../../ir/ops.js";
import { Type, funcTypeKey } from "../../ir/types.js";
import { Code, CodeFc } from "./opcodes.js";
import { typeOfCode } from "./reader.js";
import { scanUses, skipImmediates, type Uses } from "./scan.js";
import { TrustedReader } from "./trusted-reader.js";

/** Kinds of the one-byte opcodes whose operation is all they are. */
const enum Kind {
  other = 0,
  operator = 1,
  compare = 2,
  load = 3,
  store = 4,
}

const kinds: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => {
  const op = opOfOpcode(code);
  if (op < 0) return Kind.other;
  if (op >= Op.i32_load && op <= Op.i64_load32_u) return Kind.load;
  if (op >= Op.i32_store && op <= Op.i64_store32) return Kind.store;
  if ((op >= Op.i32_eqz && op <= Op.f64_ge) || op === Op.ref_is_null) return Kind.compare;
  return op >= Op.i32_clz ? Kind.operator : Kind.other;
});

/** A body of more bytes is taken to give code that is too long for a target's short branches: 1 MiB at 16 bytes each. */
const FAR_BYTES = 64 << 10;

export class BaselineFrontend extends TrustedReader {
  private readonly uses: Uses = { uses: new Int32Array(64), calls: false, outgoingBytes: 0 };
  /** By type index of the bodies, that of the declarations as the passes left them. */
  private readonly typeIndex: Int32Array;
  private readonly outgoing: Int32Array;

  /** @param decoded the module as its bodies know it; @param compiler over its declarations as code knows them. */
  constructor(
    private readonly decoded: Module,
    declarations: Module,
    private readonly compiler: BaselineCompiler,
  ) {
    super(decoded.bytes, 0, decoded.types);
    const known = new Map(declarations.types.map((type, i) => [funcTypeKey(type), i] as const).reverse());
    this.typeIndex = Int32Array.from(decoded.types, (type) => known.get(funcTypeKey(type))!);
    this.outgoing = Int32Array.from(decoded.types, (type) => compiler.outgoingBytes(type));
  }

  /** Compiles one function that the module defines. */
  compile(index: FuncIndex): FuncCode {
    const { decoded } = this;
    const decl = decoded.funcs[index]!;
    this.pos = decl.bodyStart;
    const sig = decoded.funcType(index);
    const types = this.readLocals(sig.params);
    scanUses(decoded, this.pos, decl.bodyEnd, types.length, this.outgoing, this.uses);
    const far = decl.bodyEnd - this.pos > FAR_BYTES;
    const facts: BodyFacts = { index, sig, types, maxHeight: decl.maxHeight!, offset: this.pos, far, ...this.uses };
    return this.walk(facts) ?? this.walk({ ...facts, far: true })!;
  }

  private walk(facts: BodyFacts): FuncCode | undefined {
    const { compiler } = this;
    this.pos = facts.offset;
    compiler.begin(facts);
    while (compiler.depth > 0) {
      if (!compiler.reachable) this.skipUnreachable();
      const at = this.pos;
      this.instruction(this.bytes[this.pos++]!, at);
    }
    return compiler.finish();
  }

  private instruction(opcode: number, at: number): void {
    const { compiler } = this;
    switch (kinds[opcode]! as Kind) {
      case Kind.operator: {
        const local = this.peekTarget();
        compiler.operator(opOfOpcode(opcode) as Op, at);
        return this.endTarget(local);
      }
      case Kind.compare:
        compiler.compare(opOfOpcode(opcode) as Op);
        return this.useCondition();
      case Kind.load: {
        this.u32();
        const displacement = this.u32();
        const local = this.peekTarget();
        compiler.loadMemory(opOfOpcode(opcode) as Op, displacement, at);
        return this.endTarget(local);
      }
      case Kind.store:
        this.u32();
        return compiler.storeMemory(opOfOpcode(opcode) as Op, this.u32(), at);
      case Kind.other:
        return this.other(opcode, at);
    }
  }

  private other(opcode: number, at: number): void {
    const { compiler } = this;
    switch (opcode as Code) {
      case Code.local_get:
        return compiler.localGet(this.u32());
      case Code.local_set:
        return compiler.localSet(this.u32());
      case Code.local_tee:
        return compiler.localTee(this.u32());
      case Code.i32_const:
        return compiler.pushConstant(Type.i32, this.s32(), 0);
      case Code.i64_const: {
        const lo = this.s64();
        return compiler.pushConstant(Type.i64, lo, this.high);
      }
      case Code.f32_const:
        return compiler.pushConstant(Type.f32, this.fixed32(), 0);
      case Code.f64_const: {
        const lo = this.fixed32();
        return compiler.pushConstant(Type.f64, lo, this.fixed32());
      }
      case Code.global_get: {
        const index = this.u32() as GlobalIndex;
        const local = this.peekTarget();
        compiler.globalGet(index);
        return this.endTarget(local);
      }
      case Code.global_set:
        return compiler.globalSet(this.u32() as GlobalIndex);
      case Code.block:
        return compiler.block(this.blockType());
      case Code.loop:
        return compiler.loop(this.blockType(), at);
      case Code.if_:
        compiler.test();
        return compiler.if_(this.blockType());
      case Code.else_:
        return compiler.else_();
      case Code.end:
        return compiler.end();
      case Code.br:
        return compiler.br(this.u32());
      case Code.br_if:
        compiler.test();
        return compiler.brIf(this.u32());
      case Code.br_table: {
        const labels = new Int32Array(this.u32() + 1);
        for (let i = 0; i < labels.length; i++) labels[i] = this.u32();
        return compiler.brTable(labels);
      }
      case Code.return_:
        return compiler.return_();
      case Code.unreachable:
        return compiler.unreachable(at);
      case Code.nop:
        return;
      case Code.call:
        return compiler.call(this.u32() as FuncIndex, at);
      case Code.call_indirect: {
        const type = this.typeIndex[this.u32()]! as TypeIndex;
        return compiler.callIndirect(type, this.u32(), at);
      }
      case Code.drop:
        return compiler.drop();
      case Code.select_typed:
        this.pos = skipImmediates(this.bytes, this.pos, opcode);
        compiler.test();
        return compiler.select();
      case Code.select:
        compiler.test();
        return compiler.select();
      case Code.table_get:
        return compiler.tableGet(this.u32(), at);
      case Code.table_set:
        return compiler.tableSet(this.u32(), at);
      case Code.memory_size:
        this.u32();
        return compiler.memorySize();
      case Code.memory_grow:
        return compiler.callBuiltin(Builtin.memory_grow, [this.u32()], 1, true, at);
      case Code.ref_null:
        return compiler.pushConstant(typeOfCode[this.bytes[this.pos++]!]!, 0, 0);
      case Code.ref_func:
        return compiler.refFunc(this.u32() as FuncIndex);
      case Code.prefix_fc:
        return this.prefixed(at);
      default:
        throw new Error(`opcode ${opcode} at byte ${at} was not refused by validation`);
    }
  }

  private prefixed(at: number): void {
    const { compiler } = this;
    const sub = this.u32();
    switch (sub as CodeFc) {
      case CodeFc.memory_init:
        return compiler.callBuiltin(Builtin.memory_init, [this.u32(), this.u32()], 3, false, at);
      case CodeFc.data_drop:
        return compiler.callBuiltin(Builtin.data_drop, [this.u32()], 0, false, at);
      case CodeFc.memory_copy:
        this.u32();
        this.u32();
        return compiler.memoryCopy(at);
      case CodeFc.memory_fill:
        this.u32();
        return compiler.memoryFill(at);
      case CodeFc.table_init:
        return compiler.callBuiltin(Builtin.table_init, [this.u32(), this.u32()], 3, false, at);
      case CodeFc.elem_drop:
        return compiler.callBuiltin(Builtin.elem_drop, [this.u32()], 0, false, at);
      case CodeFc.table_copy:
        return compiler.callBuiltin(Builtin.table_copy, [this.u32(), this.u32()], 3, false, at);
      case CodeFc.table_grow:
        return compiler.callBuiltin(Builtin.table_grow, [this.u32()], 2, true, at);
      case CodeFc.table_size:
        return compiler.tableSize(this.u32());
      case CodeFc.table_fill:
        return compiler.callBuiltin(Builtin.table_fill, [this.u32()], 3, false, at);
      default:
        return compiler.operator(opOfPrefixedOpcode(sub) as Op, at);
    }
  }

  // ---- an instruction together with the next ----

  /** Tells the compiler the local that the next instruction sets. @returns it, NONE for another instruction. */
  private peekTarget(): number {
    const { bytes, pos } = this;
    if ((bytes[pos] === Code.local_set || bytes[pos] === Code.local_tee) && bytes[pos + 1]! < 0x80) return (this.compiler.target = bytes[pos + 1]!);
    return NONE;
  }

  /** Passes over the `local.set`, where it is done. @param local what `peekTarget` gave. */
  private endTarget(local: number): void {
    if (local === NONE) return;
    const { compiler } = this;
    if (compiler.target !== NONE) {
      compiler.target = NONE;
      return;
    }
    if (this.bytes[this.pos] === Code.local_tee) compiler.localGet(local);
    this.pos += 2;
  }

  private useCondition(): void {
    const { compiler, bytes } = this;
    while (bytes[this.pos] === Code.i32_eqz) {
      this.pos++;
      compiler.invertCondition();
    }
    switch (bytes[this.pos] as Code) {
      case Code.br_if:
        this.pos++;
        return compiler.brIf(this.u32());
      case Code.if_:
        this.pos++;
        return compiler.if_(this.blockType());
      case Code.select:
        this.pos++;
        return compiler.select();
      default:
        return compiler.pushCondition();
    }
  }
}
