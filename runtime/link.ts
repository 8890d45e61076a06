// Instantiation: imports are matched, then everything is allocated, then initialized in the order of the specification.
//
// No check is left for later: after matching, only initializers (segments out of bounds) and the start function can fail,
// and what they have written by then stays written, as Wasm 2.0 has it.
import type { FuncIndex, GlobalIndex } from "../ir/entity.js";
import type { Import, Limits } from "../ir/module.js";
import { InterpTrap } from "../ir/interp-env.js";
import { MAX_GROWN_PAGES, trapInfo } from "../ir/layout.js";
import { funcTypeKey, isRef, printFuncType, Type, typeName, type FuncType } from "../ir/types.js";
import { callFunc } from "./call.js";
import { isNative, type CompiledModule } from "./compiled.js";
import { funcInstanceOf, type FuncInstance, type HostCode } from "./func.js";
import { Global } from "./global.js";
import { Instance, type LinkedImports } from "./instance.js";
import type { Mirror } from "./mirror.js";
import { Memory, type AddressType } from "./memory.js";
import { nativeFunctionOf, type NativeFunction } from "./native-function.js";
import { defaultStore, type Store } from "./store.js";
import { Table } from "./table.js";
import { Trap } from "./trap.js";

/** `imports[module][name]`: functions, `Memory`, `Table`, `Global`, or a number or BigInt for an immutable global. */
export type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** An import is missing or of the wrong type. `message` names it, what was expected and what was found. */
export class LinkError extends Error {
  override readonly name = "LinkError";

  constructor(
    readonly module: string,
    readonly importName: string,
    what: "unknown import" | "incompatible import type",
    /** What was expected and what was found. */
    readonly detail: string,
  ) {
    super(`${what}: "${module}" "${importName}": ${detail}`);
  }
}

/**
 * Makes an instance of a compiled module.
 * @param store where it lives; instances link only within one store.
 * @throws LinkError; Trap from a segment out of bounds or the start function; what a host start function threw; RangeError without memory.
 */
export function instantiate(compiled: CompiledModule, imports: Imports = {}, store: Store = defaultStore()): Instance {
  const values = compiled.module.imports.map((item) => item.provided ?? lookUp(item, imports, () => expected(item, compiled)));
  return instantiateValues(compiled, values, store);
}

/** The same with the imports' values in the order of the module's imports. `mirrors` are those among them. */
export function instantiateValues(compiled: CompiledModule, values: readonly unknown[], store: Store, mirrors?: readonly Mirror[]): Instance {
  const { module } = compiled;
  const { thread } = store;
  if (compiled.code && compiled.code.target !== compiled.stubs?.target) throw new Error("compiled code comes with its target's stubs");
  if (isNative(compiled) && compiled.stubs!.architecture !== process.arch) {
    throw new Error(`the module was compiled for ${compiled.stubs!.target}, which this host (${process.arch}) cannot run`);
  }
  const relyOnGuards = isNative(compiled) && compiled.bounds === "guard";
  if (relyOnGuards && !thread.options.handleSignals) {
    throw new Error("the module was compiled to rely on guard pages, but this thread does not handle signals: compile it with explicit bounds checks");
  }
  const linked = matchImports(compiled, values, store);
  thread.reclaim.makeRoom();
  const instance = new Instance(store, compiled, linked);
  instance.mirrors = mirrors;
  if (module.types.some((sig) => sig.params.includes(Type.funcref))) store.joinRefTakers(instance);
  for (const { imported, limits } of module.memories) {
    if (imported) continue;
    const memory = new Memory({ initial: limits.min, maximum: limits.max, guards: relyOnGuards ? true : undefined });
    instance.addMemory(memory);
  }
  for (const { imported, elem, limits } of module.tables) {
    if (!imported) instance.addTable(new Table({ element: elem === Type.externref ? "externref" : "funcref", initial: limits.min, maximum: limits.max }, null, store));
  }
  instance.initGlobals();
  for (const listener of module.onInstantiate) listener(instance);
  try {
    initSegments(instance);
  } catch (error) {
    throw error instanceof InterpTrap ? new Trap(trapInfo[error.kind].name, error.detail, []) : error;
  }
  if (module.start !== undefined) callFunc(instance.func(module.start), []);
  instance.exports = exportsOf(instance);
  return instance;
}

