// Integer division and remainder: by constants through multiplication, else by udiv/sdiv with trap tests.
//
// Magic numbers: Granlund and Montgomery, "Division by invariant integers using multiplication" (1994); the signed 64-bit
// form as in Warren, "Hacker's Delight", chapter 10. 32-bit divisions use 64-bit products, so no fix-up additions arise.
// BigInt computes the constants, once for each division by a constant.
import type { Value } from "../../ir/entity.js";
import { TrapKind } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { isNonZero } from "../nonzero.js";
import { Consumer, Form, M, Producer, Shape, compareOp } from "./mops.js";
import { Cond, Shift } from "./opcodes.js";
import { U, type Bits, type Selection } from "./selection.js";

const I64 = Op.i64_clz - Op.i32_clz;

/** `op`: div_s, div_u, rem_s or rem_u of either width. */
export function lowerDivision(s: Selection, v: Value, op: Op, bits: Bits): void {
  const { fn } = s;
  const y = s.arg(v, 1);
  const kind = (bits === 64 ? op - I64 : op) as Op;
  const signed = kind === Op.i32_div_s || kind === Op.i32_rem_s;
  const remainder = kind === Op.i32_rem_s || kind === Op.i32_rem_u;
  if (fn.op[y] === Op.i32_const || fn.op[y] === Op.i64_const) {
    const raw = (BigInt(bits === 64 ? fn.imm2[y]! >>> 0 : 0) << 32n) | BigInt(fn.imm[y]! >>> 0);
    const divisor = signed ? BigInt.asIntN(bits, raw) : raw;
    if (divisor !== 0n) {
      // Zero-extended, because 32-bit divisions multiply in 64 bits.
      const x = s.regOf(s.arg(v, 0), 64);
      const by = new ByConstant(s, x, divisor, bits);
      if (signed) by.signed(s.result(), remainder);
      else by.unsigned(s.result(), remainder);
      return;
    }
  }
  // (unsigned, signed) x (quotient, remainder) stand together: u, s; 32 before 64.
  const mop = (remainder ? (signed ? M.srem32 : M.urem32) : signed ? M.sdiv32 : M.udiv32) + (bits === 64 ? 1 : 0);
  const left = s.regOf(s.arg(v, 0), bits);
  const checks = (isNonZero(fn, y, s.low.rootBlock) ? 0 : 1) | (needsOverflowTest(s, y, signed && !remainder) ? 2 : 0);
  s.binaryReg(mop, s.result(), left, s.regOf(y, bits), checks);
}

/** Not for a divisor that cannot be -1. */
function needsOverflowTest(s: Selection, y: Value, signed: boolean): boolean {
  const { fn } = s;
  if (!signed) return false;
  if (fn.op[y] === Op.i32_and || fn.op[y] === Op.i64_and) {
    const m = s.arg(y, 1);
    if (fn.op[m] === Op.i32_const && fn.imm[m]! >= 0) return false;
  }
  return true;
}

class ByConstant {
  private readonly type: Type;
  private readonly wide: 0 | 1;

  constructor(
    private readonly s: Selection,
    private readonly x: number,
    private readonly divisor: bigint,
    private readonly bits: Bits,
  ) {
    this.type = bits === 32 ? Type.i32 : Type.i64;
    this.wide = bits === 64 ? 1 : 0;
  }

  // ---- small steps ----

  private shifted(shift: Shift.lsl | Shift.lsr | Shift.asr, a: number, k: number, d = this.s.temp(this.type)): number {
    this.s.shiftImm(shift, d, a, k, this.bits);
    return d;
  }

  private copy(d: number, a: number): void {
    this.s.unary(M.mov32 + this.wide, d, a);
  }

  private binary(mop: M.add32 | M.sub32, a: number, b: number, d = this.s.temp(this.type)): number {
    this.s.binaryReg(mop + this.wide, d, a, b);
    return d;
  }

  private constant(n: bigint): number {
    const u = BigInt.asUintN(64, n);
    return this.s.const64(Number(BigInt.asIntN(32, u)), Number(BigInt.asIntN(32, u >> 32n)));
  }

