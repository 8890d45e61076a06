// A validated body => Func: structured control flow and locals become SSA with block parameters, in one walk (after a scan).
//
// Wasm's operand stack holds SSA values; a label's block carries the label's values as parameters, behind them the locals that
// ir/builder.ts finds to need one. Unreachable code is skipped, blocks nobody reaches are not made. Trusts the bytes: decode.ts
// has validated them. Every instruction keeps the byte offset of its opcode.
import { SsaBuilder, type Chain, type Loop } from "../../ir/builder.js";
import { NONE, type Block, type Edge, type FuncIndex, type TypeIndex, type Value } from "../../ir/entity.js";
import { Func } from "../../ir/func.js";
import type { Module } from "../../ir/module.js";
import { Op, opOfOpcode, opOfPrefixedOpcode } from "../../ir/ops.js";
import { Type, type FuncType } from "../../ir/types.js";
import { emptyBlock } from "./block-type.js";
import { WasmError } from "./error.js";
import { Code, CodeFc, Shape, shapes, shapesFc } from "./opcodes.js";
import { typeOfCode } from "./reader.js";
import { scanBody, skipImmediates, type BodyScan } from "./scan.js";
import { TrustedReader } from "./trusted-reader.js";

/** Where code begins that goes on with a function in the middle. */
export interface LoopEntry {
  /** Byte offset of a loop without parameters, at which nothing is on the operand stack. */
  readonly loop: number;
  /** Where the locals stand in the frame that is taken over (`Func.frameParams`). */
  readonly locals: number;
}

/**
 * Translates one function of a module that `decodeModule` accepted.
 * @param index of a function the module defines. @param from makes a function of the rest from a loop on: its parameters are all locals, its
 * entry leads to that loop; what only the function's own beginning reaches is left unreachable.
 * @throws WasmError of kind "unsupported" for SIMD instructions and v128 locals.
 */
export function translateFunction(module: Module, index: FuncIndex, from?: LoopEntry): Func {
  const decl = module.funcs[index]!;
  if (decl.imported || decl.bodyEnd === 0) throw new Error(`function ${index} has no body to translate`);
  return new Translator(module, index, from).run();
}

const noParam = (): boolean => false;

class Translator extends TrustedReader {
  private readonly scan: BodyScan;
  private readonly func: Func;
  private readonly ssa: SsaBuilder;
  /** Loops met so far, in skipped code, too: the index into `scan.loopEnds`. */
  private loopsMet = 0;

  /** The block at hand, NONE behind a terminator. */
  private block = NONE as Block;
  private chain: Chain = 0;
  private loop: Loop = 0;

  private stack: Int32Array = new Int32Array(64);
  private height = 0;

  // Open constructs, innermost last; the first is the function itself.
  private depth = 0;
  private frameCode: Uint8Array = new Uint8Array(16);
  private readonly frameSig: FuncType[] = [];
  /** Height of the stack below the construct's parameters. */
  private frameBase: Int32Array = new Int32Array(16);
  /** The block a branch to the construct enters, NONE until there is one. */
  private frameLabel: Int32Array = new Int32Array(16);
  private frameStart: Int32Array = new Int32Array(16);
  private frameChain: Int32Array = new Int32Array(16);
  private frameLoop: Int32Array = new Int32Array(16);
  /** Of an `if`: the edge for false; of a `loop`: its number in the builder. */
  private frameExtra: Int32Array = new Int32Array(16);
  /** The edge to the label that the br_table at `frameTableAt` has made. */
  private frameEdge: Int32Array = new Int32Array(16);
  private frameTableAt: Int32Array = new Int32Array(16);

  /** Byte offset of the loop to begin with, NONE for the function's own beginning; its header, which takes all locals as parameters. */
  private readonly entryLoop: number;
  private entryHeader = NONE as Block;

  constructor(
    private readonly module: Module,
    index: FuncIndex,
    from: LoopEntry | undefined,
  ) {
    const decl = module.funcs[index]!;
    super(module.bytes, decl.bodyStart, module.types);
    let sig = module.funcType(index);
    const types = this.readLocals(sig.params);
    if (types.includes(Type.v128) || sig.results.includes(Type.v128)) {
      throw new WasmError("unsupported", decl.bodyStart, "expected WebAssembly without SIMD, found a function with values of type v128: not supported yet");
    }
    this.entryLoop = from?.loop ?? NONE;
    // The loop assigns all locals, as far as anything outside of it can see.
    this.scan = scanBody(this.bytes, this.pos, decl.bodyEnd, types.length, this.entryLoop);
    const capacity = 64 + sig.params.length + (this.scan.instructions >> 1);
    if (from) sig = { params: Array.from(types), results: sig.results };
    this.func = new Func(index, decl.type, sig, decl.name, capacity);
    if (from) this.func.frameParams = from.locals;
    this.ssa = new SsaBuilder(this.func, types, sig.params.length, this.scan.assignments);
  }

