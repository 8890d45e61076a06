// Shrink-wrapping, its most useful case: a function that looks at its arguments and returns needs no frame for that.
//
// Allocated function => the block that returns straight from the entry block, if both need neither stack nor callee-saved
// registers (but for arguments that are moved there, see early-moves.ts), and cannot trap (a trap's backtrace counts on the frame). emit.ts then puts them before the prologue. What is
// meant are recursive functions, whose calls mostly end in the base case.
import { FIRST_SLOT, MOp, Opnd, type MFunc } from "../../ir/machine/mfunc.js";
import type { EarlyMoves } from "../early-moves.js";
import { Group, opGroup } from "./mop-forms.js";
import { Base, Consumer, M, Shape, consumerOf } from "./mops.js";
import { registers } from "./registers.js";

/** Operations a block before the prologue may have; those with a memory operand, if it is not in a frame and cannot fault. */
const frameless = new Set<Group>([
  Group.iconst32, Group.iconst64, Group.fconst, Group.fzero, Group.ctxLoad, Group.mov, Group.lea, Group.alu, Group.imul, Group.unary,
  Group.shift, Group.shiftx, Group.rorx, Group.count, Group.bitScan, Group.float, Group.floatCmp, Group.sqrt, Group.round,
  Group.cvtFloat, Group.cvtFromInt, Group.toFloat, Group.toInt,
]);

/** Instructions of a base case at most: it may be copied. */
const MAX_INSTS = 12;

function needsNoFrame(mfn: MFunc, i: number): boolean {
  const op = mfn.op[i]!;
  for (let k = mfn.opndStart[i]!; k < mfn.opndStart[i]! + mfn.opndCount[i]!; k++) {
    const loc = mfn.opndReg[k]!;
    if (loc >= FIRST_SLOT) return false;
    const written = (mfn.opndInfo[k]! & Opnd.kindMask) !== Opnd.use;
    if (written && loc < 32 && (registers.calleeSavedInts >>> loc) & 1) return false;
  }
  if (op < MOp.firstTarget) return true;
  const shape = mfn.imm3[i]!;
  const base = (shape & Shape.baseMask) >> Shape.baseShift;
  if ((shape & Shape.faultMask) !== 0 || base === Base.outgoing || base === Base.incoming) return false;
  if (op < M.compare_first) return frameless.has(opGroup[op]!);
  return consumerOf(op) !== Consumer.trap;
}

/** The block that the entry block may return through without a frame, -1 if there is none. `target`: blocks behind threaded jumps. */
export function earlyReturn(mfn: MFunc, target: Int32Array, early: EarlyMoves): number {
  if (target[0] !== 0 || mfn.predCount[0] !== 0) return -1;
  const last = mfn.blockEnd[0]! - 1;
  if (mfn.op[last]! < M.compare_first || last - mfn.blockStart[0]! > MAX_INSTS) return -1;
  for (let i = mfn.blockStart[0]!; i <= last; i++) if (!early.moves.includes(i) && !needsNoFrame(mfn, i)) return -1;
  if (!early.allow(0)) return -1;
  const successor = (k: number) => target[mfn.edgeTo[mfn.lists[mfn.succStart[0]! + k]!]!]!;
  if (successor(0) === successor(1)) return -1;
  for (let k = 0; k < 2; k++) {
    const b = successor(k);
    const end = mfn.blockEnd[b]! - 1;
    if (mfn.op[end] !== M.ret || end - mfn.blockStart[b]! > MAX_INSTS) continue;
    let fits = early.allow(b);
    for (let i = mfn.blockStart[b]!; i < end && fits; i++) fits = needsNoFrame(mfn, i);
    if (fits) return b;
  }
  return -1;
}
