// Runs the passes of a schedule over functions: times them, verifies behind them, tells observers, explains failures.
//
// Passes come in phases: a run of function-scoped passes, or one module-scoped pass. Within a phase functions are
// independent, so one function can go through all of it before the next is even translated. A failure names the pass, the
// function and, where it can, rule, block and value; the IR before the pass goes into a file (pass-error.ts). A pass of the
// registry gets it made again from the module's bytes, which costs nothing until it fails (compilation is deterministic). A
// user's pass is guarded (guard.ts): limited in time, compared with a copy of what it was given, always verified.
import type { MFunc } from "../ir/machine/mfunc.js";
import type { MachineNames } from "../ir/machine/names.js";
import { printMFunc } from "../ir/machine/print.js";
import { verifyMFunc } from "../ir/machine/verify.js";
import type { Func } from "../ir/func.js";
import type { Module } from "../ir/module.js";
import { ModuleEdit } from "../ir/module-edit.js";
import { printFunc, printModule } from "../ir/print.js";
import { printDecls } from "../ir/print-decls.js";
import { printVerifierError, verifyFunc, verifyModule, type VerifierError } from "../ir/verify.js";
import type { FuncPass, MachinePass, ModulePass, Pass } from "../passes/pass.js";
import { FuncAnalyses } from "./analyses.js";
import { BreachError, Bystanders, checkDecls, checkReturned, Guard, isThenable, Limiter, printBreach, type Breach } from "./guard.js";
import { passError, type Failure, type FailureSettings, type Fault, type PassError } from "./pass-error.js";
import { Slot, type PassOptions } from "./pass-slot.js";
import type { PassStats } from "./stats.js";

export interface RunnerSettings extends FailureSettings {
  /** Behind passes of the registry, too; a user's are verified always. */
  readonly verify: boolean;
  /** By pass name, then by option. */
  readonly passOptions: PassOptions;
  /** Milliseconds that one run of a user's pass may take. */
  readonly passTimeout?: number | undefined;
  /** What machine IR is printed and verified with; needed where there are machine passes. */
  readonly target?: MachineNames;
  /** Called behind every run of an `ssa` pass. `position`: in the schedule's list. */
  afterPass?(fn: Func, pass: string, position: number, changed: boolean): void;
  /** `position`: in the schedule's list of machine passes. */
  afterMachinePass?(mfn: MFunc, pass: string, position: number): void;
}

/** Passes that run together: over one function after the other, or over all at once. */
export type Phase = { readonly scope: "func"; readonly slots: readonly Slot[] } | { readonly scope: "module"; readonly slot: Slot };

/** Makes a function anew as it was before a position of the schedule; undefined where that cannot be. Called on a failure only. */
type Before = (position: number) => Func | undefined;
const unknownBefore: Before = () => undefined;

export class PassRunner {
  readonly phases: readonly Phase[];
  private readonly slots: Slot[];
  private readonly machineSlots: Slot[];
  private readonly limiter: Limiter;
  private latest: FuncAnalyses | undefined = undefined;

