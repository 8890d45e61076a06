// What a run of a module came to, so that runs in different engines can be compared.
//
// The module starts from a fresh instance; what it imports is provided: functions give 0 and are noted with their arguments, memories, tables and
// globals are new. Compared are results, traps, those calls, and the contents of memories and exported globals.
import { createHash } from "node:crypto";
import type { Import, Module } from "../ir/module.js";
import { Type, typeName, type FuncType } from "../ir/types.js";
import { callRaw, funcInstanceOf, Global, instantiate, Memory, Store, Table, Trap, type CompiledModule, type Imports } from "../runtime/index.js";
import { Limiter } from "./guard.js";

export interface Outcome {
  /** As text, exact to the bit but for NaNs. */
  readonly results: readonly string[];
  /** Why there are none. */
  readonly trap: string | undefined;
  /** Calls of imported functions, in order: the first ones, and how many there were. */
  readonly calls: readonly string[];
  readonly callCount: number;
  /** Digests of memories and values of globals, by name. */
  readonly state: ReadonlyMap<string, string>;
}

/** A call of an export. */
export interface Call {
  readonly name: string;
  /** Raw bits, references as JS values. */
  readonly args: readonly unknown[];
  readonly sig: FuncType;
  /** Milliseconds that the interpreter may take. */
  readonly timeout: number;
}

const CALLS_KEPT = 1000;

export function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a.callCount !== b.callCount || a.calls.join() !== b.calls.join() || a.results.join() !== b.results.join()) return false;
  // Other engines have other words for traps.
  if (a.trap !== b.trap && (a.trap === undefined || b.trap === undefined || (a.trap !== "trap" && b.trap !== "trap"))) return false;
  for (const [name, value] of a.state) if (b.state.has(name) && b.state.get(name) !== value) return false;
  return true;
}

export function printOutcome({ results, trap, calls, callCount }: Outcome): string {
  const value = trap !== undefined ? `trap: ${trap}` : results.length === 0 ? "nothing" : results.join(" ");
  return callCount === 0 ? value : `${value}, ${callCount} call${callCount === 1 ? "" : "s"} of imports, the first ${calls[0]}`;
}

class Trace {
  readonly calls: string[] = [];
  count = 0;
  note(item: Import, args: readonly unknown[]): void {
    if (this.count++ < CALLS_KEPT) this.calls.push(`${item.module}.${item.name}(${args.map((arg) => (typeof arg === "object" || typeof arg === "function" ? "ref" : String(arg))).join(", ")})`);
  }
}

/**
 * Runs a module of ours. @param known the declarations as they came in: imports that passes have added are provided, but not noted.
 * @throws Error when the interpreter does not come to an end in time; LinkError.
 */
export function runOurs(compiled: CompiledModule, known: Module, call: Call): Outcome {
  const store = new Store();
  const trace = new Trace();
  const guards = compiled.code !== undefined && compiled.bounds === "guard" ? true : undefined;
  const imports = stubs(compiled.module, known, trace, {
    func: (fn) => fn,
    memory: (initial, maximum) => new Memory({ initial, maximum, guards }),
    table: (element, initial, maximum) => new Table({ element, initial, maximum }, null, store),
    global: (type, mutable, zero) => Global.make({ value: typeName(type) as "i32", mutable }, zero, store),
  });
  const run = (): Outcome => {
    const instance = instantiate(compiled, imports as Imports, store);
    const state = () => {
      const found = new Map<string, string>();
      instance.memories.forEach((memory, i) => found.set(`m${i}`, digest(new Uint8Array(memory.buffer))));
      for (const [name, value] of Object.entries(instance.exports)) {
        if (value instanceof Memory) found.set(`memory ${name}`, digest(new Uint8Array(value.buffer)));
        if (value instanceof Global && value.type !== Type.externref && value.type !== Type.funcref) found.set(`global ${name}`, exact(value.type, value.value));
      }
      return found;
    };
    try {
      const raw = callRaw(funcInstanceOf(instance.exports[call.name] as object)!, call.args as unknown[]);
      return { results: raw.map((bits, i) => resultText(call.sig.results[i]!, bits)), trap: undefined, calls: trace.calls, callCount: trace.count, state: state() };
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      return { results: [], trap: error.kind, calls: trace.calls, callCount: trace.count, state: state() };
    }
  };
  // Native code cannot be stopped; the interpreter can.
  return compiled.code ? run() : (new Limiter(call.timeout).call(run) as Outcome);
}

