// Finds the step of a compilation and the function at which a result turns wrong.
//
// A compilation is recorded, so the module behind every pass is at hand. What it computes there is asked of the interpreter;
// behind lowering, of code made from the machine IR as it stood. The reference is the module without passes in the interpreter, or
// Node's own engine. Right at the start and wrong at the end, there is a first wrong step: found by halving. In that step some
// functions changed: those before a point are taken as the step left them, the others as it found them, and halving finds the
// function that turns the result. Both take the logarithm of what there is in trials.
import { Allocator } from "../backends/regalloc/index.js";
import { ModuleCodeBuilder } from "../backends/module-code.js";
import { VmLayout } from "../ir/layout.js";
import type { CompiledModule } from "../runtime/index.js";
import type { Compilation } from "./compile.js";
import { sameOutcome, type Outcome } from "./outcome.js";
import { Snapshot } from "./snapshot.js";
import { ownFuncs } from "./source.js";
import type { ModuleState } from "./state.js";

/** Runs a module from a fresh instance. */
export type Run = (compiled: CompiledModule) => Outcome;

export interface BisectResult {
  readonly expected: Outcome;
  readonly found: Outcome;
  /** The first step behind which the result is wrong: a pass, `lower`, `allocate` (with `emit`); as `lathe diff` names it. */
  readonly step: string;
  /** The step before it. */
  readonly before: string;
  /** Its place among all steps, from 1. */
  readonly position: number;
  readonly steps: number;
  /** Undefined where no single function could be told: the step changed the declarations, or all functions belong together. */
  readonly func: number | undefined;
  /** Runs that it took. */
  readonly trials: number;
}

/**
 * @param compilation recorded, native, of all functions.
 * @param expected what the reference computes.
 * @returns undefined when the code computes that.
 * @throws Error when what the passes were given is wrong already: then no pass is to blame.
 */
export function bisect(compilation: Compilation, expected: Outcome, run: Run): BisectResult | undefined {
  const { history } = compilation;
  if (!history) throw new Error("bisecting needs a compilation that was recorded");
  const found = run(compilation);
  if (sameOutcome(found, expected)) return undefined;
  let trials = 1;
  /** Whether the result is right behind a step; in the step, only the functions of `taken` are as it left them. */
  const right = (revision: number, taken?: ReadonlySet<number>): boolean => {
    trials++;
    return sameOutcome(run(moduleAt(compilation, history.at(revision), taken && { others: history.at(revision - 1), taken })), expected);
  };
  const { records } = history.current;
  // The code itself is what was found wrong; allocation and emission are one step.
  const last = records.findIndex((record) => record.name === "allocate") + 1;
  if (!right(1)) throw new Error("the module is wrong before any pass: translation or the reference is to blame, no pass");
  let low = 1;
  let high = last === 0 ? records.length : last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (right(middle)) low = middle;
    else high = middle;
  }
  const label = (revision: number) => {
    const { name } = records[revision - 1]!;
    const same = records.filter((record) => record.name === name);
    return same.length > 1 ? `${name}#${records.slice(0, revision).filter((record) => record.name === name).length}` : name;
  };
  const changed = records[high - 1]!.changed.filter((index) => hasPart(history.at(high - 1), index, history.at(high).stage));
  return {
    expected,
    found,
    step: label(high),
    before: label(low),
    position: high,
    steps: records.length,
    func: culprit(changed, (taken) => right(high, taken)),
    get trials() {
      return trials;
    },
  };
}

/** The function whose change turns the result, the others taken in order. */
function culprit(changed: readonly number[], right: (taken: ReadonlySet<number>) => boolean): number | undefined {
  try {
    if (changed.length === 0 || !right(new Set()) || right(new Set(changed))) return undefined;
    let low = 0;
    let high = changed.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (right(new Set(changed.slice(0, middle)))) low = middle;
      else high = middle;
    }
    return changed[high - 1];
  } catch {
    // Functions of before do not go with declarations of behind, as when types were renumbered.
    return undefined;
  }
}

/** Whether a function had, before a step, a form that can stand in for the one behind it. */
function hasPart(before: ModuleState, index: number, stage: ModuleState["stage"]): boolean {
  const state = (before.funcs as Readonly<Record<number, ModuleState["funcs"][number] | undefined>>)[index];
  return stage === "ssa" || stage === "machine" ? state?.ssa !== undefined : state?.machine !== undefined;
}

interface Mixture {
  readonly others: ModuleState;
  readonly taken: ReadonlySet<number>;
}

/** The module at a state, to be run: SSA interpreted, machine IR made into code. */
function moduleAt(compilation: Compilation, state: ModuleState, mixture?: Mixture): CompiledModule {
  const stateOf = (index: number) => {
    const from = mixture && !mixture.taken.has(index) ? (mixture.others.funcs[index] ?? state.funcs[index]) : state.funcs[index];
    if (!from) throw new Error(`@${index} has no body`);
    return from;
  };
  const { module } = state;
  const { target, bounds } = compilation;
  if (state.stage === "ssa") return { module, layout: new VmLayout(module), bounds, stubs: target.stubs, functions: (index) => stateOf(index).ssa! };
  const { codegen } = compilation.settings;
  const builder = new ModuleCodeBuilder(target, module.importedFuncCount, module.funcs.length - module.importedFuncCount);
  const allocator = new Allocator(target.registers);
  for (const index of ownFuncs(module)) {
    const from = stateOf(index);
    const plainly = state.stage === "machine" || mixture?.taken.has(index) === false;
    const known = plainly ? from.machine : (from.allocated ?? from.machine);
    // The others are made as plainly as can be, so that one step of one function is in question.
    const mfn = known ? new Snapshot(known).thaw() : target.lower(new Snapshot(from.ssa!).thaw(), { module, layout: compilation.layout }, { ...codegen, level: 0 });
    if (!mfn.allocated) allocator.allocate(mfn, { level: plainly ? 0 : codegen.level, check: false });
    builder.add(target.emit(mfn, codegen));
  }
  return { module, layout: compilation.layout, bounds, stubs: target.stubs, code: builder.finish(), functions: (index) => stateOf(index).ssa! };
}
