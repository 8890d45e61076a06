// The float half of fold.ts: comparisons, arithmetic, conversions, on raw bits.
//
// Computing in double and rounding to single once is exact for + - * / and sqrt (a double has more than twice a single's bits and two
// to spare). NaNs are told by their bits before a float view may touch them: reading a signalling NaN as a number makes it quiet.
import { TrapKind } from "./layout.js";
import { Op } from "./ops.js";

/** What `foldOp` returns, besides a `TrapKind` (greater than 0) where the operation traps. */
export const enum Fold {
  ok = 0,
  /** Not an operation on numbers alone. */
  unknown = -1,
}

// Scratch to see bits as floats; never holds anything between calls.
const ints = new Int32Array(2);
const singles = new Float32Array(ints.buffer);
const doubles = new Float64Array(ints.buffer);

function isNan32(bits: number): boolean {
  return (bits & 0x7fffffff) > 0x7f800000;
}

function isNan64(lo: number, hi: number): boolean {
  const high = hi & 0x7fffffff;
  return high > 0x7ff00000 || (high === 0x7ff00000 && lo !== 0);
}

function single(bits: number): number {
  ints[0] = bits;
  return singles[0]!;
}

function double(lo: number, hi: number): number {
  ints[0] = lo;
  ints[1] = hi;
  return doubles[0]!;
}

/** A result: the default NaN (negative, quiet, no payload) when the operation was invalid. */
function putSingle(x: number, out: Int32Array): Fold {
  if (x !== x) out[0] = 0xffc00000;
  else {
    singles[0] = x;
    out[0] = ints[0]!;
  }
  out[1] = 0;
  return Fold.ok;
}

function putDouble(x: number, out: Int32Array): Fold {
  if (x !== x) {
    out[0] = 0;
    out[1] = 0xfff80000;
  } else {
    doubles[0] = x;
    out[0] = ints[0]!;
    out[1] = ints[1]!;
  }
  return Fold.ok;
}

/** Comparisons and arithmetic. */
export function foldFloat(op: Op, lo0: number, hi0: number, lo1: number, hi1: number, out: Int32Array): Fold {
  if (op < Op.f64_eq) return putBool(compare(op - Op.f32_eq, single(lo0), single(lo1)), out);
  if (op < Op.i32_clz) return putBool(compare(op - Op.f64_eq, double(lo0, hi0), double(lo1, hi1)), out);
  if (op < Op.f64_abs) return foldSingle(op, lo0 | 0, lo1 | 0, out);
  return foldDouble(op, lo0 | 0, hi0 | 0, lo1 | 0, hi1 | 0, out);
}

function putBool(x: boolean, out: Int32Array): Fold {
  out[0] = x ? 1 : 0;
  out[1] = 0;
  return Fold.ok;
}

/** `which` counts from `eq`, as both groups of the op table do. */
function compare(which: number, x: number, y: number): boolean {
  switch (which) {
    case 0:
      return x === y;
    case 1:
      return x !== y;
    case 2:
      return x < y;
    case 3:
      return x > y;
    case 4:
      return x <= y;
    default:
      return x >= y;
  }
}

function foldSingle(op: Op, x: number, y: number, out: Int32Array): Fold {
  out[1] = 0;
  switch (op) {
    case Op.f32_abs:
      out[0] = x & 0x7fffffff;
      return Fold.ok;
    case Op.f32_neg:
      out[0] = x ^ 0x80000000;
      return Fold.ok;
    case Op.f32_copysign:
      out[0] = (x & 0x7fffffff) | (y & 0x80000000);
      return Fold.ok;
  }
  if (isNan32(x)) {
    out[0] = x | 0x400000;
    return Fold.ok;
  }
  const a = single(x);
  if (op >= Op.f32_add && isNan32(y)) {
    out[0] = y | 0x400000;
    return Fold.ok;
  }
  return putSingle(op >= Op.f32_add ? binary(op - Op.f32_add, a, single(y)) : unary(op - Op.f32_ceil, a), out);
}

