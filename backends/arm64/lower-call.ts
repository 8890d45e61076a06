// Calls => machine ops with arguments and results in the registers of the convention.
//
// Stack arguments and stack results live in the outgoing area at the low end of the frame (backends/abi.ts). A call of a
// known function of this module goes direct, or through its slot in the vm-context when functions are compiled lazily; imports and table elements are called with their own context (the machine
// ops do the switching). Traps of call_indirect report the element index.
import { NONE, type FuncIndex, type TypeIndex, type Value } from "../../ir/entity.js";
import { FuncRef, TrapKind } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import type { FuncType } from "../../ir/types.js";
import { Type } from "../../ir/types.js";
import { callAbi } from "../abi.js";
import { callerSaved } from "./lower-builtin.js";
import { loadOf, storeToArea } from "./lower-control.js";
import { tableElement } from "./lower-memory.js";
import { Base, M, Producer, Shape } from "./mops.js";
import { Cond } from "./opcodes.js";
import { registers } from "./registers.js";
import { U, type Selection } from "./selection.js";

export function lowerCall(s: Selection, v: Value): void {
  const { fn, low } = s;
  const { module } = low.module;
  const callee = fn.imm[v]! as FuncIndex;
  const sig = module.types[module.funcs[callee]!.type]!;
  if (module.funcs[callee]!.imported) {
    s.mfn.switchesContext = true;
    emitCall(s, v, sig, M.call_import, s.layout.importedFunc(callee), NONE);
  } else if (s.layout.lazy) emitCall(s, v, sig, M.call_ctx, s.layout.func(callee), NONE);
  else emitCall(s, v, sig, M.call, callee, NONE);
}

/** imm type, imm2 table; the last operand is the element index. */
export function lowerCallIndirect(s: Selection, v: Value): void {
  const { fn, mfn, low } = s;
  const { module } = low.module;
  const typeIndex = fn.imm[v]! as TypeIndex;
  const index = low.reg(s.arg(v, fn.argCount[v]! - 1));
  tableElement(s, fn.imm2[v]!, index, TrapKind.undefined_element, true);
  const ref = s.temp(Type.i64);
  s.load(M.ldr64, ref);
  if (s.explicitBounds) {
    s.trapIfImm(Producer.cmp64, Cond.eq, TrapKind.uninitialized_element, ref, 0, Shape.trapValue);
    s.add(index, U.reg);
  }
  // A null reference faults here, in page zero.
  const actual = s.temp(Type.i32);
  s.cell(ref, FuncRef.typeId, s.explicitBounds ? TrapKind.none : TrapKind.uninitialized_element);
  s.load(M.ldr32, actual);
  const wanted = s.temp(Type.i32);
  s.ctxCell(s.layout.typeId(typeIndex));
  s.load(M.ldr32, wanted);
  s.trapIf(Producer.cmp32, Cond.ne, TrapKind.indirect_call_type_mismatch, actual, wanted, Shape.trapValue);
  s.add(index, U.reg);
  mfn.switchesContext = true;
  emitCall(s, v, module.types[typeIndex]!, M.call_ref, 0, ref);
}

/** `ref`: register with the address of the FuncRef, NONE for calls without. */
function emitCall(s: Selection, v: Value, sig: FuncType, mop: number, imm: number, ref: number): void {
  const { fn, mfn, low } = s;
  const abi = callAbi(sig, registers);
  mfn.hasCalls = true;
  mfn.outgoingBytes = Math.max(mfn.outgoingBytes, abi.outgoingBytes);
  const count = sig.params.length;
  for (let i = 0; i < count; i++) if (abi.args[i]! < 0) storeToArea(s, Base.outgoing, ~abi.args[i]!, s.arg(v, i), sig.params[i]!);
  const held = new Int32Array(count);
  for (let i = 0; i < count; i++) if (abi.args[i]! >= 0) held[i] = low.shortLived(s.arg(v, i));

  s.inst(mop, imm);
  s.low.setClobbers(callerSaved(s));
  // The call is its first result, the instructions behind it are the others.
  forEachResult(s, v, sig.results.length, (i, x) => {
    if (abi.results[i]! >= 0 && low.vreg[x] !== NONE) s.addFixed(low.vreg[x]!, U.defFixed, abi.results[i]!);
  });
  if (ref !== NONE) s.add(ref, U.reg);
  for (let i = 0; i < count; i++) if (abi.args[i]! >= 0) s.addFixed(held[i]!, U.fixed, abi.args[i]!);
  forEachResult(s, v, sig.results.length, (i, x) => {
    if (abi.results[i]! >= 0 || low.vreg[x] === NONE) return;
    s.cell(NONE, ~abi.results[i]!);
    s.memBase = Base.outgoing;
    s.load(loadOf(fn.type[x]! as Type), low.vreg[x]!);
  });
}

function forEachResult(s: Selection, v: Value, count: number, visit: (i: number, x: Value) => void): void {
  const { fn } = s;
  if (count > 0) visit(0, v);
  for (let r = fn.next[v]!; r !== NONE && fn.op[r] === Op.result; r = fn.next[r]!) visit(fn.imm[r]!, r as Value);
}