  private high(mop: M.umulh | M.smulh, a: number, c: bigint, d = this.s.temp(Type.i64)): number {
    this.s.binaryReg(mop, d, a, this.constant(c));
    return d;
  }

  /** d = x - q * divisor. */
  private remainderFrom(q: number, d: number): void {
    this.s.ternary(M.msub32 + this.wide, d, q, this.constant(BigInt.asUintN(this.bits, this.divisor)), this.x);
  }

  private set(d: number, cond: Cond, a: number, b: bigint): void {
    const { s } = this;
    const right = this.constant(b);
    s.inst(compareOp(this.bits === 32 ? Producer.cmp32 : Producer.cmp64, Consumer.set), 0, 0, Form.reg | (cond << Shape.condShift));
    s.add(d, U.def);
    s.add(a, U.reg);
    s.add(right, U.reg);
  }

  // ---- unsigned ----

  unsigned(d: number, remainder: boolean): void {
    const { s, x, divisor, bits } = this;
    if (divisor === 1n) return remainder ? this.zero(d) : this.copy(d, x);
    if ((divisor & (divisor - 1n)) === 0n) {
      const k = log2(divisor);
      if (!remainder) return void this.shifted(Shift.lsr, x, k, d);
      const mask = divisor - 1n;
      return s.binaryImm(M.and32 + this.wide, d, x, Number(BigInt.asIntN(32, mask)), Number(mask >> 32n));
    }
    const q = remainder ? s.temp(this.type) : d;
    if (bits === 32) this.quotient32(q);
    else this.quotient64(q);
    if (remainder) this.remainderFrom(q, d);
  }

  private quotient32(q: number): void {
    const { s, x, divisor } = this;
    if (divisor >= 1n << 31n) return this.set(q, Cond.hs, x, divisor);
    // m = ceil(2^(32+k) / d) is exact for all 32-bit x if its error is at most 2^k.
    const k = log2(divisor);
    const m = ((1n << BigInt(32 + k)) + divisor - 1n) / divisor;
    if (m * divisor - (1n << BigInt(32 + k)) <= 1n << BigInt(k)) {
      const product = s.temp(Type.i64);
      s.binaryReg(M.mul64, product, x, this.constant(m));
      return s.shiftImm(Shift.lsr, q, product, 32 + k, 64);
    }
    // Else the high half of a 64-bit product, exact with room to spare.
    this.high(M.umulh, x, ((1n << 64n) + divisor - 1n) / divisor, q);
  }

  private quotient64(q: number): void {
    const { x, divisor } = this;
    if (divisor >= 1n << 63n) return this.set(q, Cond.hs, x, divisor);
    const k = log2(divisor);
    const exact = (shift: number, width: bigint, d: bigint) => {
      const m = ((1n << BigInt(64 + shift)) + d - 1n) / d;
      return m * d - (1n << BigInt(64 + shift)) <= (1n << (BigInt(64 + shift) - width)) ? m : 0n;
    };
    const m = exact(k, 64n, divisor);
    if (m !== 0n && m < 1n << 64n) return void this.shifted(Shift.lsr, this.high(M.umulh, x, m), k, q);
    // An even divisor: shift first, then fewer bits are left to be exact for.
    let zeros = 0;
    while (((divisor >> BigInt(zeros)) & 1n) === 0n) zeros++;
    if (zeros > 0) {
      const odd = divisor >> BigInt(zeros);
      const shift = log2(odd);
      const small = exact(shift, BigInt(64 - zeros), odd);
      if (small !== 0n && small < 1n << 64n) return void this.shifted(Shift.lsr, this.high(M.umulh, this.shifted(Shift.lsr, x, zeros), small), shift, q);
    }
    // A 65-bit number: 2^64 + m; q = (((x - h) >> 1) + h) >> k with h the high half of x * m.
    const m65 = ((1n << BigInt(65 + k)) + divisor - 1n) / divisor - (1n << 64n);
    const h = this.high(M.umulh, x, m65);
    const half = this.shifted(Shift.lsr, this.binary(M.sub32, x, h), 1);
    this.shifted(Shift.lsr, this.binary(M.add32, half, h), k, q);
  }

  private zero(d: number): void {
    this.s.inst(this.bits === 32 ? M.iconst32 : M.iconst64);
    this.s.add(d, U.def);
  }

