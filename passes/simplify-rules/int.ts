// Rules for integer arithmetic and integer conversions. Both widths share them.
//
// Constants go to the right of commutative operations, and subtraction of one becomes addition, so that chains
// `(x + c1) + c2` meet one shape. Nothing here changes what traps, or what a wrap-around gives.
import { NONE, type Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { inverseOf } from "./compare.js";
import { become1, become2, becomeCopy, becomeInt, bitsOf, exactLog2, I32, I64, isBool, isInt, isIntConst, newFolded, newInt, operand, type IntOps } from "./match.js";

function widthOf(fn: Func, v: Value): IntOps {
  return fn.type[v] === Type.i64 ? I64 : I32;
}

/**
 * A commutative operation's constant to the right; `(x op c1) op c2` to `x op (c1 op c2)`. The latter not from another block where x
 * is a parameter: behind a loop that would keep the induction variable alive beside its successor.
 */
function gather(fn: Func, v: Value, w: IntOps, x: Value, y: Value): boolean {
  const op = fn.op[v] as Op;
  if (isIntConst(fn, x) && !isIntConst(fn, y)) return become2(fn, v, op, y, x);
  if (!isIntConst(fn, y) || fn.op[x] !== op) return false;
  const inner = operand(fn, x, 1);
  const base = operand(fn, x, 0);
  if (fn.op[base] === Op.param && fn.block[x] !== fn.block[v]) return false;
  return isIntConst(fn, inner) && become2(fn, v, op, base, newFolded(fn, v, w, op, inner, y));
}

export function add(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (gather(fn, v, w, x, y)) return true;
  if (isInt(fn, y, 0)) return becomeCopy(fn, v, x);
  // x + (0 - z) and (0 - z) + y are subtractions.
  if (fn.op[y] === w.sub && isInt(fn, operand(fn, y, 0), 0)) return become2(fn, v, w.sub, x, operand(fn, y, 1));
  if (fn.op[x] === w.sub && isInt(fn, operand(fn, x, 0), 0) && !isIntConst(fn, y)) return become2(fn, v, w.sub, y, operand(fn, x, 1));
  return false;
}

export function sub(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (x === y) return becomeInt(fn, v, 0);
  if (isIntConst(fn, y)) return become2(fn, v, w.add, x, newFolded(fn, v, w, w.sub, newInt(fn, v, w, 0), y));
  if (isIntConst(fn, x) && fn.op[y] === w.add && isIntConst(fn, operand(fn, y, 1))) {
    return become2(fn, v, w.sub, newFolded(fn, v, w, w.sub, x, operand(fn, y, 1)), operand(fn, y, 0));
  }
  if (fn.op[y] === w.sub && isInt(fn, operand(fn, y, 0), 0)) return become2(fn, v, w.add, x, operand(fn, y, 1));
  // (x + z) - x, (z + x) - x
  if (fn.op[x] === w.add) {
    if (operand(fn, x, 0) === y) return becomeCopy(fn, v, operand(fn, x, 1));
    if (operand(fn, x, 1) === y) return becomeCopy(fn, v, operand(fn, x, 0));
  }
  return false;
}

export function mul(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (gather(fn, v, w, x, y)) return true;
  if (!isIntConst(fn, y)) return false;
  if (isInt(fn, y, 0)) return becomeCopy(fn, v, y);
  if (isInt(fn, y, 1)) return becomeCopy(fn, v, x);
  if (isInt(fn, y, -1)) return become2(fn, v, w.sub, newInt(fn, v, w, 0), x);
  const k = exactLog2(fn, y);
  if (k !== NONE) return become2(fn, v, w.shl, x, newInt(fn, v, w, k));
  if (fn.op[x] === w.shl && isIntConst(fn, operand(fn, x, 1))) {
    return become2(fn, v, w.mul, operand(fn, x, 0), newFolded(fn, v, w, w.shl, y, operand(fn, x, 1)));
  }
  return false;
}

export function divU(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const x = operand(fn, v, 0);
  const k = exactLog2(fn, operand(fn, v, 1));
  if (k === NONE) return false;
  return k === 0 ? becomeCopy(fn, v, x) : become2(fn, v, w.shr_u, x, newInt(fn, v, w, k));
}

export function remU(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const y = operand(fn, v, 1);
  if (exactLog2(fn, y) === NONE) return false;
  return become2(fn, v, w.and, operand(fn, v, 0), newFolded(fn, v, w, w.sub, y, newInt(fn, v, w, 1)));
}

export function divS(fn: Func, v: Value): boolean {
  return isInt(fn, operand(fn, v, 1), 1) && becomeCopy(fn, v, operand(fn, v, 0));
}

/** The remainder by -1 is 0 even of the least value, without a trap. */
export function remS(fn: Func, v: Value): boolean {
  const y = operand(fn, v, 1);
  return (isInt(fn, y, 1) || isInt(fn, y, -1)) && becomeInt(fn, v, 0);
}

export function and(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (x === y) return becomeCopy(fn, v, x);
  if (gather(fn, v, w, x, y)) return true;
  if (!isIntConst(fn, y)) return false;
  if (isInt(fn, y, 0)) return becomeCopy(fn, v, y);
  if (isInt(fn, y, -1)) return becomeCopy(fn, v, x);
  const kept = lowMask(fn, y);
  if (kept !== NONE) {
    if (bitsOf(fn, x) <= kept) return becomeCopy(fn, v, x);
    // A sign extension only changes bits that the mask takes away.
    const from = extendedFrom(fn.op[x] as Op);
    if (from !== NONE && kept <= from && fn.type[operand(fn, x, 0)] === fn.type[v]) return become2(fn, v, w.and, operand(fn, x, 0), y);
  }
  return false;
}

export function or(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (x === y) return becomeCopy(fn, v, x);
  if (gather(fn, v, w, x, y)) return true;
  if (isInt(fn, y, 0)) return becomeCopy(fn, v, x);
  if (isInt(fn, y, -1)) return becomeCopy(fn, v, y);
  return false;
}

export function xor(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (x === y) return becomeInt(fn, v, 0);
  if (gather(fn, v, w, x, y)) return true;
  if (isInt(fn, y, 0)) return becomeCopy(fn, v, x);
  if (w === I32 && isInt(fn, y, 1)) {
    const opposite = inverseOf(fn.op[x] as Op);
    if (opposite !== NONE) return become2(fn, v, opposite as Op, operand(fn, x, 0), operand(fn, x, 1));
    if (isBool(fn, x)) return become1(fn, v, Op.i32_eqz, x);
  }
  return false;
}

/** All shifts and rotates: the amount counts modulo the width. */
export function shift(fn: Func, v: Value): boolean {
  const w = widthOf(fn, v);
  const op = fn.op[v] as Op;
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (!isIntConst(fn, y)) {
    // A mask that keeps the bits that count.
    if (fn.op[y] !== w.and) return false;
    const mask = operand(fn, y, 1);
    return isIntConst(fn, mask) && (fn.imm[mask] & (w.bits - 1)) === w.bits - 1 && become2(fn, v, op, x, operand(fn, y, 0));
  }
  const k = fn.imm[y] & (w.bits - 1);
  if (k === 0) return becomeCopy(fn, v, x);
  if (!isInt(fn, y, k)) return become2(fn, v, op, x, newInt(fn, v, w, k));
  if (op === w.shr_u && bitsOf(fn, x) <= k) return becomeInt(fn, v, 0);

  const inner = fn.op[x] as Op;
  if (inner !== w.shl && inner !== w.shr_u && inner !== w.shr_s) return false;
  const by = operand(fn, x, 1);
  if (!isIntConst(fn, by)) return false;
  const j = fn.imm[by] & (w.bits - 1);
  const z = operand(fn, x, 0);
  if (inner === op) {
    if (j + k < w.bits) return become2(fn, v, op, z, newInt(fn, v, w, j + k));
    if (op === w.shr_s) return become2(fn, v, op, z, newInt(fn, v, w, w.bits - 1));
    return becomeInt(fn, v, 0);
  }
  if (j !== k) return false;
  const ones = newInt(fn, v, w, -1);
  // Up and down again by the same amount: a mask of low bits, or an extension of a narrow value's sign.
  if (inner === w.shl && op === w.shr_u) return become2(fn, v, w.and, z, newFolded(fn, v, w, w.shr_u, ones, y));
  if (inner === w.shl && op === w.shr_s) {
    const narrow = extensionOf(w, w.bits - k);
    return narrow !== NONE && become1(fn, v, narrow as Op, z);
  }
  if (op === w.shl) return become2(fn, v, w.and, z, newFolded(fn, v, w, w.shl, ones, y));
  return false;
}

export function wrap(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  switch (fn.op[x]) {
    case Op.i64_extend_i32_s:
    case Op.i64_extend_i32_u:
      return becomeCopy(fn, v, operand(fn, x, 0));
    case Op.i64_extend32_s:
      return become1(fn, v, Op.i32_wrap_i64, operand(fn, x, 0));
    case Op.i64_and: {
      const mask = operand(fn, x, 1);
      return fn.op[mask] === Op.i64_const && fn.imm[mask] === -1 && become1(fn, v, Op.i32_wrap_i64, operand(fn, x, 0));
    }
  }
  return false;
}

/** Sign extensions, also of i32 to i64: none needed where the sign bit is known to be clear, or was extended already. */
export function extend(fn: Func, v: Value): boolean {
  const op = fn.op[v] as Op;
  const x = operand(fn, v, 0);
  const inner = fn.op[x] as Op;
  const from = extendedFrom(op);
  if (op === Op.i64_extend_i32_s) {
    // A zero extension costs nothing where the value was computed.
    return bitsOf(fn, x) < 32 && become1(fn, v, Op.i64_extend_i32_u, x);
  }
  if (bitsOf(fn, x) < from) return becomeCopy(fn, v, x);
  const before = extendedFrom(inner);
  const same = before !== NONE && fn.type[operand(fn, x, 0)] === fn.type[v];
  if (same) return before <= from ? becomeCopy(fn, v, x) : become1(fn, v, op, operand(fn, x, 0));
  if (signedLoadBits(inner) <= from) return becomeCopy(fn, v, x);
  const w = widthOf(fn, v);
  if (inner === w.and) {
    const mask = operand(fn, x, 1);
    const kept = isIntConst(fn, mask) ? lowMask(fn, mask) : NONE;
    if (kept >= from) return become1(fn, v, op, operand(fn, x, 0));
  }
  if (op === Op.i64_extend32_s && inner === Op.i64_extend_i32_u) return become1(fn, v, Op.i64_extend_i32_s, operand(fn, x, 0));
  return false;
}

/** n where a constant is 2^n - 1 with 0 < n, NONE otherwise. */
function lowMask(fn: Func, c: Value): number {
  const lo = fn.imm[c];
  const hi = fn.op[c] === Op.i64_const ? fn.imm2[c] : 0;
  if (hi === 0) return lo !== 0 && (lo & (lo + 1)) === 0 ? 32 - Math.clz32(lo) : NONE;
  return lo === -1 && (hi & (hi + 1)) === 0 ? 64 - Math.clz32(hi) : NONE;
}

/** Bits of the narrow value that a sign extension reads, NONE for other ops. */
function extendedFrom(op: Op): number {
  switch (op) {
    case Op.i32_extend8_s:
    case Op.i64_extend8_s:
      return 8;
    case Op.i32_extend16_s:
    case Op.i64_extend16_s:
      return 16;
    case Op.i64_extend32_s:
    case Op.i64_extend_i32_s:
      return 32;
  }
  return NONE;
}

function extensionOf(w: IntOps, bits: number): Op | typeof NONE {
  if (bits === 8) return w === I32 ? Op.i32_extend8_s : Op.i64_extend8_s;
  if (bits === 16) return w === I32 ? Op.i32_extend16_s : Op.i64_extend16_s;
  return bits === 32 && w === I64 ? Op.i64_extend32_s : NONE;
}

function signedLoadBits(op: Op): number {
  switch (op) {
    case Op.i32_load8_s:
    case Op.i64_load8_s:
      return 8;
    case Op.i32_load16_s:
    case Op.i64_load16_s:
      return 16;
    case Op.i64_load32_s:
      return 32;
  }
  return 65;
}
