// Integer arithmetic, shifts, bit counts => machine ops.
//
// The right operand may be an immediate, a register shifted by a constant or (64 bits) sign-extended; a product that is added or
// subtracted becomes madd, msub; shift and mask together ubfx. Division is in lower-divide.ts.
import { NONE, type Value } from "../../ir/entity.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { swappedBytes } from "../byte-swap.js";
import { lowerDivision } from "./lower-divide.js";
import { Form, M } from "./mops.js";
import { Shift } from "./opcodes.js";
import { Take, type Bits, type Selection } from "./selection.js";

/** The i64 ops stand in the same order as the i32 ones; machine ops come in pairs, 64 behind 32. */
const I64 = Op.i64_clz - Op.i32_clz;

export function lowerInt(s: Selection, v: Value, op: Op): void {
  const bits: Bits = op >= Op.i64_clz && op <= Op.i64_rotr ? 64 : 32;
  const wide = bits === 64 ? 1 : 0;
  switch (bits === 64 ? op - I64 : op) {
    case Op.i32_add: return lowerAdd(s, v, bits);
    case Op.i32_sub: return lowerSub(s, v, bits);
    case Op.i32_mul: return lowerMul(s, v, bits);
    case Op.i32_and: return lowerAnd(s, v, bits);
    case Op.i32_or: return lowerOr(s, v, bits);
    case Op.i32_xor: return lowerXor(s, v, bits);
    case Op.i32_shl: return lowerShift(s, v, M.lsl32 + wide, Shift.lsl, bits);
    case Op.i32_shr_u: return lowerShift(s, v, M.lsr32 + wide, Shift.lsr, bits);
    case Op.i32_shr_s: return lowerShift(s, v, M.asr32 + wide, Shift.asr, bits);
    case Op.i32_rotl: return lowerRotate(s, v, true, bits);
    case Op.i32_rotr: return lowerRotate(s, v, false, bits);
    case Op.i32_div_s: case Op.i32_div_u: case Op.i32_rem_s: case Op.i32_rem_u: return lowerDivision(s, v, op, bits);
    case Op.i32_clz: return s.unary(M.clz32 + wide, s.result(), s.regOf(s.arg(v, 0), bits));
    case Op.i32_ctz: {
      const reversed = s.temp(bits === 64 ? Type.i64 : Type.i32);
      s.unary(M.rbit32 + wide, reversed, s.regOf(s.arg(v, 0), bits));
      return s.unary(M.clz32 + wide, s.result(), reversed);
    }
    case Op.i32_popcnt: return s.unary(M.popcnt32 + wide, s.result(), s.regOf(s.arg(v, 0), bits));
    default: throw new Error(`v${v}: no integer op`);
  }
}

/** A value of that op and width that the root can take in. */
function takes(s: Selection, v: Value, op32: Op, bits: Bits): boolean {
  return s.fn.op[v] === (bits === 64 ? op32 + I64 : op32) && s.low.canMerge(v);
}

/** Something `operand` makes more of than a register. */
function folds(s: Selection, v: Value, bits: Bits): boolean {
  const { fn, low } = s;
  if (s.isConst(v)) return true;
  const op = (bits === 64 ? fn.op[v]! - I64 : fn.op[v]!) as Op;
  if (op === Op.i32_shl || op === Op.i32_shr_u || op === Op.i32_shr_s) return s.isConst(s.arg(v, 1)) && low.canMerge(v);
  return bits === 64 && fn.op[v] === Op.i64_extend_i32_s && low.canMerge(v);
}

