// Which accesses of linear memory get an address made ahead: i32 indices => pointers and bases.
//
// For targets that address by base + index or base + displacement, but not by all three. i32 additions wrap, so that an access at
// `x + 8` is two instructions there. Two ways to one, sound where memory has guards (below 0 see MAX_FOLD of ir/layout.ts):
//   a pointer   p = memory - below + index, once, where the index is made; accesses are [p + (below + displacement)]
//   a base      b = memory + displacement, once a function; accesses are [b + index]
// Pointers are for indices with several accesses, or made outside the loop of an access; bases for what is left in loops.
// Indices that grow by a constant each round have pointers that grow with them (inductions.ts).
// The plan counts over the SSA, lowering asks access by access, and may find less to do than was counted. Linear.
import { NONE, type Value } from "../ir/entity.js";
import type { Accesses } from "./access.js";
import { Inductions } from "./inductions.js";
import type { Lowering } from "./lower.js";

/** Bases of a function at most, each wants a register; displacements that are candidates. */
const MAX_BASES = 6;
const MAX_CANDIDATES = 24;

/** Accesses of one index in its loop for which a pointer is worth its instruction where bases could serve them. */
const MANY = 3;

export class Pointers {
  /** By value: how far below the index its pointer points; -1: it has none. */
  private readonly below: Int32Array;
  /** Displacements from the memory's base that are kept in registers. */
  readonly bases: readonly number[];
  readonly inductions: Inductions | undefined;

  constructor(
    low: Lowering,
    private readonly accesses: Accesses,
  ) {
    const { fn, loops, dom } = low;
    const { target } = accesses;
    if (loops !== undefined && dom !== undefined) this.inductions = new Inductions(fn, loops, dom, accesses);
    const wanted = new Int32Array(fn.valueCount);
    const lowest = new Int32Array(fn.valueCount);
    this.below = new Int32Array(fn.valueCount).fill(-1);
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
        if (!accesses.split(v) || accesses.displacement === 0) continue;
        const { index } = accesses;
        wanted[index]!++;
        // What is made once, outside of the loop, always pays.
        if (low.depthOf(b) > low.depthOf(fn.block[index]!)) wanted[index]! += MANY;
        lowest[index] = Math.min(lowest[index]!, accesses.displacement);
      }
    }
    const candidates: number[] = [];
    const weights: number[] = [];
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      const depth = low.depthOf(b);
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
        if (!accesses.split(v) || accesses.displacement === 0) continue;
        const { index, displacement } = accesses;
        if (this.inductions?.has(index)) continue;
        if (wanted[index]! >= MANY || (depth === 0 && wanted[index]! > 1)) this.below[index] = target.below(lowest[index]!);
        else if (depth > 0 && Math.abs(displacement) <= target.base) {
          let k = candidates.indexOf(displacement);
          if (k < 0) {
            if (candidates.length === MAX_CANDIDATES) continue;
            k = candidates.push(displacement) - 1;
            weights.push(0);
          }
          weights[k]! += 10 ** Math.min(depth, 4);
        }
      }
    }
    const order = candidates.map((_, k) => k).sort((a, b) => weights[b]! - weights[a]! || a - b);
    this.bases = order.slice(0, MAX_BASES).map((k) => candidates[k]!);
  }

  /** What a pointer of `index` adds to `displacement` to reach it by an access of that many bytes; -1: there is no such pointer. */
  reach(index: Value, displacement: number, bytes: number): number {
    const below = this.belowOf(index);
    return below >= 0 && this.accesses.target.fits(below + displacement, bytes) ? below : -1;
  }

  /** How far below its index the pointer of `index` points. */
  belowOf(index: Value): number {
    if (this.inductions?.has(index)) return this.inductions.below[this.inductions.idOf[index]!]!;
    return this.below[index]!;
  }
}
