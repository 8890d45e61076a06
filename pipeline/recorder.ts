// Writes the history of a compilation: snapshots behind every step, of the functions that the step changed.
//
// The steps are known beforehand: translation, the passes of the schedule, lowering, machine passes, allocation, emission.
// Functions come one by one, each through all steps, or step by step; either way the history reads the same, because it is put
// together at the end. Relies on stamps: a pass that changed nothing is not looked at, and shares what was there before.
import type { FuncCode } from "../ir/code.js";
import type { Func } from "../ir/func.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import type { Module } from "../ir/module.js";
import type { FuncPass } from "../passes/pass.js";
import type { Phase } from "./runner.js";
import type { Schedule } from "./schedule.js";
import { Snapshot } from "./snapshot.js";
import { History, type Diagnostic, type FuncParts, type ModuleStage } from "./state.js";
import type { CompileStats } from "./stats.js";

interface Step {
  readonly name: string;
  readonly stage: ModuleStage;
  /** Declarations, where they changed. */
  module: Module | undefined;
  readonly funcs: Map<number, FuncParts>;
}

export class Recorder {
  private readonly steps: Step[];
  private readonly firstMachine: number;
  /** The latest machine function of each index, for passes of the machine stage, which have no stamps. */
  private readonly latest = new Map<number, Snapshot<MFunc>>();

  constructor(
    private readonly schedule: Schedule,
    engine: "native" | "interpreter",
  ) {
    const step = (name: string, stage: ModuleStage): Step => ({ name, stage, module: undefined, funcs: new Map() });
    const ssa = ["translate", ...schedule.ssa.map((pass) => pass.name)].map((name) => step(name, "ssa"));
    const machine = ["lower", ...schedule.machine.map((pass) => pass.name)].map((name) => step(name, "machine"));
    this.steps = engine === "interpreter" ? ssa : [...ssa, ...machine, step("allocate", "allocated"), step("emit", "code")];
    this.firstMachine = ssa.length;
  }

  translated(fn: Func): void {
    this.steps[0]!.funcs.set(fn.index, { ssa: new Snapshot(fn) });
  }

  /** Behind the SSA pass at a position of the schedule, where it changed the function. */
  passed(fn: Func, position: number): void {
    this.steps[1 + position]!.funcs.set(fn.index, { ssa: new Snapshot(fn) });
  }

  /** Declarations behind the passes of a phase that may have changed them. */
  declared(phase: Phase, module: Module): void {
    if (phase.scope === "module") {
      this.steps[1 + phase.slot.position]!.module = module.clone();
      return;
    }
    for (const slot of phase.slots) {
      if ((slot.pass as FuncPass).begin) this.steps[1 + slot.position]!.module = slot.module.clone();
    }
  }

  lowered(mfn: MFunc): void {
    const machine = new Snapshot(mfn);
    this.latest.set(mfn.index, machine);
    this.steps[this.firstMachine]!.funcs.set(mfn.index, { machine });
  }

  /** Behind the machine pass at a position of its own schedule. */
  machinePassed(mfn: MFunc, position: number): void {
    const machine = new Snapshot(mfn);
    if (this.latest.get(mfn.index)?.sameRows(machine)) return;
    this.latest.set(mfn.index, machine);
    this.steps[this.firstMachine + 1 + position]!.funcs.set(mfn.index, { machine });
  }

  allocated(mfn: MFunc): void {
    this.latest.delete(mfn.index);
    this.steps.at(-2)!.funcs.set(mfn.index, { allocated: new Snapshot(mfn) });
  }

  emitted(code: FuncCode): void {
    this.steps.at(-1)!.funcs.set(code.func, { code });
  }

  /**
   * The history of what was seen.
   * @param decoded the declarations before all passes.
   * @param options plain data; @param stats where times are read.
   */
  finish(decoded: Module, options: Readonly<Record<string, unknown>>, stats: CompileStats): History {
    const { ssa, machine, missing } = this.schedule;
    const passMs = stats.passes.map((pass) => pass.ms);
    const times = [
      stats.ms.translate, ...passMs.slice(0, ssa.length),
      stats.ms.lower, ...passMs.slice(ssa.length, ssa.length + machine.length),
      stats.ms.allocate, stats.ms.emit,
    ];
    const diagnostics = missing.map((pass): Diagnostic => ({ severity: "warning", message: `${pass.name} is switched off: ${pass.required!.why}` }));
    const history = new History(decoded, options, diagnostics);
    this.steps.forEach((step, i) => history.advance({ ...step, ms: times[i]! }));
    return history;
  }
}
