// Where arguments and results of a call are: registers by class in order, the rest in the caller's outgoing area.
//
// The outgoing area stands at the low end of the caller's frame, that is at the stack pointer when the call is made: first the
// stack arguments, behind them (16-aligned) the stack results, 8 bytes each, a v128 16 and aligned. Lowering and the
// runtime's stubs both compute it from here.
import type { FuncType } from "../ir/types.js";
import { RegClass, Type, regClass } from "../ir/types.js";
import type { RegisterFile } from "./target.js";

export interface CallAbi {
  /** Per argument: a register number, or `~offset` in bytes of the outgoing area. */
  readonly args: Int32Array;
  readonly results: Int32Array;
  /** Size of the outgoing area, a multiple of 16; 0 where all is in registers. */
  readonly outgoingBytes: number;
}

export function callAbi(sig: FuncType, registers: RegisterFile): CallAbi {
  const args = new Int32Array(sig.params.length);
  const results = new Int32Array(sig.results.length);
  const argBytes = assign(args, sig.params, registers.argInts, registers.argFloats, 0);
  const outgoingBytes = assign(results, sig.results, registers.resultInts, registers.resultFloats, argBytes);
  return { args, results, outgoingBytes };
}

/** Of code that goes on with a function from a loop on: all arguments in the frame it takes over from, from `offset` on; results as ever. */
export function frameAbi(sig: FuncType, offset: number, registers: RegisterFile): CallAbi {
  const { results } = callAbi({ params: [], results: sig.results }, registers);
  return { args: Int32Array.from(sig.params, (_, i) => ~(offset + 8 * i)), results, outgoingBytes: 0 };
}

/** Fills `where`; returns the end of the stack area, 16-aligned, which starts at `at`. */
function assign(where: Int32Array, types: readonly Type[], ints: readonly number[], floats: readonly number[], at: number): number {
  let nextInt = 0;
  let nextFloat = 0;
  for (let i = 0; i < types.length; i++) {
    const type = types[i]!;
    if (regClass(type) === RegClass.int) {
      if (nextInt < ints.length) {
        where[i] = ints[nextInt++]!;
        continue;
      }
    } else if (nextFloat < floats.length) {
      where[i] = floats[nextFloat++]!;
      continue;
    }
    if (type === Type.v128) at = (at + 15) & ~15;
    where[i] = ~at;
    at += type === Type.v128 ? 16 : 8;
  }
  return (at + 15) & ~15;
}
