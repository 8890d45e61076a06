// The allocator over live ranges: the same contract as local.ts, by steps in files of their own.
//
// Live ranges and uses (liveness.ts) => bundles of copies (coalesce.ts) => a register or the slot for each piece of a
// bundle's life (place.ts) => operands and moves (resolve.ts). Gives up, with the function untouched, where that would
// cost too much: too many vregs, live-in sets or pieces, or an instruction whose operands find no place.
import type { MFunc } from "../../ir/machine/mfunc.js";
import { valueTypes } from "../../ir/types.js";
import type { RegisterFile } from "../target.js";
import { coalesce } from "./coalesce.js";
import { InsertedMoves } from "./inserted.js";
import { Intervals } from "./intervals.js";
import { LayoutLoops } from "./layout-loops.js";
import { Liveness } from "./liveness.js";
import { Placer } from "./place.js";
import { RegisterMap } from "./register-map.js";
import { Resolver } from "./resolve.js";
import { SlotAssigner } from "./slots.js";

const MOST_VREGS = 150_000;

export class RangeAllocator {
  readonly inserted = new InsertedMoves();
  readonly slots = new SlotAssigner();
  dropped = new Uint8Array(256);

  private readonly ivs = new Intervals();
  private readonly map = new RegisterMap();
  private readonly live = new Liveness();
  private readonly loops = new LayoutLoops();
  private readonly resolver = new Resolver();
  private readonly placer: Placer;

  constructor(registers: RegisterFile) {
    const classOf = new Uint8Array(16);
    for (const t of valueTypes) classOf[t.type] = t.class;
    this.placer = new Placer(registers, classOf);
  }

  /** Fills `inserted`, `dropped`, `slots.slotOf` and the operands' locations. False: not done, nothing changed. */
  allocate(mfn: MFunc): boolean {
    if (mfn.vregCount > MOST_VREGS) return false;
    const { ivs, map, live, loops } = this;
    ivs.reset(mfn);
    map.reset();
    loops.compute(mfn);
    if (!live.compute(mfn, ivs, map)) return false;
    coalesce(mfn, ivs, live.pairs);
    if (!this.placer.place(mfn, ivs, map, live, loops)) return false;
    if (this.dropped.length < mfn.instCount) this.dropped = new Uint8Array(mfn.instCount * 2);
    this.dropped.fill(0, 0, mfn.instCount);
    this.inserted.reset(mfn.instCount);
    this.resolver.resolve(mfn, ivs, live, this.inserted, this.slots, this.dropped);
    return true;
  }
}
