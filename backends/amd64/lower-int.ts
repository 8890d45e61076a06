// Integer arithmetic, shifts, bit counts, extensions => machine ops.
//
// Additions become `lea` (three addresses; the emitter shortens it to `add` where it can), the rest is two-address with the
// right operand in memory or immediate where possible. Division by constants is in lower-divide.ts.
import type { Value } from "../../ir/entity.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { lowerDivision } from "./lower-divide.js";
import { Form, M } from "./mops.js";
import { Reg } from "./registers.js";
import { Take, U, type Selection } from "./selection.js";

type Bits = 32 | 64;

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
    case Op.i32_or: return commutative(s, v, M.or32 + wide, bits);
    case Op.i32_xor: return lowerXor(s, v, bits);
    case Op.i32_shl: return lowerShift(s, v, M.shl32 + wide, M.shlx32 + wide, bits);
    case Op.i32_shr_u: return lowerShift(s, v, M.shr32 + wide, M.shrx32 + wide, bits);
    case Op.i32_shr_s: return lowerShift(s, v, M.sar32 + wide, M.sarx32 + wide, bits);
    case Op.i32_rotl: return lowerRotate(s, v, M.rol32 + wide, true, bits);
    case Op.i32_rotr: return lowerRotate(s, v, M.ror32 + wide, false, bits);
    case Op.i32_div_s: case Op.i32_div_u: case Op.i32_rem_s: case Op.i32_rem_u: return lowerDivision(s, v, op, bits);
    case Op.i32_clz: return lowerClz(s, v, bits);
    case Op.i32_ctz: return lowerCtz(s, v, bits);
    case Op.i32_popcnt: return lowerPopcnt(s, v, bits);
    default: throw new Error(`v${v}: no integer op`);
  }
}

/** The register of an operand, looked at as narrowly as the width allows. */
export function regOf(s: Selection, v: Value, bits: Bits): number {
  return bits === 32 ? s.regLow32(v) : s.regWide(v);
}

function narrow(s: Selection, v: Value, bits: Bits): Value {
  return bits === 32 ? s.low32(v) : s.wide(v);
}

function isConst(s: Selection, v: Value, bits: Bits): boolean {
  return bits === 32 ? s.fn.op[v] === Op.i32_const : s.isConst64AsImm(v);
}

function isLoadable(s: Selection, v: Value, bits: Bits): boolean {
  const op = s.fn.op[v];
  return op === (bits === 32 ? Op.i32_load : Op.i64_load) || op === Op.global_get;
}

/** Left and right so that a constant, else a load that can be taken in, comes right. */
function commutative(s: Selection, v: Value, mop: number, bits: Bits): void {
  let x = narrow(s, s.arg(v, 0), bits);
  let y = narrow(s, s.arg(v, 1), bits);
  if (isConst(s, x, bits) || (!isConst(s, y, bits) && isLoadable(s, x, bits) && s.low.canMerge(x) && !(isLoadable(s, y, bits) && s.low.canMerge(y)))) [x, y] = [y, x];
  s.operand(y, bits);
  const left = s.low.reg(x);
  s.binary(mop, s.result(), left, bits);
}

