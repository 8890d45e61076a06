// Rules for floats: only those that give the same bits for every input, NaNs, infinities and zeros of both signs included.
//
// So x + 0, x * 1 and x - x stay: arithmetic makes a signalling NaN quiet, and -0 + 0 is 0. Sign operations work on the
// sign bit alone and never touch a NaN's payload.
import { type Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { Op } from "../../ir/ops.js";
import { become1, become2, becomeCopy, operand } from "./match.js";

export function neg(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  return fn.op[x] === fn.op[v] && becomeCopy(fn, v, operand(fn, x, 0));
}

export function abs(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  const wide = fn.op[v] === Op.f64_abs;
  if (fn.op[x] === fn.op[v]) return becomeCopy(fn, v, x);
  const signOnly = wide ? fn.op[x] === Op.f64_neg || fn.op[x] === Op.f64_copysign : fn.op[x] === Op.f32_neg || fn.op[x] === Op.f32_copysign;
  return signOnly && become1(fn, v, fn.op[v], operand(fn, x, 0));
}

export function copysign(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (x === y) return becomeCopy(fn, v, x);
  const wide = fn.op[v] === Op.f64_copysign;
  const inner = fn.op[x];
  const signOnly = wide
    ? inner === Op.f64_neg || inner === Op.f64_abs || inner === Op.f64_copysign
    : inner === Op.f32_neg || inner === Op.f32_abs || inner === Op.f32_copysign;
  return signOnly && become2(fn, v, fn.op[v], operand(fn, x, 0), y);
}

/** x / 2^k is x * 2^-k, bit for bit, where 2^-k is a normal number: both are the exact quotient, rounded once. */
export function div(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (fn.op[y] === Op.f64_const) {
    const high = fn.imm2[y];
    const exponent = (high >>> 20) & 0x7ff;
    if (fn.imm[y] !== 0 || high & 0xfffff || exponent < 1 || exponent > 2045) return false;
    const inverse = fn.insertBefore(v, Op.f64_const, fn.type[v], [], 0, (high & 0x80000000) | ((2046 - exponent) << 20));
    return become2(fn, v, Op.f64_mul, x, inverse);
  }
  if (fn.op[y] === Op.f32_const) {
    const bits = fn.imm[y];
    const exponent = (bits >>> 23) & 0xff;
    if (bits & 0x7fffff || exponent < 1 || exponent > 253) return false;
    const inverse = fn.insertBefore(v, Op.f32_const, fn.type[v], [], (bits & 0x80000000) | ((254 - exponent) << 23));
    return become2(fn, v, Op.f32_mul, x, inverse);
  }
  return false;
}

/** Between the same bits of an int and of a float, and back. */
export function reinterpret(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  switch (fn.op[x]) {
    case Op.i32_reinterpret_f32:
    case Op.i64_reinterpret_f64:
    case Op.f32_reinterpret_i32:
    case Op.f64_reinterpret_i64:
      return becomeCopy(fn, v, operand(fn, x, 0));
  }
  return false;
}
