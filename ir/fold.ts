// Exact arithmetic on raw bits: every numeric op of the table, on operands given as low and high halves.
//
// The simplify pass folds constants with it, the interpreter computes with it. 64-bit integers stay pairs of 32-bit halves; BigInt
// only divides. Floats are in fold-float.ts. Where Wasm leaves a NaN's bits open the rule is one for all levels:
// the first NaN operand made quiet, else the quiet NaN with the sign set and no payload, as the first target computes.
import { Fold, foldConversion, foldFloat } from "./fold-float.js";
import { TrapKind } from "./layout.js";
import { Op } from "./ops.js";

export { Fold };

/**
 * Computes `op`. Of operands narrower than 64 bits `hi` is not looked at; of an op with one operand neither are `lo1`, `hi1`.
 * @param out gets the result: `out[0]` low half, `out[1]` high half (0 for 32-bit results).
 * @returns `Fold.ok`; a `TrapKind` greater than 0, then `out` is undefined; `Fold.unknown` for an op that is no arithmetic.
 */
export function foldOp(op: Op, lo0: number, hi0: number, lo1: number, hi1: number, out: Int32Array): Fold | TrapKind {
  if (op < Op.i32_eqz) return Fold.unknown;
  if (op < Op.f32_eq) {
    out[0] = compare(op, lo0, hi0, lo1, hi1) ? 1 : 0;
    out[1] = 0;
    return Fold.ok;
  }
  if (op < Op.i32_clz) return foldFloat(op, lo0, hi0, lo1, hi1, out);
  if (op < Op.i64_clz) {
    out[1] = 0;
    return foldInt32(op, lo0 | 0, lo1 | 0, out);
  }
  if (op < Op.f32_abs) return foldInt64(op, lo0 | 0, hi0 | 0, lo1 | 0, hi1 | 0, out);
  if (op < Op.i32_wrap_i64) return foldFloat(op, lo0, hi0, lo1, hi1, out);
  if (op < Op.count) return foldConversion(op, lo0 | 0, hi0 | 0, out);
  return Fold.unknown;
}

function compare(op: Op, lo0: number, hi0: number, lo1: number, hi1: number): boolean {
  switch (op) {
    case Op.i32_eqz:
      return (lo0 | 0) === 0;
    case Op.i32_eq:
      return (lo0 | 0) === (lo1 | 0);
    case Op.i32_ne:
      return (lo0 | 0) !== (lo1 | 0);
    case Op.i32_lt_s:
      return (lo0 | 0) < (lo1 | 0);
    case Op.i32_lt_u:
      return lo0 >>> 0 < lo1 >>> 0;
    case Op.i32_gt_s:
      return (lo0 | 0) > (lo1 | 0);
    case Op.i32_gt_u:
      return lo0 >>> 0 > lo1 >>> 0;
    case Op.i32_le_s:
      return (lo0 | 0) <= (lo1 | 0);
    case Op.i32_le_u:
      return lo0 >>> 0 <= lo1 >>> 0;
    case Op.i32_ge_s:
      return (lo0 | 0) >= (lo1 | 0);
    case Op.i32_ge_u:
      return lo0 >>> 0 >= lo1 >>> 0;
    case Op.i64_eqz:
      return (lo0 | hi0) === 0;
    case Op.i64_eq:
      return ((lo0 ^ lo1) | (hi0 ^ hi1)) === 0;
    case Op.i64_ne:
      return ((lo0 ^ lo1) | (hi0 ^ hi1)) !== 0;
    case Op.i64_lt_s:
      return less(hi0 | 0, lo0, hi1 | 0, lo1);
    case Op.i64_lt_u:
      return less(hi0 >>> 0, lo0, hi1 >>> 0, lo1);
    case Op.i64_gt_s:
      return less(hi1 | 0, lo1, hi0 | 0, lo0);
    case Op.i64_gt_u:
      return less(hi1 >>> 0, lo1, hi0 >>> 0, lo0);
    case Op.i64_le_s:
      return !less(hi1 | 0, lo1, hi0 | 0, lo0);
    case Op.i64_le_u:
      return !less(hi1 >>> 0, lo1, hi0 >>> 0, lo0);
    case Op.i64_ge_s:
      return !less(hi0 | 0, lo0, hi1 | 0, lo1);
    default:
      return !less(hi0 >>> 0, lo0, hi1 >>> 0, lo1);
  }
}

