// Placement: intervals => a register for each, or the slot, splitting them where that is cheaper than giving in.
//
// Intervals wait in a heap: the deepest loops first, in them the longest. Each takes a register that is free for all of
// its life, hinted ones first; or throws out lighter ones (weight: uses by loop depth, over length); or is cut. Where to
// cut follows from the loops: behind the last use before the obstacle but outside the loops that use lies in, reloads as
// late as possible but outside the loops that the use lies in and the obstacle does not. Parts without uses go to the
// slot. Lives that cross calls in cold blocks only are cut at those blocks' borders. Pieces of one bundle are limited,
// then the rest is cut to single instructions at once, so that the work stays near linear.
import type { MFunc } from "../../ir/machine/mfunc.js";
import type { RegisterFile } from "../target.js";
import { NONE, Role, SPILLED, UNPLACED, UseKind } from "./intervals.js";
import type { Intervals } from "./intervals.js";
import type { LayoutLoops } from "./layout-loops.js";
import type { Liveness } from "./liveness.js";
import type { RegisterMap } from "./register-map.js";

/** Pieces of one bundle before it is cut to single instructions. */
const PIECES = 12;
/** Positions between two uses that make a reload for the first not worth it. */
const APART = 32;
/** Calls looked at to find out whether all are in cold blocks. */
const COLD_CALLS = 32;

export class Placer {
  private heap = new Int32Array(256);
  private heapKey = new Float64Array(256);
  private heapSize = 0;
  private readonly evictees: number[] = [];
  private readonly candidate: number[] = [];
  private readonly order: readonly (readonly number[])[];
  private readonly calleeSaved: readonly number[];
  private readonly classOf = new Uint8Array(16);

  private mfn!: MFunc;
  private ivs!: Intervals;
  private map!: RegisterMap;
  private live!: Liveness;
  private loops!: LayoutLoops;
  /** Of the last `probe`: where it met something, and the heaviest it met. */
  private meetAt = 0;
  private meetWeight = 0;
  /** Of the last `callMask`. */
  private firstCall = 0;

  constructor(registers: RegisterFile, classOf: Uint8Array) {
    this.order = [registers.allocatableInts, registers.allocatableFloats];
    this.calleeSaved = [registers.calleeSavedInts, registers.calleeSavedFloats];
    this.classOf.set(classOf);
  }

  /** False: too many pieces, or an instruction whose operands found no place: the other allocator must do it. */
  place(mfn: MFunc, ivs: Intervals, map: RegisterMap, live: Liveness, loops: LayoutLoops): boolean {
    this.mfn = mfn;
    this.ivs = ivs;
    this.map = map;
    this.live = live;
    this.loops = loops;
    this.heapSize = 0;
    for (let v = 0; v < mfn.vregCount; v++) {
      if (ivs.root[v] !== v || ivs.firstRange[v] < 0) continue;
      this.queue(ivs.newInterval(v, ivs.firstRange[v], ivs.firstUse[v]));
    }
    const limit = ivs.ivCount * 5 + 1000;
    let steps = ivs.ivCount * 40 + 10000;
    while (this.heapSize > 0) {
      if (ivs.ivCount > limit || steps-- === 0) return false;
      if (!this.step(this.pop())) return false;
    }
    return true;
  }

  // ---- one interval ----

