// SSA to the interpreter's code: every value gets a slot of the frame, edges become moves and jumps.
//
// Slots 0.. hold the parameters on entry and the results on return; one slot per value follows, and one to break cycles of moves.
// Arguments of a call go behind the frame, where the callee's frame begins; its results are found there. Blocks stand in their
// order; the moves of an edge stand before the jump, those of a conditional edge in a stub behind the block.
import { NONE, type Block, type Edge, type Value } from "./entity.js";
import type { Func } from "./func.js";
import type { InterpCode } from "./interp-env.js";
import { I, STRIDE } from "./interp-run.js";
import type { Module } from "./module.js";
import { Op, opInfo } from "./ops.js";
import { Type, type FuncType } from "./types.js";

/**
 * Decodes one well-formed function of `module` (which gives the signatures of what it calls). Linear.
 * @throws Error for v128 values.
 */
export function decode(fn: Func, module: Module): InterpCode {
  return new Decoder(fn, module).finish();
}

/** `I` by `Op` where the two correspond; the rest is decoded op by op, or computed by `foldOp`. */
const direct: ReadonlyMap<Op, I> = new Map<Op, I>([
  [Op.i32_add, I.i32_add],
  [Op.i32_sub, I.i32_sub],
  [Op.i32_mul, I.i32_mul],
  [Op.i32_and, I.i32_and],
  [Op.i32_or, I.i32_or],
  [Op.i32_xor, I.i32_xor],
  [Op.i32_shl, I.i32_shl],
  [Op.i32_shr_s, I.i32_shr_s],
  [Op.i32_shr_u, I.i32_shr_u],
  [Op.i32_eqz, I.i32_eqz],
  [Op.i32_eq, I.i32_eq],
  [Op.i32_ne, I.i32_ne],
  [Op.i32_lt_s, I.i32_lt_s],
  [Op.i32_lt_u, I.i32_lt_u],
  [Op.i32_gt_s, I.i32_gt_s],
  [Op.i32_gt_u, I.i32_gt_u],
  [Op.i32_le_s, I.i32_le_s],
  [Op.i32_le_u, I.i32_le_u],
  [Op.i32_ge_s, I.i32_ge_s],
  [Op.i32_ge_u, I.i32_ge_u],
  [Op.i64_add, I.i64_add],
  [Op.i64_sub, I.i64_sub],
  [Op.i64_and, I.i64_and],
  [Op.i64_or, I.i64_or],
  [Op.i64_xor, I.i64_xor],
  [Op.f64_add, I.f64_add],
  [Op.f64_sub, I.f64_sub],
  [Op.f64_mul, I.f64_mul],
  [Op.f64_div, I.f64_div],
  [Op.f64_lt, I.f64_lt],
  [Op.f32_add, I.f32_add],
  [Op.f32_sub, I.f32_sub],
  [Op.f32_mul, I.f32_mul],
  [Op.f32_div, I.f32_div],
  [Op.i32_load, I.load32],
  [Op.f32_load, I.load32],
  [Op.i64_load, I.load64],
  [Op.f64_load, I.load64],
  [Op.i32_load8_s, I.load8_s],
  [Op.i64_load8_s, I.load8_s],
  [Op.i32_load8_u, I.load8_u],
  [Op.i64_load8_u, I.load8_u],
  [Op.i32_load16_s, I.load16_s],
  [Op.i64_load16_s, I.load16_s],
  [Op.i32_load16_u, I.load16_u],
  [Op.i64_load16_u, I.load16_u],
  [Op.i64_load32_s, I.load32_s],
  [Op.i64_load32_u, I.load32_u],
  [Op.i32_store, I.store32],
  [Op.f32_store, I.store32],
  [Op.i64_store, I.store64],
  [Op.f64_store, I.store64],
  [Op.i32_store8, I.store8],
  [Op.i64_store8, I.store8],
  [Op.i32_store16, I.store16],
  [Op.i64_store16, I.store16],
  [Op.i64_store32, I.store32],
]);
const directByOp = Int32Array.from({ length: Op.count }, (_, op) => direct.get(op) ?? NONE);

class Decoder {
  private code = new Int32Array(64 * STRIDE);
  private origin = new Int32Array(64);
  private count = 0;
  /** First word of the slot, by value. */
  private readonly word: Int32Array;
  private frameSlots = 0;
  private outSlots = 0;
  private temp = 0;
  private readonly blockStart: Int32Array;
  /** Instructions whose word 4 is a block yet to be replaced by its position. */
  private readonly jumps: number[] = [];
  private readonly tables: Int32Array[] = [];
  // Parallel moves: who moves into a slot, and how many moves still read it. Clean between uses.
  private sourceOf!: Int32Array;
  private readers!: Int32Array;

  constructor(
    private readonly fn: Func,
    private readonly module: Module,
  ) {
    this.word = new Int32Array(fn.valueCount);
    this.blockStart = new Int32Array(fn.blockCount);
  }

