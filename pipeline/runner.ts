// Runs the passes of a schedule over functions: times them, verifies behind them, tells observers, explains failures.
//
// Passes come in phases: a run of function-scoped passes, or one module-scoped pass. Within a phase functions are
// independent, so one function can go through all of it before the next is even translated. A failure names the pass,
// the function and, where the message does, block and value; the IR before the pass is made again from the module's
// bytes (compilation is deterministic), written to a file, and the command that replays it is part of the message.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Analysis } from "../ir/analysis/analysis.js";
import type { Func } from "../ir/func.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import { Module } from "../ir/module.js";
import { ModuleEdit } from "../ir/module-edit.js";
import { printModule } from "../ir/print.js";
import { printVerifierError, verifyFunc } from "../ir/verify.js";
import { passes as registry } from "../passes/index.js";
import type { FuncPass, MachinePass, ModulePass, ModulePassContext, OptionValue, Pass, WasmPass } from "../passes/pass.js";
import { FuncAnalyses } from "./analyses.js";
import type { PassStats } from "./stats.js";

/** A pass threw, or left IR that does not verify. A bug of the pass (or of a pass before it), never of the input. */
export class PassError extends Error {
  override readonly name = "PassError";
  /** Where the IR before the pass was written, if it could be. */
  file: string | undefined = undefined;

  constructor(
    message: string,
    readonly pass: string,
    readonly func: number | undefined,
    override readonly cause: unknown,
  ) {
    super(message);
  }
}

export interface RunnerSettings {
  readonly verify: boolean;
  /** By pass name, then by option. */
  readonly passOptions: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /** Called behind every run of an `ssa` pass. `position`: in the schedule's list. */
  afterPass?(fn: Func, pass: string, position: number, changed: boolean): void;
  /** `position`: in the schedule's list of machine passes. */
  afterMachinePass?(mfn: MFunc, pass: string, position: number): void;
  /** Directory for the IR of failures; the OS's temporary directory by default. */
  readonly dumpDir?: string | undefined;
}

/** One place in the schedule: what the pass sees, and what it counted. */
class Slot implements ModulePassContext {
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly stats: PassStats;
  /** What `begin` returned. */
  state: unknown = undefined;
  /** The declarations before `begin`. */
  before: Module | undefined = undefined;
  /** The declarations that functions agree with behind this pass, though later passes of the phase have begun already. */
  module: Module;
  /** While the pass may edit the declarations. */
  open: ModuleEdit | undefined = undefined;
  /** Where analyses of the function at hand are kept. */
  analyses: (fn: Func) => FuncAnalyses;

  constructor(
    readonly pass: Pass,
    readonly position: number,
    module: Module,
    settings: RunnerSettings,
    analyses: (fn: Func) => FuncAnalyses,
  ) {
    this.module = module;
    const options: Record<string, OptionValue> = {};
    for (const [name, option] of Object.entries(pass.options ?? {})) options[name] = option.default;
    for (const [name, value] of Object.entries(settings.passOptions[pass.name] ?? {})) {
      if (typeof options[name] !== typeof value) {
        const known = Object.entries(pass.options ?? {}).map(([key, option]) => `${key} (${typeof option.default})`);
        throw new Error(`the pass "${pass.name}" has no option ${name} of type ${typeof value}; it has ${known.join(", ") || "none"}`);
      }
      options[name] = value;
    }
    this.options = options;
    this.stats = { name: pass.name, runs: 0, changed: 0, ms: 0, counts: {} };
    this.analyses = analyses;
  }

  get edit(): ModuleEdit {
    if (!this.open) throw new Error("declarations are edited in begin, or by a pass of scope module: here functions rely on them");
    return this.open;
  }

  get<T>(analysis: Analysis<T>, fn: Func): T {
    return this.analyses(fn).get(analysis);
  }

  count(stat: string, n = 1): void {
    if (n !== 0) this.stats.counts[stat] = (this.stats.counts[stat] ?? 0) + n;
  }
}

/** Passes that run together: over one function after the other, or over all at once. */
export type Phase = { readonly scope: "func"; readonly slots: readonly Slot[] } | { readonly scope: "module"; readonly slot: Slot };