  run(): Func {
    const { func } = this;
    this.block = func.newBlock();
    for (const type of func.sig.params) func.addParam(this.block, type);
    this.ssa.enter(this.block, 0, 0);
    if (this.entryLoop !== NONE) this.enterLoop();
    this.pushFrame(Code.block, { params: [], results: func.sig.results }, this.pos);
    while (this.depth > 0) {
      if (this.block === NONE) this.loopsMet += this.skipUnreachable();
      const at = this.pos;
      this.instruction(this.bytes[this.pos++]!, at);
    }
    return func;
  }

  // ---------------------------------------------------------------- the operand stack

  private push(v: Value): void {
    if (this.height === this.stack.length) this.stack = grown32(this.stack);
    this.stack[this.height++] = v;
  }

  private pop(): Value {
    return this.stack[--this.height]! as Value;
  }

  /** Moves the stack's top `count` values into the operands of `v`, from operand 0 on. */
  private popInto(v: Value, count: number): void {
    const { func } = this;
    this.height -= count;
    const start = func.argStart[v]!;
    for (let i = 0; i < count; i++) func.pool[start + i] = this.stack[this.height + i]!;
  }

  // ---------------------------------------------------------------- constructs

  private pushFrame(code: Code, sig: FuncType, start: number): number {
    const d = this.depth++;
    if (d === this.frameCode.length) this.growFrames();
    this.frameCode[d] = code;
    this.frameSig[d] = sig;
    this.frameBase[d] = this.height - sig.params.length;
    this.frameLabel[d] = NONE;
    this.frameStart[d] = start;
    this.frameChain[d] = this.chain;
    this.frameLoop[d] = this.loop;
    this.frameExtra[d] = NONE;
    this.frameTableAt[d] = NONE;
    return d;
  }

  /** The block for branches to frame `d`, made when first wanted; it is placed where the construct ends. */
  private label(d: number): Block {
    if (this.frameLabel[d] === NONE) {
      const { func } = this;
      const b = func.newBlock();
      func.unplaceBlock(b);
      for (const type of this.frameSig[d]!.results) func.addParam(b, type, this.frameStart[d]!);
      this.frameLabel[d] = b;
    }
    return this.frameLabel[d]! as Block;
  }

  /** An edge from here to the label of frame `d`, with the label's values off the stack's top, which keeps them. */
  private branchEdge(d: number, at: number): Edge {
    const { func } = this;
    const e = this.ssa.newEdge(this.block, this.label(d), at);
    const isLoop = this.frameCode[d] === Code.loop;
    const arity = isLoop ? this.frameSig[d]!.params.length : this.frameSig[d]!.results.length;
    for (let i = this.height - arity; i < this.height; i++) func.pushEdgeArg(e, this.stack[i]! as Value);
    if (isLoop && this.frameLabel[d] === this.entryHeader) this.pushLocals(e, at);
    if (isLoop) this.ssa.padEdge(e);
    return e;
  }

  private startBlock(b: Block): void {
    this.block = b;
    this.ssa.enter(b, this.chain, this.loop);
  }

  /** From the entry to the header of the loop; then goes on with a block that nothing reaches, where the function itself begins. */
  private enterLoop(): void {
    const { func } = this;
    const header = func.newBlock();
    func.unplaceBlock(header);
    for (const type of func.sig.params) func.addParam(header, type, this.entryLoop);
    const edge = this.ssa.newEdge(this.block, header, this.pos);
    for (let i = 0; i < func.sig.params.length; i++) func.pushEdgeArg(edge, func.param(func.entry, i));
    func.append0(this.block, Op.br, Type.none, edge, 0, this.entryLoop);
    this.entryHeader = header;
    this.startBlock(func.newBlock());
  }

