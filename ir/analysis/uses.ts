// Who uses a value: counts, and lists as two columns.
//
// Counted are operands of instructions in placed blocks and arguments of the edges that enter placed blocks, unreachable ones
// included: each mention is one use.
import { NONE, type Value } from "../entity.js";
import type { Func } from "../func.js";
import { defineAnalysis } from "./analysis.js";

/** Uses by value. */
export function computeUseCounts(fn: Func): Int32Array {
  const counts = new Int32Array(fn.valueCount);
  const pool = fn.pool;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) {
      const end = fn.argStart[v]! + fn.argCount[v]!;
      for (let i = fn.argStart[v]!; i < end; i++) counts[pool[i]!]!++;
    }
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      const end = fn.edgeArgStart[e]! + fn.edgeArgCount[e]!;
      for (let i = fn.edgeArgStart[e]!; i < end; i++) counts[pool[i]!]!++;
    }
  }
  return counts;
}

export interface Uses {
  /** The uses of `v` are `users[start[v]] .. users[start[v + 1] - 1]`, in block order. */
  readonly start: Int32Array;
  /** An instruction, or `~e` where edge `e` passes the value; once per mention. */
  readonly users: Int32Array;
}

export function computeUses(fn: Func): Uses {
  const start = new Int32Array(fn.valueCount + 1);
  const counts = computeUseCounts(fn);
  for (let v = 0; v < fn.valueCount; v++) start[v + 1] = start[v]! + counts[v]!;
  const users = new Int32Array(start[fn.valueCount]!);
  const free = start.slice(0, fn.valueCount);
  const pool = fn.pool;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      const end = fn.edgeArgStart[e]! + fn.edgeArgCount[e]!;
      for (let i = fn.edgeArgStart[e]!; i < end; i++) users[free[pool[i]!]!++] = ~e;
    }
    for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) {
      const end = fn.argStart[v]! + fn.argCount[v]!;
      for (let i = fn.argStart[v]!; i < end; i++) users[free[pool[i]!]!++] = v;
    }
  }
  return { start, users };
}

/** Whether nothing mentions `v`. */
export function isUnused(uses: Uses, v: Value): boolean {
  return uses.start[v] === uses.start[v + 1];
}

export const useCounts = defineAnalysis<Int32Array>({ name: "use-counts", depends: "values", run: computeUseCounts });
export const uses = defineAnalysis<Uses>({ name: "uses", depends: "values", run: computeUses });
