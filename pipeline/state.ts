// The state of a module in compilation, and its history: immutable, one revision a stage or pass.
//
// Kept only when recording. Everything above the function boundary is immer's; functions, machine functions and code are
// opaque leaves: snapshots (snapshot.ts) of those a pass has changed. Unchanged ones are shared between revisions, so a
// revision costs what its pass changed.
import { castDraft, enablePatches, produceWithPatches, type Patch } from "immer";
import type { FuncCode } from "../ir/code.js";
import type { Func } from "../ir/func.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import type { Module } from "../ir/module.js";
import type { Snapshot } from "./snapshot.js";

/** How far a module has come: what the latest revision added. */
export type ModuleStage = "decoded" | "ssa" | "machine" | "allocated" | "code";

/** What is kept of one function, as far as it has come. */
export interface FuncParts {
  readonly ssa?: Snapshot<Func>;
  readonly machine?: Snapshot<MFunc>;
  readonly allocated?: Snapshot<MFunc>;
  readonly code?: FuncCode;
}

/** One function as far as it has come. Functions are opened when they are asked for: hold on to one rather than ask twice. */
export class FuncState {
  constructor(private readonly parts: FuncParts) {}

  get ssa(): Func | undefined {
    return this.parts.ssa?.open();
  }
  /** On virtual registers. */
  get machine(): MFunc | undefined {
    return this.parts.machine?.open();
  }
  /** On registers and slots. */
  get allocated(): MFunc | undefined {
    return this.parts.allocated?.open();
  }
  get code(): FuncCode | undefined {
    return this.parts.code;
  }

  /** The same function with further or newer parts. */
  with(parts: FuncParts): FuncState {
    return new FuncState({ ...this.parts, ...parts });
  }
}

export interface PassRecord {
  /** Name of the pass, or of the stage's own step: `translate`, `lower`, `allocate`, `emit`. */
  readonly name: string;
  /** The revision it made. */
  readonly revision: number;
  /** Indices of the functions it changed. */
  readonly changed: readonly number[];
  readonly ms: number;
}

export interface Diagnostic {
  readonly severity: "note" | "warning" | "error";
  readonly message: string;
  /** Where it belongs, if to one. */
  readonly func?: number;
}

export interface ModuleState {
  readonly stage: ModuleStage;
  readonly revision: number;
  readonly module: Module;
  /** By function index; imports absent. */
  readonly funcs: Readonly<Record<number, FuncState>>;
  readonly records: readonly PassRecord[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** What one revision changes. */
export interface Step {
  readonly name: string;
  readonly stage: ModuleStage;
  /** The declarations, if they changed. Kept, not copied. */
  readonly module?: Module | undefined;
  /** What changed, by function. */
  readonly funcs: ReadonlyMap<number, FuncParts>;
  readonly ms: number;
}

export class History {
  private readonly states: ModuleState[];
  private readonly steps: { readonly forward: readonly Patch[]; readonly back: readonly Patch[] }[] = [];

  constructor(module: Module, options: Readonly<Record<string, unknown>>, diagnostics: readonly Diagnostic[] = []) {
    enablePatches();
    this.states = [
      { stage: "decoded", revision: 0, module: Object.freeze(module.clone()), funcs: {}, records: [], options: { ...options }, diagnostics: [...diagnostics] },
    ];
  }

  get current(): ModuleState {
    return this.states[this.states.length - 1]!;
  }

  /** The state as it was; 0 is the decoded module. Throws on a revision there is not. */
  at(revision: number): ModuleState {
    const state = this.states[revision];
    if (!state) throw new Error(`there is no revision ${revision}: the latest is ${this.current.revision}`);
    return state;
  }

  /** The state behind the last run of a pass (or step) of that name, undefined if none ran. */
  after(name: string): ModuleState | undefined {
    const record = this.current.records.findLast((one) => one.name === name);
    return record && this.at(record.revision);
  }

  /** immer patches that lead from one revision to another, forward or back. Functions in them are whole snapshots. */
  patches(from: number, to: number): Patch[] {
    this.at(from);
    this.at(to);
    if (from <= to) return this.steps.slice(from, to).flatMap((step) => [...step.forward]);
    return this.steps.slice(to, from).reverse().flatMap((step) => [...step.back]);
  }

  /** Adds a revision. */
  advance(step: Step): ModuleState {
    const [next, forward, back] = produceWithPatches(this.current, (draft) => {
      draft.stage = step.stage;
      draft.revision++;
      if (step.module) draft.module = castDraft(Object.freeze(step.module));
      for (const [index, parts] of step.funcs) draft.funcs[index] = castDraft(this.current.funcs[index]?.with(parts) ?? new FuncState(parts));
      draft.records.push(castDraft({ name: step.name, revision: draft.revision, changed: [...step.funcs.keys()], ms: step.ms }));
    });
    this.states.push(next);
    this.steps.push({ forward, back });
    return next;
  }
}
