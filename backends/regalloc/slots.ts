// Frame slots for values: one interval of positions a value => slots, shared by values that are never there together.
//
// Linear scan over interval starts; freed slots wait on a stack, a hinted slot is taken out of its middle lazily. v128 values come from a pool of their own behind the others (even pairs), so that slots of
// different sizes never overlap (the parallel moves rely on it). No interference graph, linear.
import type { MFunc } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";

export class SlotAssigner {
  /** By id: the slot it got. */
  slotOf = new Int32Array(64);
  /** Ids sorted by start; a heap of those that have a slot; keys for sorting. */
  private byStart = new Int32Array(64);
  private ends = new Int32Array(64);
  private keys = new Float64Array(64);
  private counts = new Int32Array(256);
  private isFree = new Uint8Array(64);
  private freeStack = new Int32Array(64);

  /** Room for ids below `count`. */
  reset(count: number): void {
    if (this.slotOf.length < count) this.slotOf = new Int32Array(count * 2);
  }

  /**
   * Gives a slot to each id with `from[id] >= 0`; it is taken from `from[id]` to `to[id]` inclusive, positions below
   * `positions`. `typeOf[id]` gives the size, `hint[id]` (-1: none) another id whose slot would be welcome.
   * `share` false: every id gets a slot of its own. Sets `mfn.slotCount`.
   */
  assign(mfn: MFunc, count: number, positions: number, from: Int32Array, to: Int32Array, typeOf: Uint8Array, hint: Int32Array, share: boolean): void {
    const { slotOf } = this;
    let wide = 0;
    let small = 0;
    if (!share) {
      for (let id = 0; id < count; id++) if (from[id] >= 0 && typeOf[id] !== Type.v128) slotOf[id] = small++;
    } else small = this.scan(positions, count, from, to, typeOf, hint, 8);
    small += small & 1;
    if (!share) {
      for (let id = 0; id < count; id++) if (from[id] >= 0 && typeOf[id] === Type.v128) slotOf[id] = small + 2 * wide++;
    } else {
      let any = false;
      for (let id = 0; id < count && !any; id++) any = from[id] >= 0 && typeOf[id] === Type.v128;
      if (any) {
        wide = this.scan(positions, count, from, to, typeOf, hint, 16);
        for (let id = 0; id < count; id++) if (from[id] >= 0 && typeOf[id] === Type.v128) slotOf[id] = small + 2 * slotOf[id];
      }
    }
    mfn.slotCount = small + 2 * wide;
  }

  private scan(positions: number, count: number, from: Int32Array, to: Int32Array, typeOf: Uint8Array, hint: Int32Array, bytes: 8 | 16): number {
    let ids = 0;
    for (let id = 0; id < count; id++) {
      if (from[id] < 0 || (typeOf[id] === Type.v128) !== (bytes === 16)) continue;
      if (ids === this.byStart.length) this.growIds();
      this.byStart[ids++] = id;
      this.slotOf[id] = -1;
    }
    if (ids === 0) return 0;
    this.sortByStart(positions, ids, from);
    const { slotOf, byStart, isFree } = this;
    let slots = 0;
    let top = 0;
    let taken = 0;
    for (let n = 0; n < ids; n++) {
      const id = byStart[n];
      // Intervals that ended give their slots back, the earliest end first.
      while (taken > 0 && to[this.ends[0]] < from[id]) {
        const ended = this.popEnd(taken--, to);
        isFree[slotOf[ended]] = 1;
        this.freeStack[top++] = slotOf[ended];
      }
      const h = hint[id] < 0 || from[hint[id]] < 0 || typeOf[hint[id]] !== typeOf[id] ? -1 : slotOf[hint[id]];
      let slot = -1;
      if (h >= 0 && isFree[h] !== 0) slot = h;
      // Entries of slots taken by a hint are stale: skipped here.
      while (slot < 0 && top > 0) if (isFree[this.freeStack[--top]] !== 0) slot = this.freeStack[top];
      if (slot < 0) slot = slots++;
      isFree[slot] = 0;
      slotOf[id] = slot;
      this.pushEnd(taken++, id, to);
    }
    return slots;
  }

  /** Few by comparison, many by counting; ids with one start keep their order. */
  private sortByStart(positions: number, ids: number, from: Int32Array): void {
    const { byStart } = this;
    if (ids * 16 < positions) {
      for (let n = 0; n < ids; n++) this.keys[n] = from[byStart[n]] * 0x100_0000 + byStart[n];
      this.keys.subarray(0, ids).sort();
      for (let n = 0; n < ids; n++) byStart[n] = this.keys[n] % 0x100_0000;
      return;
    }
    if (this.counts.length < positions + 1) this.counts = new Int32Array(positions * 2);
    const { counts } = this;
    counts.fill(0, 0, positions + 1);
    for (let n = 0; n < ids; n++) counts[from[byStart[n]] + 1]++;
    for (let p = 0; p < positions; p++) counts[p + 1] += counts[p];
    for (let n = 0; n < ids; n++) this.ends[counts[from[byStart[n]]]++] = byStart[n];
    for (let n = 0; n < ids; n++) byStart[n] = this.ends[n];
  }

  // ---- a heap of ids by end, the earliest first ----

  private pushEnd(size: number, id: number, to: Int32Array): void {
    const { ends } = this;
    let at = size;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (to[ends[up]] <= to[id]) break;
      ends[at] = ends[up];
      at = up;
    }
    ends[at] = id;
  }

  private popEnd(size: number, to: Int32Array): number {
    const { ends } = this;
    const first = ends[0];
    const id = ends[size - 1];
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= size - 1) break;
      if (down + 1 < size - 1 && to[ends[down + 1]] < to[ends[down]]) down++;
      if (to[ends[down]] >= to[id]) break;
      ends[at] = ends[down];
      at = down;
    }
    ends[at] = id;
    return first;
  }

  private growIds(): void {
    const n = this.byStart.length * 2;
    const bigger = new Int32Array(n);
    bigger.set(this.byStart);
    this.byStart = bigger;
    this.ends = new Int32Array(n);
    this.keys = new Float64Array(n);
    this.isFree = new Uint8Array(n);
    // Every interval puts its slot on it once.
    this.freeStack = new Int32Array(n);
  }
}
