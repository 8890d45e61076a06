// Rules for loads and stores: constants move from the address into the offset, and from narrow stores superfluous
// extensions and masks go.
//
// The sum of address and offset does not wrap at 32 bits, the i32 addition that made the address does: a constant may
// move only where that addition is known not to wrap.
import { NONE, type Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { Is, Op, opFlags } from "../../ir/ops.js";
import { bitsOf, isIntConst, operand } from "./match.js";

/** Greatest offset made: one that fits a displacement of 31 bits on every target. */
const MAX_OFFSET = 0x7fffffff;

export function access(fn: Func, v: Value): boolean {
  return (opFlags[fn.op[v]] & Is.writes_memory && storedValue(fn, v)) || offset(fn, v);
}

/** `load (x + c), offset=k` to `load x, offset=k+c`. */
function offset(fn: Func, v: Value): boolean {
  const address = operand(fn, v, 0);
  const k = fn.imm[v] >>> 0;
  if (fn.op[address] !== Op.i32_add) return false;
  const c = operand(fn, address, 1);
  if (!isIntConst(fn, c) || fn.imm[c] < 0 || k + fn.imm[c] > MAX_OFFSET) return false;
  const x = operand(fn, address, 0);
  if (2 ** bitsOf(fn, x) - 1 + fn.imm[c] > 0xffffffff) return false;
  fn.imm[v] = k + fn.imm[c];
  fn.setArg(v, 0, x);
  return true;
}

/** Bits a narrow store writes, NONE for a store of all bits. */
function storedBits(op: Op): number {
  switch (op) {
    case Op.i32_store8:
    case Op.i64_store8:
      return 8;
    case Op.i32_store16:
    case Op.i64_store16:
      return 16;
    case Op.i64_store32:
      return 32;
  }
  return NONE;
}

/** The store of the same bits of an i32 value. */
function i32Store(op: Op): Op {
  return op === Op.i64_store8 ? Op.i32_store8 : op === Op.i64_store16 ? Op.i32_store16 : Op.i32_store;
}

function storedValue(fn: Func, v: Value): boolean {
  const op = fn.op[v] as Op;
  const x = operand(fn, v, 1);
  const inner = fn.op[x] as Op;
  const bits = storedBits(op);
  if (bits === NONE) {
    const other = reinterpretedStore(inner);
    if (other === NONE) return false;
    fn.become(v, other as Op, [operand(fn, v, 0), operand(fn, x, 0)], fn.imm[v], fn.imm2[v]);
    return true;
  }
  switch (inner) {
    case Op.i64_extend_i32_s:
    case Op.i64_extend_i32_u:
      fn.become(v, i32Store(op), [operand(fn, v, 0), operand(fn, x, 0)], fn.imm[v], fn.imm2[v]);
      return true;
    case Op.i32_and:
    case Op.i64_and: {
      const mask = operand(fn, x, 1);
      if (!isIntConst(fn, mask) || ~fn.imm[mask] & (bits === 32 ? -1 : (1 << bits) - 1)) return false;
      break;
    }
    case Op.i32_extend8_s:
    case Op.i64_extend8_s:
      if (bits > 8) return false;
      break;
    case Op.i32_extend16_s:
    case Op.i64_extend16_s:
      if (bits > 16) return false;
      break;
    case Op.i64_extend32_s:
      break;
    default:
      return false;
  }
  fn.setArg(v, 1, operand(fn, x, 0));
  return true;
}

/** The store of the bits behind a reinterpretation. */
function reinterpretedStore(op: Op): Op | typeof NONE {
  switch (op) {
    case Op.i32_reinterpret_f32:
      return Op.f32_store;
    case Op.i64_reinterpret_f64:
      return Op.f64_store;
    case Op.f32_reinterpret_i32:
      return Op.i32_store;
    case Op.f64_reinterpret_i64:
      return Op.i64_store;
  }
  return NONE;
}
