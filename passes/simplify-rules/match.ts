// What the rules of simplify share: looking at operands, making constants, replacing an instruction.
//
// A rule gets an instruction whose operands are no copies, and answers whether it changed it. It may look at what
// computes an operand, and may put new instructions before its own; it never touches any other instruction.
import { NONE, type Value } from "../../ir/entity.js";
import { Fold, foldOp } from "../../ir/fold.js";
import type { Func } from "../../ir/func.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";

/** The ops of one integer width, so that a rule is written once. */
export interface IntOps {
  readonly type: Type.i32 | Type.i64;
  readonly bits: 32 | 64;
  readonly constant: Op;
  readonly eqz: Op;
  readonly eq: Op;
  readonly ne: Op;
  readonly add: Op;
  readonly sub: Op;
  readonly mul: Op;
  readonly and: Op;
  readonly or: Op;
  readonly xor: Op;
  readonly shl: Op;
  readonly shr_s: Op;
  readonly shr_u: Op;
}

export const I32: IntOps = {
  type: Type.i32, bits: 32, constant: Op.i32_const, eqz: Op.i32_eqz, eq: Op.i32_eq, ne: Op.i32_ne, add: Op.i32_add, sub: Op.i32_sub,
  mul: Op.i32_mul, and: Op.i32_and, or: Op.i32_or, xor: Op.i32_xor, shl: Op.i32_shl, shr_s: Op.i32_shr_s, shr_u: Op.i32_shr_u,
};
export const I64: IntOps = {
  type: Type.i64, bits: 64, constant: Op.i64_const, eqz: Op.i64_eqz, eq: Op.i64_eq, ne: Op.i64_ne, add: Op.i64_add, sub: Op.i64_sub,
  mul: Op.i64_mul, and: Op.i64_and, or: Op.i64_or, xor: Op.i64_xor, shl: Op.i64_shl, shr_s: Op.i64_shr_s, shr_u: Op.i64_shr_u,
};

/** The source behind copies. */
export function source(fn: Func, x: Value): Value {
  while (fn.op[x] === Op.copy) x = fn.arg(x, 0);
  return x;
}

/** Operand `i` of `v`, copies looked through. */
export function operand(fn: Func, v: Value, i: number): Value {
  return source(fn, fn.arg(v, i));
}

export function isIntConst(fn: Func, x: Value): boolean {
  return fn.op[x] === Op.i32_const || fn.op[x] === Op.i64_const;
}

/** Whether `x` is the integer constant `n` (sign-extended to its width). */
export function isInt(fn: Func, x: Value, n: number): boolean {
  if (fn.imm[x] !== n) return false;
  return fn.op[x] === Op.i32_const || (fn.op[x] === Op.i64_const && fn.imm2[x] === n >> 31);
}

/** k where `x` is the integer constant 2^k (read as unsigned), NONE otherwise. */
export function exactLog2(fn: Func, x: Value): number {
  const lo = fn.imm[x];
  const hi = fn.op[x] === Op.i64_const ? fn.imm2[x] : 0;
  if (!isIntConst(fn, x)) return NONE;
  if (hi === 0 && lo !== 0 && (lo & (lo - 1)) === 0) return 31 - Math.clz32(lo);
  if (lo === 0 && hi !== 0 && (hi & (hi - 1)) === 0) return 63 - Math.clz32(hi);
  return NONE;
}

/** `v` becomes a copy of `x`. */
export function becomeCopy(fn: Func, v: Value, x: Value): true {
  fn.become(v, Op.copy, [x]);
  return true;
}

/** `v` becomes the integer constant `n` of its own type. */
export function becomeInt(fn: Func, v: Value, n: number): true {
  fn.becomeConst(v, n, fn.type[v] === Type.i64 ? n >> 31 : 0);
  return true;
}

export function become1(fn: Func, v: Value, op: Op, x: Value): true {
  fn.become(v, op, [x]);
  return true;
}

