// Reads what a module imports from an import object, in the order and with the errors of the JS API ("read the imports").
//
// Every property is read before anything is linked. What can be seen of a value alone is checked here; whether types and
// limits match is the linker's business.
import type { Import, Module } from "../../ir/module.js";
import { Type, typeName } from "../../ir/types.js";
import { LinkError } from "./errors.js";
import { runtimeGlobal } from "./global.js";
import { refuse } from "./idl.js";
import { runtimeMemory } from "./memory.js";
import { runtimeTable } from "./table.js";

/** `Import #2 "env" "memory"`: how messages name an import. */
export function nameImport(module: Module, item: Pick<Import, "module" | "name">): string {
  const position = module.imports.findIndex((other) => other.module === item.module && other.name === item.name);
  return `Import #${position} "${item.module}" "${item.name}"`;
}

/**
 * What a pass provides for its own imports is none of the program's business.
 * @returns for each import a function, or `Memory`, `Table`, `Global` of the runtime, or a Number or BigInt for a global.
 * @throws TypeError where there is no object to read from; LinkError for values of the wrong kind; whatever getters throw.
 */
export function readImports(module: Module, importObject: unknown, where: string): unknown[] {
  if (importObject === undefined) {
    if (module.imports.every((item) => item.provided !== undefined)) return module.imports.map((item) => item.provided);
    refuse(where, "Imports argument must be present and must be an object");
  }
  if (!isObject(importObject)) refuse(where, "Argument 1 must be an object");
  return module.imports.map((item) => {
    if (item.provided !== undefined) return item.provided;
    const namespace = importObject[item.module];
    if (!isObject(namespace)) refuse(where, `${nameImport(module, item)}: module is not an object or function`);
    return importedValue(module, item, namespace[item.name], where);
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function importedValue(module: Module, item: Import, value: unknown, where: string): unknown {
  const fail = (sentence: string): never => {
    throw new LinkError(`${where}: ${nameImport(module, item)}: ${sentence}`);
  };
  switch (item.kind) {
    case "func":
      return typeof value === "function" ? value : fail("function import requires a callable");
    case "memory":
      return runtimeMemory(value) ?? fail("memory import must be a WebAssembly.Memory object");
    case "table":
      return runtimeTable(value) ?? fail("table import requires a WebAssembly.Table");
    case "global": {
      const global = runtimeGlobal(value);
      if (global) return global;
      const { type, mutable } = module.globals[item.index]!;
      if (mutable) return fail("imported mutable global must be a WebAssembly.Global object");
      if (type === Type.externref || value === null) return value;
      if (type === Type.i64 ? typeof value !== "bigint" : type !== Type.funcref && typeof value !== "number") {
        return fail(`global import must be a ${type === Type.i64 ? "BigInt" : "number"} or a WebAssembly.Global object of type ${typeName(type)}`);
      }
      return value;
    }
  }
}
