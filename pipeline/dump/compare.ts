// A recorded module at a step of its compilation, as text; and two such steps compared, function by function.
//
// A step is named as in `--dump`; `gvn#1` is the first run of a pass that runs twice, `gvn` alone the last.
import type { FuncIndex } from "../../ir/entity.js";
import { printDecls } from "../../ir/print-decls.js";
import { printMFunc } from "../../ir/machine/print.js";
import { printFunc } from "../../ir/print.js";
import type { History, ModuleState } from "../state.js";
import { placeOfStep, stepNames } from "../step.js";
import { diffLines } from "./diff.js";
import type { Recorded } from "./stages.js";
import { funcLabel } from "./wasm.js";

/** Unchanged lines shown around a change; undefined: all. */
export type Context = number | undefined;

/** The state behind a step. @throws Error that lists the steps there are. */
export function stateBehind(history: History, step: string): ModuleState {
  const { records } = history.current;
  const names = records.map((record) => record.name);
  const record = records[placeOfStep(names, step)];
  if (!record) throw new Error(`there is no step "${step}"; the steps are ${stepNames(names).join(", ")}`);
  return history.at(record.revision);
}

/** The first line of a module printed behind a step, and what reads it back: where a compilation can go on. */
const behind = (step: string) => `; behind ${step}\n`;
export function stepOfText(text: string): string | undefined {
  return /^; behind (\S+)\n/.exec(text)?.[1];
}

/** The module behind a step of SSA as one text that stands for itself (`.ssa`); its first line says the step. */
export function printState(state: ModuleState, step: string): string {
  const parts = [behind(step) + printDecls(state.module)];
  for (const { ssa } of Object.values(state.funcs)) if (ssa) parts.push(printFunc(ssa, state.module));
  return parts.join("\n");
}

/** One function at a state, in the form that stage has; undefined where it has no body. */
function textAt({ target }: Recorded, state: ModuleState, index: number): string | undefined {
  const func = (state.funcs as Readonly<Record<number, (typeof state.funcs)[number] | undefined>>)[index];
  if (!func) return undefined;
  if (state.stage === "ssa") return func.ssa && printFunc(func.ssa, state.module, { facts: false });
  const machine = state.stage === "machine" ? func.machine : func.allocated;
  return machine && printMFunc(machine, target);
}

/**
 * What happened between two steps: a line diff for every function that differs, then how many are the same.
 * @param only functions to look at; default: all. @param context unchanged lines around a change.
 * @throws Error for unknown steps, and for steps whose forms cannot be compared.
 */
export function compareSteps(compilation: Recorded, from: string, to: string, only?: readonly FuncIndex[], context: Context = 3): string {
  const before = stateBehind(compilation.history, from);
  const after = stateBehind(compilation.history, to);
  if ((before.stage === "ssa") !== (after.stage === "ssa") || after.stage === "code" || before.stage === "code") {
    throw new Error(`"${from}" is ${before.stage} and "${to}" is ${after.stage}: SSA compares with SSA, machine IR with machine IR`);
  }
  const indices = new Set([...Object.keys(before.funcs), ...Object.keys(after.funcs)].map(Number));
  const out: string[] = [];
  const declarations = diffOf(printDecls(before.module), printDecls(after.module), context);
  if (declarations !== undefined) out.push("declarations", declarations);
  let same = 0;
  for (const index of only ?? ([...indices].sort((a, b) => a - b) as FuncIndex[])) {
    const difference = diffOf(textAt(compilation, before, index) ?? "", textAt(compilation, after, index) ?? "", context);
    if (difference === undefined) {
      same++;
      if (only) out.push(`${funcLabel(after.module, index)}: no difference`);
    } else out.push(`${funcLabel(after.module, index)}: ${from} -> ${to}`, difference);
  }
  if (!only) out.push(`; ${same} of ${indices.size} functions are the same behind ${from} and behind ${to}`);
  return `${out.join("\n")}\n`;
}

function diffOf(before: string, after: string, context: Context): string | undefined {
  if (before === after) return undefined;
  const lines = diffLines(before, after).split("\n");
  return (context === undefined ? lines : hunks(lines, context)).join("\n");
}

/** Changed lines with `context` unchanged ones around them; what is left out is one line that counts it. */
function hunks(lines: readonly string[], context: number): string[] {
  const shown = new Uint8Array(lines.length);
  lines.forEach((line, i) => {
    if (line.startsWith("+") || line.startsWith("-")) shown.fill(1, Math.max(0, i - context), i + context + 1);
  });
  const out: string[] = [];
  let hidden = 0;
  lines.forEach((line, i) => {
    if (shown[i]) {
      if (hidden > 0) out.push(`  ... ${hidden} lines`);
      hidden = 0;
      out.push(line);
    } else hidden++;
  });
  if (hidden > 0) out.push(`  ... ${hidden} lines`);
  return out;
}
