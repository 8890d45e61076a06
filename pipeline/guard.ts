// What keeps a user's pass from doing harm: a time limit, and a comparison of the function with what it was.
//
// Passes of the registry run without; they are tested. For a user's pass the runner calls through a `Limiter`, then asks the guard of the
// function what the pass did that no verifier of IR can see: columns written behind the stamps' back, rows that do not exist,
// fields of its own. The verifier runs behind that. A guard costs a copy of the function.
import { createContext, Script, type Context } from "node:vm";
import type { Analysis } from "../ir/analysis/analysis.js";
import { NONE, type Value } from "../ir/entity.js";
import { Func } from "../ir/func.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import type { Module } from "../ir/module.js";
import { funcTypeKey } from "../ir/types.js";
import { funcShape, mfuncShape, Snapshot, type Column } from "./snapshot.js";

/** Milliseconds. */
export const DEFAULT_PASS_TIMEOUT = 30_000;

/** Rows a function may grow to under a user's pass: so many, or so many times what it had. */
const GROWTH_ROWS = 1 << 22;
const GROWTH_TIMES = 64;

/** A rule that a pass broke. `block` and `value` are NONE where no single one is to blame. */
export interface Breach {
  readonly rule: string;
  readonly message: string;
  readonly block?: number;
  readonly value?: number;
}

export function printBreach({ rule, message, value }: Breach): string {
  return `${value === undefined || value === NONE ? "" : `v${value} `}[${rule}]: ${message}`;
}

/** Thrown where a pass does what it may not, while it runs. */
export class BreachError extends Error {
  constructor(readonly breach: Breach) {
    super(printBreach(breach));
  }
}

/** Calls user passes with a time limit. One serves many calls: its context costs milliseconds to make, a call a tenth of one. */
export class Limiter {
  private context: Context | undefined = undefined;
  private script: Script | undefined = undefined;

  /** @param milliseconds that a call may take. */
  constructor(private readonly milliseconds: number = DEFAULT_PASS_TIMEOUT) {}

  /**
   * Calls a function. An endless loop in it is interrupted wherever it is (node:vm's watchdog).
   * @returns what it returned. @throws what it threw; BreachError when it took too long.
   */
  call(pass: () => unknown): unknown {
    const context = (this.context ??= createContext({ pass: undefined }));
    this.script ??= new Script("pass()");
    context["pass"] = pass;
    const { random } = Math;
    Math.random = () => {
      throw new BreachError({ rule: "deterministic", message: "it called Math.random: the same input must give the same code" });
    };
    try {
      return this.script.runInContext(context, { timeout: Math.max(1, Math.ceil(this.milliseconds)) });
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw new BreachError({ rule: "time-limit", message: `it was stopped after ${this.milliseconds} ms: does it end? (passTimeout, --pass-timeout)` });
    } finally {
      Math.random = random;
    }
  }
}

/** A pass edits in place, at once, and returns nothing. */
export function checkReturned(value: unknown): Breach | undefined {
  if (value === undefined) return undefined;
  if (isThenable(value)) return { rule: "synchronous", message: "run returned a promise: a pass of this stage does all its work before it returns" };
  const what = value instanceof Func ? "a function of the IR" : Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : String(value);
  return { rule: "returns-nothing", message: `run returned ${what}: a pass edits in place and returns nothing; what changed is read off the version stamps` };
}

export function isThenable(value: unknown): boolean {
  if (typeof (value as { then?: unknown } | null)?.then !== "function") return false;
  // Whatever becomes of it, nobody waits.
  Promise.resolve(value as PromiseLike<unknown>).then(undefined, () => undefined);
  return true;
}

type Fields = Record<string, unknown>;

/** One function, SSA or machine, as it was before a pass. */
export class Guard<T extends Func | MFunc> {
  readonly before: Snapshot<T>;
  private readonly fieldCount: number;
  /** Columns behind the rows in use. */
  private readonly tails: Column[];

  constructor(readonly fn: T) {
    this.before = new Snapshot(fn);
    this.fieldCount = Object.keys(fn).length;
    const fields = fn as unknown as Fields;
    this.tails = this.shape.map(({ name, count }) => (fields[name] as Column).slice(fields[count] as number));
    const rows = Math.max(...this.shape.map(({ count }) => fields[count] as number));
    fn.growthLimit = Math.max(GROWTH_ROWS, GROWTH_TIMES * rows);
  }

  private get shape() {
    return (this.fn instanceof Func ? funcShape : mfuncShape).columns;
  }

