// Frame slots for values: one interval of positions a value => slots, shared by values that are never there together.
//
// Linear scan over interval starts (counting sort by position); freed slots wait on a stack, a hinted slot is taken out
// of its middle lazily. v128 values come from a pool of their own behind the others (even pairs), so that slots of
// different sizes never overlap (the parallel moves rely on it). No interference graph, linear.
import type { MFunc } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";

export class SlotAssigner {
  /** By id: the slot it got. */
  slotOf = new Int32Array(64);
  private startHead = new Int32Array(256);
  private endHead = new Int32Array(256);
  private startNext = new Int32Array(64);
  private endNext = new Int32Array(64);
  private isFree = new Uint8Array(64);
  private freeStack = new Int32Array(64);

  /** Room for ids below `count`. */
  reset(count: number): void {
    if (this.slotOf.length < count) {
      this.slotOf = new Int32Array(count * 2);
      this.startNext = new Int32Array(count * 2);
      this.endNext = new Int32Array(count * 2);
    }
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
    if (this.startHead.length < positions) {
      this.startHead = new Int32Array(positions * 2);
      this.endHead = new Int32Array(positions * 2);
    }
    const { slotOf, startHead, endHead, startNext, endNext } = this;
    startHead.fill(-1, 0, positions);
    endHead.fill(-1, 0, positions);
    let any = false;
    for (let id = count - 1; id >= 0; id--) {
      if (from[id] < 0 || (typeOf[id] === Type.v128) !== (bytes === 16)) continue;
      any = true;
      startNext[id] = startHead[from[id]];
      startHead[from[id]] = id;
      endNext[id] = endHead[to[id]];
      endHead[to[id]] = id;
      slotOf[id] = -1;
    }
    if (!any) return 0;
    let slots = 0;
    let top = 0;
    for (let p = 0; p < positions; p++) {
      for (let id = startHead[p]; id >= 0; id = startNext[id]) {
        const h = hint[id] < 0 || from[hint[id]] < 0 || typeOf[hint[id]] !== typeOf[id] ? -1 : slotOf[hint[id]];
        let slot = -1;
        if (h >= 0 && this.isFree[h] !== 0) slot = h;
        // Entries of slots taken by a hint are stale: skipped here.
        while (slot < 0 && top > 0) if (this.isFree[this.freeStack[--top]] !== 0) slot = this.freeStack[top];
        if (slot < 0) {
          slot = slots++;
          if (slot === this.isFree.length) {
            const bigger = new Uint8Array(slot * 2);
            bigger.set(this.isFree);
            this.isFree = bigger;
          }
        }
        this.isFree[slot] = 0;
        slotOf[id] = slot;
      }
      for (let id = endHead[p]; id >= 0; id = endNext[id]) {
        this.isFree[slotOf[id]] = 1;
        if (top === this.freeStack.length) {
          const bigger = new Int32Array(top * 2);
          bigger.set(this.freeStack);
          this.freeStack = bigger;
        }
        this.freeStack[top++] = slotOf[id];
      }
    }
    return slots;
  }
}
