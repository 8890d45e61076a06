// Lets every user of a copy use its source, and removes the copies.
//
// Before: v2 = copy v1; v3 = i32.add v2, v2.   After: v3 = i32.add v1, v1.
// Linear: chains are shortened as they are followed.
import { NONE, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";
import { definePass } from "./pass.js";

export const copyFold = definePass({
  name: "copy-fold",
  summary: "replace copies by what they copy",
  stage: "ssa",
  scope: "func",
  after: [{ pass: "simplify", why: "simplify turns what it reduces to an operand into copies" }],
  before: [{ pass: "block-params", why: "a parameter that receives a value and its copy looks as if it received two" }],
  run(fn, cx) {
    cx.count("copies", foldCopies(fn));
  },
});

/** Replaces and removes all copies; says how many. */
export function foldCopies(fn: Func): number {
  const copies: Value[] = [];
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
    for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) if (fn.op[v] === Op.copy) copies.push(v as Value);
  }
  if (copies.length === 0) return 0;
  const to = new Int32Array(fn.valueCount).fill(NONE);
  for (const v of copies) to[v] = fn.arg(v, 0);
  for (const v of copies) {
    let end = to[v];
    while (to[end] !== NONE) end = to[end];
    for (let x: number = v; to[x] !== NONE && x !== end; ) {
      const next = to[x];
      to[x] = end;
      x = next;
    }
  }
  fn.substitute(to);
  for (const v of copies) fn.remove(v);
  return copies.length;
}