function foldDouble(op: Op, lo0: number, hi0: number, lo1: number, hi1: number, out: Int32Array): Fold {
  switch (op) {
    case Op.f64_abs:
      out[0] = lo0;
      out[1] = hi0 & 0x7fffffff;
      return Fold.ok;
    case Op.f64_neg:
      out[0] = lo0;
      out[1] = hi0 ^ 0x80000000;
      return Fold.ok;
    case Op.f64_copysign:
      out[0] = lo0;
      out[1] = (hi0 & 0x7fffffff) | (hi1 & 0x80000000);
      return Fold.ok;
  }
  if (isNan64(lo0, hi0)) {
    out[0] = lo0;
    out[1] = hi0 | 0x80000;
    return Fold.ok;
  }
  if (op >= Op.f64_add && isNan64(lo1, hi1)) {
    out[0] = lo1;
    out[1] = hi1 | 0x80000;
    return Fold.ok;
  }
  const a = double(lo0, hi0);
  return putDouble(op >= Op.f64_add ? binary(op - Op.f64_add, a, double(lo1, hi1)) : unary(op - Op.f64_ceil, a), out);
}

/** `which` counts from `ceil`. The operand is no NaN. */
function unary(which: number, x: number): number {
  switch (which) {
    case 0:
      return Math.ceil(x);
    case 1:
      return Math.floor(x);
    case 2:
      return Math.trunc(x);
    case 3:
      return nearest(x);
    default:
      return Math.sqrt(x);
  }
}

/** `which` counts from `add`. Neither operand is a NaN. */
function binary(which: number, x: number, y: number): number {
  switch (which) {
    case 0:
      return x + y;
    case 1:
      return x - y;
    case 2:
      return x * y;
    case 3:
      return x / y;
    case 4:
      return Math.min(x, y);
    default:
      return Math.max(x, y);
  }
}

/** Rounds to an integer, ties to even, keeping the sign of zero. */
function nearest(x: number): number {
  const TWO_52 = 4503599627370496;
  if (x >= TWO_52 || x <= -TWO_52) return x;
  // Adding 2^52 leaves no room for a fraction: the addition itself rounds, ties to even.
  if (x > 0) return x + TWO_52 - TWO_52;
  if (x < 0) return -(TWO_52 - x - TWO_52);
  return x;
}

const TWO_32 = 4294967296;
const TWO_63 = 9223372036854775808;

