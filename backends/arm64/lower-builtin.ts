// Calls of the runtime's builtins and of C functions, whose addresses the vm-context holds => machine ops.
//
// All by the convention of compiled code: integer arguments in registers, x27 and x28 kept by the callee.
import { NONE, type Value } from "../../ir/entity.js";
import { VmCtx, type Builtin } from "../../ir/layout.js";
import { M } from "./mops.js";
import { registers, Reg } from "./registers.js";
import { U, type Selection } from "./selection.js";

/** The clobber set of a call: all registers but the callee-saved. */
export function callerSaved(s: Selection): number {
  return s.mfn.clobberSet(callerSavedInts, callerSavedFloats);
}
const callerSavedInts = registers.allocatableInts.reduce((mask, r) => mask | (1 << r), 0) & ~registers.calleeSavedInts;
const callerSavedFloats = registers.allocatableFloats.reduce((mask, r) => mask | (1 << (r - 32)), 0) & ~registers.calleeSavedFloats;

/** A C function whose address the vm-context holds; its result is not used. */
export function callC(s: Selection, field: VmCtx, args: readonly number[]): void {
  callThrough(s, field, args, NONE);
}

/** The runtime does it: builtin number, constants, then values, in the integer argument registers. */
export function callBuiltin(s: Selection, builtin: Builtin, indices: readonly number[], values: readonly Value[]): void {
  const args = [s.const32(builtin), ...indices.map((n) => s.const32(n)), ...values.map((x) => s.low.shortLived(x))];
  callThrough(s, VmCtx.builtin, args, s.low.vreg[s.low.root]!);
}

function callThrough(s: Selection, field: VmCtx, args: readonly number[], result: number): void {
  const { mfn } = s;
  mfn.hasCalls = true;
  s.inst(M.call_ctx, field);
  s.low.setClobbers(callerSaved(s));
  if (result !== NONE) s.addFixed(result, U.defFixed, Reg.x0);
  args.forEach((r, i) => s.addFixed(r, U.fixed, registers.argInts[i]!));
}