function lowerAdd(s: Selection, v: Value, bits: Bits): void {
  const { fn, low } = s;
  const lea = bits === 32 ? M.lea32 : M.lea64;
  let x = narrow(s, s.arg(v, 0), bits);
  let y = narrow(s, s.arg(v, 1), bits);
  if (isConst(s, x, bits)) [x, y] = [y, x];
  const d = s.result();
  if (isConst(s, y, bits)) {
    // Its flags serve the branch behind it.
    if (d === s.zeroTested) return s.binaryImm(bits === 32 ? M.add32 : M.add64, d, low.reg(x), fn.imm[y]!);
    // (a << k) + c and (a + b) + c in one
    const shift = scaled(s, x, bits);
    if (shift > 0) {
      const a = regOf(s, s.arg(x, 0), bits);
      return s.lea(lea, d, -1, a, shift, fn.imm[y]!);
    }
    if (fn.op[x] === (bits === 32 ? Op.i32_add : Op.i64_add) && low.canMerge(x)) {
      const a = narrow(s, s.arg(x, 0), bits);
      const b = narrow(s, s.arg(x, 1), bits);
      if (!isConst(s, b, bits)) return s.lea(lea, d, low.reg(a), low.reg(b), 0, fn.imm[y]!);
    }
    return s.lea(lea, d, low.reg(x), -1, 0, fn.imm[y]!);
  }
  if (isLoadable(s, x, bits) && !isLoadable(s, y, bits)) [x, y] = [y, x];
  if (isLoadable(s, y, bits) && low.canMerge(y)) {
    s.operand(y, bits);
    const left = low.reg(x);
    return s.binary(bits === 32 ? M.add32 : M.add64, d, left, bits);
  }
  let shift = scaled(s, y, bits);
  if (shift === 0) {
    shift = scaled(s, x, bits);
    if (shift > 0) [x, y] = [y, x];
  }
  if (shift > 0) {
    const base = low.reg(x);
    const index = regOf(s, s.arg(y, 0), bits);
    return s.lea(lea, d, base, index, shift, 0);
  }
  const left = low.reg(x);
  s.lea(lea, d, left, low.reg(y), 0, 0);
}

/** 1, 2, 3 if `v` is a shift left by that much which the root can take in, else 0. */
function scaled(s: Selection, v: Value, bits: Bits): number {
  const { fn } = s;
  if (fn.op[v] !== (bits === 32 ? Op.i32_shl : Op.i64_shl)) return 0;
  const c = s.arg(v, 1);
  if (fn.op[c] !== Op.i32_const && fn.op[c] !== Op.i64_const) return 0;
  const k = fn.imm[c]! & (bits - 1);
  return k >= 1 && k <= 3 && s.low.canMerge(v) ? k : 0;
}

function lowerSub(s: Selection, v: Value, bits: Bits): void {
  const { fn } = s;
  const x = narrow(s, s.arg(v, 0), bits);
  const y = narrow(s, s.arg(v, 1), bits);
  const d = s.result();
  if (isConst(s, y, bits) && fn.imm[y] !== -0x80000000) return s.lea(bits === 32 ? M.lea32 : M.lea64, d, s.low.reg(x), -1, 0, -fn.imm[y]!);
  if (isConst(s, x, bits) && fn.imm[x] === 0) return negate(s, bits === 32 ? M.neg32 : M.neg64, d, s.low.reg(y));
  s.operand(y, bits);
  s.binary(bits === 32 ? M.sub32 : M.sub64, d, s.low.reg(x), bits);
}

/** One operand, two-address. */
function negate(s: Selection, mop: number, d: number, x: number): void {
  s.inst(mop);
  s.add(d, U.defSame | (1 << 6));
  s.add(x, U.reg);
}

function lowerMul(s: Selection, v: Value, bits: Bits): void {
  let x = narrow(s, s.arg(v, 0), bits);
  let y = narrow(s, s.arg(v, 1), bits);
  if (isConst(s, x, bits)) [x, y] = [y, x];
  const d = s.result();
  if (isConst(s, y, bits)) return multiply(s, d, x, s.fn.imm[y]!, bits);
  if (isLoadable(s, x, bits) && !isLoadable(s, y, bits)) [x, y] = [y, x];
  s.operand(y, bits);
  s.binary(bits === 32 ? M.imul32 : M.imul64, d, s.low.reg(x), bits);
}

function multiply(s: Selection, d: number, x: Value, c: number, bits: Bits): void {
  const lea = bits === 32 ? M.lea32 : M.lea64;
  if (c > 0 && (c & (c - 1)) === 0) return shiftLeft(s, d, s.low.reg(x), 31 - Math.clz32(c), bits);
  if (c === 3 || c === 5 || c === 9) {
    const a = s.low.reg(x);
    return s.lea(lea, d, a, a, c === 3 ? 1 : c === 5 ? 2 : 3, 0);
  }
  if (c === -1) return negate(s, bits === 32 ? M.neg32 : M.neg64, d, s.low.reg(x));
  const mop = bits === 32 ? M.imul32 : M.imul64;
  if (s.operand(x, bits, Take.mem)) {
    s.inst(mop, c, s.memDisp, Form.mi | s.memShape());
    s.add(d, U.def);
    return s.addMem();
  }
  const a = s.rhsReg;
  s.inst(mop, c, 0, Form.ri);
  s.add(d, U.def);
  s.add(a, s.anyOf(a, bits));
}

