// Which accesses of linear memory get an address made ahead: i32 indices => pointers and bases.
//
// For targets that address by base + index or base + displacement, but not by all three. i32 additions wrap, so that an access at
// `x + 8` is two instructions there. Two ways to one, sound where memory has guards (below 0 see MAX_FOLD of ir/layout.ts):
//   a pointer   p = memory - below + index, once, where the index is made; accesses are [p + (below + displacement)]
//   a base      b = memory + displacement, once a function; accesses are [b + index]
// Pointers are for indices with several accesses, or made outside the loop of an access; bases for what is left in loops.
// The plan counts over the SSA, lowering asks access by access, and may find less to do than was counted. Linear.
import { NONE, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { MAX_FOLD } from "../ir/layout.js";
import { Op } from "../ir/ops.js";
import { accessBytes } from "./access.js";
import { largest } from "./ranges.js";

/** Bases of a function at most, each wants a register; displacements that are candidates. */
const MAX_BASES = 6;
const MAX_CANDIDATES = 24;

/** Accesses of one index in its loop for which a pointer is worth its instruction where bases could serve them. */
const MANY = 3;

/** What the target's instructions reach. */
export interface Reach {
  /** Whether an access of that many bytes can have the displacement. */
  fits(displacement: number, bytes: number): boolean;
  /** How far below its index a pointer best points whose lowest displacement (0 or less) this is. */
  below(lowest: number): number;
  /** Bases are at most so far from the memory's own. */
  readonly base: number;
}

export class Pointers {
  /** By value: how far below the index its pointer points; -1: it has none. */
  private readonly below: Int32Array;
  /** Displacements from the memory's base that are kept in registers. */
  readonly bases: readonly number[];
  // Of the access last split.
  private index = NONE as Value;
  private displacement = 0;

  /** @param depth loop depth by block, absent where there are no loops */
  constructor(
    private readonly fn: Func,
    private readonly depth: Int32Array | undefined,
    /** Memory 0 ends below the last page of its 4 GiB. */
    private readonly foldsBelow: boolean,
    private readonly target: Reach,
  ) {
    const wanted = new Int32Array(fn.valueCount);
    const lowest = new Int32Array(fn.valueCount);
    this.below = new Int32Array(fn.valueCount).fill(-1);
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
        if (!this.split(v) || this.displacement === 0) continue;
        const { index } = this;
        wanted[index]!++;
        // What is made once, outside of the loop, always pays.
        if (this.depthOf(b) > this.depthOf(fn.block[index]!)) wanted[index]! += MANY;
        lowest[index] = Math.min(lowest[index]!, this.displacement);
      }
    }
    const candidates: number[] = [];
    const weights: number[] = [];
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      const depth = this.depthOf(b);
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
        if (!this.split(v) || this.displacement === 0) continue;
        const { index, displacement } = this;
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

  private depthOf(block: number): number {
    return this.depth === undefined ? 0 : this.depth[block]!;
  }

  /** Finds index and displacement of an access of memory 0 with an index that changes, as lowering will see them. */
  private split(v: Value): boolean {
    const { fn } = this;
    if (accessBytes[fn.op[v]!] === 0 || fn.imm2[v] !== 0) return false;
    let x = fn.arg(v, 0);
    while (fn.op[x] === Op.copy) x = fn.arg(x, 0);
    if (fn.op[x] === Op.i32_const) return false;
    let displacement = fn.imm[v]! >>> 0;
    if (fn.op[x] === Op.i32_add && fn.op[fn.arg(x, 1)] === Op.i32_const) {
      const c = fn.imm[fn.arg(x, 1)]!;
      if (displacement === 0 && this.isBelow(c)) {
        displacement = c;
        x = fn.arg(x, 0);
      } else if (largest(fn, fn.arg(x, 0)) + (c >>> 0) <= 0xffffffff) {
        displacement += c >>> 0;
        x = fn.arg(x, 0);
      }
    }
    while (fn.op[x] === Op.copy) x = fn.arg(x, 0);
    this.index = x;
    this.displacement = displacement;
    return displacement < 0x7fffffff;
  }

  /** Whether an access without an offset may address that much beside its index, though the sum might wrap. */
  isBelow(displacement: number): boolean {
    return this.foldsBelow && displacement < 0 && displacement >= -MAX_FOLD;
  }

  /** What a pointer of `index` adds to `displacement` to reach it by an access of that many bytes; -1: there is no such pointer. */
  reach(index: Value, displacement: number, bytes: number): number {
    const below = this.below[index]!;
    return below >= 0 && this.target.fits(below + displacement, bytes) ? below : -1;
  }

  /** How far below its index the pointer of `index` points. */
  belowOf(index: Value): number {
    return this.below[index]!;
  }
}
