// `WebAssembly.Instance`: reads the imports, links, starts, and shows what is exported.
import type { FuncIndex } from "../../ir/entity.js";
import type { Module as IrModule } from "../../ir/module.js";
import { sameFuncType } from "../../ir/types.js";
import type { CompiledModule } from "../compiled.js";
import { Global as RuntimeGlobal } from "../global.js";
import { instantiateValues, LinkError as RuntimeLinkError } from "../link.js";
import { Memory as RuntimeMemory } from "../memory.js";
import { entering, leaving, type Mirror } from "../mirror.js";
import { nativeFunctionOf } from "../native-function.js";
import { defaultStore } from "../store.js";
import { Table as RuntimeTable } from "../table.js";
import { LinkError } from "./errors.js";
import { globalObject } from "./global.js";
import { exposeInterface, refuse } from "./idl.js";
import { nameImport, readImports } from "./imports.js";
import { memoryObject } from "./memory.js";
import { mirrorsOf } from "./mirror.js";
import type { Module, Modules } from "./module.js";
import { internalSlot } from "./slot.js";
import { tableObject } from "./table.js";

export type Exports = Readonly<Record<string, any>>;

const exportsObject = internalSlot<Exports>();

export interface Instance {
  readonly exports: Exports;
}

export interface InstanceClass {
  new (module: Module, importObject?: object): Instance;
  readonly prototype: Instance;
}

/** The class Instance over modules, and the way to an instance whose imports have been read already. */
export interface Instances {
  readonly Instance: InstanceClass;
  instanceOf(compiled: CompiledModule, values: readonly unknown[], where: string): Instance;
}

export function instancesOf({ compiledOf }: Modules): Instances {
  class Instance {
    /** @throws TypeError, LinkError from imports; RuntimeError, or what a host function threw, from segments and the start function. */
    constructor(module: Module, ...imports: [importObject?: object]) {
      const where = "WebAssembly.Instance()";
      const compiled = compiledOf(module) ?? refuse(where, "Argument 0 must be a WebAssembly.Module");
      initialize(this, compiled, readImports(compiled.module, imports[0], where), where);
    }

    get exports(): Exports {
      return exportsObject.get(this) ?? refuse("WebAssembly.Instance.exports", "Receiver is not a WebAssembly.Instance");
    }
  }
  exposeInterface("Instance", Instance);
  return { Instance, instanceOf: (compiled, values, where) => initialize(Object.create(Instance.prototype) as Instance, compiled, values, where) };
}

function initialize<Shown extends Instance>(object: Shown, compiled: CompiledModule, values: readonly unknown[], where: string): Shown {
  exportsObject.set(object, exportsOf(link(compiled, values, where)));
  return object;
}

function link(compiled: CompiledModule, values: readonly unknown[], where: string): Readonly<Record<string, unknown>> {
  const mirrors = mirrorsOf(values);
  const { module } = compiled;
  try {
    if (mirrors.length === 0) return instantiateValues(compiled, values, defaultStore()).exports;
    const run = () => instantiateValues(compiled, values.map((value, i) => leavingValue(module, i, value, mirrors)), defaultStore(), mirrors).exports;
    return entering(mirrors, run)() as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof RuntimeLinkError)) throw error;
    throw new LinkError(`${where}: ${nameImport(module, { module: error.module, name: error.importName })}: ${error.detail}`);
  }
}

/** Functions of JS, and the host's where their type is right, are called through the mirrors. */
function leavingValue(module: IrModule, position: number, value: unknown, mirrors: readonly Mirror[]): unknown {
  if (typeof value !== "function" || nativeFunctionOf(value)) return value;
  const func = defaultStore().funcOf(value);
  const { index } = module.imports[position]!;
  if (func && !(func.host && sameFuncType(func.sig, module.funcType(index as FuncIndex)))) return value;
  return leaving(mirrors, value as () => unknown);
}

function exportsOf(exports: Readonly<Record<string, unknown>>): Exports {
  const shown = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(exports)) {
    const value = exports[name];
    shown[name] =
      value instanceof RuntimeMemory ? memoryObject(value) : value instanceof RuntimeTable ? tableObject(value) : value instanceof RuntimeGlobal ? globalObject(value) : value;
  }
  return Object.freeze(shown);
}
