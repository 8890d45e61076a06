// The register allocator's face: machine IR on virtual registers => the same function on registers and slots.
//
// `allocate` for one function; `Allocator` for many (it keeps its arrays). Level 0 runs the local allocator; 1 and 2 the
// one over live ranges, and the local one where that gives up.
import type { MFunc } from "../../ir/machine/mfunc.js";
import type { RegisterFile } from "../target.js";
import { checkAllocation, recordBefore } from "./check.js";
import { LocalAllocator } from "./local.js";
import { RangeAllocator } from "./ranges.js";
import { Rewriter } from "./rewrite.js";

export interface AllocateOptions {
  /** 0: the local allocator. */
  readonly level: 0 | 1 | 2;
  /** Proves the allocation with the symbolic checker. @throws by it. */
  readonly check?: boolean;
}

export class Allocator {
  /** Functions of level 1 and 2 that went to the local allocator. */
  fallbacks = 0;
  private readonly rewriter: Rewriter;
  private readonly local: LocalAllocator;
  private readonly ranges: RangeAllocator;

  constructor(private readonly registers: RegisterFile) {
    this.rewriter = new Rewriter(registers);
    this.local = new LocalAllocator(registers);
    this.ranges = new RangeAllocator(registers);
  }

  /** Allocates in place. Returns the origin of each instruction as check.ts defines it; valid until the next call. */
  allocate(mfn: MFunc, options: AllocateOptions): Int32Array {
    const before = options.check === true ? recordBefore(mfn) : undefined;
    let done: LocalAllocator | RangeAllocator = this.local;
    if (options.level > 0 && this.ranges.allocate(mfn)) done = this.ranges;
    else {
      if (options.level > 0) this.fallbacks++;
      this.local.allocate(mfn);
    }
    const origin = this.rewriter.rewrite(mfn, done.inserted, done.slots.slotOf, done.dropped);
    if (before !== undefined) checkAllocation(before, mfn, origin, this.registers);
    return origin;
  }
}

export function allocate(mfn: MFunc, registers: RegisterFile, options: AllocateOptions): void {
  new Allocator(registers).allocate(mfn, options);
}
