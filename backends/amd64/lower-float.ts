// Float arithmetic and conversions => machine ops.
//
// The machine ops come in pairs, f64 behind f32, as the SSA ops come in blocks. Constants are memory operands from the pool.
// abs, neg, copysign work on bits (they must not quiet a NaN). Rounding without SSE4.1 is built from additions of 2^52.
import type { Value } from "../../ir/entity.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Form, M } from "./mops.js";
import { Take, U, type Selection } from "./selection.js";

const F64 = Op.f64_abs - Op.f32_abs;

export function lowerFloat(s: Selection, v: Value, op: Op): void {
  const type = op >= Op.f64_abs ? Type.f64 : Type.f32;
  const wide = type === Type.f64 ? 1 : 0;
  switch ((wide ? op - F64 : op) as Op) {
    case Op.f32_add: return binary(s, v, M.addss + wide, type, true);
    case Op.f32_sub: return binary(s, v, M.subss + wide, type, false);
    case Op.f32_mul: return binary(s, v, M.mulss + wide, type, true);
    case Op.f32_div: return binary(s, v, M.divss + wide, type, false);
    case Op.f32_min: return minMax(s, v, M.fmin32 + wide);
    case Op.f32_max: return minMax(s, v, M.fmax32 + wide);
    case Op.f32_abs: return masked(s, M.andps, s.result(), s.low.reg(s.arg(v, 0)), ~signBit, type);
    case Op.f32_neg: return masked(s, M.xorps, s.result(), s.low.reg(s.arg(v, 0)), signBit, type);
    case Op.f32_copysign: return copysign(s, s.result(), s.low.reg(s.arg(v, 0)), s.low.reg(s.arg(v, 1)), type);
    case Op.f32_sqrt: return unary(s, v, M.sqrtss + wide, type);
    case Op.f32_nearest: return round(s, v, Rounding.nearest, type);
    case Op.f32_floor: return round(s, v, Rounding.floor, type);
    case Op.f32_ceil: return round(s, v, Rounding.ceil, type);
    case Op.f32_trunc: return round(s, v, Rounding.trunc, type);
    default: throw new Error(`v${v}: no float op`);
  }
}

const signBit = -0x80000000;

/**
 * `exchange`: of two NaN operands the first one's payload comes out, so operands change places only where one is a constant
 * that is none. (Wasm leaves the payload open; but a program shall compute the same at every level and in the interpreter.)
 */
function binary(s: Selection, v: Value, mop: number, type: Type, exchange: boolean): void {
  let x = s.arg(v, 0);
  let y = s.arg(v, 1);
  if (exchange && isNumber(s, x) && !isNumber(s, y)) [x, y] = [y, x];
  if (x === y && !s.avx && exchange) {
    s.rhsForm = Form.self;
    return s.floatBinary(mop, s.result(), s.low.reg(x));
  }
  s.floatOperand(y, type);
  s.floatBinary(mop, s.result(), s.low.reg(x));
}

/** A float constant, not NaN. */
function isNumber(s: Selection, v: Value): boolean {
  const { fn } = s;
  if (fn.op[v] === Op.f32_const) return (fn.imm[v]! & 0x7fffffff) <= 0x7f800000;
  const high = fn.imm2[v]! & 0x7fffffff;
  return fn.op[v] === Op.f64_const && (high < 0x7ff00000 || (high === 0x7ff00000 && fn.imm[v] === 0));
}

function unary(s: Selection, v: Value, mop: number, type: Type, imm = 0): void {
  const d = s.result();
  if (s.floatOperand(s.arg(v, 0), type)) return s.load(mop, d, imm);
  s.unaryReg(mop, d, s.rhsReg, imm);
}

function minMax(s: Selection, v: Value, mop: number): void {
  const x = s.low.reg(s.arg(v, 0));
  const y = s.low.reg(s.arg(v, 1));
  s.inst(mop);
  s.add(s.result(), s.avx ? U.defEarly : U.defSame | (1 << 6));
  s.add(x, U.reg);
  s.add(y, U.regLate);
}

/** d = a op mask; the mask is given by its high word (f64) or its word (f32), the low word of an f64's is that word's sign. */
function masked(s: Selection, mop: number, d: number, a: number, high: number, type: Type): void {
  const low = high === signBit ? 0 : -1;
  s.pool(type === Type.f32 ? s.maskConstant(high, 0, type) : s.maskConstant(low, high, type));
  s.rhsForm = Form.rm;
  s.floatBinary(mop, d, a);
}

function copysign(s: Selection, d: number, magnitude: number, sign: number, type: Type): void {
  const a = s.temp(type);
  masked(s, M.andps, a, magnitude, ~signBit, type);
  const b = s.temp(type);
  masked(s, M.andps, b, sign, signBit, type);
  s.floatBinaryReg(M.orps, d, a, b);
}

const enum Rounding {
  nearest = 8,
  floor = 9,
  ceil = 10,
  trunc = 11,
}