  private step(iv: number): boolean {
    const { ivs, mfn } = this;
    const bundle = ivs.ivBundle[iv];
    const cls = this.classOf[mfn.vregType[bundle]];
    if (ivs.ivUse[iv] < 0 || ivs.ivWeight[iv] === 0) {
      this.spill(iv);
      return true;
    }
    const weight = ivs.ivWeight[iv];
    const remat = mfn.rematOp[bundle] !== 0;
    // Not worth a register: nothing but copies, or the definition of what can be made again.
    if (this.onlyDefinition(iv, remat)) {
      this.spill(iv);
      return true;
    }
    const mask = this.callMask(iv, cls);
    const crosses = this.firstCall >= 0;
    if (crosses && weight !== Infinity && this.cutColdCalls(iv)) return true;
    // What can be made again is not worth saving a register of the caller's.
    const forbidden = crosses && remat && ivs.ivDepth[iv] <= 1 ? mask | this.calleeSaved[cls] : mask;

    const order = this.order[cls];
    const { candidate } = this;
    candidate.length = 0;
    const hint = ivs.ivHint[iv];
    if (hint >= 0 && hint >> 5 === cls && order.includes(hint)) candidate.push(hint);
    const partner = ivs.partner[bundle];
    if (partner >= 0) {
      const p = ivs.pieces[ivs.root[partner]];
      if (p >= 0 && ivs.ivLoc[p] >= 0 && ivs.ivLoc[p] !== hint && ivs.ivLoc[p] >> 5 === cls) candidate.push(ivs.ivLoc[p]);
    }
    for (let pi = ivs.ivSibling[iv]; pi >= 0; pi = ivs.ivSibling[pi]) {
      if (ivs.ivLoc[pi] >= 0 && !candidate.includes(ivs.ivLoc[pi])) {
        candidate.push(ivs.ivLoc[pi]);
        break;
      }
    }
    let best = NONE;
    let bestWeight = weight;
    let furthest = -1;
    const hints = candidate.length;
    for (let c = 0; c < hints + order.length; c++) {
      const r = c < hints ? candidate[c] : order[c - hints];
      if (((forbidden >>> (r & 31)) & 1) !== 0 || (c >= hints && hints > 0 && candidate.includes(r))) continue;
      this.probe(iv, r, bestWeight);
      if (this.meetAt < 0) {
        this.take(iv, r);
        return true;
      }
      if (this.meetWeight < bestWeight) {
        best = r;
        bestWeight = this.meetWeight;
      }
      if (this.meetAt > furthest) furthest = this.meetAt;
    }
    if (best !== NONE) {
      this.evict(iv, best);
      this.take(iv, best);
      return true;
    }
    if (weight === Infinity) return false;
    if (crosses && this.firstCall > furthest) {
      // How far one would come in a register that the first call takes away.
      for (let c = 0; c < order.length && furthest < this.firstCall; c++) {
        if (((forbidden >>> (order[c] & 31)) & 1) === 0) continue;
        this.probe(iv, order[c], weight);
        const until = this.meetAt < 0 ? this.firstCall : Math.min(this.meetAt, this.firstCall);
        if (until > furthest) furthest = until;
      }
    }
    this.giveWay(iv, furthest);
    return true;
  }

  /** Holds nothing but definitions that do without a register: copied to the slot, or not made at all. */
  private onlyDefinition(iv: number, remat: boolean): boolean {
    const { ivs, mfn } = this;
    for (let u = ivs.ivUse[iv]; u >= 0; u = ivs.useNext[u]) {
      if ((ivs.useRole[u] & Role.def) === 0) return false;
      if (ivs.useKind[u] !== UseKind.register) continue;
      const i = ivs.instOf[ivs.usePos[u] >> 2];
      if (!remat || mfn.opndCount[i] !== 1 || mfn.op[i] !== mfn.rematOp[ivs.ivBundle[iv]]) return false;
    }
    return true;
  }

  /** The first range of iv that meets one of register r: `meetAt` (-1: none) and the heaviest (Infinity: the instruction's own). */
  private probe(iv: number, r: number, limit: number): void {
    const { ivs, map } = this;
    const { rangeFrom, rangeTo, rangeNext } = ivs;
    this.meetAt = -1;
    this.meetWeight = -1;
    let range = ivs.ivRange[iv];
    let node = map.find(r, rangeFrom[range]);
    while (node >= 0 && range >= 0) {
      if (map.to[node] <= rangeFrom[range]) {
        // A few steps along the list, then a search.
        let steps = 4;
        do node = map.after(node);
        while (node >= 0 && map.to[node] <= rangeFrom[range] && --steps > 0);
        if (node >= 0 && steps === 0) node = map.find(r, rangeFrom[range]);
        continue;
      }
      if (map.from[node] >= rangeTo[range]) {
        range = rangeNext[range];
        continue;
      }
      const other = map.iv[node];
      if (this.meetAt < 0) this.meetAt = Math.max(rangeFrom[range], map.from[node]);
      const w = other < 0 ? Infinity : ivs.ivWeight[other];
      if (w > this.meetWeight) this.meetWeight = w;
      if (w >= limit) return;
      node = map.after(node);
    }
  }

