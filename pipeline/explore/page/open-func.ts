// One function in the page: its texts at every stage, and what links them.
//
// Machine IR, allocation and code are made here from the recorded SSA, as the compiler made them; `sameCode` compares the result with
// the hash of what it made. Values are traced through: an SSA value stands in virtual registers, and those, operand by operand, in
// registers and slots.
import { Allocator } from "../../../backends/regalloc/index.js";
import type { Target } from "../../../backends/target.js";
import type { FuncCode } from "../../../ir/code.js";
import type { FuncIndex } from "../../../ir/entity.js";
import type { Func } from "../../../ir/func.js";
import type { VmLayout } from "../../../ir/layout.js";
import { FIRST_SLOT, MOp, type MFunc } from "../../../ir/machine/mfunc.js";
import { registersOf } from "../../../ir/machine/names.js";
import { printMFuncLines } from "../../../ir/machine/print.js";
import type { Module } from "../../../ir/module.js";
import { printFuncLines } from "../../../ir/print.js";
import type { Line } from "../../../ir/text.js";
import { printAsmLines } from "../../dump/asm.js";
import { diffLines } from "../../dump/diff.js";
import { printWasmLines } from "../../dump/wasm.js";
import { Snapshot } from "../../snapshot.js";
import { hashOf, type FuncMeta, type FuncRecord, type PageMeta } from "../format.js";
import { traceOperands } from "./trace-operands.js";

export const paneKinds = ["wasm", "ssa", "mir", "alloc", "asm"] as const;
export type PaneKind = (typeof paneKinds)[number];

/** What a pane shows. */
export interface PaneText {
  readonly kind: PaneKind;
  readonly lines: readonly Line[];
  /** Per line: 1 where the pass brought it, -1 where the pass took it, 0 otherwise. Without a diff undefined. */
  readonly marks?: Int8Array;
}

export interface Registers {
  readonly used: readonly string[];
  readonly slots: number;
  readonly spills: number;
  readonly reloads: number;
}

interface Decls {
  readonly decoded: Module;
  readonly final: Module;
  readonly layout: VmLayout;
}

const none: Line = { text: "", block: -1, inst: -1, offset: 0 };

export class OpenFunc {
  readonly machine: MFunc;
  readonly allocated: MFunc;
  readonly code: FuncCode;
  /** Whether the code made here is the code that the compiler made. */
  readonly sameCode: boolean;
  readonly registers: Registers;
  /** Virtual register by operand of `allocated`, -1 where unknown. */
  private readonly operandVreg: Int32Array;
  private readonly texts = new Map<string, PaneText>();

  constructor(
    private readonly page: PageMeta,
    readonly meta: FuncMeta,
    private readonly record: FuncRecord,
    private readonly decls: Decls,
    readonly target: Target,
  ) {
    const options = { level: page.level, bounds: page.bounds, features: new Set(page.features) };
    const made = record.machine.at(-1)?.mfn ?? target.lower(this.lastSsa, { module: decls.final, layout: decls.layout }, options);
    this.machine = new Snapshot(made).open();
    const origin = new Allocator(target.registers).allocate(made, { level: page.level });
    this.operandVreg = traceOperands(this.machine, made, origin);
    this.allocated = new Snapshot(made).open();
    this.code = target.emit(made, options);
    // A function that was not compiled with the page has no hash.
    this.sameCode = meta.chunk < 0 || hashOf(this.code.bytes) === meta.codeHash;
    this.registers = registersUsed(this.allocated, target);
  }

  get index(): number {
    return this.meta.index;
  }

  private get lastSsa(): Func {
    return this.record.ssa.at(-1)!.fn;
  }

  /** Whether a step changed this function. Lowering, allocation and emission always do. */
  changedAt(step: number): boolean {
    const { stage, name } = this.page.steps[step]!;
    if (stage === "decoded") return true;
    if (stage === "ssa") return this.record.ssa.some((one) => one.step === step);
    if (stage === "machine" && name !== "lower") return this.record.machine.some((one) => one.step === step);
    return true;
  }

  /** The SSA behind a step; undefined before the function was there. */
  ssaAt(step: number): Func | undefined {
    return this.record.ssa.findLast((one) => one.step <= step)?.fn;
  }

  private machineAt(step: number): MFunc {
    const shown = this.record.machine.findLast((one) => one.step <= step) ?? this.record.machine[0];
    // The last one went through the allocator.
    return shown && shown !== this.record.machine.at(-1) ? shown.mfn : this.machine;
  }