function round(s: Selection, v: Value, mode: Rounding, type: Type): void {
  const wide = type === Type.f64 ? 1 : 0;
  if (s.options.features.has("sse41")) return unary(s, v, M.roundss + wide, type, mode);
  const x = s.low.reg(s.arg(v, 0));
  const binary = (mop: number, a: number, b: number, imm = 0) => {
    const d = s.temp(type);
    s.floatBinaryReg(mop, d, a, b, imm);
    return d;
  };
  const constant = (value: number) => {
    const d = s.temp(type);
    s.inst(type === Type.f64 ? M.fconst64 : M.fconst32, type === Type.f64 ? s.doubleConstant(value) : s.floatConstant(singleBits(value), 0, type));
    s.add(d, U.def);
    return d;
  };
  const mask = (mop: number, a: number, high: number) => {
    const d = s.temp(type);
    masked(s, mop, d, a, high, type);
    return d;
  };
  // Adding 2^52 (2^23) to a smaller magnitude leaves no bits for a fraction: rounded to nearest, ties to even.
  const big = constant(type === Type.f64 ? 4503599627370496 : 8388608);
  const size = mask(M.andps, x, ~signBit);
  const nearest = binary(M.subss + wide, binary(M.addss + wide, size, big), big);
  const one = constant(1);
  const lessThan = (a: number, b: number) => binary(M.andps, binary(M.cmpss + wide, a, b, 1), one);
  const sign = mask(M.andps, x, signBit);
  let rounded: number;
  if (mode === Rounding.nearest) rounded = nearest;
  else if (mode === Rounding.trunc) rounded = binary(M.subss + wide, nearest, lessThan(size, nearest));
  else {
    const signed = binary(M.orps, nearest, sign);
    rounded = mode === Rounding.floor ? binary(M.subss + wide, signed, lessThan(x, signed)) : binary(M.addss + wide, signed, lessThan(signed, x));
  }
  // The sign once more: for -0 and for what was rounded up to zero.
  rounded = binary(M.orps, rounded, sign);
  // Where the magnitude is 2^52 or more, or NaN: x itself, quieted.
  const small = binary(M.cmpss + wide, size, big, 1);
  const same = binary(M.mulss + wide, x, one);
  s.floatBinaryReg(M.orps, s.result(), binary(M.andps, small, rounded), binary(M.andnps, small, same));
}

function singleBits(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value, true);
  return view.getInt32(0, true);
}

// ---------------------------------------------------------------- conversions

export function lowerConversion(s: Selection, v: Value, op: Op): void {
  switch (op) {
    case Op.i32_wrap_i64: return s.unary(M.mov32, s.result(), s.regLow32(s.arg(v, 0)), 32);
    case Op.i64_extend_i32_u: return s.unary(M.mov32, s.result(), s.regLow32(s.arg(v, 0)), 32);
    case Op.i64_extend_i32_s: return extend(s, v, M.movsx32_64, Op.i32_load);
    case Op.i32_extend8_s: return extend(s, v, M.movsx8_32, Op.i32_load8_u);
    case Op.i32_extend16_s: return extend(s, v, M.movsx16_32, Op.i32_load16_u);
    case Op.i64_extend8_s: return extend(s, v, M.movsx8_64, Op.i64_load8_u);
    case Op.i64_extend16_s: return extend(s, v, M.movsx16_64, Op.i64_load16_u);
    case Op.i64_extend32_s: return extend(s, v, M.movsx32_64, Op.i64_load32_u);
    case Op.f64_promote_f32: return unary(s, v, M.cvtss2sd, Type.f32);
    case Op.f32_demote_f64: return unary(s, v, M.cvtsd2ss, Type.f64);
    case Op.f32_convert_i32_s: return fromInt(s, v, M.cvtsi2ss32, 32);
    case Op.f64_convert_i32_s: return fromInt(s, v, M.cvtsi2sd32, 32);
    case Op.f32_convert_i64_s: return fromInt(s, v, M.cvtsi2ss64, 64);
    case Op.f64_convert_i64_s: return fromInt(s, v, M.cvtsi2sd64, 64);
    // A zero-extended i32 is a non-negative i64.
    case Op.f32_convert_i32_u: return s.unaryReg(M.cvtsi2ss64, s.result(), s.low.reg(s.arg(v, 0)));
    case Op.f64_convert_i32_u: return s.unaryReg(M.cvtsi2sd64, s.result(), s.low.reg(s.arg(v, 0)));
    case Op.f32_convert_i64_u: return s.unaryReg(M.cvtu64_ss, s.result(), s.regWide(s.arg(v, 0)));
    case Op.f64_convert_i64_u: return s.unaryReg(M.cvtu64_sd, s.result(), s.regWide(s.arg(v, 0)));
    case Op.i32_reinterpret_f32: return reinterpret(s, v, M.movd_to_int, Op.f32_load, M.mov32);
    case Op.i64_reinterpret_f64: return reinterpret(s, v, M.movq_to_int, Op.f64_load, M.mov64);
    case Op.f32_reinterpret_i32: return reinterpret(s, v, M.movd_to_float, Op.i32_load, M.movss);
    case Op.f64_reinterpret_i64: return reinterpret(s, v, M.movq_to_float, Op.i64_load, M.movsd);
    case Op.i32_trunc_f32_s: return truncToI32(s, v, Type.f32, true);
    case Op.i32_trunc_f32_u: return truncToI32(s, v, Type.f32, false);
    case Op.i32_trunc_f64_s: return truncToI32(s, v, Type.f64, true);
    case Op.i32_trunc_f64_u: return truncToI32(s, v, Type.f64, false);
    case Op.i64_trunc_f32_s: return truncToI64(s, v, M.trunc_i64_ss, 0);
    case Op.i64_trunc_f32_u: return truncToI64(s, v, M.trunc_u64_ss, 0);
    case Op.i64_trunc_f64_s: return truncToI64(s, v, M.trunc_i64_sd, 0);
    case Op.i64_trunc_f64_u: return truncToI64(s, v, M.trunc_u64_sd, 0);
    case Op.i32_trunc_sat_f32_s: return saturateToI32(s, v, Type.f32, true);
    case Op.i32_trunc_sat_f32_u: return saturateToI32(s, v, Type.f32, false);
    case Op.i32_trunc_sat_f64_s: return saturateToI32(s, v, Type.f64, true);
    case Op.i32_trunc_sat_f64_u: return saturateToI32(s, v, Type.f64, false);
    case Op.i64_trunc_sat_f32_s: return truncToI64(s, v, M.trunc_i64_ss, 1);
    case Op.i64_trunc_sat_f32_u: return truncToI64(s, v, M.trunc_u64_ss, 1);
    case Op.i64_trunc_sat_f64_s: return truncToI64(s, v, M.trunc_i64_sd, 1);
    case Op.i64_trunc_sat_f64_u: return truncToI64(s, v, M.trunc_u64_sd, 1);
    default: throw new Error(`v${v}: no conversion`);
  }
}