/** High halves as signed or unsigned numbers, low halves as any. */
function less(hi0: number, lo0: number, hi1: number, lo1: number): boolean {
  return hi0 < hi1 || (hi0 === hi1 && lo0 >>> 0 < lo1 >>> 0);
}

const LEAST = -0x80000000;

function foldInt32(op: Op, x: number, y: number, out: Int32Array): Fold | TrapKind {
  switch (op) {
    case Op.i32_clz:
      out[0] = Math.clz32(x);
      return Fold.ok;
    case Op.i32_ctz:
      out[0] = ctz32(x);
      return Fold.ok;
    case Op.i32_popcnt:
      out[0] = popcnt32(x);
      return Fold.ok;
    case Op.i32_add:
      out[0] = x + y;
      return Fold.ok;
    case Op.i32_sub:
      out[0] = x - y;
      return Fold.ok;
    case Op.i32_mul:
      out[0] = Math.imul(x, y);
      return Fold.ok;
    case Op.i32_div_s:
      if (y === 0) return TrapKind.integer_divide_by_zero;
      if (x === LEAST && y === -1) return TrapKind.integer_overflow;
      out[0] = x / y;
      return Fold.ok;
    case Op.i32_div_u:
      if (y === 0) return TrapKind.integer_divide_by_zero;
      out[0] = (x >>> 0) / (y >>> 0);
      return Fold.ok;
    case Op.i32_rem_s:
      if (y === 0) return TrapKind.integer_divide_by_zero;
      out[0] = x % y;
      return Fold.ok;
    case Op.i32_rem_u:
      if (y === 0) return TrapKind.integer_divide_by_zero;
      out[0] = (x >>> 0) % (y >>> 0);
      return Fold.ok;
    case Op.i32_and:
      out[0] = x & y;
      return Fold.ok;
    case Op.i32_or:
      out[0] = x | y;
      return Fold.ok;
    case Op.i32_xor:
      out[0] = x ^ y;
      return Fold.ok;
    case Op.i32_shl:
      out[0] = x << y;
      return Fold.ok;
    case Op.i32_shr_s:
      out[0] = x >> y;
      return Fold.ok;
    case Op.i32_shr_u:
      out[0] = x >>> y;
      return Fold.ok;
    case Op.i32_rotl:
      // JS masks both shift counts to 5 bits, so that a rotation by 0 is x | x.
      out[0] = (x << y) | (x >>> -y);
      return Fold.ok;
    case Op.i32_rotr:
      out[0] = (x >>> y) | (x << -y);
      return Fold.ok;
  }
  return Fold.unknown;
}

