// What the host knows about the types of its own objects: signatures, limits, mutability.
//
// The engine has a reflection of types that it shows only to contexts made under a flag; the flag is on for that moment.
// Where it is not to be had, nothing is taken for an object of the host's.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Type, typeName, valueTypes, type FuncType } from "../../ir/types.js";
import { host } from "./host.js";

export interface HostLimits {
  readonly minimum: number;
  readonly maximum?: number;
}

interface HostFuncType {
  readonly parameters: readonly string[];
  readonly results: readonly string[];
}

type TypeGetter<Found> = (object: unknown) => Found;

/** The reflecting methods, each of which throws for what is not of its kind; and the class of functions with a type. */
interface Reflection {
  readonly Function: new (type: HostFuncType, run: Function) => Function;
  readonly func: TypeGetter<HostFuncType>;
  readonly memory: TypeGetter<HostLimits & { readonly address?: string; readonly index?: string }>;
  readonly table: TypeGetter<HostLimits & { readonly element: string; readonly address?: string; readonly index?: string }>;
  readonly global: TypeGetter<{ readonly value: string; readonly mutable: boolean }>;
}

/** Made when first needed. */
class Reflector {
  private made: Reflection | undefined;
  private failed = false;

  get(): Reflection | undefined {
    if (!this.made && !this.failed && host) {
      this.made = reflection();
      this.failed = this.made === undefined;
    }
    return this.made;
  }
}

const reflector = new Reflector();

function reflection(): Reflection | undefined {
  const flag = "experimental-wasm-type-reflection";
  setFlagsFromString(`--${flag}`);
  let fresh: any;
  try {
    fresh = runInNewContext("WebAssembly");
  } finally {
    setFlagsFromString(`--no-${flag}`);
  }
  // V8 11 has WebAssembly.Function.type(f), later ones f.type().
  const { Function: Func, Memory, Table, Global } = fresh ?? {};
  const call = (method: unknown) => (typeof method === "function" ? (object: unknown) => Reflect.apply(method as () => never, object, []) : undefined);
  const func = call(Func?.prototype?.type) ?? (typeof Func?.type === "function" ? (object: unknown) => Func.type(object) : undefined);
  const memory = call(Memory?.prototype?.type);
  const table = call(Table?.prototype?.type);
  const global = call(Global?.prototype?.type);
  return func && memory && table && global ? { Function: Func, func, memory, table, global } : undefined;
}

/** What `getter` says; undefined for an object of another kind. */
function ask<Found>(getter: TypeGetter<Found> | undefined, object: unknown): Found | undefined {
  try {
    return getter?.(object);
  } catch {
    return undefined;
  }
}

/** By the names of the text format; `anyfunc` and `funcref` are one. Undefined for a type beyond Wasm 2.0. */
function typeNamed(name: string): Type | undefined {
  return name === "anyfunc" ? Type.funcref : valueTypes.find((info) => info.name === name)?.type;
}

/** The signature of an exported function of the host's; undefined for another value, and for types we do not have. */
export function funcTypeOf(value: unknown): FuncType | undefined {
  if (typeof value !== "function") return undefined;
  const type = ask(reflector.get()?.func, value);
  if (!type) return undefined;
  const params = type.parameters.map(typeNamed);
  const results = type.results.map(typeNamed);
  return params.includes(undefined) || results.includes(undefined) ? undefined : { params: params as Type[], results: results as Type[] };
}

/** A function of the host's class, with a type, that calls `run`. */
export function hostFunction(sig: FuncType, run: Function): Function {
  const reflection = reflector.get();
  if (!reflection) throw new TypeError("this host has no way to make a WebAssembly function of one of JavaScript");
  const names = (types: readonly Type[]) => types.map((type) => (type === Type.funcref ? "anyfunc" : typeName(type)));
  return new reflection.Function({ parameters: names(sig.params), results: names(sig.results) }, run);
}

/** Limits of a memory of the host's, in pages; undefined for another value, and for 64-bit memories. */
export function memoryTypeOf(value: unknown): HostLimits | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const type = ask(reflector.get()?.memory, value);
  return type && (type.address ?? type.index ?? "i32") === "i32" ? type : undefined;
}

/** The same for a table. */
export function tableTypeOf(value: unknown): (HostLimits & { readonly elem: Type.funcref | Type.externref }) | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const type = ask(reflector.get()?.table, value);
  if (!type || (type.address ?? type.index ?? "i32") !== "i32") return undefined;
  const elem = typeNamed(type.element);
  return elem === Type.funcref || elem === Type.externref ? { ...type, elem } : undefined;
}

export function globalTypeOf(value: unknown): { readonly type: Type; readonly mutable: boolean } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = ask(reflector.get()?.global, value);
  const type = found && typeNamed(found.value);
  return type === undefined ? undefined : { type, mutable: found!.mutable };
}

/** Whether the host surrounds its memories with guard pages as large as ours: it does where it handles faults itself. */
export function guardsMemories(): boolean {
  const options = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  return !options.some((option) => /^--(disable|no)-?wasm[-_]trap[-_]handler$/.test(option));
}