  text(kind: PaneKind, step: number, diff: boolean): PaneText {
    const key = `${kind} ${kind === "ssa" || kind === "mir" ? `${step} ${diff}` : ""}`;
    let text = this.texts.get(key);
    if (!text) this.texts.set(key, (text = this.makeText(kind, step, diff)));
    return text;
  }

  private makeText(kind: PaneKind, step: number, diff: boolean): PaneText {
    switch (kind) {
      case "wasm":
        return { kind, lines: printWasmLines(this.decls.decoded, this.index as FuncIndex, { offsets: false }) };
      case "ssa": {
        const lines = this.ssaLines(step);
        const { stage } = this.page.steps[step]!;
        return diff && stage === "ssa" && step > 0 ? diffOf(kind, this.ssaLines(step - 1), lines) : { kind, lines };
      }
      case "mir": {
        const lines = this.machineLines(this.machineAt(step));
        const { stage, name } = this.page.steps[step]!;
        return diff && stage === "machine" && name !== "lower" ? diffOf(kind, this.machineLines(this.machineAt(step - 1)), lines) : { kind, lines };
      }
      case "alloc":
        return { kind, lines: this.machineLines(this.allocated) };
      case "asm": {
        let at = 0;
        const rows = this.record.rows.map(({ text, length }) => {
          const row = { offset: at, bytes: this.code.bytes.subarray(at, at + length), text };
          at += length;
          return row;
        });
        const disassembler = { disassemble: () => rows, close() {} };
        const lines = printAsmLines(this.code, this.decls.final, this.decls.layout, this.target, disassembler, { offsets: false, positions: false });
        return { kind, lines: lines.map(tight) };
      }
    }
  }

  private ssaLines(step: number): Line[] {
    const fn = this.ssaAt(step);
    return fn ? printFuncLines(fn, this.decls.final, { offsets: false }).map(tight) : [{ ...none, text: this.page.steps[step]!.stage === "decoded" ? "; there is no SSA yet: this pass works on bytes" : "; not there yet: a later pass adds it" }];
  }

  private machineLines(mfn: MFunc): Line[] {
    return printMFuncLines(mfn, this.target, { offsets: false, comment: this.target.describe }).map(tight);
  }

  /** The SSA value that operand number `n` of an allocated instruction holds, -1 where unknown. */
  valueOfOperand(inst: number, n: number): number {
    const at = this.allocated.opndStart[inst]! + n;
    if (n >= this.allocated.opndCount[inst]!) return -1;
    return this.valueOfVreg(this.operandVreg[at]!);
  }

  /** The SSA value of a virtual register, -1 for one that lowering made for itself. */
  valueOfVreg(vreg: number): number {
    return vreg < 0 ? -1 : (this.machine.vregValue[vreg] ?? -1);
  }

  /** Whether an allocated instruction is a move that the allocator put in. */
  isInserted(inst: number): boolean {
    const op = this.allocated.op[inst];
    return op === MOp.move || op === MOp.swap;
  }
}

/** Columns of comments make no sense in a narrow pane. */
function tight(line: Line): Line {
  const text = line.text.replace(/\s{2,};/, "  ;");
  return text === line.text ? line : { ...line, text };
}

/** Both texts in one, with marks: what comments derive from the rest makes no difference. Removed lines keep what stood on them. */
function diffOf(kind: PaneKind, before: readonly Line[], after: readonly Line[]): PaneText {
  const code = (lines: readonly Line[]) => lines.map((line) => line.text.replace(/ {2};.*$/, "")).join("\n");
  const rows = diffLines(code(before), code(after)).split("\n");
  const marks = new Int8Array(rows.length);
  let old = 0;
  let now = 0;
  const lines = rows.map((row, i) => {
    marks[i] = row.startsWith("+") ? 1 : row.startsWith("-") ? -1 : 0;
    if (marks[i] === -1) return before[old++]!;
    if (marks[i] === 0) old++;
    return after[now++]!;
  });
  return { kind, lines, marks };
}

function registersUsed(mfn: MFunc, target: Target): Registers {
  let spills = 0;
  let reloads = 0;
  for (let i = 0; i < mfn.instCount; i++) {
    if (mfn.op[i] !== MOp.move) continue;
    const at = mfn.opndStart[i]!;
    if (mfn.opndReg[at]! >= FIRST_SLOT) spills++;
    if (mfn.opndReg[at + 1]! >= FIRST_SLOT) reloads++;
  }
  return { used: registersOf(target, mfn.usedInts, mfn.usedFloats), slots: mfn.slotCount, spills, reloads };
}

