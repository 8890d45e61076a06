// Rules for comparisons, select, and values used as conditions.
import { NONE, type Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { become1, become2, becomeCopy, becomeInt, I32, I64, isBool, isInt, isIntConst, newFolded, newInt, operand, type IntOps } from "./match.js";

/** By distance from `eqz`: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u. */
const inverse = [NONE, 2, 1, 9, 10, 7, 8, 5, 6, 3, 4];
const mirrored = [NONE, 1, 2, 5, 6, 3, 4, 9, 10, 7, 8];
const enum Cmp {
  eqz, eq, ne, lt_s, lt_u, gt_s, gt_u, le_s, le_u, ge_s, ge_u,
}

/** The op of the opposite result, NONE where there is none (ordered float comparisons: NaN makes both false). */
export function inverseOf(op: Op): Op | typeof NONE {
  if (op > Op.i32_eqz && op <= Op.i32_ge_u) return Op.i32_eqz + inverse[op - Op.i32_eqz];
  if (op > Op.i64_eqz && op <= Op.i64_ge_u) return Op.i64_eqz + inverse[op - Op.i64_eqz];
  switch (op) {
    case Op.f32_eq:
      return Op.f32_ne;
    case Op.f32_ne:
      return Op.f32_eq;
    case Op.f64_eq:
      return Op.f64_ne;
    case Op.f64_ne:
      return Op.f64_eq;
  }
  return NONE;
}

/** `x == 0` of an integer. */
export function eqz(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  const op = fn.op[x] as Op;
  const w = fn.type[x] === Type.i64 ? I64 : I32;
  const opposite = inverseOf(op);
  if (opposite !== NONE) return become2(fn, v, opposite as Op, operand(fn, x, 0), operand(fn, x, 1));
  if (op === Op.i32_eqz || op === Op.i64_eqz) {
    const y = operand(fn, x, 0);
    if (isBool(fn, y)) return becomeCopy(fn, v, y);
    const v2 = fn.type[y] === Type.i64 ? I64 : I32;
    return become2(fn, v, v2.ne, y, newInt(fn, v, v2, 0));
  }
  // x - y == 0 and x ^ y == 0 are x == y.
  if (op === w.sub || op === w.xor) return become2(fn, v, w.eq, operand(fn, x, 0), operand(fn, x, 1));
  if (op === Op.i64_extend_i32_u || op === Op.i64_extend_i32_s) return become1(fn, v, Op.i32_eqz, operand(fn, x, 0));
  return false;
}

export function compareInts(fn: Func, v: Value): boolean {
  const op = fn.op[v] as Op;
  const wide = op >= Op.i64_eqz;
  const w = wide ? I64 : I32;
  const base = wide ? Op.i64_eqz : Op.i32_eqz;
  const cmp: Cmp = op - base;
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  if (x === y) return becomeInt(fn, v, cmp === Cmp.eq || cmp >= Cmp.le_s ? 1 : 0);
  if (isIntConst(fn, x) && !isIntConst(fn, y)) return become2(fn, v, base + mirrored[cmp], y, x);
  if (!isIntConst(fn, y)) return false;

  if (isInt(fn, y, 0)) {
    switch (cmp) {
      case Cmp.eq:
      case Cmp.le_u:
        return become1(fn, v, w.eqz, x);
      case Cmp.lt_u:
        return becomeInt(fn, v, 0);
      case Cmp.ge_u:
        return becomeInt(fn, v, 1);
      case Cmp.gt_u:
        return become2(fn, v, w.ne, x, y);
      case Cmp.ne:
        if (isBool(fn, x)) return becomeCopy(fn, v, x);
        if (fn.op[x] === w.sub || fn.op[x] === w.xor) return become2(fn, v, w.ne, operand(fn, x, 0), operand(fn, x, 1));
        break;
    }
  } else if (isInt(fn, y, 1)) {
    switch (cmp) {
      case Cmp.lt_u:
        return become1(fn, v, w.eqz, x);
      case Cmp.ge_u:
        return become2(fn, v, w.ne, x, newInt(fn, v, w, 0));
      case Cmp.eq:
        if (isBool(fn, x)) return becomeCopy(fn, v, x);
        break;
      case Cmp.ne:
        if (isBool(fn, x)) return become1(fn, v, Op.i32_eqz, x);
        break;
    }
  } else if (isInt(fn, y, -1)) {
    switch (cmp) {
      case Cmp.gt_u:
        return becomeInt(fn, v, 0);
      case Cmp.le_u:
        return becomeInt(fn, v, 1);
      case Cmp.lt_u:
        return become2(fn, v, w.ne, x, y);
      case Cmp.ge_u:
        return become2(fn, v, w.eq, x, y);
    }
  }
  return equalToConst(fn, v, w, cmp, x, y) || narrowCompare(fn, v, cmp, x, y);
}

/**
 * x + c1 == c2 is x == c2 - c1, wrapping included; the same with ^. Not where x is a parameter: in a loop that is the induction
 * variable, which would have to live on beside its successor, in a register more and with a move every round.
 */
function equalToConst(fn: Func, v: Value, w: IntOps, cmp: Cmp, x: Value, y: Value): boolean {
  if (cmp !== Cmp.eq && cmp !== Cmp.ne) return false;
  const inner = fn.op[x] as Op;
  if (inner !== w.add && inner !== w.xor) return false;
  const c = operand(fn, x, 1);
  if (!isIntConst(fn, c) || fn.op[operand(fn, x, 0)] === Op.param) return false;
  const back = newFolded(fn, v, w, inner === w.add ? w.sub : w.xor, y, c);
  return become2(fn, v, fn.op[v] as Op, operand(fn, x, 0), back);
}

/** An i64 comparison of an extended i32 with a constant of its range is one of i32. */
function narrowCompare(fn: Func, v: Value, cmp: Cmp, x: Value, y: Value): boolean {
  const extended = fn.op[x];
  if (fn.op[y] !== Op.i64_const || (extended !== Op.i64_extend_i32_u && extended !== Op.i64_extend_i32_s)) return false;
  const unsigned = extended === Op.i64_extend_i32_u;
  const lo = fn.imm[y];
  if (fn.imm2[y] !== (unsigned ? 0 : lo >> 31)) return false;
  // Zero-extended values keep only i32's unsigned order, whichever is asked; sign-extended ones keep both. Odd: signed.
  const narrow = unsigned && cmp >= Cmp.lt_s && (cmp & 1) === 1 ? cmp + 1 : cmp;
  return become2(fn, v, Op.i32_eqz + narrow, operand(fn, x, 0), newInt(fn, v, I32, lo));
}

export function select(fn: Func, v: Value): boolean {
  const x = operand(fn, v, 0);
  const y = operand(fn, v, 1);
  const c = operand(fn, v, 2);
  if (x === y) return becomeCopy(fn, v, x);
  if (fn.op[c] === Op.i32_const) return becomeCopy(fn, v, fn.imm[c] !== 0 ? x : y);
  const condition = conditionOf(fn, c);
  if (condition.value !== c || condition.negated) {
    fn.become(v, Op.select, condition.negated ? [y, x, condition.value] : [x, y, condition.value]);
    return true;
  }
  if (fn.type[v] === Type.i32) {
    if (isInt(fn, x, 1) && isInt(fn, y, 0)) return isBool(fn, c) ? becomeCopy(fn, v, c) : become2(fn, v, Op.i32_ne, c, y);
    if (isInt(fn, x, 0) && isInt(fn, y, 1)) return become1(fn, v, Op.i32_eqz, c);
  }
  return false;
}

/** The value whose being non-zero decides the same, or the opposite: behind `eqz` and `ne 0` of an i32. */
export function conditionOf(fn: Func, c: Value): { value: Value; negated: boolean } {
  let negated = false;
  for (;;) {
    if (fn.op[c] === Op.i32_eqz) {
      negated = !negated;
      c = operand(fn, c, 0);
    } else if (fn.op[c] === Op.i32_ne && isInt(fn, operand(fn, c, 1), 0)) c = operand(fn, c, 0);
    else return { value: c, negated };
  }
}