  /** The loop at which the entry leads: all locals are its parameters, given by every edge. */
  private beginEntryLoop(at: number): void {
    const { func } = this;
    const header = this.entryHeader;
    const edge = this.ssa.newEdge(this.block, header, at);
    this.pushLocals(edge, at);
    func.append0(this.block, Op.br, Type.none, edge, 0, at);
    func.placeBlock(header, NONE as Block);
    const d = this.pushFrame(Code.loop, emptyBlock, at);
    this.frameLabel[d] = header;
    this.loop = this.ssa.newLoop(header, this.chain, this.loop, at, this.scan.loopEnds[this.loopsMet++]!);
    this.frameExtra[d] = this.loop;
    this.block = header;
    for (let i = 0; i < func.sig.params.length; i++) this.ssa.write(i, header, at, func.param(header, i));
  }

  private pushLocals(edge: Edge, at: number): void {
    for (let i = 0; i < this.func.sig.params.length; i++) this.func.pushEdgeArg(edge, this.ssa.read(i, this.block, at));
  }

  private beginLoop(at: number): void {
    const { func } = this;
    const sig = this.blockType();
    if (at === this.entryLoop) return this.beginEntryLoop(at);
    const header = func.newBlock();
    // Parameters first: they would add arguments to an edge that is there already.
    for (const type of sig.params) func.addParam(header, type, at);
    const entry = this.ssa.newEdge(this.block, header, at);
    const base = this.height - sig.params.length;
    for (let i = 0; i < sig.params.length; i++) {
      func.pushEdgeArg(entry, this.stack[base + i]! as Value);
      this.stack[base + i] = func.param(header, i);
    }
    func.append0(this.block, Op.br, Type.none, entry, 0, at);
    const d = this.pushFrame(Code.loop, sig, at);
    this.frameLabel[d] = header;
    this.loop = this.ssa.newLoop(header, this.chain, this.loop, at, this.scan.loopEnds[this.loopsMet++]!);
    this.frameExtra[d] = this.loop;
    this.block = header;
  }

  private beginIf(at: number): void {
    const { func } = this;
    const sig = this.blockType();
    const condition = this.pop();
    const d = this.pushFrame(Code.if_, sig, at);
    const then = func.newBlock();
    const thenEdge = this.ssa.newEdge(this.block, then, at);
    // Until an else is met, false leads to the end: with the parameters, which then are the results.
    const elseEdge = this.ssa.newEdge(this.block, this.label(d), at);
    for (let i = this.frameBase[d]!; i < this.height; i++) func.pushEdgeArg(elseEdge, this.stack[i]! as Value);
    this.frameExtra[d] = elseEdge;
    func.append1(this.block, Op.br_if, Type.none, condition, thenEdge, elseEdge, at);
    this.startBlock(then);
  }

  private beginElse(at: number): void {
    const { func } = this;
    const d = this.depth - 1;
    if (this.block !== NONE) this.branch(d, at);
    this.frameCode[d] = Code.else_;
    const elseEdge = this.frameExtra[d]! as Edge;
    this.height = this.frameBase[d]!;
    for (let i = 0; i < this.frameSig[d]!.params.length; i++) this.push(func.edgeArg(elseEdge, i));
    func.clearEdgeArgs(elseEdge);
    const b = func.newBlock();
    func.redirectEdge(elseEdge, b);
    this.chain = this.ssa.newJoin(b, this.frameChain[d]!, this.frameStart[d]!, at);
    this.loop = this.frameLoop[d]!;
    this.startBlock(b);
  }

  private endConstruct(at: number): void {
    const { func } = this;
    const d = this.depth - 1;
    if (d === 0) return this.endFunction(at);
    this.depth = d;
    this.loop = this.frameLoop[d]!;
    if (this.frameCode[d] === Code.loop) return this.ssa.sealLoop(this.frameExtra[d]!);
    const b = this.frameLabel[d]! as Block;
    if (b === NONE) return;
    if (func.firstPred[b] === NONE) {
      func.filterParams(b, noParam);
      return;
    }
    if (this.block !== NONE) this.branch(d, at);
    func.placeBlock(b, NONE as Block);
    this.chain = this.ssa.newJoin(b, this.frameChain[d]!, this.frameStart[d]!, at);
    this.startBlock(b);
    this.height = this.frameBase[d]!;
    const count = func.paramCount[b]!;
    const single = func.singlePred(b);
    for (let i = 0; i < count; i++) this.push(single === NONE ? func.param(b, i) : func.edgeArg(single, i));
    if (single !== NONE && count > 0) func.filterParams(b, noParam);
  }

  private endFunction(at: number): void {
    const { func } = this;
    this.depth = 0;
    if (this.block !== NONE) this.return_(at);
    const b = this.frameLabel[0]! as Block;
    if (b === NONE) return;
    func.placeBlock(b, NONE as Block);
    this.height = 0;
    for (let i = 0; i < func.paramCount[b]!; i++) this.push(func.param(b, i));
    this.block = b;
    this.return_(at);
  }

