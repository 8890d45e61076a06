// A pass as a user writes it, against the public exports alone: makes every i32.add a subtraction.
import { definePass, NONE, Op } from "wasmlathe";

export const addToSub = definePass({
  name: "add-to-sub",
  summary: "i32.add becomes i32.sub",
  stage: "ssa",
  scope: "func",
  run(fn, cx) {
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b])
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v])
        if (fn.op[v] === Op.i32_add) fn.become(v, Op.i32_sub, [fn.arg(v, 0), fn.arg(v, 1)]), cx.count("adds");
  },
});