function lowerAdd(s: Selection, v: Value, bits: Bits): void {
  const { low } = s;
  const wide = bits === 64 ? 1 : 0;
  let x = s.narrow(s.arg(v, 0), bits);
  let y = s.narrow(s.arg(v, 1), bits);
  const d = s.result();
  for (const [product, other] of [[y, x], [x, y]] as const) {
    if (!takes(s, product, Op.i32_mul, bits) || isShiftFactor(s, s.narrow(s.arg(product, 1), bits), bits)) continue;
    const n = s.regOf(s.arg(product, 0), bits);
    const m = s.regOf(s.arg(product, 1), bits);
    return s.ternary(M.madd32 + wide, d, n, m, low.reg(other));
  }
  if (folds(s, x, bits) && !folds(s, y, bits)) [x, y] = [y, x];
  sum(s, d, x, y, M.add32, bits);
}

/** d = x + y or x - y. */
function sum(s: Selection, d: number, x: Value, y: Value, mop: M.add32 | M.sub32, bits: Bits): void {
  s.operand(y, bits, Take.sum | Take.shift | Take.extend);
  const opposite = mop === M.add32 ? M.sub32 : M.add32;
  s.binary((s.rhsForm === Form.imm && s.rhsNegated ? opposite : mop) + (bits === 64 ? 1 : 0), d, s.low.reg(x));
}

function lowerSub(s: Selection, v: Value, bits: Bits): void {
  const wide = bits === 64 ? 1 : 0;
  const x = s.narrow(s.arg(v, 0), bits);
  const y = s.narrow(s.arg(v, 1), bits);
  const d = s.result();
  if (s.isZero(x, bits)) {
    s.operand(y, bits, Take.shift);
    return fromZero(s, M.neg32 + wide, d);
  }
  if (takes(s, y, Op.i32_mul, bits) && !isShiftFactor(s, s.narrow(s.arg(y, 1), bits), bits)) {
    const n = s.regOf(s.arg(y, 0), bits);
    const m = s.regOf(s.arg(y, 1), bits);
    return s.ternary(M.msub32 + wide, d, n, m, s.low.reg(x));
  }
  sum(s, d, x, y, M.sub32, bits);
}

/** neg, mvn of the right-hand operand last made (register or shifted). */
function fromZero(s: Selection, mop: number, d: number): void {
  s.unary(mop, d, s.rhsReg, s.rhsForm === Form.shifted ? s.rhsImm : 0, 0, s.rhsForm);
}

/** n where c is 2^n, else -1. */
function power(c: number): number {
  return c > 0 && (c & (c - 1)) === 0 ? 31 - Math.clz32(c) : -1;
}

/** A constant factor that costs one shift, or one addition or subtraction of something shifted. */
function isShiftFactor(s: Selection, v: Value, bits: Bits): boolean {
  if (!s.isSmall(v, bits)) return false;
  const c = s.fn.imm[v]!;
  return power(c) >= 0 || power(c - 1) > 0 || power(1 - c) > 0;
}

function lowerMul(s: Selection, v: Value, bits: Bits): void {
  const { fn, low } = s;
  const wide = bits === 64 ? 1 : 0;
  let x = s.narrow(s.arg(v, 0), bits);
  let y = s.narrow(s.arg(v, 1), bits);
  if (s.isConst(x)) [x, y] = [y, x];
  const d = s.result();
  if (s.isSmall(y, bits)) {
    const c = fn.imm[y]!;
    if (power(c) >= 0) return s.shiftImm(Shift.lsl, d, low.reg(x), power(c), bits);
    const a = low.reg(x);
    // 2^k + 1; 1 - 2^k
    if (power(c - 1) > 0) return s.binaryModified(M.add32 + wide, d, a, a, Form.shifted, Shift.lsl, power(c - 1));
    if (power(1 - c) > 0) return s.binaryModified(M.sub32 + wide, d, a, a, Form.shifted, Shift.lsl, power(1 - c));
  }
  if (bits === 64) {
    const signed = (w: Value) => fn.op[w] === Op.i64_extend_i32_s;
    // `x` and `y` are behind their zero-extensions already: those are i32 values.
    const unsigned = (w: Value) => fn.type[w] === Type.i32 && !s.isConst(w);
    if (unsigned(x) && unsigned(y)) return s.binaryReg(M.umull, d, low.reg(x), low.reg(y));
    if (signed(x) && signed(y) && x !== y && low.canMerge(x) && low.canMerge(y)) {
      return s.binaryReg(M.smull, d, s.regOf(s.arg(x, 0), 32), s.regOf(s.arg(y, 0), 32));
    }
  }
  s.binaryReg(M.mul32 + wide, d, low.reg(x), low.reg(y));
}