export class PassRunner {
  readonly phases: readonly Phase[];
  private readonly slots: Slot[];
  private readonly machineSlots: Slot[];
  private latest: FuncAnalyses | undefined = undefined;

  constructor(
    readonly module: Module,
    ssa: readonly Pass[],
    machine: readonly Pass[],
    private readonly settings: RunnerSettings,
    stats: PassStats[],
  ) {
    const analyses = (fn: Func): FuncAnalyses => {
      if (this.latest?.fn !== fn) this.latest = new FuncAnalyses(fn);
      return this.latest;
    };
    const slot = (pass: Pass, position: number) => new Slot(pass, position, module, settings, analyses);
    this.slots = ssa.map(slot);
    this.machineSlots = machine.map(slot);
    for (const each of [...this.slots, ...this.machineSlots]) stats.push(each.stats);

    const phases: Phase[] = [];
    let funcs: Slot[] = [];
    for (const each of this.slots) {
      if (each.pass.scope === "func") {
        if (funcs.length === 0) phases.push({ scope: "func", slots: funcs });
        funcs.push(each);
      } else {
        phases.push({ scope: "module", slot: each });
        funcs = [];
      }
    }
    this.phases = phases;
  }

  /** Whether some pass wants all functions at once. */
  get needsAllFuncs(): boolean {
    return this.phases.some((phase) => phase.scope === "module");
  }

  /** Calls `begin` of the passes of a phase of functions; must come before any of its functions. */
  begin(phase: Phase): void {
    if (phase.scope === "module") return;
    for (const slot of phase.slots) {
      const { begin } = slot.pass as FuncPass;
      if (!begin) continue;
      slot.before = this.module.clone();
      const started = performance.now();
      slot.open = new ModuleEdit(this.module);
      try {
        slot.state = begin(this.module, slot);
      } catch (cause) {
        throw new PassError(`pass ${slot.pass.name} failed before the first function: ${messageOf(cause)}`, slot.pass.name, undefined, cause);
      } finally {
        slot.open = undefined;
      }
      slot.stats.ms += performance.now() - started;
    }
    let module = this.module;
    for (const slot of phase.slots.toReversed()) {
      slot.module = module;
      module = slot.before ?? module;
    }
  }

  /**
   * Runs a phase over one function. `before` makes the function anew as it was before a position of the schedule: called on a
   * failure only.
   */
  runFunc(phase: Phase, fn: Func, before: (position: number) => Func | undefined): void {
    if (phase.scope === "module") throw new Error("a phase of one module pass does not run over one function");
    for (const slot of phase.slots) this.runSlot(slot, fn, before);
    this.latest = undefined;
  }

  /** Runs all passes over functions that are all there, phase by phase. Functions that passes add are appended. */
  runAll(funcs: Func[]): void {
    for (const phase of this.phases) {
      this.begin(phase);
      if (phase.scope === "module") this.runModule(phase, funcs);
      else for (const fn of funcs) this.runFunc(phase, fn, () => undefined);
    }
  }

  /** Runs the passes of all phases before `position` on a function made anew; nothing is verified or told. */
  rerun(fn: Func, position: number): Func | undefined {
    for (const slot of this.slots.slice(0, position)) {
      if (slot.pass.scope === "module") return undefined;
      (slot.pass as FuncPass).run(fn, slot, slot.state);
    }
    return fn;
  }

  runSlot(slot: Slot, fn: Func, before: (position: number) => Func | undefined): void {
    const cfgVersion = fn.cfgVersion;
    const valueVersion = fn.valueVersion;
    const started = performance.now();
    try {
      (slot.pass as FuncPass).run(fn, slot, slot.state);
    } catch (cause) {
      throw this.failure(slot, fn, messageOf(cause), cause, before);
    }
    slot.stats.ms += performance.now() - started;
    slot.stats.runs++;
    const changed = fn.cfgVersion !== cfgVersion || fn.valueVersion !== valueVersion;
    if (changed) slot.stats.changed++;
    if (this.settings.verify) this.verify(slot, fn, before);
    this.settings.afterPass?.(fn, slot.pass.name, slot.position, changed);
  }

