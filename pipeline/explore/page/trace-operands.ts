// Which virtual register each operand of an allocated function holds.
//
// Instructions that were there before name it: operand n of the new one is operand n of the old one. Moves that the allocator put
// in are followed within their block: what was last seen in the source, or is next read from the destination.
import { ORIGIN_MOVE, ORIGIN_REMAT } from "../../../backends/regalloc/check.js";
import { MOp, type MFunc } from "../../../ir/machine/mfunc.js";

/** @param origin as `Allocator.allocate` returns it. @returns by operand position of `after`; -1 where unknown. */
export function traceOperands(before: MFunc, after: MFunc, origin: Int32Array): Int32Array {
  const vregs = new Int32Array(after.opndLength).fill(-1);
  const place = (i: number) => after.opndReg[i]!;
  for (let b = 0; b < after.blockCount; b++) {
    const holds = new Map<number, number>();
    for (let i = after.blockStart[b]!; i < after.blockEnd[b]!; i++) {
      const start = after.opndStart[i]!;
      const from = origin[i]!;
      if (from === ORIGIN_MOVE && after.op[i] === MOp.swap) {
        const [x, y] = [place(start), place(start + 1)];
        const [inX, inY] = [holds.get(x) ?? -1, holds.get(y) ?? -1];
        holds.set(x, inY).set(y, inX);
        continue;
      }
      if (from === ORIGIN_MOVE) {
        const known = holds.get(place(start + 1)) ?? -1;
        vregs[start] = vregs[start + 1] = known;
        holds.set(place(start), known);
        continue;
      }
      for (let n = 0; n < after.opndCount[i]!; n++) {
        const vreg = from <= ORIGIN_REMAT ? ORIGIN_REMAT - from : before.opndReg[before.opndStart[from]! + n]!;
        vregs[start + n] = vreg;
        holds.set(place(start + n), vreg);
      }
    }
    // Backwards for moves whose source came from another block.
    holds.clear();
    for (let i = after.blockEnd[b]! - 1; i >= after.blockStart[b]!; i--) {
      const start = after.opndStart[i]!;
      if (origin[i] === ORIGIN_MOVE && after.op[i] === MOp.move && vregs[start]! < 0) vregs[start] = vregs[start + 1] = holds.get(place(start)) ?? -1;
      for (let n = 0; n < after.opndCount[i]!; n++) holds.set(place(start + n), vregs[start + n]!);
    }
  }
  return vregs;
}
