// What the baseline compiler puts off until behind a function's epilogue: traps, and what seldom runs.
//
//   ..., jb later, ..., ret, later: call [trap exit]
// A row a place: what is to be done, the label that leads there, the label to go on at. Relies on a target for the code of each kind.
import { TrapKind } from "../../ir/layout.js";
import type { CodeBuffer } from "../code-buffer.js";
import { BaselineState } from "./state.js";

export const enum Later {
  /** Traps. */
  trap,
  /** Traps, and reports the element index in a register. */
  trapElement,
  /** Traps as the conversion of a float in a register that is out of range, or NaN. */
  trapFloat32,
  trapFloat64,
  /** The call of a FuncRef of another instance. */
  foreignCall,
  /** The counter has run out: at the entry, or at a loop that cannot be left; at one that can. */
  tierUp,
  tierUpLoop,
  /** Traps before a frame is made that is larger than what is mapped below the limit. */
  hugeFrame,
}

/** Columns of a row: kind, label, label to go on at, Wasm offset, trap kind, register. */
const COLUMNS = 6;
const NONE = -1;

export abstract class BaselineOutOfLine extends BaselineState {
  protected abstract readonly asm: CodeBuffer;
  private readonly putOffs: number[] = [];

  /** The code of a row that is more than a trap. `back`, `trap` and `reg` are what `putOff` was given. */
  protected abstract later(kind: Later, offset: number, back: number, trap: TrapKind, reg: number): void;
  /** Calls the trap exit: the return address names the site. */
  protected abstract trapCall(kind: TrapKind, offset: number): void;
  /** An instruction that must not be reached. */
  protected abstract barrier(): void;

  protected trap(kind: TrapKind, offset: number): void {
    this.trapCall(kind, offset);
    // The return address must not be a pc of what comes next, which may fault in its own way.
    this.barrier();
  }

  protected forgetRows(): void {
    this.putOffs.length = 0;
  }

  /** @returns the label to jump to. */
  protected putOff(kind: Later, offset: number, back = NONE, trap: TrapKind = TrapKind.none, reg = NONE): number {
    const label = this.asm.newLabel();
    this.putOffs.push(kind, label, back, offset, trap, reg);
    return label;
  }

  /** All rows. They add none. */
  protected outOfLine(): void {
    const { putOffs: rows } = this;
    for (let i = 0; i < rows.length; i += COLUMNS) {
      this.asm.bind(rows[i + 1]!);
      const kind: Later = rows[i]!;
      if (kind === Later.trap) this.trapCall(rows[i + 4]!, rows[i + 3]!);
      else this.later(kind, rows[i + 3]!, rows[i + 2]!, rows[i + 4]!, rows[i + 5]!);
    }
    // The last return address must not be the next function's first pc.
    if (rows.length > 0) this.barrier();
  }

  /** Locals that have registers go to their slots, where better code looks for all of them. */
  protected storeHomes(): void {
    for (let i = 0; i < this.localCount; i++) if (this.localHome[i]! >= 0) this.store(this.localType[i]!, this.localHome[i]!, this.localOffset(i));
  }
}
