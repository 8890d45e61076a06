// The frame plan: what of the stack a function uses, from the stack pointer upwards.
//
//   [stack pointer]  outgoing area   arguments and results of calls made that are not in registers (see abi.ts)
//                    slots           8 bytes each, spilled values
//                    context         the own vm-context, where calls switch to another one
//                    padding
//                    saved           callee-saved registers
//   [return address, if the call instruction pushes it]
// An allocated MFunc => offsets. There is no frame pointer: the runtime knows `bytes` by function.
import { FIRST_SLOT, type MFunc } from "../ir/machine/mfunc.js";
import { LEAF_FRAME_BYTES } from "../ir/layout.js";
import type { RegisterFile } from "./target.js";

export interface Frame {
  /** Callee-saved registers the function writes, shared numbers, ascending. */
  readonly saved: readonly number[];
  /** Offset of slot 0. */
  readonly slots: number;
  /** Offset of the saved vm-context, -1 if none. */
  readonly context: number;
  /** Bytes below the saved registers. */
  readonly localBytes: number;
  /** Bytes between the stack pointer and what the call pushed (or the caller's stack pointer). */
  readonly bytes: number;
  /** The prologue must compare with the stack limit. */
  readonly needsCheck: boolean;
}

const ALIGN = 16;

/** `pushedByCall`: bytes the call instruction puts on the stack. */
export function planFrame(mfn: MFunc, registers: RegisterFile, pushedByCall: number): Frame {
  const saved: number[] = [];
  const ints = mfn.usedInts & registers.calleeSavedInts;
  const floats = mfn.usedFloats & registers.calleeSavedFloats;
  for (let r = 0; r < 32; r++) if ((ints >>> r) & 1) saved.push(r);
  for (let r = 0; r < 32; r++) if ((floats >>> r) & 1) saved.push(32 + r);
  const slots = (mfn.outgoingBytes + ALIGN - 1) & -ALIGN;
  let local = slots + mfn.slotCount * 8;
  let context = -1;
  if (mfn.switchesContext) {
    context = local;
    local += 8;
  }
  const savedBytes = saved.length * 8;
  // A leaf without locals leaves the stack pointer as it found it.
  if (local > 0 || mfn.hasCalls) local += -(local + savedBytes + pushedByCall) & (ALIGN - 1);
  const bytes = local + savedBytes;
  return { saved, slots, context, localBytes: local, bytes, needsCheck: mfn.hasCalls || bytes > LEAF_FRAME_BYTES };
}

/** Offset of the slot a location names, from the stack pointer. */
export function slotOffset(frame: Frame, location: number): number {
  return frame.slots + (location - FIRST_SLOT) * 8;
}
