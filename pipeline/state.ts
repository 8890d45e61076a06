// The state of a module in compilation, and its history: immutable, one revision a stage or pass.
//
// Kept only when recording. Everything above the function boundary is immer's; functions, machine functions and code are
// opaque leaves: columns are copied whole when a pass has changed them, and the copy is sealed. Unchanged ones are shared
// between revisions, so a revision costs what its pass changed.
import { castDraft, enablePatches, produceWithPatches, type Patch } from "immer";
import type { FuncCode } from "../ir/code.js";
import type { Func } from "../ir/func.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import type { Module } from "../ir/module.js";

/** How far a module has come: what the latest revision added. */
export type ModuleStage = "decoded" | "ssa" | "machine" | "allocated" | "code";

/** One function as far as it has come; sealed snapshots. */
export interface FuncState {
  readonly ssa?: Func;
  readonly machine?: MFunc;
  readonly allocated?: MFunc;
  readonly code?: FuncCode;
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
  /** A copy of the declarations, if they changed. */
  readonly module?: Module;
  /** Snapshots of the functions that changed, by index. */
  readonly funcs: ReadonlyMap<number, FuncState>;
  readonly ms: number;
}

export class History {
  private readonly states: ModuleState[];
  private readonly steps: { readonly forward: readonly Patch[]; readonly back: readonly Patch[] }[] = [];

  constructor(module: Module, options: Readonly<Record<string, unknown>>, diagnostics: readonly Diagnostic[] = []) {
    enablePatches();
    this.states = [
      { stage: "decoded", revision: 0, module: seal(module.clone()), funcs: {}, records: [], options: { ...options }, diagnostics: [...diagnostics] },
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
      if (step.module) draft.module = castDraft(seal(step.module.clone()));
      for (const [index, state] of step.funcs) draft.funcs[index] = castDraft({ ...this.current.funcs[index], ...state });
      draft.records.push(castDraft({ name: step.name, revision: draft.revision, changed: [...step.funcs.keys()], ms: step.ms }));
    });
    this.states.push(next);
    this.steps.push({ forward, back });
    return next;
  }
}

/** A sealed copy of a function in columns: its mutators throw. Costs a copy of the columns in use. */
export function snapshot<T extends Func | MFunc>(fn: T): T {
  const copy = Object.create(Object.getPrototypeOf(fn) as object) as Record<string, unknown>;
  for (const [key, value] of Object.entries(fn)) {
    const columns = value as unknown;
    if (ArrayBuffer.isView(columns)) copy[key] = (columns as Int32Array).slice();
    else if (Array.isArray(columns)) copy[key] = columns.slice();
    else if (columns instanceof Map) copy[key] = new Map(columns);
    else copy[key] = columns;
  }
  return seal(copy as unknown as T);
}

/** Freezes the object itself. Columns cannot be frozen, but every mutator moves a stamp or a count, and that throws. */
function seal<T extends object>(object: T): T {
  return Object.freeze(object);
}