/** x op y, or x op ~y where y is inverted. */
function logical(s: Selection, v: Value, mop: number, inverted: number, bits: Bits): void {
  let x = s.narrow(s.arg(v, 0), bits);
  let y = s.narrow(s.arg(v, 1), bits);
  const d = s.result();
  if (isNot(s, x, bits)) [x, y] = [y, x];
  if (isNot(s, y, bits) && !s.isConst(x)) {
    s.operand(s.arg(y, 0), bits, Take.shift | Take.rotate);
    return s.binary(inverted, d, s.low.reg(x));
  }
  if (folds(s, x, bits) && !folds(s, y, bits)) [x, y] = [y, x];
  s.operand(y, bits, Take.mask | Take.shift | Take.rotate);
  s.binary(mop, d, s.low.reg(x));
}

function lowerOr(s: Selection, v: Value, bits: Bits): void {
  const wide = bits === 64 ? 1 : 0;
  const swapped = swappedBytes(s.fn, v);
  if (swapped === NONE) return logical(s, v, M.orr32 + wide, M.orn32 + wide, bits);
  s.unary(M.rev32 + wide, s.result(), s.regOf(swapped, bits));
}

/** `v xor -1`, taken in by the root. */
function isNot(s: Selection, v: Value, bits: Bits): boolean {
  if (!takes(s, v, Op.i32_xor, bits)) return false;
  const y = s.arg(v, 1);
  return s.isConst(y) && s.fn.imm[y] === -1 && (bits === 32 || s.high(y) === -1);
}

function lowerAnd(s: Selection, v: Value, bits: Bits): void {
  const { fn, low } = s;
  const wide = bits === 64 ? 1 : 0;
  const x = s.narrow(s.arg(v, 0), bits);
  const y = s.narrow(s.arg(v, 1), bits);
  if (s.isConst(y)) {
    const lo = fn.imm[y]!;
    const hi = bits === 64 ? s.high(y) : 0;
    const width = onesBelow(lo, hi);
    // (x >> k) & (2^width - 1)
    if (width > 0 && (takes(s, x, Op.i32_shr_u, bits) || takes(s, x, Op.i32_shr_s, bits)) && s.isConst(s.arg(x, 1))) {
      const k = fn.imm[s.arg(x, 1)]! & (bits - 1);
      if (k + width <= bits) return s.unary(M.ubfm32 + wide, s.result(), s.regOf(s.arg(x, 0), bits), k, k + width - 1);
    }
    // (x << k) & mask, the mask's lowest bit being k
    if (takes(s, x, Op.i32_shl, bits) && s.isConst(s.arg(x, 1))) {
      const k = fn.imm[s.arg(x, 1)]! & (bits - 1);
      const ones = hi === 0 && k < 32 && (lo & ((1 << k) - 1)) === 0 ? onesBelow(lo >>> k, 0) : 0;
      if (ones > 0 && k > 0) return s.unary(M.ubfm32 + wide, s.result(), s.regOf(s.arg(x, 0), bits), bits - k, ones - 1);
    }
    if (bits === 64 && hi === 0) {
      const d = s.result();
      const a = s.low32(x);
      if (lo === -1) return s.unary(M.mov32, d, low.reg(a));
      // The upper half of the mask is zero, so the 32-bit instruction does it.
      s.operand(y, 32, Take.mask);
      return s.binary(M.and32, d, low.reg(a));
    }
  }
  logical(s, v, M.and32 + wide, M.bic32 + wide, bits);
}

