// Terminators, select and compares as values => machine ops.
//
// A branch on a compare is one op (`cmp32.br`), so is a select (`cmp32.sel32`) and a compare whose result is wanted as a
// number (`cmp32.set`).
import { NONE, type Value } from "../../ir/entity.js";
import { TrapKind } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import { RegClass, Type, regClass } from "../../ir/types.js";
import type { Condition } from "./lower-compare.js";
import { Base, Consumer, M } from "./mops.js";
import { U, type Selection } from "./selection.js";

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
  condition.of(s.arg(v, 2));
  const ifTrue = low.reg(s.arg(v, 0));
  const ifFalse = low.reg(s.arg(v, 1));
  condition.start(regClass(type) === RegClass.float ? Consumer.self : type === Type.i32 ? Consumer.sel32 : Consumer.sel64);
  s.add(d, U.def);
  s.add(ifTrue, U.reg);
  s.add(ifFalse, U.reg);
  condition.operands();
}
