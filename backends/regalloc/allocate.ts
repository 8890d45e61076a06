// The register allocator's face: machine IR on virtual registers => the same function on registers and slots.
//
// `allocate` for one function; `Allocator` for many (it keeps its arrays). Which allocator runs follows from the level.
import type { MFunc } from "../../ir/machine/mfunc.js";
import type { RegisterFile } from "../target.js";
import { checkAllocation, recordBefore } from "./check.js";
import { LocalAllocator } from "./local.js";
import { Rewriter } from "./rewrite.js";

export interface AllocateOptions {
  /** 0: the local allocator. */
  readonly level: 0 | 1 | 2;
  /** Proves the allocation with the symbolic checker. @throws by it. */
  readonly check?: boolean;
}

export class Allocator {
  private readonly rewriter: Rewriter;
  private readonly local: LocalAllocator;

  constructor(private readonly registers: RegisterFile) {
    this.rewriter = new Rewriter(registers);
    this.local = new LocalAllocator(registers);
  }

  /** Allocates in place. Returns the origin of each instruction as check.ts defines it; valid until the next call. */
  allocate(mfn: MFunc, options: AllocateOptions): Int32Array {
    const before = options.check === true ? recordBefore(mfn) : undefined;
    this.local.allocate(mfn);
    const { inserted, slots, dropped } = this.local;
    const origin = this.rewriter.rewrite(mfn, inserted, slots.slotOf, dropped);
    if (before !== undefined) checkAllocation(before, mfn, origin, this.registers);
    return origin;
  }
}

export function allocate(mfn: MFunc, registers: RegisterFile, options: AllocateOptions): void {
  new Allocator(registers).allocate(mfn, options);
}
