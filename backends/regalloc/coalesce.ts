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
  // Weights are sums of few distinct values: buckets by power of ten, in order of appearance.
  for (let bucket = 5; bucket >= 0; bucket--) {
    for (let n = 0; n < pairs.count; n++) {
      const w = pairs.weight[n];
      const mine = w >= 10000 ? 5 : w >= 1000 ? 4 : w >= 100 ? 3 : w >= 10 ? 2 : w >= 1 ? 1 : 0;
      if (mine !== bucket) continue;
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

function meet(ivs: Intervals, a: number, b: number): boolean {
  const { rangeFrom, rangeTo, rangeNext } = ivs;
  let x = ivs.firstRange[a];
  let y = ivs.firstRange[b];
  while (x >= 0 && y >= 0) {
    if (rangeTo[x] <= rangeFrom[y]) x = rangeNext[x];
    else if (rangeTo[y] <= rangeFrom[x]) y = rangeNext[y];
    else return true;
  }
  return false;
}

function join(ivs: Intervals, a: number, b: number): void {
  const { rangeFrom, rangeNext, usePos, useNext } = ivs;
  ivs.root[b] = a;
  ivs.rangesOf[a] += ivs.rangesOf[b];
  if (ivs.partner[a] < 0) ivs.partner[a] = ivs.partner[b];
  let x = ivs.firstRange[a];
  let y = ivs.firstRange[b];
  let last = NONE;
  while (x >= 0 || y >= 0) {
    let take: number;
    if (y < 0 || (x >= 0 && rangeFrom[x] < rangeFrom[y])) {
      take = x;
      x = rangeNext[x];
    } else {
      take = y;
      y = rangeNext[y];
    }
    if (last < 0) ivs.firstRange[a] = take;
    else rangeNext[last] = take;
    last = take;
  }
  x = ivs.firstUse[a];
  y = ivs.firstUse[b];
  last = NONE;
  while (x >= 0 || y >= 0) {
    let take: number;
    if (y < 0 || (x >= 0 && usePos[x] <= usePos[y])) {
      take = x;
      x = useNext[x];
    } else {
      take = y;
      y = useNext[y];
    }
    if (last < 0) ivs.firstUse[a] = take;
    else useNext[last] = take;
    last = take;
  }
}
