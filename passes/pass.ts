// What a pass is, and what it is given.
//
// A pass is plain data with a `run` function: `stage` says which IR it sees, `scope` whether one function at a time or
// all of them. It edits in place; whether it changed anything is read off the IR's version stamps, so it cannot forget
// to tell. Passes keep nothing between runs: what a function-scoped pass must know of the whole module it computes in
// `begin`, from the declarations, and receives back with each function. That is what lets functions stream through
// the compiler one by one, each dropped when its code is emitted.
import type { Analysis } from "../ir/analysis/analysis.js";
import type { Func } from "../ir/func.js";
import type { Module } from "../ir/module.js";
import type { ModuleEdit } from "../ir/module-edit.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import type { MachineNames } from "../ir/machine/names.js";

/** `wasm`: bytes to bytes before decoding. `ssa`: SSA functions. `machine`: machine functions before register allocation. */
export type Stage = "wasm" | "ssa" | "machine";
/** `func`: called once a function. `module`: called once, with all functions. */
export type Scope = "func" | "module";

/** An order constraint. `pass` is a pass's name, or `"*"`: every pass that no explicit constraint puts elsewhere. */
export interface Order {
  readonly pass: string;
  /** What goes wrong otherwise: one clause, printed when the constraint is broken. */
  readonly why: string;
}

export type OptionValue = number | boolean | string;

/** A pass's option: its default, which also gives its type, and one clause of explanation with the unit. */
export interface PassOption {
  readonly default: OptionValue;
  readonly summary: string;
}

export interface PassContext {
  /** Declarations of the module. Function bodies are only in the `Func`s. */
  readonly module: Module;
  /** The pass's own options: the defaults, with the user's values on top. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** The analysis of this function, computed now or reused while the function has not changed in what it depends on. */
  get<T>(analysis: Analysis<T>, fn: Func): T;
  /** Adds `n` (1 unless given) to a statistic of this pass, printed with `--stats`: `cx.count("folded")`. */
  count(stat: string, n?: number): void;
}

/** What may also edit the declarations gets: `begin` of a function pass, and a module pass. */
export interface ModulePassContext extends PassContext {
  /** Adds types, imports, globals, exports, segments to the declarations; in a module pass functions, too. Indices never change. */
  readonly edit: ModuleEdit;
}

interface PassBase {
  /** Unique; lower case, words joined by hyphens: what the command line and dumps call it. */
  readonly name: string;
  /** One line, for `lathe passes`. */
  readonly summary: string;
  /** What this pass cleans up after: its last run comes after the last run of those. Passes that a pipeline does not hold are ignored. */
  readonly after?: readonly Order[];
  /** What this pass prepares: its first run comes before the first run of those. */
  readonly before?: readonly Order[];
  /** Every pipeline holds it. `canDisable`: the code is right without it, too, so a user may switch it off by name. */
  readonly required?: { readonly why: string; readonly canDisable: boolean };
  readonly options?: Readonly<Record<string, PassOption>>;
}

/** Rewrites the bytes of the module; may be asynchronous (only the asynchronous `compile` accepts such a pass). */
export interface WasmPass extends PassBase {
  readonly stage: "wasm";
  readonly scope: "module";
  run(bytes: Uint8Array, cx: WasmPassContext): Uint8Array | Promise<Uint8Array>;
}

export type WasmPassContext = Pick<PassContext, "options" | "count">;

/** Edits one function at a time. `State` is whatever `begin` returns. */
export interface FuncPass<State = any> extends PassBase {
  readonly stage: "ssa";
  readonly scope: "func";
  /** Called once, before any function, and may edit the declarations; then `run` brings every function in line. */
  begin?(module: Module, cx: ModulePassContext): State;
  run(fn: Func, cx: PassContext, state: State): void;
}

/**
 * Sees all functions at once: the driver keeps all of them in memory for it. Ascending by index, imports absent; what the pass
 * adds by `cx.edit.addFunc` joins them.
 */
