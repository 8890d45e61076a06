// The order in which blocks are emitted: loops turned round where that spares a jump each time round.
//
// Blocks in layout order, a loop among them: H .. X Y .. Z, X the last that may leave it, Z jumping to H
//   => Y .. Z H .. X: X's branch goes back to Y, Z falls through; whoever fell into H jumps there, once.
// Allocation and lowering want the header first, so this is done when code is emitted. Relies on branches going by label.
import type { MFunc } from "../ir/machine/mfunc.js";

/** Loops of more blocks keep their order: one jump is little there, and turning nested ones stays linear. */
const MAX_BLOCKS = 128;

/**
 * @param order the blocks to emit, in layout order; changed in place
 * @param target by block: the one that stands for it, which blocks that only jump lead to
 * @param branches whether a block ends in a branch with two ways out
 */
export function rotateLoops(mfn: MFunc, order: Int32Array, target: Int32Array, branches: (block: number) => boolean): void {
  const { lists, succStart, edgeTo } = mfn;
  const place = new Int32Array(mfn.blockCount).fill(-1);
  for (let k = 0; k < order.length; k++) place[order[k]!] = k;
  const successor = (b: number, k: number): number => target[edgeTo[lists[succStart[b]! + k]!]!]!;

  // By header: the last block that jumps there from behind.
  const latch = new Int32Array(mfn.blockCount).fill(-1);
  for (const b of order) {
    if (mfn.succCount[b] !== 1) continue;
    const header = successor(b, 0);
    if (place[header]! >= 0 && place[header]! < place[b]!) latch[header] = b;
  }
  const turned = new Int32Array(MAX_BLOCKS);
  // Inner loops have their headers behind those of the outer ones.
  for (const header of Int32Array.from(order).reverse()) {
    if (latch[header] === -1) continue;
    const first = place[header]!;
    const last = place[latch[header]!]!;
    const count = last - first + 1;
    if (count > MAX_BLOCKS || count < 2) continue;
    let exit = last - 1;
    while (exit >= first && !leaves(order[exit]!, order[exit + 1]!, first, last)) exit--;
    if (exit < first) continue;
    const behind = last - exit;
    for (let k = 0; k < count; k++) turned[k] = order[first + ((k + count - behind) % count)]!;
    for (let k = 0; k < count; k++) place[(order[first + k] = turned[k]!)] = first + k;
  }

  /** One way out of `b` goes on to `next`, the other out of the loop. */
  function leaves(b: number, next: number, first: number, last: number): boolean {
    if (!branches(b)) return false;
    const [yes, no] = [successor(b, 0), successor(b, 1)];
    const other = yes === next ? no : no === next ? yes : -1;
    return other >= 0 && (place[other]! < first || place[other]! > last);
  }
}