  private take(iv: number, r: number): void {
    const { ivs, map } = this;
    ivs.ivLoc[iv] = r;
    for (let range = ivs.ivRange[iv]; range >= 0; range = ivs.rangeNext[range]) map.insert(r, ivs.rangeFrom[range], ivs.rangeTo[range], iv);
  }

  private evict(iv: number, r: number): void {
    const { ivs, map, evictees } = this;
    evictees.length = 0;
    for (let range = ivs.ivRange[iv]; range >= 0; range = ivs.rangeNext[range]) {
      for (let node = map.find(r, ivs.rangeFrom[range]); node >= 0 && map.from[node] < ivs.rangeTo[range]; node = map.after(node)) {
        const other = map.iv[node];
        if (ivs.ivLoc[other] === UNPLACED) continue;
        ivs.ivLoc[other] = UNPLACED;
        evictees.push(other);
      }
    }
    for (const other of evictees) {
      for (let range = ivs.ivRange[other]; range >= 0; range = ivs.rangeNext[range]) map.remove(r, ivs.rangeFrom[range]);
      this.push(other);
    }
  }

  private spill(iv: number): void {
    this.ivs.ivLoc[iv] = SPILLED;
  }

  // ---- calls ----

  /** Registers of the class that calls inside the interval clobber; sets `firstCall` (-1: none). */
  private callMask(iv: number, cls: number): number {
    const { ivs, live, mfn } = this;
    let mask = 0;
    let first = 0x7fffffff;
    for (let c = 1; c < mfn.clobberSets.length; c++) {
      const at = live.clobberAt[c];
      const count = live.clobberCount[c];
      if (count === 0 || at[count - 1] < ivs.ivStart[iv] || at[0] >= ivs.ivEnd[iv]) continue;
      const set = mfn.clobberSets[c];
      const bits = cls === 0 ? set.ints : set.floats;
      if (bits === 0) continue;
      for (let range = ivs.ivRange[iv]; range >= 0; range = ivs.rangeNext[range]) {
        const n = lowerBound(at, count, ivs.rangeFrom[range]);
        if (n === count) break;
        if (at[n] >= ivs.rangeTo[range]) continue;
        mask |= bits;
        if (at[n] < first) first = at[n];
        break;
      }
    }
    this.firstCall = first === 0x7fffffff ? -1 : first;
    return mask;
  }

  /** If all calls it crosses are in cold blocks and it has uses elsewhere: cuts those blocks out of it. */
  private cutColdCalls(iv: number): boolean {
    const { ivs, live, mfn } = this;
    const cls = this.classOf[mfn.vregType[ivs.ivBundle[iv]]];
    if (ivs.pieceCount[ivs.ivBundle[iv]] > PIECES) return false;
    let seen = 0;
    for (let c = 1; c < mfn.clobberSets.length; c++) {
      if ((cls === 0 ? mfn.clobberSets[c].ints : mfn.clobberSets[c].floats) === 0) continue;
      const at = live.clobberAt[c];
      const count = live.clobberCount[c];
      for (let range = ivs.ivRange[iv]; range >= 0; range = ivs.rangeNext[range]) {
        for (let n = lowerBound(at, count, ivs.rangeFrom[range]); n < count && at[n] < ivs.rangeTo[range]; n++) {
          if (mfn.blockCold[this.blockAt(at[n])] === 0 || ++seen > COLD_CALLS) return false;
        }
      }
    }
    let warm = false;
    for (let range = ivs.ivRange[iv]; range >= 0 && !warm; range = ivs.rangeNext[range]) warm = mfn.blockCold[this.blockAt(ivs.rangeFrom[range])] === 0;
    if (!warm) return false;
    this.separateCold(iv);
    return true;
  }

