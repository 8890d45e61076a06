// What an analysis is: a function from a `Func` to an immutable result, and which version stamp the result lives by.
//
// Every analysis here can be called directly (`computeDom(fn)`); the `Analysis` object is for the pass manager, which keeps
// results until the stamp named by `depends` moves. Nothing in an analysis changes the function.
import type { Func } from "../func.js";

export interface Analysis<T> {
  readonly name: string;
  /** `cfg`: stale when `cfgVersion` moved; `values`: stale when `cfgVersion` or `valueVersion` moved. */
  readonly depends: "cfg" | "values";
  run(fn: Func): T;
}

/** Gives an analysis its type; `run` must be pure and must not recurse over the function's structure. */
export function defineAnalysis<T>(analysis: Analysis<T>): Analysis<T> {
  return analysis;
}