  constructor(
    readonly module: Module,
    ssa: readonly Pass[],
    machine: readonly Pass[],
    private readonly settings: RunnerSettings,
    stats: PassStats[],
  ) {
    this.limiter = new Limiter(settings.passTimeout);
    const analyses = (fn: Func): FuncAnalyses => {
      if (this.latest?.fn !== fn) this.latest = new FuncAnalyses(fn);
      return this.latest;
    };
    const slot = (pass: Pass, position: number) => new Slot(pass, position, module, settings.passOptions, analyses);
    this.slots = ssa.map(slot);
    this.machineSlots = machine.map((pass, position) => new Slot(pass, position, module, settings.passOptions, analyses, settings.target));
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
      slot.module = this.module;
      const started = performance.now();
      slot.open = new ModuleEdit(this.module);
      const before = () => printDecls(slot.before!);
      try {
        slot.state = this.call(slot, () => begin(this.module, slot.cx));
      } catch (cause) {
        const [fault] = faultsOf(cause);
        throw this.failure(slot, { faults: [{ ...fault!, text: `before the first function: ${fault!.text}` }], cause, before: { extension: "ssa", contents: before } });
      } finally {
        slot.open = undefined;
      }
      slot.stats.ms += performance.now() - started;
      if (slot.guarded) {
        if (isThenable(slot.state)) throw this.failure(slot, breached([{ rule: "synchronous", message: "begin returned a promise: a pass of this stage does all its work before it returns" }], before));
        this.verifyDecls(slot, before);
      }
    }
    let module = this.module;
    for (const slot of phase.slots.toReversed()) {
      slot.module = module;
      module = slot.before ?? module;
    }
  }

  /** Runs a phase over one function. */
  runFunc(phase: Phase, fn: Func, before: Before = unknownBefore): void {
    if (phase.scope === "module") throw new Error("a phase of one module pass does not run over one function");
    for (const slot of phase.slots) this.runSlot(slot, fn, before);
    this.latest = undefined;
  }

  /** Runs a phase of function passes over functions that are all there. */
  runFuncs(phase: Phase, funcs: readonly Func[], before: (fn: Func) => Before = () => unknownBefore): void {
    if (phase.scope === "module") throw new Error("a phase of one module pass does not run over functions one by one");
    const guarded = phase.slots.filter((slot) => slot.guarded);
    const bystanders = guarded.length > 0 && funcs.length > 1 ? new Bystanders(funcs) : undefined;
    const check = (i: number) => {
      if (bystanders?.untouched(i) !== false) return;
      const message = `${guarded.map(({ pass }) => pass.name).join(" or ")} wrote to @${funcs[i]!.index} while it ran on another function`;
      throw this.failure(guarded[0]!, { ...breached([{ rule: "other-function", message }]), func: funcs[i]! });
    };
    funcs.forEach((fn, i) => {
      check(i);
      this.runFunc(phase, fn, before(fn));
      bystanders?.left(i);
    });
    funcs.forEach((_, i) => check(i));
  }

  /** Runs all passes over functions that are all there, phase by phase. Functions that passes add are appended. */
  runAll(funcs: Func[]): void {
    for (const phase of this.phases) {
      this.begin(phase);
      if (phase.scope === "module") this.runModule(phase, funcs);
      else this.runFuncs(phase, funcs);
    }
  }

  /** No pass sees the function again: with user passes about, it is frozen, so that a later write to it is an error. */
  seal(fn: Func): void {
    if (this.slots.some((slot) => slot.guarded)) Object.freeze(fn);
  }

  /** Runs the passes of all phases before `position` on a function made anew; nothing is verified or told. */
  rerun(fn: Func, position: number): Func | undefined {
    for (const slot of this.slots.slice(0, position)) {
      if (slot.pass.scope === "module") return undefined;
      (slot.pass as FuncPass).run(fn, slot.cx, slot.state);
    }
    return fn;
  }

  private runSlot(slot: Slot, fn: Func, before: Before): void {
    const { cfgVersion, valueVersion } = fn;
    const guard = slot.guarded ? new Guard(fn) : undefined;
    const old = () => {
      const func = guard ? guard.before.open() : before(slot.position);
      return func && printModule(slot.before ?? slot.module, [func]);
    };
    const who = { index: fn.index, name: fn.name };
    const failed = (why: Pick<Failure, "headline" | "faults" | "cause">) => this.failure(slot, { ...why, func: who, before: { extension: "ssa", contents: old } });
    slot.run++;
    const started = performance.now();
    let returned: unknown;
    try {
      returned = this.call(slot, () => (slot.pass as FuncPass).run(fn, slot.cx, slot.state) as unknown);
    } catch (cause) {
      throw failed({ faults: faultsOf(cause), cause });
    }
    slot.stats.ms += performance.now() - started;
    slot.stats.runs++;
    slot.run++;
    if (guard) {
      const breach = checkReturned(returned);
      const breaches = breach ? [breach] : guard.stored();
      if (breaches.length > 0) throw failed(breached(breaches));
    }
    const changed = fn.cfgVersion !== cfgVersion || fn.valueVersion !== valueVersion;
    if (changed) slot.stats.changed++;
    if (guard || this.settings.verify) {
      const problems = problemsOf(fn, slot.module);
      if (problems) throw failed(problems);
    }
    const unstamped = guard?.unstamped() ?? [];
    if (unstamped.length > 0) throw failed(breached(unstamped));
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
    slot.before = this.module.clone();
    const guards = slot.guarded ? funcs.map((fn) => new Guard(fn)) : undefined;
    const old = guards && (() => [printDecls(slot.before!), ...guards.map((guard) => printFunc(guard.before.open(), slot.before))].join("\n"));
    const failed = (why: Pick<Failure, "headline" | "faults" | "cause">, fn?: Func) => this.failure(slot, { ...why, ...(fn && { func: fn }), ...(old && { before: { extension: "ssa", contents: old } }) });
    const started = performance.now();
    const added: Func[] = [];
    slot.open = new ModuleEdit(this.module, added);
    slot.run++;
    let returned: unknown;
    try {
      // The pass may not reorder what the driver goes by.
      returned = this.call(slot, () => (slot.pass as ModulePass).run(Object.freeze([...funcs]), slot.cx) as unknown);
    } catch (cause) {
      throw failed({ faults: faultsOf(cause), cause });
    } finally {
      slot.open = undefined;
    }
    slot.stats.ms += performance.now() - started;
    slot.stats.runs++;
    slot.run++;
    if (guards) {
      const breach = checkReturned(returned);
      if (breach) throw failed(breached([breach]));
      for (const guard of guards) {
        const breaches = guard.stored();
        if (breaches.length > 0) throw failed(breached(breaches), guard.before.open());
      }
      this.verifyDecls(slot, old!);
      const bodies = new Set([...funcs, ...added].map((fn) => fn.index));
      for (let i = slot.before.funcs.length; i < this.module.funcs.length; i++) {
        const decl = this.module.funcs[i]!;
        if (!decl.imported && !bodies.has(i as Func["index"])) throw failed(breached([{ rule: "declarations", message: `@${i} was declared and has no body: add functions by cx.edit.addFunc` }]));
      }
    }
    funcs.push(...added);
    let any = false;
    funcs.forEach((fn, i) => {
      const stamp = stamps[i];
      const changed = stamp === undefined || fn.cfgVersion !== stamp[0] || fn.valueVersion !== stamp[1];
      any ||= changed;
      // What the declarations say of a function may have changed where the function has not.
      if (guards || (this.settings.verify && changed)) {
        const problems = problemsOf(fn, this.module);
        if (problems) throw failed(problems, fn);
      }
      const unstamped = guards?.[i]?.unstamped() ?? [];
      if (unstamped.length > 0) throw failed(breached(unstamped), fn);
      this.settings.afterPass?.(fn, slot.pass.name, slot.position, changed);
    });
    if (any) slot.stats.changed++;
  }

  runMachine(mfn: MFunc): void {
    for (const slot of this.machineSlots) {
      const { target } = this.settings;
      const guard = slot.guarded ? new Guard(mfn) : undefined;
      const old = guard && target && (() => `${printDecls(this.module)}\n${printMFunc(guard.before.open(), target)}`);
      const who = { index: mfn.index, name: mfn.name };
      const failed = (why: Pick<Failure, "headline" | "faults" | "cause">) => this.failure(slot, { ...why, func: who, ...(old && { before: { extension: "mir", contents: old } }) });
      slot.run++;
      const started = performance.now();
      let returned: unknown;
      try {
        returned = this.call(slot, () => (slot.pass as MachinePass).run(mfn, slot.cx) as unknown);
      } catch (cause) {
        throw failed({ faults: faultsOf(cause), cause });
      }
      slot.stats.ms += performance.now() - started;
      slot.stats.runs++;
      if (guard) {
        const breach = checkReturned(returned);
        const breaches = breach ? [breach] : guard.stored();
        if (breaches.length > 0) throw failed(breached(breaches));
        const problems = target && machineProblemsOf(mfn, target);
        if (problems) throw failed(problems);
      }
      this.settings.afterMachinePass?.(mfn, slot.pass.name, slot.position);
    }
  }

  /** Calls a pass's function; a user's with a limit. */
  private call(slot: Slot, pass: () => unknown): unknown {
    return slot.guarded ? this.limiter.call(pass) : pass();
  }

  /** Declarations behind a pass that may edit them. */
  private verifyDecls(slot: Slot, before: () => string): void {
    const breaches = checkDecls(slot.before!, this.module);
    if (breaches.length > 0) throw this.failure(slot, breached(breaches, before));
    const problems = guardedly(() => verifyModule(this.module));
    if (problems.length === 0) return;
    throw this.failure(slot, { headline: "the declarations behind it do not verify", faults: problems.map(faultOf), cause: problems, before: { extension: "ssa", contents: before } });
  }

  private failure(slot: Slot, failure: Omit<Failure, "pass" | "options">): PassError {
    return passError({ ...failure, pass: slot.pass, options: slot.options }, this.settings);
  }
}