  // ---------------------------------------------------------------- branches

  private branch(d: number, at: number): void {
    const e = this.branchEdge(d, at);
    this.func.append0(this.block, Op.br, Type.none, e, 0, at);
    this.block = NONE as Block;
  }

  private return_(at: number): void {
    const count = this.func.sig.results.length;
    this.popInto(this.func.append(this.block, Op.return_, Type.none, count, 0, 0, at), count);
    this.block = NONE as Block;
  }

  private branchIf(d: number, at: number): void {
    const { func } = this;
    const condition = this.pop();
    const taken = this.branchEdge(d, at);
    const b = func.newBlock();
    const other = this.ssa.newEdge(this.block, b, at);
    func.append1(this.block, Op.br_if, Type.none, condition, taken, other, at);
    this.startBlock(b);
  }

  private branchTable(at: number): void {
    const { func } = this;
    const selector = this.pop();
    const n = this.u32();
    const table = func.newEdgeTable(n + 1);
    for (let i = 0; i <= n; i++) {
      const d = this.depth - 1 - this.u32();
      if (this.frameTableAt[d] !== at) {
        this.frameTableAt[d] = at;
        this.frameEdge[d] = this.branchEdge(d, at);
      }
      func.edgeTable[table + i] = this.frameEdge[d]!;
    }
    func.append1(this.block, Op.br_table, Type.none, selector, table, n + 1, at);
    this.block = NONE as Block;
  }

  // ---------------------------------------------------------------- instructions

  private instruction(opcode: number, at: number): void {
    const { func } = this;
    const shape = shapes[opcode]!;
    if (shape !== 0) {
      if (opcode > Code.last_memarg) return this.simple(opOfOpcode(opcode) as Op, shape, 0, at);
      this.u32();
      return this.simple(opOfOpcode(opcode) as Op, shape, this.u32() | 0, at);
    }
    switch (opcode) {
      case Code.unreachable:
        func.append0(this.block, Op.unreachable, Type.none, 0, 0, at);
        this.block = NONE as Block;
        return;
      case Code.nop:
        return;
      case Code.block:
        this.pushFrame(Code.block, this.blockType(), at);
        return;
      case Code.loop:
        return this.beginLoop(at);
      case Code.if_:
        return this.beginIf(at);
      case Code.else_:
        return this.beginElse(at);
      case Code.end:
        return this.endConstruct(at);
      case Code.br: {
        const d = this.depth - 1 - this.u32();
        return d === 0 ? this.return_(at) : this.branch(d, at);
      }
      case Code.br_if:
        return this.branchIf(this.depth - 1 - this.u32(), at);
      case Code.br_table:
        return this.branchTable(at);
      case Code.return_:
        return this.return_(at);
      case Code.call: {
        const callee = this.u32() as FuncIndex;
        return this.call(Op.call, this.module.funcType(callee), 0, callee, 0, at);
      }
      case Code.call_indirect: {
        const type = this.u32() as TypeIndex;
        return this.call(Op.call_indirect, this.module.types[type]!, 1, type, this.u32(), at);
      }
      case Code.drop:
        this.height--;
        return;
      case Code.select_typed:
        this.pos = skipImmediates(this.bytes, this.pos, opcode);
        return this.select(at);
      case Code.select:
        return this.select(at);
      case Code.local_get:
        return this.push(this.ssa.read(this.u32(), this.block, at));
      case Code.local_set:
        return this.ssa.write(this.u32(), this.block, at, this.pop());
      case Code.local_tee:
        return this.ssa.write(this.u32(), this.block, at, this.stack[this.height - 1]! as Value);
      case Code.global_get: {
        const index = this.u32();
        return this.push(func.append0(this.block, Op.global_get, this.module.globals[index]!.type, index, 0, at));
      }
      case Code.global_set:
        func.append1(this.block, Op.global_set, Type.none, this.pop(), this.u32(), 0, at);
        return;
      case Code.table_get: {
        const index = this.u32();
        return this.general(Op.table_get, this.module.tables[index]!.elem, 1, index, 0, at);
      }
      case Code.table_set:
        return this.general(Op.table_set, Type.none, 2, this.u32(), 0, at);
      case Code.memory_size:
        return this.general(Op.memory_size, Type.i32, 0, this.u32(), 0, at);
      case Code.memory_grow:
        return this.general(Op.memory_grow, Type.i32, 1, this.u32(), 0, at);
      case Code.i32_const:
        return this.push(func.append0(this.block, Op.i32_const, Type.i32, this.s32(), 0, at));
      case Code.i64_const: {
        const lo = this.s64();
        return this.push(func.append0(this.block, Op.i64_const, Type.i64, lo, this.high, at));
      }
      case Code.f32_const:
        return this.push(func.append0(this.block, Op.f32_const, Type.f32, this.fixed32(), 0, at));
      case Code.f64_const: {
        const lo = this.fixed32();
        return this.push(func.append0(this.block, Op.f64_const, Type.f64, lo, this.fixed32(), at));
      }
      case Code.ref_null:
        return this.push(func.append0(this.block, Op.ref_null, typeOfCode[this.bytes[this.pos++]!]!, 0, 0, at));
      case Code.ref_is_null:
        return this.general(Op.ref_is_null, Type.i32, 1, 0, 0, at);
      case Code.ref_func:
        return this.general(Op.ref_func, Type.funcref, 0, this.u32(), 0, at);
      case Code.prefix_fc:
        return this.instructionFc(at);
      default:
        throw new Error(`function ${func.index}: opcode ${opcode} at byte ${at} was not refused by validation`);
    }
  }