function foldInt64(op: Op, lo0: number, hi0: number, lo1: number, hi1: number, out: Int32Array): Fold | TrapKind {
  switch (op) {
    case Op.i64_clz:
      out[0] = hi0 === 0 ? 32 + Math.clz32(lo0) : Math.clz32(hi0);
      out[1] = 0;
      return Fold.ok;
    case Op.i64_ctz:
      out[0] = lo0 === 0 ? 32 + ctz32(hi0) : ctz32(lo0);
      out[1] = 0;
      return Fold.ok;
    case Op.i64_popcnt:
      out[0] = popcnt32(lo0) + popcnt32(hi0);
      out[1] = 0;
      return Fold.ok;
    case Op.i64_add: {
      const low = (lo0 >>> 0) + (lo1 >>> 0);
      out[0] = low;
      out[1] = hi0 + hi1 + (low > 0xffffffff ? 1 : 0);
      return Fold.ok;
    }
    case Op.i64_sub:
      out[0] = lo0 - lo1;
      out[1] = hi0 - hi1 - (lo0 >>> 0 < lo1 >>> 0 ? 1 : 0);
      return Fold.ok;
    case Op.i64_mul:
      out[0] = Math.imul(lo0, lo1);
      out[1] = mulHigh(lo0, lo1) + Math.imul(lo0, hi1) + Math.imul(hi0, lo1);
      return Fold.ok;
    case Op.i64_div_s:
    case Op.i64_div_u:
    case Op.i64_rem_s:
    case Op.i64_rem_u:
      return divide64(op, lo0, hi0, lo1, hi1, out);
    case Op.i64_and:
      out[0] = lo0 & lo1;
      out[1] = hi0 & hi1;
      return Fold.ok;
    case Op.i64_or:
      out[0] = lo0 | lo1;
      out[1] = hi0 | hi1;
      return Fold.ok;
    case Op.i64_xor:
      out[0] = lo0 ^ lo1;
      out[1] = hi0 ^ hi1;
      return Fold.ok;
    case Op.i64_shl: {
      const n = lo1 & 63;
      if (n >= 32) {
        out[0] = 0;
        out[1] = lo0 << (n - 32);
      } else {
        out[0] = lo0 << n;
        out[1] = n === 0 ? hi0 : (hi0 << n) | (lo0 >>> (32 - n));
      }
      return Fold.ok;
    }
    case Op.i64_shr_s: {
      const n = lo1 & 63;
      if (n >= 32) {
        out[0] = hi0 >> (n - 32);
        out[1] = hi0 >> 31;
      } else {
        out[0] = n === 0 ? lo0 : (lo0 >>> n) | (hi0 << (32 - n));
        out[1] = hi0 >> n;
      }
      return Fold.ok;
    }
    case Op.i64_shr_u: {
      const n = lo1 & 63;
      if (n >= 32) {
        out[0] = hi0 >>> (n - 32);
        out[1] = 0;
      } else {
        out[0] = n === 0 ? lo0 : (lo0 >>> n) | (hi0 << (32 - n));
        out[1] = hi0 >>> n;
      }
      return Fold.ok;
    }
    case Op.i64_rotl:
      rotateLeft(lo0, hi0, lo1 & 63, out);
      return Fold.ok;
    case Op.i64_rotr:
      rotateLeft(lo0, hi0, -lo1 & 63, out);
      return Fold.ok;
  }
  return Fold.unknown;
}

function rotateLeft(lo: number, hi: number, n: number, out: Int32Array): void {
  const [a, b] = n >= 32 ? [hi, lo] : [lo, hi];
  const m = n & 31;
  out[0] = m === 0 ? a : (a << m) | (b >>> (32 - m));
  out[1] = m === 0 ? b : (b << m) | (a >>> (32 - m));
}

function divide64(op: Op, lo0: number, hi0: number, lo1: number, hi1: number, out: Int32Array): Fold | TrapKind {
  if ((lo1 | hi1) === 0) return TrapKind.integer_divide_by_zero;
  const signed = op === Op.i64_div_s || op === Op.i64_rem_s;
  if (op === Op.i64_div_s && lo0 === 0 && hi0 === LEAST && lo1 === -1 && hi1 === -1) return TrapKind.integer_overflow;
  const x = (BigInt(signed ? hi0 : hi0 >>> 0) << 32n) | BigInt(lo0 >>> 0);
  const y = (BigInt(signed ? hi1 : hi1 >>> 0) << 32n) | BigInt(lo1 >>> 0);
  const z = op === Op.i64_div_s || op === Op.i64_div_u ? x / y : x % y;
  out[0] = Number(z & 0xffffffffn);
  out[1] = Number((z >> 32n) & 0xffffffffn);
  return Fold.ok;
}

/** The high half of the 64-bit product of two unsigned 32-bit numbers. */
export function mulHigh(x: number, y: number): number {
  const xl = x & 0xffff;
  const xh = x >>> 16;
  const yl = y & 0xffff;
  const yh = y >>> 16;
  const cross = ((xl * yl) >>> 16) + xh * yl;
  const middle = (cross % 0x10000) + xl * yh;
  return (xh * yh + Math.floor(cross / 0x10000) + Math.floor(middle / 0x10000)) | 0;
}

export function ctz32(x: number): number {
  return x === 0 ? 32 : 31 - Math.clz32(x & -x);
}

export function popcnt32(x: number): number {
  let n = x - ((x >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