  /** Moves the parts of an interval that lie in cold blocks to an interval of their own; both are queued. */
  private separateCold(iv: number): void {
    const { ivs, mfn } = this;
    let warmFirst = NONE;
    let warmLast = NONE;
    let coldFirst = NONE;
    let coldLast = NONE;
    for (let range = ivs.ivRange[iv]; range >= 0; ) {
      const next = ivs.rangeNext[range];
      let from = ivs.rangeFrom[range];
      const to = ivs.rangeTo[range];
      let b = this.blockAt(from);
      let born = ivs.rangeBorn[range];
      while (from < to) {
        // The stretch of blocks as warm or cold as this one.
        const cold = mfn.blockCold[b];
        let end = this.endOf(b);
        while (end < to && mfn.blockCold[b + 1] === cold) end = this.endOf(++b);
        b++;
        const piece = ivs.newRange(from, Math.min(to, end), NONE, born);
        born = 0;
        from = end;
        if (cold !== 0) {
          if (coldLast < 0) coldFirst = piece;
          else ivs.rangeNext[coldLast] = piece;
          coldLast = piece;
        } else {
          if (warmLast < 0) warmFirst = piece;
          else ivs.rangeNext[warmLast] = piece;
          warmLast = piece;
        }
      }
      range = next;
    }
    let warmUse = NONE;
    let coldUse = NONE;
    let warmUseLast = NONE;
    let coldUseLast = NONE;
    for (let u = ivs.ivUse[iv]; u >= 0; ) {
      const next = ivs.useNext[u];
      ivs.useNext[u] = NONE;
      if (mfn.blockCold[this.blockAt(ivs.usePos[u])] !== 0) {
        if (coldUseLast < 0) coldUse = u;
        else ivs.useNext[coldUseLast] = u;
        coldUseLast = u;
      } else {
        if (warmUseLast < 0) warmUse = u;
        else ivs.useNext[warmUseLast] = u;
        warmUseLast = u;
      }
      u = next;
    }
    ivs.ivRange[iv] = warmFirst;
    ivs.ivUse[iv] = warmUse;
    this.queue(iv);
    this.queue(ivs.newInterval(ivs.ivBundle[iv], coldFirst, coldUse));
  }

  // ---- cutting ----

  /** Nothing can be had for all of it: cut, so that a part fits before `obstacle`, or is done without a register. */
  private giveWay(iv: number, obstacle: number): void {
    const { ivs } = this;
    const bundle = ivs.ivBundle[iv];
    if (ivs.pieceCount[bundle] > PIECES) {
      this.shatter(iv);
      return;
    }
    const start = ivs.ivStart[iv];
    const gap = obstacle & ~3;
    let lastBefore = NONE;
    let first = NONE;
    for (let u = ivs.ivUse[iv]; u >= 0; u = ivs.useNext[u]) {
      const arrives = ivs.useKind[u] === UseKind.copy && (ivs.useRole[u] & Role.def) !== 0;
      if (arrives) continue;
      if (first < 0) first = u;
      if (ivs.usePos[u] < gap) lastBefore = u;
      else break;
    }
    if (first < 0) {
      this.spill(iv);
      return;
    }
    if (lastBefore >= 0 && gap > start) {
      const at = this.behindUse(ivs.usePos[lastBefore], gap);
      if (at > start && at < ivs.ivEnd[iv]) {
        this.split(iv, at);
        return;
      }
    }
    // The obstacle comes before the first use: nothing is gained before that. Nor by uses that may read the slot
    // themselves, as long as they are few and far between.
    const inSlot = this.live.blockWeight[this.blockAt(start)] * 1.01;
    while (ivs.useKind[first] !== UseKind.register && ivs.useWeight[first] <= inSlot) {
      const next = ivs.useNext[first];
      if (next < 0) {
        this.spill(iv);
        return;
      }
      if (ivs.usePos[next] - ivs.usePos[first] < APART) break;
      first = next;
    }
    const use = ivs.usePos[first];
    const useGap = ivs.useKind[first] === UseKind.copy ? (use + 1) & ~3 : use & ~3;
    let at = this.beforeUse(start, useGap);
    if (at > start && at < ivs.ivEnd[iv]) {
      this.splitHead(iv, at);
      return;
    }
    at = (use & ~3) + 4;
    if (at < ivs.ivEnd[iv] && at > start) this.split(iv, at);
    else this.shatter(iv);
  }

  private split(iv: number, at: number): void {
    const second = this.ivs.cut(iv, at);
    this.queue(iv);
    this.queue(second);
  }