/** Runs bytes in Node's own engine. */
export function runNode(bytes: Uint8Array, module: Module, call: Call): Outcome {
  const { WebAssembly: node } = globalThis as unknown as { WebAssembly: NodeEngine };
  const trace = new Trace();
  const imports = stubs(module, module, trace, {
    func: (fn) => fn,
    memory: (initial, maximum) => new node.Memory({ initial, ...(maximum !== undefined && { maximum }) }),
    table: (element, initial, maximum) => new node.Table({ element: element === "funcref" ? "anyfunc" : element, initial, ...(maximum !== undefined && { maximum }) }),
    global: (type, mutable, zero) => new node.Global({ value: type === Type.funcref ? "anyfunc" : typeName(type), mutable }, zero),
  });
  const { exports } = new node.Instance(new node.Module(bytes), imports);
  const state = () => {
    const found = new Map<string, string>();
    for (const [name, value] of Object.entries(exports)) {
      if (value instanceof node.Memory) found.set(`memory ${name}`, digest(new Uint8Array((value as { buffer: ArrayBuffer }).buffer)));
      const item = module.exports.find((one) => one.name === name);
      const type = item?.kind === "global" ? module.globals[item.index]!.type : undefined;
      if (type !== undefined && type !== Type.externref && type !== Type.funcref) found.set(`global ${name}`, exact(type, (value as { value: unknown }).value));
    }
    return found;
  };
  try {
    const value = (exports[call.name] as (...args: unknown[]) => unknown)(...call.args.map((bits, i) => valueOf(call.sig.params[i]!, bits)));
    const values = call.sig.results.length > 1 ? (value as unknown[]) : call.sig.results.length === 1 ? [value] : [];
    return { results: values.map((one, i) => exact(call.sig.results[i]!, one)), trap: undefined, calls: trace.calls, callCount: trace.count, state: state() };
  } catch (error) {
    if (!(error instanceof node.RuntimeError) && !(error instanceof RangeError)) throw error;
    return { results: [], trap: "trap", calls: trace.calls, callCount: trace.count, state: state() };
  }
}

interface Makers {
  func(fn: (...args: unknown[]) => unknown): unknown;
  memory(initial: number, maximum: number | undefined): unknown;
  table(element: "funcref" | "externref", initial: number, maximum: number | undefined): unknown;
  global(type: Type, mutable: boolean, zero: unknown): unknown;
}

function stubs(module: Module, known: Module, trace: Trace, make: Makers): Record<string, Record<string, unknown>> {
  const imports: Record<string, Record<string, unknown>> = {};
  const noted = new Set(known.imports.map((item) => `${item.kind} ${item.index}`));
  for (const item of module.imports) {
    const own = (imports[item.module] ??= {});
    switch (item.kind) {
      case "func": {
        const zeros = module.funcType(item.index).results.map(zeroOf);
        const note = noted.has(`func ${item.index}`);
        own[item.name] ??= make.func((...args) => {
          if (note) trace.note(item, args);
          return zeros.length > 1 ? zeros : zeros[0];
        });
        break;
      }
      case "memory":
        own[item.name] ??= make.memory(module.memories[item.index]!.limits.min, module.memories[item.index]!.limits.max);
        break;
      case "table": {
        const { elem, limits } = module.tables[item.index]!;
        own[item.name] ??= make.table(elem === Type.externref ? "externref" : "funcref", limits.min, limits.max);
        break;
      }
      case "global": {
        const { type, mutable } = module.globals[item.index]!;
        own[item.name] ??= make.global(type, mutable, zeroOf(type));
        break;
      }
    }
  }
  return imports;
}

function zeroOf(type: Type): unknown {
  return type === Type.i64 ? 0n : type === Type.externref || type === Type.funcref ? null : 0;
}

/** A JS value of a Wasm type as text. */
function exact(type: Type, value: unknown): string {
  if (type === Type.externref || type === Type.funcref) return value === null ? "null" : "a reference";
  return Object.is(value, -0) ? "-0" : String(value);
}

function resultText(type: Type, bits: unknown): string {
  return exact(type, valueOf(type, bits));
}

const view = new DataView(new ArrayBuffer(8));

/** Raw bits as the JS API has them. */
function valueOf(type: Type, bits: unknown): unknown {
  if (typeof bits !== "bigint") return bits;
  view.setBigUint64(0, BigInt.asUintN(64, bits), true);
  return type === Type.i32 ? view.getInt32(0, true) : type === Type.f32 ? view.getFloat32(0, true) : type === Type.f64 ? view.getFloat64(0, true) : view.getBigInt64(0, true);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What is used of `WebAssembly`. */
interface NodeEngine {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
  Memory: new (descriptor: object) => object;
  Table: new (descriptor: object) => object;
  Global: new (descriptor: object, value: unknown) => object;
  RuntimeError: new () => Error;
}