  /** Fixed operand and result types. @param offset of a memory access, else 0. */
  private simple(op: Op, shape: number, offset: number, at: number): void {
    const { func, block } = this;
    const type: Type = (shape >> Shape.result_shift) & 7;
    let v: Value;
    if (((shape >> 3) & 7) === 0) v = func.append1(block, op, type, this.pop(), offset, 0, at);
    else {
      const y = this.pop();
      v = func.append2(block, op, type, this.pop(), y, offset, 0, at);
    }
    if (type !== Type.none) this.push(v);
  }

  /** Takes `count` operands off the stack and pushes the result, if there is one. */
  private general(op: Op, type: Type, count: number, imm: number, imm2: number, at: number): void {
    const v = this.func.append(this.block, op, type, count, imm, imm2, at);
    this.popInto(v, count);
    if (type !== Type.none) this.push(v);
  }

  private instructionFc(at: number): void {
    const sub = this.u32();
    const op = opOfPrefixedOpcode(sub) as Op;
    switch (sub) {
      case CodeFc.memory_init:
      case CodeFc.memory_copy:
      case CodeFc.table_init:
      case CodeFc.table_copy: {
        const first = this.u32();
        return this.general(op, Type.none, 3, first, this.u32(), at);
      }
      case CodeFc.data_drop:
      case CodeFc.elem_drop:
        return this.general(op, Type.none, 0, this.u32(), 0, at);
      case CodeFc.memory_fill:
      case CodeFc.table_fill:
        return this.general(op, Type.none, 3, this.u32(), 0, at);
      case CodeFc.table_grow:
        return this.general(op, Type.i32, 2, this.u32(), 0, at);
      case CodeFc.table_size:
        return this.general(op, Type.i32, 0, this.u32(), 0, at);
      default:
        return this.simple(op, shapesFc[sub]!, 0, at);
    }
  }

  private select(at: number): void {
    const { func } = this;
    const condition = this.pop();
    const y = this.pop();
    const x = this.pop();
    this.push(func.append3(this.block, Op.select, func.type[x]!, x, y, condition, 0, 0, at));
  }

  /** @param extra operands behind the call's own: the table index of call_indirect. */
  private call(op: Op, sig: FuncType, extra: number, imm: number, imm2: number, at: number): void {
    const { func } = this;
    const { results } = sig;
    const count = sig.params.length + extra;
    const call = func.append(this.block, op, results.length > 0 ? results[0]! : Type.none, count, imm, imm2, at);
    this.popInto(call, count);
    if (results.length > 0) this.push(call);
    for (let k = 1; k < results.length; k++) this.push(func.append1(this.block, Op.result, results[k]!, call, k, 0, at));
  }

  private growFrames(): void {
    this.frameCode = grown8(this.frameCode);
    this.frameBase = grown32(this.frameBase);
    this.frameLabel = grown32(this.frameLabel);
    this.frameStart = grown32(this.frameStart);
    this.frameChain = grown32(this.frameChain);
    this.frameLoop = grown32(this.frameLoop);
    this.frameExtra = grown32(this.frameExtra);
    this.frameEdge = grown32(this.frameEdge);
    this.frameTableAt = grown32(this.frameTableAt);
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