  /** Runs a module pass. Functions that it adds are appended to `funcs`. */
  runModule(phase: Phase, funcs: Func[]): void {
    if (phase.scope !== "module") throw new Error("a phase of function passes does not run over a module");
    const { slot } = phase;
    const stamps = funcs.map((fn) => [fn.cfgVersion, fn.valueVersion]);
    const caches = new Map<Func, FuncAnalyses>();
    slot.analyses = (fn) => {
      let cache = caches.get(fn);
      if (!cache) caches.set(fn, (cache = new FuncAnalyses(fn)));
      return cache;
    };
    const started = performance.now();
    slot.open = new ModuleEdit(this.module, funcs);
    try {
      (slot.pass as ModulePass).run(funcs, slot);
    } catch (cause) {
      throw new PassError(`pass ${slot.pass.name} failed: ${messageOf(cause)}`, slot.pass.name, undefined, cause);
    } finally {
      slot.open = undefined;
    }
    slot.stats.ms += performance.now() - started;
    slot.stats.runs++;
    let any = false;
    funcs.forEach((fn, i) => {
      const before = stamps[i];
      const changed = before === undefined || fn.cfgVersion !== before[0] || fn.valueVersion !== before[1];
      any ||= changed;
      if (this.settings.verify && changed) this.verify(slot, fn, () => undefined);
      this.settings.afterPass?.(fn, slot.pass.name, slot.position, changed);
    });
    if (any) slot.stats.changed++;
  }

  runMachine(mfn: MFunc): void {
    for (const slot of this.machineSlots) {
      const started = performance.now();
      try {
        (slot.pass as MachinePass).run(mfn, slot);
      } catch (cause) {
        const where = `@${mfn.index}${mfn.name === undefined ? "" : ` "${mfn.name}"`}`;
        throw new PassError(`machine pass ${slot.pass.name} failed on ${where}: ${messageOf(cause)}`, slot.pass.name, mfn.index, cause);
      }
      slot.stats.ms += performance.now() - started;
      slot.stats.runs++;
      this.settings.afterMachinePass?.(mfn, slot.pass.name, slot.position);
    }
  }

  private verify(slot: Slot, fn: Func, before: (position: number) => Func | undefined): void {
    const problems = verifyFunc(fn, slot.module);
    if (problems.length === 0) return;
    const text = `the IR behind it does not verify:\n  ${problems.slice(0, 5).map(printVerifierError).join("\n  ")}`;
    throw this.failure(slot, fn, text, problems, before);
  }

  private failure(slot: Slot, fn: Func, what: string, cause: unknown, before: (position: number) => Func | undefined): PassError {
    const { name } = slot.pass;
    const where = `@${fn.index}${fn.name === undefined ? "" : ` "${fn.name}"`}`;
    let message = `pass ${name} failed on ${where}: ${what}`;
    let file: string | undefined;
    try {
      const old = before(slot.position);
      if (old) {
        const dir = this.settings.dumpDir ?? mkdtempSync(path.join(tmpdir(), "lathe-"));
        file = path.join(dir, `before-${name.replaceAll(":", "-")}-${fn.index}.ssa`);
        writeFileSync(file, printModule(slot.before ?? slot.module, [old]));
        message += `\nThe IR before the pass: ${file}`;
        if (registry.includes(slot.pass)) message += `\nTo see it fail again: lathe verify ${file} --pass ${name}`;
      }
    } catch (second) {
      message += `\n(The IR before the pass could not be written: ${messageOf(second)})`;
    }
    const error = new PassError(message, name, fn.index, cause);
    error.file = file;
    return error;
  }
}

/** Runs passes of the `wasm` stage, one after the other. */
export async function runWasmPasses(bytes: Uint8Array, passes: readonly Pass[], settings: RunnerSettings, stats: PassStats[]): Promise<Uint8Array> {
  for (const [position, pass] of passes.entries()) {
    const slot = new Slot(pass, position, new Module(bytes), settings, (fn) => new FuncAnalyses(fn));
    stats.push(slot.stats);
    const started = performance.now();
    let result: Uint8Array;
    try {
      result = await (pass as WasmPass).run(bytes, slot);
    } catch (cause) {
      throw new PassError(`pass ${pass.name} failed: ${messageOf(cause)}`, pass.name, undefined, cause);
    }
    slot.stats.ms += performance.now() - started;
    slot.stats.runs++;
    if (result !== bytes) slot.stats.changed++;
    bytes = result;
  }
  return bytes;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