/** d = a << k, as lea where that spares a copy. */
export function shiftLeft(s: Selection, d: number, a: number, k: number, bits: Bits): void {
  if (k === 1) return s.lea(bits === 32 ? M.lea32 : M.lea64, d, a, a, 0, 0);
  if (k === 2 || k === 3) return s.lea(bits === 32 ? M.lea32 : M.lea64, d, -1, a, k, 0);
  s.binaryImm(bits === 32 ? M.shl32 : M.shl64, d, a, k);
}

function lowerAnd(s: Selection, v: Value, bits: Bits): void {
  const { fn } = s;
  let x = narrow(s, s.arg(v, 0), bits);
  let y = narrow(s, s.arg(v, 1), bits);
  if (fn.op[x] === Op.i32_const || fn.op[x] === Op.i64_const) [x, y] = [y, x];
  if (fn.op[y] === Op.i32_const || fn.op[y] === Op.i64_const) {
    const lo = fn.imm[y]!;
    const hi = bits === 64 && fn.op[y] === Op.i64_const ? fn.imm2[y]! : 0;
    if (hi === 0 && lo === 0xff) return s.unaryReg(M.movzx8, s.result(), s.low.reg(x));
    if (hi === 0 && lo === 0xffff) return s.unaryReg(M.movzx16, s.result(), s.low.reg(x));
    if (bits === 64 && hi === 0) {
      const d = s.result();
      const a = s.regLow32(x);
      if (lo === -1) return s.unary(M.mov32, d, a, 32);
      // The upper half of the mask is zero, so the 32-bit instruction does it.
      return s.binaryImm(M.and32, d, a, lo);
    }
  }
  commutative(s, v, bits === 32 ? M.and32 : M.and64, bits);
}

function lowerXor(s: Selection, v: Value, bits: Bits): void {
  const y = narrow(s, s.arg(v, 1), bits);
  if (isConst(s, y, bits) && s.fn.imm[y] === -1) {
    return negate(s, bits === 32 ? M.not32 : M.not64, s.result(), regOf(s, s.arg(v, 0), bits));
  }
  commutative(s, v, bits === 32 ? M.xor32 : M.xor64, bits);
}

/** The count of a variable shift: only its low 5 or 6 bits are read, so masks and conversions fall away. */
function countOf(s: Selection, v: Value, bits: Bits): number {
  const { fn } = s;
  let c = s.low32(s.wide(v));
  while (fn.op[c] === Op.i32_and || fn.op[c] === Op.i64_and) {
    const m = s.arg(c, 1);
    if ((fn.op[m] !== Op.i32_const && fn.op[m] !== Op.i64_const) || (fn.imm[m]! & (bits - 1)) !== bits - 1 || !s.low.canMerge(c)) break;
    c = s.low32(s.wide(s.arg(c, 0)));
  }
  return s.low.reg(c);
}

function lowerShift(s: Selection, v: Value, mop: number, bmi2: number, bits: Bits): void {
  const { fn } = s;
  const count = s.arg(v, 1);
  // Only a left shift ignores the upper half.
  const x = narrow(s, s.arg(v, 0), bits);
  const d = s.result();
  if (fn.op[count] === Op.i32_const || fn.op[count] === Op.i64_const) {
    const k = fn.imm[count]! & (bits - 1);
    const a = s.low.reg(x);
    if (k === 0) return s.unary(bits === 32 ? M.mov32 : M.mov64, d, a, bits);
    if ((mop === M.shl32 || mop === M.shl64) && k <= 3) return shiftLeft(s, d, a, k, bits);
    return s.binaryImm(mop, d, a, k);
  }
  if (s.options.features.has("bmi2")) {
    const c = countOf(s, count, bits);
    if (s.operand(x, bits, Take.mem)) {
      s.inst(bmi2, 0, s.memDisp, Form.rm | s.memShape());
      s.add(d, U.def);
      s.add(c, U.reg);
      return s.addMem();
    }
    const a = s.rhsReg;
    s.inst(bmi2);
    s.add(d, U.def);
    s.add(a, s.anyOf(a, bits));
    return s.add(c, U.reg);
  }
  byCl(s, mop, d, s.low.reg(x), countOf(s, count, bits));
}