export interface ModulePass extends PassBase {
  readonly stage: "ssa";
  readonly scope: "module";
  run(funcs: readonly Func[], cx: ModulePassContext): void;
}

/** Edits machine IR on virtual registers, after lowering. */
export interface MachinePass extends PassBase {
  readonly stage: "machine";
  readonly scope: "func";
  run(mfn: MFunc, cx: MachinePassContext): void;
}

export interface MachinePassContext extends Pick<PassContext, "module" | "options" | "count"> {
  /** Names of the target's operations and registers: `cx.target.mops[mfn.op[i]].name`. */
  readonly target: MachineNames;
}

export type Pass = WasmPass | FuncPass | ModulePass | MachinePass;

/**
 * Declares a pass; returns it unchanged. Throws on a name that a command line could not hold.
 *
 * `definePass({ name: "my-pass", summary: "...", stage: "ssa", scope: "func", run(fn, cx) { ... } })`
 */
export function definePass<State>(pass: FuncPass<State>): FuncPass<State>;
export function definePass(pass: ModulePass): ModulePass;
export function definePass(pass: MachinePass): MachinePass;
export function definePass(pass: WasmPass): WasmPass;
export function definePass(pass: Pass): Pass {
  checkPass(pass);
  return pass;
}

const KEYS = ["name", "summary", "stage", "scope", "after", "before", "required", "options", "begin", "run"];

/** Checks the shape of what somebody calls a pass. @throws Error that says what is wrong, with the pass's name. */
export function checkPass(value: unknown): asserts value is Pass {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`a pass is an object made by definePass, not ${value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`}`);
  const pass = value as Record<string, unknown>;
  const { name } = pass;
  if (typeof name !== "string" || !/^[a-z][a-z0-9]*([-:][A-Za-z0-9]+)*$/.test(name)) {
    throw new Error(`${JSON.stringify(name)} cannot name a pass: lower-case words joined by hyphens are expected`);
  }
  const fail = (what: string): never => {
    throw new Error(`the pass "${name}": ${what}`);
  };
  for (const key of Object.keys(pass)) if (!KEYS.includes(key)) fail(`"${key}" is no property of a pass; there are ${KEYS.join(", ")}`);
  if (typeof pass["summary"] !== "string") fail("summary is one line of text");
  if (pass["stage"] !== "wasm" && pass["stage"] !== "ssa" && pass["stage"] !== "machine") fail(`stage is "wasm", "ssa" or "machine", not ${JSON.stringify(pass["stage"])}`);
  const scopes = pass["stage"] === "wasm" ? ["module"] : pass["stage"] === "machine" ? ["func"] : ["func", "module"];
  if (!scopes.includes(pass["scope"] as string)) fail(`scope of a pass of stage ${pass["stage"] as string} is ${scopes.map((scope) => `"${scope}"`).join(" or ")}, not ${JSON.stringify(pass["scope"])}`);
  if (typeof pass["run"] !== "function") fail(`run is a function, not ${pass["run"] === undefined ? "missing" : `a ${typeof pass["run"]}`}`);
  if (pass["begin"] !== undefined && (typeof pass["begin"] !== "function" || pass["stage"] !== "ssa" || pass["scope"] !== "func")) fail("begin is a function, and only passes of stage ssa and scope func have one");
  for (const key of ["after", "before"] as const) {
    const orders = pass[key];
    if (orders === undefined) continue;
    const fits = Array.isArray(orders) && orders.every((order: unknown) => {
      const { pass: other, why } = (order ?? {}) as Partial<Order>;
      return typeof other === "string" && typeof why === "string";
    });
    if (!fits) fail(`${key} is a list of { pass: "name", why: "reason" }`);
  }
  for (const [option, declared] of Object.entries((pass["options"] ?? {}) as Record<string, Partial<PassOption> | null>)) {
    if (!["number", "boolean", "string"].includes(typeof declared?.default) || typeof declared!.summary !== "string") {
      fail(`the option ${option} is { default: a number, boolean or string, summary: "one line" }`);
    }
  }
}