  /** The part before `at` has no use: it goes to the slot. */
  private splitHead(iv: number, at: number): void {
    const second = this.ivs.cut(iv, at);
    this.ivs.measure(iv);
    this.spill(iv);
    this.queue(second);
  }

  /** Cuts an interval to single instructions: registers where uses demand them, the slot everywhere else. */
  private shatter(iv: number): void {
    const { ivs } = this;
    let rest = iv;
    for (;;) {
      let u = ivs.ivUse[rest];
      while (u >= 0 && ivs.useKind[u] !== UseKind.register) u = ivs.useNext[u];
      const start = ivs.rangeFrom[ivs.ivRange[rest]];
      if (u < 0) {
        ivs.measure(rest);
        this.spill(rest);
        return;
      }
      const gap = ivs.usePos[u] & ~3;
      if (gap > start) {
        const second = ivs.cut(rest, gap);
        ivs.measure(rest);
        this.spill(rest);
        rest = second;
      }
      ivs.measure(rest);
      if (gap + 4 >= ivs.ivEnd[rest]) {
        this.push(rest);
        return;
      }
      const second = ivs.cut(rest, gap + 4);
      this.queue(rest);
      rest = second;
    }
  }

  /** Where to end a piece whose last use is at `use` and which may last to `latest`: at once, but outside the loops left on the way. */
  private behindUse(use: number, latest: number): number {
    const { loops, mfn } = this;
    const b = this.blockAt(use);
    const to = this.blockAt(latest - 1);
    let at = (use & ~3) + 4;
    // An edge's use is at the very end of its block.
    if (at > latest) at = latest;
    for (let h = loops.innermost[b]; h >= 0 && loops.end[h] < to; h = loops.parent[h]) at = 4 * (mfn.blockStart[loops.end[h] + 1] + loops.end[h] + 1);
    return Math.min(at, latest);
  }

  /** Where to begin a piece whose first use is at gap `use`, at `earliest` or later: just before, but outside the loops entered on the way. */
  private beforeUse(earliest: number, use: number): number {
    const { loops, mfn } = this;
    const b = this.blockAt(use - 1);
    const from = this.blockAt(earliest);
    let at = use;
    for (let h = loops.innermost[b]; h > from; h = loops.parent[h]) at = 4 * (mfn.blockStart[h] + h);
    return at;
  }

  /** Block of a position. */
  private blockAt(pos: number): number {
    const n = pos >> 2;
    const { instOf } = this.ivs;
    const i = instOf[n];
    if (i < 0) return ~i;
    // Numbers run ahead of instructions by the block's number and one.
    return n - i - 1;
  }

  private endOf(b: number): number {
    return 4 * (this.mfn.blockEnd[b] + b + 1);
  }

  // ---- the heap, largest key first ----

  private queue(iv: number): void {
    this.ivs.measure(iv);
    this.push(iv);
  }

  private push(iv: number): void {
    const { ivs } = this;
    const key = ivs.ivWeight[iv] === Infinity ? 0x1000_0000_0000 + ivs.ivDepth[iv] : ivs.ivDepth[iv] * 0x1_0000_0000 + ivs.ivLength[iv];
    if (this.heapSize === this.heap.length) {
      const heap = new Int32Array(this.heapSize * 2);
      heap.set(this.heap);
      this.heap = heap;
      const keys = new Float64Array(this.heapSize * 2);
      keys.set(this.heapKey);
      this.heapKey = keys;
    }
    const { heap, heapKey } = this;
    let at = this.heapSize++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (heapKey[up] >= key) break;
      heap[at] = heap[up];
      heapKey[at] = heapKey[up];
      at = up;
    }
    heap[at] = iv;
    heapKey[at] = key;
  }

  private pop(): number {
    const { heap, heapKey } = this;
    const top = heap[0];
    const size = --this.heapSize;
    const iv = heap[size];
    const key = heapKey[size];
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= size) break;
      if (down + 1 < size && heapKey[down + 1] > heapKey[down]) down++;
      if (heapKey[down] <= key) break;
      heap[at] = heap[down];
      heapKey[at] = heapKey[down];
      at = down;
    }
    heap[at] = iv;
    heapKey[at] = key;
    return top;
  }
}

/** Index of the first element of the sorted part that is at least `value`. */
export function lowerBound(sorted: Int32Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