function breached(breaches: readonly Breach[], before?: () => string): Pick<Failure, "faults" | "cause" | "before"> {
  const faults = breaches.map((breach) => ({ ...breach, text: printBreach(breach) }));
  return { faults, cause: breaches, ...(before && { before: { extension: "ssa", contents: before } }) };
}

function faultOf(error: VerifierError): Fault {
  return { text: printVerifierError(error), rule: error.rule, block: error.block, value: error.value };
}

/** What a pass threw, in words. */
function faultsOf(cause: unknown): Fault[] {
  if (cause instanceof BreachError) return [{ ...cause.breach, text: cause.message }];
  const message = cause instanceof Error ? cause.message : `it threw ${String(cause)}`;
  // In strict code, a write to a frozen function or list.
  if (/read only property|object is not extensible|Cannot (assign|add|delete)/.test(message)) {
    return [{ rule: "sealed", text: `[sealed]: ${message}: what a pass was not given to edit, such as a function of an earlier run, is sealed` }];
  }
  return [{ text: message === "" ? "it threw an error without a message" : message }];
}

/** A verifier's findings; what broke the verifier itself is one. */
function guardedly(verify: () => VerifierError[]): VerifierError[] {
  try {
    return verify();
  } catch (error) {
    return [{ func: -1, block: -1, value: -1, rule: "unreadable", message: `it cannot even be verified: ${(error as Error).message}` } as unknown as VerifierError];
  }
}

function problemsOf(fn: Func, module: Module): Pick<Failure, "headline" | "faults" | "cause"> | undefined {
  const problems = guardedly(() => verifyFunc(fn, module));
  return problems.length === 0 ? undefined : { headline: "the IR behind it does not verify", faults: problems.map(faultOf), cause: problems };
}

function machineProblemsOf(mfn: MFunc, target: MachineNames): Pick<Failure, "headline" | "faults" | "cause"> | undefined {
  let faults: Fault[];
  try {
    faults = verifyMFunc(mfn, target).map((problem) => ({ text: String(problem), rule: problem.rule, block: problem.block }));
  } catch (error) {
    faults = [{ rule: "unreadable", text: `it cannot even be verified: ${(error as Error).message}` }];
  }
  return faults.length === 0 ? undefined : { headline: "the machine IR behind it does not verify", faults, cause: faults };
}