function initSegments(instance: Instance): void {
  const { elems, datas } = instance.module;
  elems.forEach(({ mode, init }, i) => {
    if (mode.mode === "active") instance.tableInit(i, mode.target, instance.offset(mode.offset), 0, init.length);
    if (mode.mode !== "passive") instance.elemDrop(i);
  });
  datas.forEach(({ mode, bytes }, i) => {
    if (mode.mode !== "active") return;
    instance.memoryInit(i, mode.target, instance.offset(mode.offset), 0, bytes.length);
    instance.dataDrop(i);
  });
}

function exportsOf(instance: Instance): Readonly<Record<string, unknown>> {
  const exports = Object.create(null) as Record<string, unknown>;
  for (const { name, kind, index } of instance.module.exports) {
    exports[name] =
      kind === "func" ? instance.func(index).object : kind === "memory" ? instance.memories[index] : kind === "table" ? instance.tables[index] : instance.global(index);
  }
  return Object.freeze(exports);
}

function matchImports(compiled: CompiledModule, values: readonly unknown[], store: Store): LinkedImports {
  const { module } = compiled;
  const funcs = new Map<FuncIndex, FuncInstance | HostCode | NativeFunction>();
  const tables: Table[] = [];
  const memories: Memory[] = [];
  const globals = new Map<GlobalIndex, Global>();
  for (const [position, item] of module.imports.entries()) {
    const value = values[position];
    const fail = (found: string): never => {
      throw new LinkError(item.module, item.name, "incompatible import type", `expected ${expected(item, compiled)}, found ${found}`);
    };
    switch (item.kind) {
      case "func":
        funcs.set(item.index, matchFunc(value, module.funcType(item.index), compiled, store, fail));
        break;
      case "table": {
        const type = module.tables[item.index]!;
        if (!(value instanceof Table)) return fail(describe(value));
        if (value.store !== store) return fail("a table of another store");
        if (value.address !== "i32" || value.elem !== type.elem || !fits(value.length, value.maximum, type.limits)) return fail(describe(value));
        tables.push(value);
        break;
      }
      case "memory": {
        const type = module.memories[item.index]!;
        if (!(value instanceof Memory)) return fail(describe(value));
        if (value.address !== "i32" || value.shared || !fits(value.pages, value.maximum, type.limits)) return fail(describe(value));
        if (compiled.code && compiled.bounds === "guard" && !value.guards) return fail("a memory without guard pages, on which the compiled code relies");
        if (compiled.code && compiled.bounds === "guard" && value.pages > MAX_GROWN_PAGES && type.limits.min <= MAX_GROWN_PAGES) {
          return fail(`a memory of ${value.pages} pages: code that relies on guard pages takes it only where its declaration says so`);
        }
        memories.push(value);
        break;
      }
      case "global": {
        const { type, mutable } = module.globals[item.index]!;
        globals.set(item.index, matchGlobal(value, type, mutable, store, fail));
        break;
      }
    }
  }
  return { funcs, tables, memories, globals };
}

function lookUp(item: Import, imports: Imports, wanted: () => string): unknown {
  const namespace: unknown = imports[item.module];
  const missing = (what: string): never => {
    throw new LinkError(item.module, item.name, "unknown import", `expected ${wanted()}, found ${what}`);
  };
  if (namespace === undefined || namespace === null || (typeof namespace !== "object" && typeof namespace !== "function")) return missing(`no module "${item.module}" among the imports`);
  const value: unknown = (namespace as Record<string, unknown>)[item.name];
  return value === undefined ? missing("nothing of that name") : value;
}

