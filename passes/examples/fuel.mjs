// Fuel metering: the module stops, by a trap, when it has executed exactly so many instructions.
//
// Before: b1: ...                     After: b1: fuel -= instructions of b1; if fuel < 0, trap
// A unit is one SSA instruction as translated from Wasm, so the count is the same at every level of optimization and in
// every engine: the pass comes before all others. A block is paid for when it is entered. What remains is the exported
// global: set it to give more fuel, before the first call or after a trap.
import { definePass, endWithBrIf, firstOf, NONE, Op, splitBefore, Type } from "wasmlathe";

export default definePass({
  name: "fuel",
  summary: "stop by a trap when the budget of instructions is used up",
  stage: "ssa",
  scope: "func",
  before: [{ pass: "*", why: "what is counted is what the module says, not what optimization leaves of it" }],
  options: {
    budget: { default: Number.MAX_SAFE_INTEGER, summary: "instructions that may be executed" },
    export: { default: "fuel", summary: "name of the exported global (mutable i64) that holds what is left" },
  },
  begin(module, cx) {
    const fuel = cx.edit.addGlobal({ type: Type.i64, mutable: true }, BigInt(cx.options.budget));
    cx.edit.addExport(cx.options.export, "global", fuel);
    return fuel;
  },
  run(fn, cx, fuel) {
    let empty = NONE;
    const blocks = [];
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) blocks.push(b);
    for (const b of blocks) {
      let cost = 0;
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) if (fn.op[v] !== Op.result) cost++;
      const first = firstOf(fn, b);
      const before = fn.insertBefore(first, Op.global_get, Type.i64, [], fuel);
      const price = fn.insertBefore(first, Op.i64_const, Type.i64, [], cost, 0);
      const after = fn.insertBefore(first, Op.i64_sub, Type.i64, [before, price]);
      const zero = fn.insertBefore(first, Op.i64_const, Type.i64, [], 0, 0);
      const out = fn.insertBefore(first, Op.i64_lt_s, Type.i32, [after, zero]);
      fn.insertBefore(first, Op.global_set, Type.none, [after], fuel);
      const rest = splitBefore(fn, first);
      if (empty === NONE) {
        empty = fn.newBlock();
        fn.append0(empty, Op.unreachable, Type.none, 0, 0, fn.offset[first]);
      }
      endWithBrIf(fn, b, out, empty, rest);
      cx.count("blocks");
    }
  },
});
