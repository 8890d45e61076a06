// A peephole rule: i32.sub x, x => 0, and the same for i64. The smallest pass that does something useful.
import { definePass, NONE, Op } from "wasmlathe";

export default definePass({
  name: "sub-self",
  summary: "x - x is 0",
  stage: "ssa",
  scope: "func",
  before: [{ pass: "dce", why: "what made x may be superfluous then" }],
  run(fn, cx) {
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
        if (fn.op[v] !== Op.i32_sub && fn.op[v] !== Op.i64_sub) continue;
        if (fn.arg(v, 0) !== fn.arg(v, 1)) continue;
        fn.becomeConst(v, 0);
        cx.count("folded");
      }
    }
  },
});
