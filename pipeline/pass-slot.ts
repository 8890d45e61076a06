// One place in the schedule: a pass, its options, what it counted, and the context that its functions are handed.
//
// What a user's pass is handed is guarded (guard.ts): declarations that cannot be written while functions rely on them, analyses
// that cannot be used when they are stale.
import type { Analysis } from "../ir/analysis/analysis.js";
import { Func } from "../ir/func.js";
import type { MachineNames } from "../ir/machine/names.js";
import type { Module } from "../ir/module.js";
import { ModuleEdit } from "../ir/module-edit.js";
import { passes as registry } from "../passes/index.js";
import type { MachinePassContext, ModulePassContext, OptionValue, Pass } from "../passes/pass.js";
import type { FuncAnalyses } from "./analyses.js";
import { freshOnly, readOnly } from "./guard.js";
import type { PassStats } from "./stats.js";

export type PassOptions = Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;

/** Passes that are not ours are guarded; binaryen's work on bytes and are checked as such. */
export function isUserPass(pass: Pass): boolean {
  return !registry.includes(pass) && !pass.name.startsWith("binaryen:");
}

export class Slot {
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly stats: PassStats;
  readonly guarded: boolean;
  /** What `run` and `begin` get. */
  readonly cx: ModulePassContext & MachinePassContext;
  /** What `begin` returned. */
  state: unknown = undefined;
  /** The declarations before `begin`, or before a module pass. */
  before: Module | undefined = undefined;
  /** While the pass may edit the declarations. */
  open: ModuleEdit | undefined = undefined;
  /** Counts runs, so that what was kept from an earlier one is known. */
  run = 0;
  private readonly views = new WeakMap<Module, Module>();

  /**
   * @param module the declarations that functions agree with behind this pass, though later passes of the phase have begun already.
   * @param analyses where analyses of the function at hand are kept.
   */
  constructor(
    readonly pass: Pass,
    readonly position: number,
    public module: Module,
    options: PassOptions,
    public analyses: (fn: Func) => FuncAnalyses,
    private readonly target?: MachineNames,
  ) {
    this.options = Object.freeze(mergeOptions(pass, options[pass.name] ?? {}));
    this.stats = { name: pass.name, runs: 0, changed: 0, ms: 0, counts: {} };
    this.guarded = isUserPass(pass);
    this.cx = this.context();
  }

  private context(): ModulePassContext & MachinePassContext {
    const slot = this;
    return Object.freeze({
      options: slot.options,
      get module() {
        return slot.guarded && !slot.open ? slot.view(slot.module) : slot.module;
      },
      get target() {
        if (!slot.target) throw new Error("only a pass of stage machine knows the target");
        return slot.target;
      },
      get edit() {
        if (!slot.open) throw new Error("declarations are edited in begin, or by a pass of scope module: here functions rely on them");
        return slot.open;
      },
      get<T>(analysis: Analysis<T>, fn: Func): T {
        if (typeof (analysis as Partial<Analysis<T>> | undefined)?.run !== "function") throw new Error("cx.get wants an analysis, made by defineAnalysis");
        if (!(fn instanceof Func)) throw new Error(`cx.get(${analysis.name}, ...) wants a function of the IR behind the analysis`);
        const result = slot.analyses(fn).get(analysis);
        if (!slot.guarded) return result;
        const { run } = slot;
        return freshOnly(result, analysis, fn, () => slot.run === run);
      },
      count(stat: string, n = 1): void {
        if (typeof n !== "number") throw new Error(`cx.count(${JSON.stringify(stat)}, ...) wants a number`);
        if (n !== 0) slot.stats.counts[stat] = (slot.stats.counts[stat] ?? 0) + n;
      },
    });
  }

  private view(module: Module): Module {
    let view = this.views.get(module);
    if (!view) this.views.set(module, (view = readOnly(module)));
    return view;
  }
}

function mergeOptions(pass: Pass, given: Readonly<Record<string, OptionValue>>): Record<string, OptionValue> {
  const options: Record<string, OptionValue> = {};
  for (const [name, option] of Object.entries(pass.options ?? {})) options[name] = option.default;
  for (const [name, value] of Object.entries(given)) {
    if (typeof options[name] !== typeof value) {
      const known = Object.entries(pass.options ?? {}).map(([key, option]) => `${key} (${typeof option.default})`);
      throw new Error(`the pass "${pass.name}" has no option ${name} of type ${typeof value}; it has ${known.join(", ") || "none"}`);
    }
    options[name] = value;
  }
  return options;
}