/** n where the constant is 2^n - 1, n > 0, else 0. */
function onesBelow(lo: number, hi: number): number {
  if (hi === 0) return lo !== 0 && (lo & (lo + 1)) === 0 ? 32 - Math.clz32(lo) : 0;
  return lo === -1 && (hi & (hi + 1)) === 0 ? 64 - Math.clz32(hi) : 0;
}

function lowerXor(s: Selection, v: Value, bits: Bits): void {
  const wide = bits === 64 ? 1 : 0;
  const y = s.arg(v, 1);
  if (s.isConst(y) && s.fn.imm[y] === -1 && (bits === 32 || s.high(y) === -1)) {
    const d = s.result();
    s.operand(s.arg(v, 0), bits, Take.shift | Take.rotate);
    return fromZero(s, M.mvn32 + wide, d);
  }
  logical(s, v, M.eor32 + wide, M.eon32 + wide, bits);
}

/** The count of a variable shift: only its low 5 or 6 bits are read, so masks and conversions fall away. */
function countOf(s: Selection, v: Value, bits: Bits): number {
  const { fn } = s;
  let c = s.low32(s.wide(v));
  while (fn.op[c] === Op.i32_and || fn.op[c] === Op.i64_and) {
    const m = s.arg(c, 1);
    if (!s.isConst(m) || (fn.imm[m]! & (bits - 1)) !== bits - 1 || !s.low.canMerge(c)) break;
    c = s.low32(s.wide(s.arg(c, 0)));
  }
  return s.low.reg(c);
}

function lowerShift(s: Selection, v: Value, mop: number, kind: Shift.lsl | Shift.lsr | Shift.asr, bits: Bits): void {
  const { fn } = s;
  const count = s.arg(v, 1);
  const d = s.result();
  if (!s.isConst(count)) return s.binaryReg(mop, d, s.regOf(s.arg(v, 0), bits), countOf(s, count, bits));
  const k = fn.imm[count]! & (bits - 1);
  const x = s.narrow(s.arg(v, 0), bits);
  // (x & (2^width - 1)) << k
  if (kind === Shift.lsl && k > 0 && takes(s, x, Op.i32_and, bits) && s.isConst(s.arg(x, 1))) {
    const m = s.narrow(s.arg(x, 1), bits);
    const width = onesBelow(fn.imm[m]!, bits === 64 ? s.high(m) : 0);
    if (width > 0) return s.unary(M.ubfm32 + (bits === 64 ? 1 : 0), d, s.regOf(s.arg(x, 0), bits), bits - k, Math.min(width, bits - k) - 1);
  }
  // (x << c) >> k takes a field out.
  if (kind !== Shift.lsl && takes(s, x, Op.i32_shl, bits) && s.isConst(s.arg(x, 1))) {
    const c = fn.imm[s.arg(x, 1)]! & (bits - 1);
    const mop = (kind === Shift.lsr ? M.ubfm32 : M.sbfm32) + (bits === 64 ? 1 : 0);
    const a = s.regOf(s.arg(x, 0), bits);
    if (k >= c) return s.unary(mop, d, a, k - c, bits - 1 - c);
    return s.unary(mop, d, a, bits - (c - k), bits - 1 - c);
  }
  s.shiftImm(kind, d, s.low.reg(x), k, bits);
}

function lowerRotate(s: Selection, v: Value, left: boolean, bits: Bits): void {
  const wide = bits === 64 ? 1 : 0;
  const count = s.arg(v, 1);
  const d = s.result();
  const a = s.regOf(s.arg(v, 0), bits);
  if (s.isConst(count)) {
    const k = s.fn.imm[count]! & (bits - 1);
    if (k === 0) return s.unary(M.mov32 + wide, d, a);
    return s.binaryReg(M.extr32 + wide, d, a, a, left ? bits - k : k);
  }
  let c = countOf(s, count, bits);
  if (left) {
    const negated = s.temp(Type.i32);
    s.unary(M.neg32, negated, c);
    c = negated;
  }
  s.binaryReg(M.ror32 + wide, d, a, c);
}