  finish(): InterpCode {
    const { fn } = this;
    this.assignSlots();
    for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
      this.blockStart[b] = this.count * STRIDE;
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) this.inst(b, v);
    }
    for (const at of this.jumps) this.code[at * STRIDE + 4] = this.blockStart[this.code[at * STRIDE + 4]!]!;
    // Targets of tables: a block as its number, a stub as the complement of its position.
    for (const table of this.tables) for (let i = 0; i < table.length; i++) table[i] = table[i]! < 0 ? ~table[i]! : this.blockStart[table[i]!]!;
    return {
      fn,
      code: this.code.slice(0, this.count * STRIDE),
      origin: this.origin.slice(0, this.count),
      tables: this.tables,
      frameSlots: this.frameSlots,
      outSlots: this.outSlots,
    };
  }

  private assignSlots(): void {
    const { fn, word } = this;
    let slots = 0;
    for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
      for (let i = 0; i < fn.paramCount[b]!; i++) word[fn.param(b, i)] = 2 * slots++;
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
        if (fn.type[v] === Type.v128) throw new Error(`interpreter: @${fn.index} v${v} is a v128, which is not supported yet`);
        if (fn.type[v] !== Type.none) word[v] = 2 * slots++;
      }
    }
    this.temp = 2 * slots++;
    this.frameSlots = Math.max(slots, fn.sig.results.length);
    this.sourceOf = new Int32Array(this.frameSlots).fill(NONE);
    this.readers = new Int32Array(this.frameSlots);
  }

  private emit(i: I, origin: number, d: number, a: number, b = 0, x = 0, y = 0): number {
    const n = this.count++;
    if (n === this.origin.length) {
      const [code, origins] = [this.code, this.origin];
      this.origin = new Int32Array(n * 2);
      this.origin.set(origins);
      this.code = new Int32Array(n * 2 * STRIDE);
      this.code.set(code);
    }
    const at = n * STRIDE;
    this.code[at] = i;
    this.code[at + 1] = d;
    this.code[at + 2] = a;
    this.code[at + 3] = b;
    this.code[at + 4] = x;
    this.code[at + 5] = y;
    this.origin[n] = origin;
    return n;
  }

  private inst(b: Block, v: Value): void {
    const { fn, word } = this;
    const op = fn.op[v]! as Op;
    const d = fn.type[v] === Type.none ? 0 : word[v]!;
    const x = fn.imm[v]!;
    const y = fn.imm2[v]!;
    const arg = (i: number) => word[fn.arg(v, i)]!;
    const args = fn.argCount[v]!;
    const a0 = args > 0 ? arg(0) : 0;
    const a1 = args > 1 ? arg(1) : 0;
    const same = directByOp[op]!;
    if (same !== NONE) {
      this.emit(same, v, d, a0, a1, x, y);
      return;
    }
    switch (op) {
      case Op.copy:
        this.emit(I.move, v, d, a0);
        return;
      case Op.i32_const:
      case Op.i64_const:
      case Op.f32_const:
      case Op.f64_const:
        this.emit(I.const, v, d, 0, 0, x, y);
        return;
      case Op.ref_null:
        this.emit(I.const, v, d, 0);
        return;
      case Op.br:
        return this.edge(v, x as Edge, fn.blockNext[b]!);
      case Op.br_if: {
        const branch = this.emit(I.br_unless, v, 0, a0);
        const other = fn.edgeArgCount[y] === 0;
        if (other) {
          this.code[branch * STRIDE + 4] = fn.edgeTo[y]!;
          this.jumps.push(branch);
        }
        this.edge(v, x as Edge, other ? fn.blockNext[b]! : NONE);
        if (other) return;
        this.code[branch * STRIDE + 4] = this.count * STRIDE;
        return this.edge(v, y as Edge, fn.blockNext[b]!);
      }
      case Op.br_table:
        return this.table(v, a0, x, y);
      case Op.return_:
        for (let i = 0; i < args; i++) this.move(2 * i, arg(i));
        this.flushMoves(v, args, (i) => 2 * i);
        this.emit(I.return, v, 0, 0);
        return;
      case Op.unreachable:
        this.emit(I.unreachable, v, 0, 0);
        return;
      case Op.call:
        this.callArgs(v, args, this.module.funcType(x as never));
        this.emit(I.call, v, 0, 0, 0, x);
        if (fn.type[v] !== Type.none) this.emit(I.move, v, d, 2 * this.frameSlots);
        return;
      case Op.call_indirect:
        this.callArgs(v, args - 1, this.module.types[x]!);
        this.emit(I.call_indirect, v, 0, arg(args - 1), 0, x, y);
        if (fn.type[v] !== Type.none) this.emit(I.move, v, d, 2 * this.frameSlots);
        return;
      case Op.result:
        this.emit(I.move, v, d, 2 * (this.frameSlots + x));
        return;
      case Op.select:
        this.emit(I.select, v, d, a0, a1, arg(2));
        return;
      case Op.ref_is_null:
        this.emit(I.ref_is_null, v, d, a0);
        return;
      case Op.ref_func:
        this.emit(I.ref_func, v, d, 0, 0, x);
        return;
      case Op.global_get:
        this.emit(I.global_get, v, d, 0, 0, x);
        return;
      case Op.global_set:
        this.emit(I.global_set, v, 0, a0, 0, x);
        return;
      case Op.table_get:
        this.emit(I.table_get, v, d, a0, 0, x);
        return;
      case Op.table_set:
        this.emit(I.table_set, v, 0, a0, a1, x);
        return;
      case Op.table_size:
        this.emit(I.table_size, v, d, 0, 0, x);
        return;
      case Op.table_grow:
        this.emit(I.table_grow, v, d, a0, a1, x);
        return;
      case Op.memory_size:
        this.emit(I.memory_size, v, d, 0, 0, x);
        return;
      case Op.memory_grow:
        this.emit(I.memory_grow, v, d, a0, 0, x);
        return;
      case Op.elem_drop:
        this.emit(I.elem_drop, v, 0, 0, 0, x);
        return;
      case Op.data_drop:
        this.emit(I.data_drop, v, 0, 0, 0, x);
        return;
      case Op.table_fill:
      case Op.table_copy:
      case Op.table_init:
      case Op.memory_fill:
      case Op.memory_copy:
      case Op.memory_init:
        // Three operands and two indices: the third operand stands where others have a result.
        this.emit(bulk(op), v, arg(2), a0, a1, x, y);
        return;
    }
    if (args === 1) this.emit(I.fold1, v, d, a0, 0, op);
    else if (args === 2) this.emit(I.fold2, v, d, a0, a1, op);
    else throw new Error(`interpreter: @${fn.index} v${v}: no way to run ${opInfo[op]!.name}`);
  }

  private callArgs(v: Value, count: number, sig: FuncType): void {
    const { fn, word } = this;
    this.outSlots = Math.max(this.outSlots, sig.params.length, sig.results.length);
    for (let i = 0; i < count; i++) this.emit(I.move, v, 2 * (this.frameSlots + i), word[fn.arg(v, i)]!);
  }

  /** Moves the arguments and jumps, unless the block is the next one. */
  private edge(v: Value, e: Edge, next: number): void {
    const { fn, word } = this;
    const to = fn.edgeTo[e]! as Block;
    const count = fn.edgeArgCount[e]!;
    for (let i = 0; i < count; i++) this.move(word[fn.param(to, i)]!, word[fn.edgeArg(e, i)]!);
    this.flushMoves(v, count, (i) => word[fn.param(to, i)]!);
    if (to !== next) this.jumps.push(this.emit(I.jump, v, 0, 0, 0, to));
  }

  private table(v: Value, a: number, start: number, length: number): void {
    const { fn } = this;
    const targets = new Int32Array(length);
    this.emit(I.br_table, v, 0, a, 0, this.tables.length);
    this.tables.push(targets);
    const stubs = new Map<Edge, number>();
    for (let i = 0; i < length; i++) {
      const e = fn.edgeTable[start + i]! as Edge;
      if (fn.edgeArgCount[e] === 0) {
        targets[i] = fn.edgeTo[e]!;
        continue;
      }
      let stub = stubs.get(e);
      if (stub === undefined) {
        stub = ~(this.count * STRIDE);
        stubs.set(e, stub);
        this.edge(v, e, NONE);
      }
      targets[i] = stub;
    }
  }

  // ---------------------------------------------------------------- parallel moves

  private move(to: number, from: number): void {
    if (to === from) return;
    this.sourceOf[to >> 1] = from;
    this.readers[from >> 1]!++;
  }

  /** Emits the `count` moves noted, so that each reads what was there before all of them. `at(i)`: where the i-th goes. */
  private flushMoves(v: Value, count: number, at: (i: number) => number): void {
    const { sourceOf, readers } = this;
    // A target that nobody reads any more may be written; that frees what it read.
    for (let i = 0; i < count; i++) {
      let to = at(i);
      while (sourceOf[to >> 1] !== NONE && readers[to >> 1] === 0) {
        const from = sourceOf[to >> 1]!;
        this.emit(I.move, v, to, from);
        sourceOf[to >> 1] = NONE;
        readers[from >> 1]!--;
        to = from;
      }
    }
    // Only cycles are left, each slot read once.
    for (let i = 0; i < count; i++) {
      const first = at(i);
      if (sourceOf[first >> 1] === NONE) continue;
      this.emit(I.move, v, this.temp, first);
      let to = first;
      while (sourceOf[to >> 1] !== first) {
        const from = sourceOf[to >> 1]!;
        this.emit(I.move, v, to, from);
        sourceOf[to >> 1] = NONE;
        readers[from >> 1]!--;
        to = from;
      }
      this.emit(I.move, v, to, this.temp);
      sourceOf[to >> 1] = NONE;
      readers[first >> 1]!--;
    }
  }
}

function bulk(op: Op): I {
  switch (op) {
    case Op.table_fill:
      return I.table_fill;
    case Op.table_copy:
      return I.table_copy;
    case Op.table_init:
      return I.table_init;
    case Op.memory_fill:
      return I.memory_fill;
    case Op.memory_copy:
      return I.memory_copy;
    default:
      return I.memory_init;
  }
}