/** A sign extension; of a load that is taken in: the sign-extending load. */
function extend(s: Selection, v: Value, mop: number, load: Op): void {
  const d = s.result();
  const x = s.low32(s.wide(s.arg(v, 0)));
  if (s.fn.op[x] === load && s.low.canMerge(x)) {
    s.memoryOf(x);
    return s.load(mop, d);
  }
  s.unaryReg(mop, d, s.low.reg(x));
}

function fromInt(s: Selection, v: Value, mop: number, bits: 32 | 64): void {
  const d = s.result();
  if (s.operand(s.arg(v, 0), bits, Take.mem)) return s.load(mop, d);
  s.unary(mop, d, s.rhsReg, bits);
}

function reinterpret(s: Selection, v: Value, mop: number, load: Op, other: number): void {
  const d = s.result();
  const x = s.arg(v, 0);
  if (s.fn.op[x] === load && s.low.canMerge(x)) {
    s.memoryOf(x);
    return s.load(other, d);
  }
  s.unaryReg(mop, d, s.low.reg(x));
}

/** In 64 bits, then: is it the extension of its low half? NaN and all that is out of range gives -2^63, which is not. */
function truncToI32(s: Selection, v: Value, type: Type, signed: boolean): void {
  const x = s.low.reg(s.arg(v, 0));
  const all = s.temp(Type.i64);
  s.unaryReg(type === Type.f64 ? M.cvttsd2si64 : M.cvttss2si64, all, x);
  const d = s.result();
  s.unary(M.mov32, d, all, 32);
  let extended = d;
  if (signed) {
    extended = s.temp(Type.i64);
    s.unaryReg(M.movsx32_64, extended, all);
  }
  s.trapUnlessEqual64(all, extended, x, type);
}

function truncToI64(s: Selection, v: Value, mop: number, saturate: number): void {
  const x = s.low.reg(s.arg(v, 0));
  s.inst(mop, saturate);
  s.add(s.result(), U.defEarly);
  s.add(x, U.reg);
}

function saturateToI32(s: Selection, v: Value, type: Type, signed: boolean): void {
  const d = s.result();
  let x = s.low.reg(s.arg(v, 0));
  if (type === Type.f32) {
    const wide = s.temp(Type.f64);
    s.unaryReg(M.cvtss2sd, wide, x);
    x = wide;
  }
  const step = (mop: number, a: number, b: number, imm = 0) => {
    const r = s.temp(Type.f64);
    s.floatBinaryReg(mop, r, a, b, imm);
    return r;
  };
  const capped = s.temp(Type.f64);
  const limit = (value: number, a: number) => {
    s.pool(s.doubleConstant(value));
    s.rhsForm = Form.rm;
    s.floatBinary(M.minsd, capped, a);
  };
  if (signed) {
    // NaN becomes 0; what is too low gives -2^31 by itself.
    limit(2147483647, step(M.andps, x, step(M.cmpsd, x, x, 7)));
    return s.unaryReg(M.cvttsd2si32, d, capped);
  }
  // max(x, 0) is 0 for NaN, because the right operand wins. The result is below 2^32: zero-extended as it stands.
  const zero = s.temp(Type.f64);
  s.inst(M.fzero);
  s.add(zero, U.def);
  limit(4294967295, step(M.maxsd, x, zero));
  s.unaryReg(M.cvttsd2si64, d, capped);
}
