// Terminators, select and compares as values => machine ops.
//
// A branch on a compare is one op (`cmp32.br`), so is a select (`cmp32.sel32`) and a compare whose result is wanted as a
// number (`cmp32.set`).
import { NONE, type Value } from "../../ir/entity.js";
import { TrapKind } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import { RegClass, Type, regClass } from "../../ir/types.js";
import { isCompare, type Condition } from "./lower-compare.js";
import { Base, Consumer, M } from "./mops.js";
import { U, type Bits, type Selection } from "./selection.js";

export function lowerTerminator(s: Selection, condition: Condition, v: Value): void {
  const { fn } = s;
  switch (fn.op[v]! as Op) {
    case Op.br:
      return s.inst(M.jmp);
    case Op.br_if:
      condition.of(s.arg(v, 0));
      condition.start(Consumer.br);
      return condition.operands();
    case Op.br_table:
      return lowerTable(s, v);
    case Op.return_:
      return lowerReturn(s, v);
    case Op.unreachable:
      return s.inst(M.trap, TrapKind.unreachable);
    default:
      throw new Error(`v${v}: no terminator`);
  }
}

function lowerTable(s: Selection, v: Value): void {
  const { fn, mfn, low } = s;
  const length = fn.imm2[v]!;
  const start = fn.imm[v]!;
  const mb = low.blockOf[low.rootBlock]!;
  if (mfn.succCount[mb] === 1) return s.inst(M.jmp);
  const table = new Int32Array(length);
  for (let i = 0; i < length; i++) table[i] = low.edgeIndex[fn.edgeTable[start + i]!]!;
  const index = s.regOf(s.arg(v, 0), 32);
  mfn.jumpTables.push(table);
  s.inst(M.jump_table, mfn.jumpTables.length - 1);
  s.add(index, U.reg);
}

/** Results into their registers, those beyond into the caller's outgoing area. */
function lowerReturn(s: Selection, v: Value): void {
  const { fn, low } = s;
  const where = low.abi.results;
  const count = fn.argCount[v]!;
  for (let i = 0; i < count; i++) {
    if (where[i]! < 0) storeToArea(s, Base.incoming, ~where[i]!, s.arg(v, i), low.fn.sig.results[i]!);
  }
  const registers: number[] = [];
  for (let i = 0; i < count; i++) registers.push(where[i]! < 0 ? NONE : low.shortLived(s.arg(v, i)));
  s.inst(M.ret);
  for (let i = 0; i < count; i++) if (where[i]! >= 0) s.addFixed(registers[i]!, U.fixed, where[i]!);
}

/** Stores a stack argument or stack result. */
export function storeToArea(s: Selection, base: Base.outgoing | Base.incoming, offset: number, v: Value, type: Type): void {
  const zero = type === Type.i32 ? s.isZero(v, 32) : type === Type.i64 && s.isZero(v, 64);
  const r = zero ? NONE : s.low.reg(v);
  s.cell(NONE, offset);
  s.memBase = base;
  if (zero) s.storeZero(storeOf(type));
  else s.store(storeOf(type), r);
}

/** The plain store of a type. */
export function storeOf(type: Type): M {
  return type === Type.i32 ? M.str32 : type === Type.f32 ? M.strs : type === Type.f64 ? M.strd : M.str64;
}

/** The plain load of a type. */
export function loadOf(type: Type): M {
  return type === Type.i32 ? M.ldr32 : type === Type.f32 ? M.ldrs : type === Type.f64 ? M.ldrd : M.ldr64;
}

/** A compare wanted as 0 or 1. */
export function lowerCompare(s: Selection, condition: Condition, v: Value): void {
  const d = s.result();
  condition.compareOf(v, true);
  condition.start(Consumer.set);
  s.add(d, U.def);
  condition.operands();
}

export function lowerSelect(s: Selection, condition: Condition, v: Value): void {
  const { fn, low } = s;
  const type = fn.type[v]! as Type;
  const d = s.result();
  const bits: Bits = type === Type.i32 ? 32 : 64;
  let then = s.arg(v, 0);
  let otherwise = s.arg(v, 1);
  condition.of(s.arg(v, 2));
  if (regClass(type) === RegClass.int) {
    let changed = changedBy(s, otherwise, bits);
    if (changed < 0 && (changed = changedBy(s, then, bits)) >= 0) {
      [then, otherwise] = [otherwise, then];
      condition.cond = condition.cond ^ 1;
    }
    if (changed >= 0) {
      const ifTrue = low.reg(then);
      const ifFalse = s.regOf(s.arg(otherwise, changed === Consumer.neg32 ? 1 : 0), bits);
      return select(condition, changed + (bits === 64 ? 1 : 0), s, d, ifTrue, ifFalse);
    }
  }
  const ifTrue = low.reg(then);
  const ifFalse = low.reg(otherwise);
  select(condition, regClass(type) === RegClass.float ? Consumer.self : type === Type.i32 ? Consumer.sel32 : Consumer.sel64, s, d, ifTrue, ifFalse);
}

function select(condition: Condition, consumer: Consumer, s: Selection, d: number, ifTrue: number, ifFalse: number): void {
  condition.start(consumer);
  s.add(d, U.def);
  s.add(ifTrue, U.reg);
  s.add(ifFalse, U.reg);
  condition.operands();
}

/** The consumer (of 32 bits) that makes x + 1, ~x or -x, which `v` is and the root takes in, from x; -1: nothing of the kind. */
function changedBy(s: Selection, v: Value, bits: Bits): Consumer | -1 {
  const { fn, low } = s;
  if (!low.canMerge(v)) return -1;
  const op = (bits === 64 ? fn.op[v]! - (Op.i64_add - Op.i32_add) : fn.op[v]!) as Op;
  if (op !== Op.i32_add && op !== Op.i32_xor && op !== Op.i32_sub) return -1;
  const [x, y] = [s.arg(v, 0), s.arg(v, 1)];
  if (op === Op.i32_sub) return s.isZero(x, bits) ? Consumer.neg32 : -1;
  if (!s.isSmall(y, bits)) return -1;
  if (op === Op.i32_add) return fn.imm[y] === 1 ? Consumer.inc32 : -1;
  return fn.imm[y] === -1 ? Consumer.inv32 : -1;
}

/** x + (compare), which is csinc; false if `v`, an addition, is nothing of the kind. */
export function lowerIncrement(s: Selection, condition: Condition, v: Value, bits: Bits): boolean {
  const { fn, low } = s;
  for (let i = 0; i < 2; i++) {
    const c = s.narrow(s.arg(v, i), bits);
    if (!isCompare(fn.op[c]!) && !condition.joins(c)) continue;
    if (!low.canMerge(c)) continue;
    const d = s.result();
    const x = s.regOf(s.arg(v, 1 - i), bits);
    condition.compareOf(c, true);
    condition.cond = condition.cond ^ 1;
    select(condition, bits === 64 ? Consumer.inc64 : Consumer.inc32, s, d, x, x);
    return true;
  }
  return false;
}
