// The `WebAssembly` object: everything of the JS API that belongs to Wasm 2.0, over a compiler given from above.
//
// Classes that need no compiler are the same in every namespace, so that objects of one pass for another's.
// Reference: WebAssembly JavaScript Interface, and Web API for the streaming functions.
import { compileFunctions, type CompileFunctions } from "./compile.js";
import { CompileError, LinkError, RuntimeError } from "./errors.js";
import { Global } from "./global.js";
import { HOST, host } from "./host.js";
import { globalTypeOf, memoryTypeOf, tableTypeOf } from "./host-types.js";
import { exposeInterface } from "./idl.js";
import { instancesOf, type InstanceClass } from "./instance.js";
import { Memory } from "./memory.js";
import { modulesOf, type Compiler, type ModuleClass } from "./module.js";
import { Table } from "./table.js";

export type { Compiler, ModuleExport, ModuleImport } from "./module.js";

/** The classes that need no compiler; beside each, whether a value is of the host's class of that name. */
const interfaces = { Memory, Table, Global } as const;
const hosts: Readonly<Record<keyof typeof interfaces, (value: unknown) => boolean>> = {
  Memory: (value) => memoryTypeOf(value) !== undefined,
  Table: (value) => tableTypeOf(value) !== undefined,
  Global: (value) => globalTypeOf(value) !== undefined,
};
const errors = { CompileError, LinkError, RuntimeError } as const;

type Interfaces = typeof interfaces & typeof errors & { readonly Module: ModuleClass; readonly Instance: InstanceClass };

export interface WebAssemblyNamespace extends CompileFunctions, Interfaces {
  readonly [Symbol.toStringTag]: "WebAssembly";
}

/** Makes a `WebAssembly` object that compiles with `compiler`. */
export function createWebAssembly(compiler: Compiler): WebAssemblyNamespace {
  for (const name of Object.keys(interfaces) as (keyof typeof interfaces)[]) exposeInterface(name, interfaces[name], hosts[name]);
  const modules = modulesOf(compiler);
  const instances = instancesOf(modules);
  const namespace = { ...compileFunctions(compiler, modules, instances) };
  const classes = { Module: modules.Module, Instance: instances.Instance, ...interfaces, ...errors };
  for (const [name, value] of Object.entries(classes)) {
    Object.defineProperty(namespace, name, { value, writable: true, configurable: true });
  }
  Object.defineProperty(namespace, HOST, { value: host });
  Object.defineProperty(namespace, Symbol.toStringTag, { value: "WebAssembly", configurable: true });
  return namespace as unknown as WebAssemblyNamespace;
}
