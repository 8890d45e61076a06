// Removes instructions and block parameters whose values nothing needs.
//
// Before: any function. After: every value is needed by an effect, a trap, a return or a branch, by way of others.
// Mark and sweep (Cytron et al. 1991, section 7.1, without the control dependences: loops stay even when empty). An
// instruction that may trap is an effect, a division by a constant is not. Linear in instructions plus edge arguments.
import { isRemovable } from "../ir/analysis/effects.js";
import { NONE, type Block, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";
import { definePass } from "./pass.js";

export const dce = definePass({
  name: "dce",
  summary: "remove unused values without effects",
  stage: "ssa",
  scope: "func",
  after: [
    { pass: "copy-fold", why: "a copy's source may be its only use" },
    { pass: "gvn", why: "a merged computation leaves operands nobody uses" },
    { pass: "block-params", why: "a removed parameter leaves arguments nobody uses" },
  ],
  run(fn, cx) {
    removeDead(fn, (stat, n) => cx.count(stat, n));
  },
});

export function removeDead(fn: Func, count: (stat: "insts" | "params", n: number) => void): void {
  const live = new Uint8Array(fn.valueCount);
  const work = new Int32Array(fn.valueCount);
  let top = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
    for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
      if (!isRemovable(fn, v as Value)) {
        live[v] = 1;
        work[top++] = v;
      }
    }
  }
  const { pool, argStart, argCount, edgeArgStart, edgeNextPred } = fn;
  while (top > 0) {
    const v = work[--top];
    const end = argStart[v] + argCount[v];
    for (let i = argStart[v]; i < end; i++) {
      const x = pool[i];
      if (live[x]) continue;
      live[x] = 1;
      work[top++] = x;
    }
    if (fn.op[v] !== Op.param) continue;
    for (let e = fn.firstPred[fn.block[v]]; e !== NONE; e = edgeNextPred[e]) {
      const x = pool[edgeArgStart[e] + fn.imm[v]];
      if (live[x]) continue;
      live[x] = 1;
      work[top++] = x;
    }
  }

  let insts = 0;
  let params = 0;
  const keep = (v: Value) => {
    if (live[v]) return true;
    params++;
    return false;
  };
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
    if (b !== fn.entry && fn.paramCount[b] > 0) fn.filterParams(b as Block, keep);
    for (let v = fn.firstInst[b]; v !== NONE; ) {
      const next = fn.next[v];
      if (!live[v]) {
        fn.remove(v as Value);
        insts++;
      }
      v = next;
    }
  }
  count("insts", insts);
  count("params", params);
}
