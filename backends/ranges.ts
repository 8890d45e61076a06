// How large an i32 value can be, seen from its own instruction and a few before it: for folding additions into addresses.
//
// A bounded look (depth 4), no analysis of loops. Relies on constants being operands number 1 (simplify puts them there).
import type { Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";

const ALL = 0xffffffff;

/** An upper bound of the value as unsigned number; 2^32 - 1 where nothing is known. */
export function largest(fn: Func, v: Value, depth = 4): number {
  if (depth === 0) return ALL;
  switch (fn.op[v]) {
    case Op.i32_const:
      return fn.imm[v]! >>> 0;
    case Op.i32_load8_u:
      return 0xff;
    case Op.i32_load16_u:
      return 0xffff;
    case Op.i32_and: {
      return Math.min(largest(fn, fn.arg(v, 0), depth - 1), largest(fn, fn.arg(v, 1), depth - 1));
    }
    case Op.i32_shr_u: {
      const c = fn.arg(v, 1);
      return fn.op[c] === Op.i32_const ? largest(fn, fn.arg(v, 0), depth - 1) >>> (fn.imm[c]! & 31) : ALL;
    }
    case Op.i32_shl: {
      const c = fn.arg(v, 1);
      const high = fn.op[c] === Op.i32_const ? largest(fn, fn.arg(v, 0), depth - 1) * 2 ** (fn.imm[c]! & 31) : ALL;
      return high <= ALL ? high : ALL;
    }
    case Op.i32_add: {
      const high = largest(fn, fn.arg(v, 0), depth - 1) + largest(fn, fn.arg(v, 1), depth - 1);
      return high <= ALL ? high : ALL;
    }
    case Op.i32_rem_u: {
      const c = fn.arg(v, 1);
      return fn.op[c] === Op.i32_const && fn.imm[c] !== 0 ? (fn.imm[c]! >>> 0) - 1 : ALL;
    }
    case Op.i32_eqz: case Op.i32_eq: case Op.i32_ne: case Op.i64_eqz: case Op.i64_eq: case Op.i64_ne:
    case Op.i32_lt_s: case Op.i32_lt_u: case Op.i32_gt_s: case Op.i32_gt_u: case Op.i32_le_s: case Op.i32_le_u: case Op.i32_ge_s: case Op.i32_ge_u:
      return 1;
    case Op.i32_clz: case Op.i32_ctz: case Op.i32_popcnt:
      return 32;
    default:
      return ALL;
  }
}