function byCl(s: Selection, mop: number, d: number, a: number, count: number): void {
  s.inst(mop, 0, 0, Form.rr);
  s.add(d, U.defSame | (1 << 6));
  s.add(a, U.reg);
  s.addFixed(count, U.fixedLate, Reg.rcx);
}

function lowerRotate(s: Selection, v: Value, mop: number, left: boolean, bits: Bits): void {
  const { fn } = s;
  const count = s.arg(v, 1);
  const d = s.result();
  const a = regOf(s, s.arg(v, 0), bits);
  if (fn.op[count] === Op.i32_const || fn.op[count] === Op.i64_const) {
    const k = fn.imm[count]! & (bits - 1);
    if (k === 0) return s.unary(bits === 32 ? M.mov32 : M.mov64, d, a, bits);
    if (!s.options.features.has("bmi2")) return s.binaryImm(mop, d, a, k);
    s.inst(bits === 32 ? M.rorx32 : M.rorx64, left ? bits - k : k, 0, Form.ri);
    s.add(d, U.def);
    return s.add(a, s.anyOf(a, bits));
  }
  byCl(s, mop, d, a, countOf(s, count, bits));
}

/** A counting instruction with its operand in a register or in memory. */
function count(s: Selection, v: Value, mop: number, bits: Bits): void {
  const d = s.result();
  if (s.operand(s.arg(v, 0), bits, Take.mem)) return s.load(mop, d);
  s.unary(mop, d, s.rhsReg, bits);
}

function lowerClz(s: Selection, v: Value, bits: Bits): void {
  if (s.options.features.has("lzcnt")) return count(s, v, bits === 32 ? M.lzcnt32 : M.lzcnt64, bits);
  // bsr gives the index from below, and 2 * bits - 1 for zero: xor (bits - 1) makes it the count.
  const index = s.temp(bits === 32 ? Type.i32 : Type.i64);
  s.unaryReg(bits === 32 ? M.bsr32 : M.bsr64, index, regOf(s, s.arg(v, 0), bits), 2 * bits - 1);
  s.binaryImm(bits === 32 ? M.xor32 : M.xor64, s.result(), index, bits - 1);
}

function lowerCtz(s: Selection, v: Value, bits: Bits): void {
  if (s.options.features.has("tzcnt")) return count(s, v, bits === 32 ? M.tzcnt32 : M.tzcnt64, bits);
  s.unaryReg(bits === 32 ? M.bsf32 : M.bsf64, s.result(), regOf(s, s.arg(v, 0), bits), bits);
}

function lowerPopcnt(s: Selection, v: Value, bits: Bits): void {
  if (s.options.features.has("popcnt")) return count(s, v, bits === 32 ? M.popcnt32 : M.popcnt64, bits);
  // Sums of 2, of 4, of 8 bits side by side, then all bytes added by a multiplication into the highest.
  const type = bits === 32 ? Type.i32 : Type.i64;
  const wide = bits === 64 ? 1 : 0;
  const x = regOf(s, s.arg(v, 0), bits);
  const step = (mop: number, a: number, b: number) => {
    const d = s.temp(type);
    s.binaryReg(mop + wide, d, a, b);
    return d;
  };
  const shift = (a: number, k: number) => {
    const d = s.temp(type);
    s.binaryImm(M.shr32 + wide, d, a, k);
    return d;
  };
  const repeat = (byte: number) => {
    const word = Math.imul(byte, 0x01010101);
    return bits === 32 ? s.const32(word) : s.const64(word, word);
  };
  const pairs = step(M.sub32, x, step(M.and32, shift(x, 1), repeat(0x55)));
  const two = repeat(0x33);
  const fours = step(M.add32, step(M.and32, pairs, two), step(M.and32, shift(pairs, 2), two));
  const bytes = step(M.and32, step(M.add32, fours, shift(fours, 4)), repeat(0x0f));
  const sum = step(M.imul32, bytes, repeat(1));
  s.binaryImm(M.shr32 + wide, s.result(), sum, bits - 8);
}
