// Moves that a function's base case does without: arguments on their way into registers that calls keep.
//
// Allocated entry block: kept = argument; branch on kept to a block that returns  => the branch and that block read the argument's
// register, the move is made behind the prologue, which saves the register it writes. What the early return of a backend (early-return.ts) needs to
// know about it. Relies on nothing but operands and locations.
import { FIRST_FLOAT_REG, MOp, Opnd, type MFunc } from "../ir/machine/mfunc.js";

export class EarlyMoves {
  /** Moves of the entry block to be made behind the prologue, in order. */
  readonly moves: number[] = [];
  /** By register that such a move writes: the one it reads; -1 for others. */
  readonly source = new Int8Array(FIRST_FLOAT_REG).fill(-1);
  private readonly isSource = new Uint8Array(FIRST_FLOAT_REG);

  /** @param kept registers that calls keep, as bits */
  constructor(
    private readonly mfn: MFunc,
    kept: number,
  ) {
    for (let i = mfn.blockStart[0]!; i < mfn.blockEnd[0]!; i++) {
      if (mfn.op[i] !== MOp.move) continue;
      const [to, from] = [this.at(i, 0), this.at(i, 1)];
      if (to >= FIRST_FLOAT_REG || from >= FIRST_FLOAT_REG || ((kept >>> to) & 1) === 0 || ((kept >>> from) & 1) === 1 || this.source[to]! >= 0) continue;
      this.source[to] = from;
      this.isSource[from] = 1;
      this.moves.push(i);
    }
  }

  private at(i: number, k: number): number {
    return this.mfn.opndReg[this.mfn.opndStart[i]! + k]!;
  }

  /** Whether `block` is right without the moves, and, the entry block, leaves what they read as it is. */
  allow(block: number): boolean {
    const { mfn, source, isSource } = this;
    if (this.moves.length === 0) return true;
    const overwritten = new Uint8Array(FIRST_FLOAT_REG);
    let made = 0;
    for (let i = mfn.blockStart[block]!; i < mfn.blockEnd[block]!; i++) {
      if (block === 0 && this.moves[made] === i) {
        made++;
        continue;
      }
      let reads = false;
      let writes = false;
      for (let k = 0; k < mfn.opndCount[i]!; k++) {
        const loc = this.at(i, k);
        if (loc >= FIRST_FLOAT_REG) continue;
        if ((mfn.opndInfo[mfn.opndStart[i]! + k]! & Opnd.kindMask) === Opnd.use) {
          if (source[loc]! < 0) continue;
          if (overwritten[source[loc]!] === 1) return false;
          // Before its move the register holds something else.
          if (block === 0 && !this.moves.slice(0, made).some((m) => this.at(m, 0) === loc)) return false;
          reads = true;
        } else if (isSource[loc] === 1 && mfn.op[i] !== MOp.args) writes = true;
      }
      if (!writes) continue;
      // A sequence may write its result before it has read all.
      if (block === 0 || (reads && mfn.op[i] !== MOp.move)) return false;
      for (let k = 0; k < mfn.opndCount[i]!; k++) {
        if ((mfn.opndInfo[mfn.opndStart[i]! + k]! & Opnd.kindMask) !== Opnd.use && this.at(i, k) < FIRST_FLOAT_REG) overwritten[this.at(i, k)] = 1;
      }
    }
    return true;
  }
}
