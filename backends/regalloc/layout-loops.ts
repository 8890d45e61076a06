// Loops as intervals of the block layout: blocks with their edges => nested intervals, and the question "how far".
//
// Every edge that goes backward in the layout, from f to t, makes [t, f] an interval; intervals that cross are widened
// until they nest. A value defined before t and still wanted at some block of [t, f] is wanted in all of it. That is
// all one needs to turn "first and last mention" into a range that is safe, loops, cold blocks at the end and
// irreducible graphs included, provided that each block but the entry has a predecessor before it (`ordered`), so that
// definitions come before uses in the layout. Linear.
import type { MFunc } from "../../ir/machine/mfunc.js";

export class LayoutLoops {
  /** By block: last block of the interval that starts there, -1 if none does. */
  end = new Int32Array(64);
  /** By header: header of the interval around; by block: header of the innermost interval it is in; -1: none. */
  parent = new Int32Array(64);
  innermost = new Int32Array(64);
  /** Each block but the entry has a predecessor before it. */
  ordered = true;
  private stack = new Int32Array(64);

  compute(mfn: MFunc): void {
    const n = mfn.blockCount;
    if (this.end.length < n) {
      this.end = new Int32Array(n * 2);
      this.parent = new Int32Array(n * 2);
      this.innermost = new Int32Array(n * 2);
      this.stack = new Int32Array(n * 2);
    }
    const { end, parent, innermost, stack } = this;
    end.fill(-1, 0, n);
    parent.fill(-1, 0, n);
    // `innermost` serves as a mark first: 1 where a predecessor lies before.
    innermost.fill(0, 0, n);
    for (let e = 0; e < mfn.edgeCount; e++) {
      const from = mfn.edgeFrom[e];
      const to = mfn.edgeTo[e];
      if (from >= to) {
        if (end[to] < from) end[to] = from;
      } else innermost[to] = 1;
    }
    this.ordered = true;
    for (let b = 1; b < n; b++) if (innermost[b] === 0) this.ordered = false;
    // Widen: from the last header to the first, `stack` holding the headers of the outermost intervals behind.
    let top = 0;
    for (let t = n - 1; t >= 0; t--) {
      if (end[t] < 0) continue;
      while (top > 0 && stack[top - 1] <= end[t]) {
        const inner = stack[--top];
        if (end[inner] > end[t]) end[t] = end[inner];
        parent[inner] = t;
      }
      stack[top++] = t;
    }
    top = 0;
    for (let b = 0; b < n; b++) {
      while (top > 0 && end[stack[top - 1]] < b) top--;
      if (end[b] >= 0) stack[top++] = b;
      innermost[b] = top > 0 ? stack[top - 1] : -1;
    }
  }

  /** Block to whose end a value defined in `defBlock` must be kept if `block` wants it; -1: only to its last mention. */
  reach(defBlock: number, block: number): number {
    let last = -1;
    for (let h = this.innermost[block]; h > defBlock; h = this.parent[h]) last = this.end[h];
    return last;
  }
}