export function become2(fn: Func, v: Value, op: Op, x: Value, y: Value): true {
  fn.become(v, op, [x, y]);
  return true;
}

/** A new integer constant before `v`. */
export function newInt(fn: Func, v: Value, w: IntOps, n: number): Value {
  return fn.insertBefore(v, w.constant, w.type, [], n, w.bits === 64 ? n >> 31 : 0);
}

/** A new constant before `v`: `op` of two integer constants of that width. `op` must not trap on them. */
export function newFolded(fn: Func, v: Value, w: IntOps, op: Op, x: Value, y: Value): Value {
  const out = new Int32Array(2);
  if (foldOp(op, fn.imm[x], fn.imm2[x], fn.imm[y], fn.imm2[y], out) !== Fold.ok) throw new Error(`v${v}: a fold that traps`);
  return fn.insertBefore(v, w.constant, w.type, [], out[0], w.bits === 64 ? out[1] : 0);
}

/** How many low bits of an integer may be set: it is less than 2^bits, read as unsigned. `depth`: how far to look. */
export function bitsOf(fn: Func, x: Value, depth = 3): number {
  const op = fn.op[x] as Op;
  const full = fn.type[x] === Type.i64 ? 64 : 32;
  switch (op) {
    case Op.i32_const:
      return 32 - Math.clz32(fn.imm[x]);
    case Op.i64_const:
      return fn.imm2[x] !== 0 ? 64 - Math.clz32(fn.imm2[x]) : 32 - Math.clz32(fn.imm[x]);
    case Op.i32_load8_u:
    case Op.i64_load8_u:
      return 8;
    case Op.i32_load16_u:
    case Op.i64_load16_u:
      return 16;
    case Op.i64_load32_u:
      return 32;
    case Op.i32_clz:
    case Op.i32_ctz:
    case Op.i32_popcnt:
      return 6;
    case Op.i64_clz:
    case Op.i64_ctz:
    case Op.i64_popcnt:
      return 7;
    case Op.ref_is_null:
      return 1;
  }
  if (op >= Op.i32_eqz && op <= Op.f64_ge) return 1;
  if (depth === 0) return op === Op.i64_extend_i32_u ? 32 : full;
  const arg = (i: number) => bitsOf(fn, operand(fn, x, i), depth - 1);
  switch (op) {
    case Op.copy:
      return arg(0);
    case Op.i64_extend_i32_u:
      return arg(0);
    case Op.i32_wrap_i64:
      return Math.min(32, arg(0));
    case Op.i32_and:
    case Op.i64_and:
      return Math.min(arg(0), arg(1));
    case Op.i32_or:
    case Op.i64_or:
    case Op.i32_xor:
    case Op.i64_xor:
    case Op.select:
      return Math.max(arg(0), arg(1));
    case Op.i32_add:
    case Op.i64_add:
      return Math.min(full, Math.max(arg(0), arg(1)) + 1);
    case Op.i32_mul:
    case Op.i64_mul:
      return Math.min(full, arg(0) + arg(1));
    case Op.i32_div_u:
    case Op.i64_div_u:
      return arg(0);
    case Op.i32_rem_u:
    case Op.i64_rem_u:
      return Math.min(arg(0), arg(1));
    case Op.i32_shl:
    case Op.i64_shl: {
      const k = operand(fn, x, 1);
      return isIntConst(fn, k) ? Math.min(full, arg(0) + (fn.imm[k] & (full - 1))) : full;
    }
    case Op.i32_shr_u:
    case Op.i64_shr_u: {
      const k = operand(fn, x, 1);
      return isIntConst(fn, k) ? Math.max(0, arg(0) - (fn.imm[k] & (full - 1))) : arg(0);
    }
  }
  return full;
}

/** Whether an i32 is 0 or 1. */
export function isBool(fn: Func, x: Value): boolean {
  return fn.type[x] === Type.i32 && bitsOf(fn, x, 2) <= 1;
}
