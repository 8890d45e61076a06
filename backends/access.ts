// Accesses of linear memory as lowering sees them: how many bytes, at which i32 index and which displacement from it.
//
//   i32.load offset=8 v5               => index v5, 8
//   i32.load (i32.add v5, -16)         => index v5, -16, where memory has guards (MAX_FOLD of ir/layout.ts)
//   i32.load (i32.add (v5 & 255), 16)  => index v5 & 255, 16: that does not wrap
// Relies on ranges.ts.
import { NONE, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { MAX_FOLD } from "../ir/layout.js";
import { memoryAccess, Op, opInfo } from "../ir/ops.js";
import { largest } from "./ranges.js";

/** Bytes an access touches, by SSA op; 0 for what is no access of linear memory. */
export const accessBytes: Uint8Array = Uint8Array.from(opInfo, (info) => memoryAccess(info.op)?.bytes ?? 0);

/** What the target's instructions reach. */
export interface Reach {
  /** Whether an access of that many bytes can have the displacement. */
  fits(displacement: number, bytes: number): boolean;
  /** How far below its index a pointer best points whose lowest displacement (0 or less) this is. */
  below(lowest: number): number;
  /** Bases are at most so far from the memory's own. */
  readonly base: number;
  /** Whether one instruction adds it. */
  adds(constant: number): boolean;
}

/** How an access's address operand becomes index and displacement. */
export const enum Split {
  /** The operand is the index. */
  plain,
  /** The operand is an addition of something below 0 to the index. */
  below,
  /** It is an addition that does not wrap. */
  above,
}

export class Accesses {
  // Of the access last split.
  index = NONE as Value;
  displacement = 0;
  how = Split.plain;

  constructor(
    private readonly fn: Func,
    /** Memory 0 ends below the last page of its 4 GiB. */
    readonly foldsBelow: boolean,
    readonly target: Reach,
  ) {}

  /** Finds index and displacement of an access of memory 0 with an index that changes, as lowering will see them. */
  split(v: Value): boolean {
    const { fn } = this;
    this.how = Split.plain;
    if (accessBytes[fn.op[v]!] === 0 || fn.imm2[v] !== 0) return false;
    let x = fn.arg(v, 0);
    while (fn.op[x] === Op.copy) x = fn.arg(x, 0);
    if (fn.op[x] === Op.i32_const) return false;
    let displacement = fn.imm[v]! >>> 0;
    if (fn.op[x] === Op.i32_add && fn.op[fn.arg(x, 1)] === Op.i32_const) {
      const c = fn.imm[fn.arg(x, 1)]!;
      if (displacement === 0 && this.isBelow(c)) {
        displacement = c;
        x = fn.arg(x, 0);
        this.how = Split.below;
      } else if (largest(fn, fn.arg(x, 0)) + (c >>> 0) <= 0xffffffff) {
        displacement += c >>> 0;
        x = fn.arg(x, 0);
        this.how = Split.above;
      }
    }
    while (fn.op[x] === Op.copy) x = fn.arg(x, 0);
    this.index = x;
    this.displacement = displacement;
    return displacement < 0x7fffffff;
  }

  /** Whether an access without an offset may address that much beside its index, though the sum might wrap. */
  isBelow(displacement: number): boolean {
    return this.foldsBelow && displacement < 0 && displacement >= -MAX_FOLD;
  }
}
