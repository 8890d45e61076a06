// What an instruction may do besides making its value: questions over the flags of the op table.
//
// State has three parts: memories, globals, tables. A call may read and write them all, and trap.
import type { Value } from "../entity.js";
import type { Func } from "../func.js";
import { Is, Op, opFlags } from "../ops.js";

/** Parts of the state, as bits. */
export const enum State {
  none = 0,
  memory = 1,
  globals = 2,
  tables = 4,
  all = 7,
}

/** What state the value of an instruction depends on. */
export function readsOf(op: Op): State {
  const flags = opFlags[op]!;
  if (flags & Is.call) return State.all;
  return (flags & Is.reads_memory ? State.memory : 0) | (flags & Is.reads_global ? State.globals : 0) | (flags & Is.reads_table ? State.tables : 0);
}

/** What state an instruction may change. */
export function writesOf(op: Op): State {
  const flags = opFlags[op]!;
  if (flags & Is.call) return State.all;
  return (flags & Is.writes_memory ? State.memory : 0) | (flags & Is.writes_global ? State.globals : 0) | (flags & Is.writes_table ? State.tables : 0);
}

const NOT_REMOVABLE = Is.terminator | Is.call | Is.traps | Is.writes_memory | Is.writes_global | Is.writes_table;

/** Whether an unused instruction of this op may go without a closer look: it changes nothing and cannot trap. */
export function isRemovableOp(op: Op): boolean {
  return (opFlags[op]! & NOT_REMOVABLE) === 0 && op !== Op.param;
}

/** Whether `v` may trap; a division by a constant is looked at. */
export function mayTrap(fn: Func, v: Value): boolean {
  const op = fn.op[v]!;
  if (!(opFlags[op]! & (Is.traps | Is.call))) return false;
  switch (op) {
    case Op.i32_div_u:
    case Op.i32_rem_u:
    case Op.i32_rem_s:
    case Op.i64_div_u:
    case Op.i64_rem_u:
    case Op.i64_rem_s:
      return !isConstOtherThan(fn, fn.arg(v, 1), 0);
    case Op.i32_div_s:
    case Op.i64_div_s:
      // -1 overflows for the least dividend.
      return !isConstOtherThan(fn, fn.arg(v, 1), 0) || !isConstOtherThan(fn, fn.arg(v, 1), -1);
  }
  return true;
}

/** Whether `v` may go when nobody uses it. */
export function isRemovable(fn: Func, v: Value): boolean {
  const op = fn.op[v]! as Op;
  return isRemovableOp(op) || ((opFlags[op]! & NOT_REMOVABLE) === Is.traps && !mayTrap(fn, v));
}

function isConstOtherThan(fn: Func, v: Value, x: number): boolean {
  if (fn.op[v] === Op.i32_const) return fn.imm[v] !== x;
  return fn.op[v] === Op.i64_const && (fn.imm[v] !== x || fn.imm2[v] !== x);
}
