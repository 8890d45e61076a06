// Coalescing: vregs that copies connect, and whose lives do not meet => bundles, which get one location where they can.
//
// Block parameters with their arguments, two-address outputs with their inputs, moves; the most often executed first.
// Only vregs of one type are joined, and none that is cheaper made again. Looking for a meeting of two lives is limited
// to a number of steps, so that one long life joined by many short ones stays linear. After it `root[v]` is final and
// `firstRange`, `firstUse` of roots hold the lists of the whole bundle.
import type { MFunc } from "../../ir/machine/mfunc.js";
import { NONE } from "./intervals.js";
import type { Intervals } from "./intervals.js";
import type { CopyPairs } from "./liveness.js";

const STEPS = 400;

export function coalesce(mfn: MFunc, ivs: Intervals, pairs: CopyPairs): void {
  // Weights are few powers of ten and their hundredths: the most frequent first, in order of appearance.
  const present = new Uint8Array(BUCKETS);
  for (let n = 0; n < pairs.count; n++) present[bucketOf(pairs.weight[n])] = 1;
  for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
    if (present[bucket] === 0) continue;
    for (let n = 0; n < pairs.count; n++) {
      if (bucketOf(pairs.weight[n]) !== bucket) continue;
      const a = ivs.findRoot(pairs.a[n]);
      const b = ivs.findRoot(pairs.b[n]);
      if (a === b || ivs.firstRange[a] < 0 || ivs.firstRange[b] < 0) continue;
      if (mfn.vregType[a] !== mfn.vregType[b] || mfn.rematOp[a] !== 0 || mfn.rematOp[b] !== 0 || ivs.rangesOf[a] + ivs.rangesOf[b] > STEPS || meet(ivs, a, b)) {
        if (ivs.partner[a] < 0) ivs.partner[a] = b;
        if (ivs.partner[b] < 0) ivs.partner[b] = a;
        continue;
      }
      join(ivs, a, b);
    }
  }
  for (let v = 0; v < mfn.vregCount; v++) ivs.root[v] = ivs.findRoot(v);
}

const BUCKETS = 6;

function bucketOf(w: number): number {
  return w >= 10000 ? 5 : w >= 1000 ? 4 : w >= 100 ? 3 : w >= 10 ? 2 : w >= 1 ? 1 : 0;
}

function meet(ivs: Intervals, a: number, b: number): boolean {
  const { rangeFrom, rangeTo, rangeNext } = ivs;
  let x = ivs.firstRange[a];
  let y = ivs.firstRange[b];
  if (rangeTo[ivs.lastRange[a]] <= rangeFrom[y] || rangeTo[ivs.lastRange[b]] <= rangeFrom[x]) return false;
  while (x >= 0 && y >= 0) {
    if (rangeTo[x] <= rangeFrom[y]) x = rangeNext[x];
    else if (rangeTo[y] <= rangeFrom[x]) y = rangeNext[y];
    else return true;
  }
  return false;
}

/** Joins b to a. Where one life ends before the other begins the lists are linked, else merged. */
function join(ivs: Intervals, a: number, b: number): void {
  const { rangeFrom, rangeTo, usePos } = ivs;
  ivs.root[b] = a;
  ivs.rangesOf[a] += ivs.rangesOf[b];
  if (ivs.partner[a] < 0) ivs.partner[a] = ivs.partner[b];
  if (rangeTo[ivs.lastRange[a]] <= rangeFrom[ivs.firstRange[b]]) {
    ivs.rangeNext[ivs.lastRange[a]] = ivs.firstRange[b];
    ivs.lastRange[a] = ivs.lastRange[b];
  } else if (rangeTo[ivs.lastRange[b]] <= rangeFrom[ivs.firstRange[a]]) {
    ivs.rangeNext[ivs.lastRange[b]] = ivs.firstRange[a];
    ivs.firstRange[a] = ivs.firstRange[b];
  } else {
    if (rangeFrom[ivs.lastRange[b]] > rangeFrom[ivs.lastRange[a]]) ivs.lastRange[a] = ivs.lastRange[b];
    ivs.firstRange[a] = merged(ivs.firstRange[a], ivs.firstRange[b], ivs.rangeFrom, ivs.rangeNext);
  }
  if (ivs.firstUse[b] < 0) return;
  if (ivs.firstUse[a] < 0 || usePos[ivs.lastUse[b]] <= usePos[ivs.firstUse[a]]) {
    if (ivs.firstUse[a] < 0) ivs.lastUse[a] = ivs.lastUse[b];
    else ivs.useNext[ivs.lastUse[b]] = ivs.firstUse[a];
    ivs.firstUse[a] = ivs.firstUse[b];
  } else if (usePos[ivs.lastUse[a]] <= usePos[ivs.firstUse[b]]) {
    ivs.useNext[ivs.lastUse[a]] = ivs.firstUse[b];
    ivs.lastUse[a] = ivs.lastUse[b];
  } else {
    // Of two last uses at one position the list of `a` goes first.
    if (usePos[ivs.lastUse[b]] >= usePos[ivs.lastUse[a]]) ivs.lastUse[a] = ivs.lastUse[b];
    ivs.firstUse[a] = merged(ivs.firstUse[a], ivs.firstUse[b], ivs.usePos, ivs.useNext);
  }
}

/** Two lists sorted by `key` as one; returns its first element. Of equal keys x's comes first. */
function merged(x: number, y: number, key: Int32Array, next: Int32Array): number {
  let first = NONE;
  let last = NONE;
  while (x >= 0 && y >= 0) {
    let take: number;
    if (key[x] <= key[y]) {
      take = x;
      x = next[x];
    } else {
      take = y;
      y = next[y];
    }
    if (last < 0) first = take;
    else next[last] = take;
    last = take;
  }
  next[last] = x >= 0 ? x : y;
  return first;
}