  /** What is broken in how the function is stored. Nothing else may look at it before this says that nothing is. */
  stored(): Breach[] {
    const { fn } = this;
    fn.growthLimit = Infinity;
    const fields = fn as unknown as Fields;
    const old = this.before.open() as unknown as Fields;
    const breaches: Breach[] = [];
    this.shape.forEach(({ name, count, kind }, i) => {
      const column = fields[name];
      const rows = fields[count] as number;
      if (!(column instanceof kind)) return breaches.push({ rule: "column", message: `fn.${name} is no ${kind.name} any more` });
      if (!Number.isInteger(rows) || rows < 0 || rows > column.length) {
        // edgeMark is scratch, made when first needed.
        return name === "edgeMark" || breaches.push({ rule: "column", message: `fn.${count} is ${String(rows)}, fn.${name} has room for ${column.length}` });
      }
      if (rows < (old[count] as number)) return breaches.push({ rule: "column", message: `fn.${count} was ${String(old[count])} and is ${rows}: rows are never taken away` });
      if (name === "edgeMark") return undefined;
      const tail = this.tails[i]!;
      const from = old[count] as number;
      for (let row = rows; row < Math.min(column.length, from + tail.length); row++) {
        if (column[row] !== tail[row - from]) return breaches.push({ rule: "beyond", message: `fn.${name}[${row}] was written, but fn.${count} is ${rows}: there is no such row` });
      }
      return undefined;
    });
    if (Object.keys(fn).length !== this.fieldCount) breaches.push({ rule: "fields", message: "it put a field of its own on the function: keep data in arrays by value or block" });
    for (const name of ["index", "sig", "name", "allocated"]) {
      if (fields[name] !== old[name]) breaches.push({ rule: "identity", message: `fn.${name} was ${text(old[name])} and is ${text(fields[name])}: it is not the pass's to change` });
    }
    return breaches;
  }

  /** Changes that no stamp tells of. For a function of SSA in which nothing is broken. */
  unstamped(): Breach[] {
    const { fn } = this;
    const old = this.before.open();
    if (!(fn instanceof Func) || !(old instanceof Func)) return [];
    if (fn.valueVersion < old.valueVersion || fn.cfgVersion < old.cfgVersion) return [{ rule: "stamp", message: "a version stamp went back: analyses would be taken for fresh" }];
    if (fn.cfgVersion !== old.cfgVersion) return [];
    const valueStamp = fn.valueVersion !== old.valueVersion;
    const found = difference(fn, old, valueStamp ? cfgColumns : undefined);
    if (!found) return [];
    const stamp = valueStamp ? "cfgVersion" : "valueVersion";
    return [{ rule: "stamp", message: `${found.what}, and ${valueStamp ? "" : "no stamp told, "}fn.${stamp} did not move: use a mutator, or bump the stamp`, value: found.value }];
  }
}

/** The columns that `cfgVersion` stands for. */
const cfgColumns = new Set(["blockNext", "blockPrev", "paramCount", "firstPred", "lastPred", "edgeFrom", "edgeTo", "edgeNextPred", "edgePrevPred", "edgeTable"]);

function difference(fn: Func, old: Func, only: ReadonlySet<string> | undefined): { what: string; value: number } | undefined {
  const fields = fn as unknown as Fields;
  const was = old as unknown as Fields;
  for (const { name, count } of funcShape.columns) {
    if (name === "edgeMark" || (only && !only.has(name))) continue;
    const [column, before] = [fields[name] as Column, was[name] as Column];
    for (let row = 0; row < Math.max(fields[count] as number, was[count] as number); row++) {
      if (column[row] !== before[row]) return { what: `fn.${name}[${row}] was ${before[row]} and is ${column[row]}`, value: count === "valueCount" ? row : NONE };
    }
  }
  for (const name of ["entry", "firstBlock", "lastBlock", ...(only ? [] : ["sigIndex", "valueCount", "blockCount", "edgeCount"])]) {
    if (fields[name] !== was[name]) return { what: `fn.${name} was ${String(was[name])} and is ${String(fields[name])}`, value: NONE };
  }
  for (let b = fn.firstBlock; only && b !== NONE; b = fn.blockNext[b]!) {
    const t = fn.lastInst[b]! as Value;
    if (t !== old.lastInst[b] || fn.op[t] !== old.op[t] || fn.imm[t] !== old.imm[t] || fn.imm2[t] !== old.imm2[t]) return { what: `the terminator of b${b} changed`, value: t };
  }
  return undefined;
}