function matchFunc(value: unknown, sig: FuncType, compiled: CompiledModule, store: Store, fail: (found: string) => never): FuncInstance | HostCode | NativeFunction {
  if (typeof value !== "function") return fail(describe(value));
  const native = nativeFunctionOf(value);
  if (native) return matchNative(native, sig, compiled, fail);
  const func = store.funcOf(value);
  if (!func) return { fn: value as HostCode["fn"], raw: false };
  if (func.store !== store) return fail("a function of another store");
  // Wasm 2.0: the declared type and the definition's are the same.
  if (func.typeId !== store.intern(sig)) return fail(describe(value));
  return func;
}

function matchNative(native: NativeFunction, sig: FuncType, { module, stubs }: CompiledModule, fail: (found: string) => never): NativeFunction {
  if (funcTypeKey(native.sig) !== funcTypeKey(sig)) return fail(describeNative(native));
  if (native.inMemory.includes(true) && module.memories.length === 0) return fail(`${describeNative(native)}, which takes addresses in a memory; the module has none`);
  if (!stubs) return fail(`${describeNative(native)}, which takes a backend for this host (${process.arch})`);
  return native;
}

function describeNative({ library, symbol, signature, sig }: NativeFunction): string {
  return `the native function "${symbol}" of ${library === null ? "this process" : `"${library}"`}, ${signature}, in Wasm ${printFuncType(sig)}`;
}

function matchGlobal(value: unknown, type: Type, mutable: boolean, store: Store, fail: (found: string) => never): Global {
  if (value instanceof Global) {
    if (value.store !== store) return fail("a global of another store");
    if (value.type !== type || value.mutable !== mutable) return fail(describe(value));
    return value;
  }
  if (mutable) return fail(describe(value));
  const fits = isRef(type) ? type === Type.externref || value === null || (typeof value === "function" && store.funcOf(value)?.store === store) : type === Type.i64 ? typeof value === "bigint" : typeof value === "number" && type !== Type.v128;
  if (!fits) return fail(describe(value));
  return Global.make({ value: typeName(type) as "i32" }, value, store);
}

function fits(size: number, maximum: number | undefined, limits: Limits): boolean {
  return size >= limits.min && (limits.max === undefined || (maximum !== undefined && maximum <= limits.max));
}

function expected(item: Import, { module }: CompiledModule): string {
  switch (item.kind) {
    case "func":
      return `function ${printFuncType(module.funcType(item.index as FuncIndex))}`;
    case "table": {
      const { elem, limits } = module.tables[item.index]!;
      return `table of ${typeName(elem)}, ${printLimits(limits.min, limits.max)}`;
    }
    case "memory": {
      const { limits } = module.memories[item.index]!;
      return `memory of ${printLimits(limits.min, limits.max)} pages`;
    }
    case "global": {
      const { type, mutable } = module.globals[item.index]!;
      return `${mutable ? "mutable" : "immutable"} global of ${typeName(type)}`;
    }
  }
}

function describe(value: unknown): string {
  if (value instanceof Table) return `${indexed(value.address)}table of ${typeName(value.elem)}, ${printLimits(value.length, value.maximum)}`;
  if (value instanceof Memory) return `${indexed(value.address)}${value.shared ? "shared " : ""}memory of ${printLimits(value.pages, value.maximum)} pages`;
  if (value instanceof Global) return `${value.mutable ? "mutable" : "immutable"} global of ${typeName(value.type)}`;
  if (typeof value === "function") {
    const native = nativeFunctionOf(value);
    if (native) return describeNative(native);
    const func = funcInstanceOf(value);
    return func ? `function ${printFuncType(func.sig)}` : "a JavaScript function";
  }
  return value === null ? "null" : typeof value === "object" ? "an object that is no memory, table or global" : `a ${typeof value}`;
}

function indexed(address: AddressType): string {
  return address === "i64" ? "64-bit " : "";
}

function printLimits(min: number, max: number | undefined): string {
  return max === undefined ? `${min} or more` : `${min} to ${max}`;
}
