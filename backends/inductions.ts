// Pointers that walk along with a loop: indices that change by the same constant every round => a pointer carried round the loop.
//
//   loop(p, i): .. load (x + i*8) .. p' = p + 4 .. => a pointer to x + i*8 that grows by 8 at the end of the round
// An i32 sum wraps, a pointer does not. But where each round accesses memory at the index itself, the index was below the
// last page of its 4 GiB, and a step of less than a page does not wrap. Going down, the index may wrap below 0: then its next
// access, without a displacement, traps both ways (see MAX_FOLD of ir/layout.ts). A block parameter that only such indices
// need is dropped. Looks at expressions of a few instructions; relies on loops with one back edge. Nearly linear.
import { dominates, type Dom } from "../ir/analysis/dom.js";
import type { Loops } from "../ir/analysis/loops.js";
import { computeUses, type Uses } from "../ir/analysis/uses.js";
import { NONE, type Block, type Edge, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { MAX_FOLD } from "../ir/layout.js";
import { Op } from "../ir/ops.js";
import { accessBytes, Split, type Accesses } from "./access.js";

/** Instructions deep that an index's expression is looked into; users looked at, of a value and what is made of it; pointers of a loop. */
const MAX_DEPTH = 5;
const MAX_USERS = 64;
const MAX_OF_LOOP = 6;

export class Inductions {
  /** By value: number of its induction, NONE. */
  readonly idOf: Int32Array;
  // By induction.
  readonly index: Value[] = [];
  readonly header: Block[] = [];
  /** What the pointer grows by each round. */
  readonly step: number[] = [];
  /** How far below its index it points. */
  readonly below: number[] = [];
  /** The first induction of a loop, by header block, and of those that grow at a block's end, by block; NONE. Then the next ones, by induction. */
  readonly firstOf: Int32Array;
  readonly nextOf: number[] = [];
  readonly firstAtEnd: Int32Array;
  readonly nextAtEnd: number[] = [];
  private readonly dropped: Uint8Array;
  /** By loop: source of its only back edge, NONE; how many inductions it has. */
  private readonly latch: Int32Array;
  private readonly ofLoop: Uint8Array;
  private readonly lowest: Int32Array;
  private readonly highest: Int32Array;
  private uses: Uses | undefined;
  // Of the expression last looked into: the one parameter in it.
  private parameter = NONE as Value;
  private usersLeft = 0;
  /** Header of the loop in question. */
  private current = NONE as Block;

  constructor(
    private readonly fn: Func,
    private readonly loops: Loops,
    private readonly dom: Dom,
    private readonly accesses: Accesses,
  ) {
    this.idOf = new Int32Array(fn.valueCount).fill(NONE);
    this.firstOf = new Int32Array(fn.blockCount).fill(NONE);
    this.firstAtEnd = new Int32Array(fn.blockCount).fill(NONE);
    this.dropped = new Uint8Array(fn.valueCount);
    this.lowest = new Int32Array(fn.valueCount);
    this.highest = new Int32Array(fn.valueCount);
    this.latch = new Int32Array(loops.count);
    this.ofLoop = new Uint8Array(loops.count);
    for (let loop = 0; loop < loops.count; loop++) this.latch[loop] = this.onlyLatch(loops.header[loop]! as Block);
    // A memory that may reach to the end of the address space lets any index be accessed.
    if (!accesses.foldsBelow) return;
    // Parameters come last: whether one can be dropped depends on the others.
    const candidates = this.candidates();
    for (const v of candidates) if (fn.op[v] !== Op.param) this.induct(v);
    for (const v of candidates) if (fn.op[v] === Op.param) this.induct(v);
    for (let id = 0; id < this.index.length; id++) {
      this.parameter = NONE as Value;
      this.stepOf(this.index[id]!, loops.loopOf[this.header[id]!]!, 0);
      this.usersLeft = MAX_USERS;
      this.current = this.header[id]!;
      if (this.isOnlyAddress(this.parameter, 0)) this.dropped[this.parameter] = 1;
    }
  }

  has(index: Value): boolean {
    return this.idOf[index] !== NONE;
  }

  drops(param: Value): boolean {
    return this.dropped[param] === 1;
  }

  /** Whether the edge goes round the loop of `header`, which it enters. */
  goesRound(e: Edge): boolean {
    return dominates(this.dom, this.fn.edgeTo[e]! as Block, this.fn.edgeFrom[e]! as Block);
  }

  isInside(v: Value, loop: number): boolean {
    for (let l = this.loops.loopOf[this.fn.block[v]!]!; l !== NONE && l >= loop; l = this.loops.parent[l]!) if (l === loop) return true;
    return false;
  }

  private onlyLatch(header: Block): number {
    const { fn, dom } = this;
    let latch: number = NONE;
    for (let e = fn.firstPred[header]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      if (!dominates(dom, header, fn.edgeFrom[e]! as Block)) continue;
      if (latch !== NONE) return NONE;
      latch = fn.edgeFrom[e]!;
    }
    return latch;
  }

  /** Indices at which every round of their loop accesses memory, in order of appearance; notes the displacements of all. */
  private candidates(): Value[] {
    const { fn, loops, accesses, lowest, highest } = this;
    const seen = new Uint8Array(fn.valueCount);
    const found: Value[] = [];
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
        if (!accesses.split(v)) continue;
        const { index, displacement } = accesses;
        lowest[index] = Math.min(lowest[index]!, displacement);
        highest[index] = Math.max(highest[index]!, displacement);
        if (accesses.how !== Split.plain || seen[index] === 1) continue;
        const loop = loops.loopOf[fn.block[index]!]!;
        if (loop === NONE || this.latch[loop] === NONE || !dominates(this.dom, b as Block, this.latch[loop]! as Block)) continue;
        seen[index] = 1;
        found.push(index);
      }
    }
    return found;
  }

  private induct(v: Value): void {
    const { fn, loops, accesses } = this;
    const loop = loops.loopOf[fn.block[v]!]!;
    if (this.ofLoop[loop]! >= MAX_OF_LOOP) return;
    this.parameter = NONE as Value;
    const step = this.stepOf(v, loop, 0);
    const { parameter } = this;
    if (parameter === NONE || step === 0 || !(Math.abs(step) <= MAX_FOLD) || !accesses.target.adds(Math.abs(step))) return;
    if (step < 0 && (this.lowest[v]! < 0 || this.highest[v]! > 0)) return;
    const id = this.index.length;
    this.idOf[v] = id;
    this.below[id] = accesses.target.below(this.lowest[v]!);
    // The index itself must become superfluous, or nothing is gained.
    this.usersLeft = MAX_USERS;
    this.current = loops.header[loop]! as Block;
    if (!this.isOnlyAddress(v, 0)) {
      this.idOf[v] = NONE;
      this.below.length = id;
      return;
    }
    this.ofLoop[loop]!++;
    this.index.push(v);
    this.header.push(loops.header[loop]! as Block);
    this.step.push(step);
    this.nextOf.push(this.firstOf[loops.header[loop]!]!);
    this.firstOf[loops.header[loop]!] = id;
    const end = this.lastOf(loop);
    this.nextAtEnd.push(this.firstAtEnd[end]!);
    this.firstAtEnd[end] = id;
  }

  /** The last block of the loop in which there is something to do: pointers grow at its end. */
  private lastOf(loop: number): number {
    const { fn } = this;
    let b = this.latch[loop]!;
    while (fn.firstInst[b] === fn.lastInst[b] && fn.op[fn.lastInst[b]!] === Op.br && b !== this.loops.header[loop]) {
      const way = fn.singlePred(b as Block);
      if (way === NONE) break;
      b = fn.edgeFrom[way]!;
    }
    return b;
  }

  /** What the back edge passes for a parameter of its header. */
  private passedRound(param: Value): Value {
    const { fn } = this;
    const header = fn.block[param]! as Block;
    for (let e = fn.firstPred[header]!; e !== NONE; e = fn.edgeNextPred[e]!) if (this.goesRound(e as Edge)) return fn.edgeArg(e as Edge, fn.imm[param]!);
    return NONE as Value;
  }

  /** What `v` grows by each round of the loop; NaN: not by the same every time. Sets `parameter`; two of them are too many. */
  private stepOf(v: Value, loop: number, depth: number): number {
    const { fn } = this;
    if (!this.isInside(v, loop)) return 0;
    if (depth > MAX_DEPTH) return NaN;
    const constant = () => (fn.op[fn.arg(v, 1)] === Op.i32_const ? fn.imm[fn.arg(v, 1)]! : NaN);
    switch (fn.op[v]) {
      case Op.param: {
        if (fn.block[v] !== this.loops.header[loop] || (this.parameter !== NONE && this.parameter !== v)) return NaN;
        const next = this.passedRound(v);
        if (next === NONE || fn.op[next] !== Op.i32_add || fn.arg(next, 0) !== v || fn.op[fn.arg(next, 1)] !== Op.i32_const) return NaN;
        this.parameter = v;
        return fn.imm[fn.arg(next, 1)]!;
      }
      case Op.i32_const:
        return 0;
      case Op.i32_add:
        return this.stepOf(fn.arg(v, 0), loop, depth + 1) + this.stepOf(fn.arg(v, 1), loop, depth + 1);
      case Op.i32_sub:
        return this.stepOf(fn.arg(v, 0), loop, depth + 1) - this.stepOf(fn.arg(v, 1), loop, depth + 1);
      case Op.i32_shl:
        return scaled(this.stepOf(fn.arg(v, 0), loop, depth + 1), 2 ** (constant() & 31 || (constant() === 0 ? 0 : NaN)));
      case Op.i32_mul:
        return scaled(this.stepOf(fn.arg(v, 0), loop, depth + 1), constant());
      default:
        return NaN;
    }
  }

  /** Whether all that `v` is needed for are accesses by pointers that walk along with the loop in question, by way of additions and the like, and its own increment. */
  private isOnlyAddress(v: Value, depth: number): boolean {
    const { fn } = this;
    const uses = (this.uses ??= computeUses(fn));
    const end = uses.start[v + 1]!;
    this.usersLeft -= end - uses.start[v]!;
    if (depth > MAX_DEPTH || this.usersLeft < 0) return false;
    for (let u = uses.start[v]!; u < end; u++) {
      const user = uses.users[u]! as Value;
      if (user < 0 || !this.isAddress(user, v, depth)) return false;
    }
    return true;
  }

  private isAddress(user: Value, v: Value, depth: number): boolean {
    const { fn, accesses } = this;
    if (accessBytes[fn.op[user]!] !== 0) {
      // As what a store writes it is a number.
      if (fn.argCount[user] === 2 && fn.arg(user, 1) === v) return false;
      if (!accesses.split(user) || accesses.how === Split.above || !this.has(accesses.index)) return false;
      // A pointer of another loop is made from what does not change there.
      const id = this.idOf[accesses.index]!;
      if (id < this.header.length && this.header[id] !== this.current) return false;
      return accesses.target.fits(this.below[id]! + accesses.displacement, accessBytes[fn.op[user]!]!);
    }
    switch (fn.op[user]) {
      case Op.i32_add: case Op.i32_sub: case Op.i32_shl: case Op.i32_mul:
        if (fn.op[v] === Op.param && this.passedRound(v) === user) return this.isOnlyPassedRound(user, v);
        return this.isOnlyAddress(user, depth + 1);
      default:
        return false;
    }
  }

  private isOnlyPassedRound(next: Value, param: Value): boolean {
    const { start, users } = this.uses!;
    if (start[next + 1]! - start[next]! !== 1) return false;
    const e = ~users[start[next]!]! as Edge;
    return e >= 0 && this.fn.edgeTo[e] === this.fn.block[param] && this.goesRound(e);
  }
}

/** A step far beyond those that are of use is none: products stay exact. */
function scaled(step: number, factor: number): number {
  const product = step * factor;
  return Math.abs(product) <= 0x7fffffff ? product : NaN;
}