  // ---- signed ----

  signed(d: number, remainder: boolean): void {
    const { s, x, divisor, bits } = this;
    if (divisor === 1n) return remainder ? this.zero(d) : this.copy(d, x);
    if (divisor === -1n) {
      if (remainder) return this.zero(d);
      // Only of MIN does the subtraction of 1 overflow.
      s.trapIfImm(bits === 32 ? Producer.cmp32 : Producer.cmp64, Cond.vs, TrapKind.integer_overflow, x, 1);
      return s.unary(M.neg32 + this.wide, d, x);
    }
    const size = divisor < 0n ? -divisor : divisor;
    if ((size & (size - 1n)) === 0n) return this.signedPower(d, remainder, log2(size));
    const q = remainder ? s.temp(this.type) : d;
    if (bits === 32) this.signed32(q);
    else this.signed64(q);
    if (remainder) this.remainderFrom(q, d);
  }

  /** By 2^k or -2^k: negative x is biased by 2^k - 1, so that the shift rounds towards zero. */
  private signedPower(d: number, remainder: boolean, k: number): void {
    const { s, x, bits } = this;
    const biased = s.temp(this.type);
    s.binaryModified(M.add32 + this.wide, biased, x, k === 1 ? x : this.shifted(Shift.asr, x, bits - 1), Form.shifted, Shift.lsr, bits - k);
    if (remainder) {
      const multiple = s.temp(this.type);
      const mask = -(1n << BigInt(k));
      s.binaryImm(M.and32 + this.wide, multiple, biased, Number(BigInt.asIntN(32, mask)), bits === 64 ? Number(BigInt.asIntN(32, mask >> 32n)) : 0);
      return void this.binary(M.sub32, x, multiple, d);
    }
    if (this.divisor > 0n) return void this.shifted(Shift.asr, biased, k, d);
    this.s.unary(M.neg32 + this.wide, d, biased, (Shift.asr << 6) | k, 0, Form.shifted);
  }

  /** x * m fits 64 bits: |x| <= 2^31, m < 2^32. The quotient of |d|, plus one where x is negative. */
  private signed32(q: number): void {
    const { s, x, divisor } = this;
    const size = divisor < 0n ? -divisor : divisor;
    // The smallest k with an error small enough: m = ceil(2^(32+k) / |d|).
    let k = 0;
    let m = 0n;
    for (; ; k++) {
      m = ((1n << BigInt(32 + k)) + size - 1n) / size;
      if (m * size - (1n << BigInt(32 + k)) <= 1n << BigInt(k + 1)) break;
    }
    const product = s.temp(Type.i64);
    if (m < 1n << 31n) s.binaryReg(M.smull, product, x, this.constant(m));
    else {
      const wideX = s.temp(Type.i64);
      s.unary(M.sbfm64, wideX, x, 0, 31);
      s.binaryReg(M.mul64, product, wideX, this.constant(m));
    }
    const high = s.temp(Type.i64);
    s.shiftImm(Shift.asr, high, product, 32 + k, 64);
    const sign = this.shifted(Shift.asr, x, 31);
    if (divisor > 0n) this.binary(M.sub32, high, sign, q);
    else this.binary(M.sub32, sign, high, q);
  }

  private signed64(q: number): void {
    const { x, divisor } = this;
    const size = divisor < 0n ? -divisor : divisor;
    let k = 0;
    let m = 0n;
    for (; ; k++) {
      m = ((1n << BigInt(64 + k)) + size - 1n) / size;
      if (m * size - (1n << BigInt(64 + k)) <= 1n << BigInt(k + 1)) break;
    }
    let high = this.high(M.smulh, x, m);
    // Above 2^63 the multiplier counts as m - 2^64: add x back.
    if (m >= 1n << 63n) high = this.binary(M.add32, high, x);
    high = this.shifted(Shift.asr, high, k);
    const sign = this.shifted(Shift.asr, x, 63);
    if (divisor > 0n) this.binary(M.sub32, high, sign, q);
    else this.binary(M.sub32, sign, high, q);
  }
}

/** Floor of the logarithm. */
function log2(n: bigint): number {
  return n.toString(2).length - 1;
}
