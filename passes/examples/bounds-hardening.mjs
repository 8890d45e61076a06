// Bounds hardening: an access that would lie outside of its memory is moved, by data flow, to an address that surely faults.
//
// Before: i32.load v1, m0, offset=8
// After:  ok = i64(v1) <= i64(memory.size) * 65536 - 12;  i32.load select(ok, v1, -1), m0, offset=8
// Results and traps stay what they were. But a processor that runs ahead of a mispredicted check of the *program* (Spectre,
// variant 1) now loads from the guard instead of from wherever the index points: there is no branch to mispredict.
import { definePass, memoryAccess, NONE, Op, Type } from "wasmlathe";

export default definePass({
  name: "bounds-hardening",
  summary: "clamp every address by data flow, against loads that run ahead of a check",
  stage: "ssa",
  scope: "func",
  after: [{ pass: "simplify", why: "constant addresses below the memory's minimum need no clamp" }],
  before: [{ pass: "dce", why: "it takes away what the clamps leave over" }],
  run(fn, cx) {
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
        const access = memoryAccess(fn.op[v]);
        if (!access) continue;
        const address = fn.arg(v, 0);
        const end = (fn.imm[v] >>> 0) + access.bytes;
        const memory = cx.module.memories[fn.imm2[v]];
        if (fn.op[address] === Op.i32_const && (fn.imm[address] >>> 0) + end <= memory.limits.min * 65536) continue;
        const pages = fn.insertBefore(v, Op.memory_size, Type.i32, [], fn.imm2[v]);
        const wide = fn.insertBefore(v, Op.i64_extend_i32_u, Type.i64, [pages]);
        const sixteen = fn.insertBefore(v, Op.i64_const, Type.i64, [], 16, 0);
        const bytes = fn.insertBefore(v, Op.i64_shl, Type.i64, [wide, sixteen]);
        const last = fn.insertBefore(v, Op.i64_const, Type.i64, [], end | 0, end > 0xffffffff ? 1 : 0);
        const limit = fn.insertBefore(v, Op.i64_sub, Type.i64, [bytes, last]);
        const index = fn.insertBefore(v, Op.i64_extend_i32_u, Type.i64, [address]);
        const ok = fn.insertBefore(v, Op.i64_le_s, Type.i32, [index, limit]);
        const outside = fn.insertBefore(v, Op.i32_const, Type.i32, [], -1);
        fn.setArg(v, 0, fn.insertBefore(v, Op.select, Type.i32, [address, outside, ok]));
        cx.count("accesses");
      }
    }
  },
});