function text(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** A number for what a function holds: different ones for different contents, but for chance. Linear. */
export function fingerprint(fn: Func): number {
  const fields = fn as unknown as Fields;
  let hash = Math.imul(fn.valueVersion, 31) + fn.cfgVersion;
  for (const { name, count } of funcShape.columns) {
    if (name === "edgeMark") continue;
    const column = fields[name] as Column;
    const rows = Math.min(fields[count] as number, column.length);
    for (let i = 0; i < rows; i++) hash = Math.imul(hash ^ column[i]!, 0x01000193);
  }
  return hash;
}

/** The functions that a pass is not working on: nobody writes to them meanwhile. */
export class Bystanders {
  private readonly prints: number[];

  constructor(private readonly funcs: readonly Func[]) {
    this.prints = funcs.map(fingerprint);
  }

  /** Before function `i`: whether it is as it was left. */
  untouched(i: number): boolean {
    return fingerprint(this.funcs[i]!) === this.prints[i];
  }

  /** Behind function `i`: it is as it shall be. */
  left(i: number): void {
    this.prints[i] = fingerprint(this.funcs[i]!);
  }
}

/** What a pass may not do to the declarations, though they verify: functions keep their places, bodies and signatures. */
export function checkDecls(before: Module, after: Module): Breach[] {
  const breaches: Breach[] = [];
  const fail = (message: string) => breaches.push({ rule: "declarations", message });
  const spaces = { func: "funcs", table: "tables", memory: "memories", global: "globals" } as const;
  for (const [kind, name] of Object.entries(spaces)) {
    if (!Array.isArray(after[name])) fail(`module.${name} is no array any more`);
    else if (after[name].length < before[name].length) fail(`module.${name} had ${before[name].length} entries and has ${after[name].length}: no ${kind} can be taken away, code may name it`);
  }
  if (breaches.length > 0) return breaches;
  before.funcs.forEach((old, i) => {
    const now = after.funcs[i]!;
    if (now.imported !== old.imported || now.bodyStart !== old.bodyStart || now.bodyEnd !== old.bodyEnd || now.name !== old.name) fail(`@${i} is another function than before: functions keep their indices`);
    else {
      const [was, is] = [before.types[old.type], after.types[now.type]];
      if (was && is && funcTypeKey(was) !== funcTypeKey(is)) fail(`the signature of @${i} changed: callers and the body rely on it`);
    }
  });
  before.globals.forEach((old, i) => {
    const now = after.globals[i]!;
    if (now.type !== old.type || now.imported !== old.imported) fail(`g${i} is another global than before: globals keep their indices and types`);
  });
  return breaches;
}

/** The declarations to look at: whoever writes is told where declarations are edited. */
export function readOnly<T extends object>(target: T, seen = new WeakMap<object, object>()): T {
  const known = seen.get(target);
  if (known) return known as T;
  const refuse = (_: object, key: string | symbol): never => {
    throw new BreachError({ rule: "declarations", message: `it wrote module...${String(key)} while functions rely on it: declarations are edited in begin, or by a pass of scope module` });
  };
  const proxy = new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value === "function") return Array.isArray(object) || object instanceof Map ? (object instanceof Map ? value.bind(object) : value) : value.bind(proxy);
      if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
      const property = Reflect.getOwnPropertyDescriptor(object, key);
      if (property && !property.configurable && !property.writable && !property.get) return value;
      return readOnly(value, seen);
    },
    set: refuse,
    deleteProperty: refuse,
    defineProperty: refuse,
  });
  seen.set(target, proxy);
  return proxy as T;
}

/**
 * An analysis's result that may be used while it is fresh. What is copied out of it (`{ ...dom }`, `dom.idom.slice()`) may be used on.
 * @param current whether the run that asked for it still goes on.
 */
export function freshOnly<T>(result: T, analysis: Analysis<T>, fn: Func, current: () => boolean): T {
  if (typeof result !== "object" || result === null) return result;
  const { cfgVersion, valueVersion } = fn;
  const check = () => {
    const name = `the analysis "${analysis.name}" of @${fn.index}`;
    if (!current()) throw new BreachError({ rule: "stale-analysis", message: `${name} was kept from an earlier run: ask cx.get in each` });
    if (fn.cfgVersion !== cfgVersion || (analysis.depends === "values" && fn.valueVersion !== valueVersion)) {
      throw new BreachError({ rule: "stale-analysis", message: `${name} was used after the function had changed: ask cx.get again, or copy what shall stay as it was` });
    }
  };
  return new Proxy(result as T & object, {
    get(object, key) {
      check();
      const value: unknown = Reflect.get(object, key, object);
      return typeof value === "function" && key !== "constructor" ? (value.bind(object) as unknown) : value;
    },
    ownKeys(object) {
      check();
      return Reflect.ownKeys(object);
    },
  });
}
