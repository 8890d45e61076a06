// Reverse postorder of the blocks reachable from the entry.
//
// A depth-first search with an explicit stack that takes a terminator's targets last to first, so that in the order the
// first target comes first. Loop headers come before their bodies; every block comes after its immediate dominator.
import { NONE, type Value } from "../entity.js";
import type { Func } from "../func.js";
import { defineAnalysis } from "./analysis.js";

export interface Rpo {
  /** Reachable blocks, the entry first. */
  readonly order: Int32Array;
  /** Position in `order` by block, NONE if unreachable. */
  readonly index: Int32Array;
}

export function computeRpo(fn: Func): Rpo {
  const index = new Int32Array(fn.blockCount).fill(NONE);
  const postorder = new Int32Array(fn.blockCount);
  const stack = new Int32Array(fn.blockCount);
  const nextTarget = new Int32Array(fn.blockCount);
  let depth = 0;
  let count = 0;
  if (fn.blockCount > 0) {
    index[fn.entry] = 0;
    nextTarget[fn.entry] = targets(fn, fn.entry);
    stack[depth++] = fn.entry;
  }
  while (depth > 0) {
    const b = stack[depth - 1]!;
    if (nextTarget[b]! > 0) {
      const i = --nextTarget[b]!;
      const to = fn.edgeTo[fn.targetEdge(fn.lastInst[b]! as Value, i)]!;
      if (index[to] === NONE) {
        index[to] = 0;
        nextTarget[to] = targets(fn, to);
        stack[depth++] = to;
      }
    } else {
      depth--;
      postorder[count++] = b;
    }
  }
  const order = postorder.slice(0, count).reverse();
  for (let i = 0; i < count; i++) index[order[i]!] = i;
  return { order, index };
}

/** Targets of a block's terminator; 0 for a block still without one. */
function targets(fn: Func, b: number): number {
  const last = fn.lastInst[b]! as Value;
  return last === NONE ? 0 : fn.targetCount(last);
}

export const rpo = defineAnalysis<Rpo>({ name: "rpo", depends: "cfg", run: computeRpo });