/** Everything from `i32.wrap_i64` to the end of the op table. */
export function foldConversion(op: Op, lo: number, hi: number, out: Int32Array): Fold | TrapKind {
  out[1] = 0;
  switch (op) {
    case Op.i32_wrap_i64:
    case Op.i32_reinterpret_f32:
    case Op.f32_reinterpret_i32:
    case Op.i64_extend_i32_u:
      out[0] = lo;
      return Fold.ok;
    case Op.i64_reinterpret_f64:
    case Op.f64_reinterpret_i64:
      out[0] = lo;
      out[1] = hi;
      return Fold.ok;
    case Op.i64_extend_i32_s:
    case Op.i64_extend32_s:
      out[0] = lo;
      out[1] = lo >> 31;
      return Fold.ok;
    case Op.i32_extend8_s:
      out[0] = (lo << 24) >> 24;
      return Fold.ok;
    case Op.i32_extend16_s:
      out[0] = (lo << 16) >> 16;
      return Fold.ok;
    case Op.i64_extend8_s:
      out[0] = (lo << 24) >> 24;
      out[1] = (lo << 24) >> 31;
      return Fold.ok;
    case Op.i64_extend16_s:
      out[0] = (lo << 16) >> 16;
      out[1] = (lo << 16) >> 31;
      return Fold.ok;
    case Op.i32_trunc_f32_s:
    case Op.i32_trunc_f32_u:
    case Op.i64_trunc_f32_s:
    case Op.i64_trunc_f32_u:
    case Op.i32_trunc_sat_f32_s:
    case Op.i32_trunc_sat_f32_u:
    case Op.i64_trunc_sat_f32_s:
    case Op.i64_trunc_sat_f32_u:
      return truncate(op, single(lo), out);
    case Op.i32_trunc_f64_s:
    case Op.i32_trunc_f64_u:
    case Op.i64_trunc_f64_s:
    case Op.i64_trunc_f64_u:
    case Op.i32_trunc_sat_f64_s:
    case Op.i32_trunc_sat_f64_u:
    case Op.i64_trunc_sat_f64_s:
    case Op.i64_trunc_sat_f64_u:
      return truncate(op, double(lo, hi), out);
    case Op.f32_convert_i32_s:
      return putSingle(lo, out);
    case Op.f32_convert_i32_u:
      return putSingle(lo >>> 0, out);
    case Op.f32_convert_i64_s:
      return putSingle(int64ToSingle(lo, hi), out);
    case Op.f32_convert_i64_u:
      return putSingle(int64ToSingle(lo, hi >>> 0), out);
    case Op.f64_convert_i32_s:
      return putDouble(lo, out);
    case Op.f64_convert_i32_u:
      return putDouble(lo >>> 0, out);
    case Op.f64_convert_i64_s:
      // The product is exact, so the sum rounds once.
      return putDouble(hi * TWO_32 + (lo >>> 0), out);
    case Op.f64_convert_i64_u:
      return putDouble((hi >>> 0) * TWO_32 + (lo >>> 0), out);
    case Op.f32_demote_f64:
      if (isNan64(lo, hi)) {
        out[0] = (hi & 0x80000000) | 0x7fc00000 | ((hi & 0x7ffff) << 3) | (lo >>> 29);
        return Fold.ok;
      }
      return putSingle(double(lo, hi), out);
    case Op.f64_promote_f32:
      if (isNan32(lo)) {
        out[0] = lo << 29;
        out[1] = (lo & 0x80000000) | 0x7ff80000 | ((lo & 0x3fffff) >>> 3);
        return Fold.ok;
      }
      return putDouble(single(lo), out);
  }
  return Fold.unknown;
}

/** To the nearest single, once: a double would round first. `hi` as a signed or unsigned number. */
function int64ToSingle(lo: number, hi: number): number {
  // Within 2^53 a double holds the number itself; beyond, bits that a single cannot see fold into one sticky bit.
  if (hi >= -0x200000 && hi < 0x200000) return hi * TWO_32 + (lo >>> 0);
  const sticky = (lo & 0xffff) !== 0 ? 0x10000 : 0;
  return hi * TWO_32 + (((lo & 0xffff0000) | sticky) >>> 0);
}

function truncate(op: Op, x: number, out: Int32Array): Fold | TrapKind {
  const saturates = op >= Op.i32_trunc_sat_f32_s;
  const group = saturates ? op - Op.i32_trunc_sat_f32_s : op < Op.i64_extend_i32_s ? op - Op.i32_trunc_f32_s : op - Op.i64_trunc_f32_s + 4;
  const wide = group >= 4;
  const signed = (group & 1) === 0;
  if (x !== x) {
    if (!saturates) return TrapKind.invalid_conversion;
    out[0] = 0;
    return Fold.ok;
  }
  const t = Math.trunc(x);
  const past = signed ? (wide ? TWO_63 : 0x80000000) : wide ? TWO_63 * 2 : TWO_32;
  const least = signed ? -past : 0;
  if (t >= past || t < least) {
    if (!saturates) return TrapKind.integer_overflow;
    const top = t >= past;
    // All ones but the sign for the signed maximum; the minimum is zero or the sign alone.
    out[0] = top ? (signed && !wide ? 0x7fffffff : -1) : signed && !wide ? -0x80000000 : 0;
    if (wide) out[1] = top ? (signed ? 0x7fffffff : -1) : signed ? -0x80000000 : 0;
    return Fold.ok;
  }
  if (!wide) out[0] = t;
  else {
    const high = Math.floor(t / TWO_32);
    out[0] = t - high * TWO_32;
    out[1] = high;
  }
  return Fold.ok;
}
