// Names of the vm-context's fields by offset: what `[context + 0x70]` in a disassembly means.
import { ImportedFunc, VmCtx, type VmLayout } from "../../ir/layout.js";
import type { Module } from "../../ir/module.js";
import { funcLabel } from "./wasm.js";

const header: readonly (readonly [VmCtx, string])[] = [
  [VmCtx.exec, "exec"],
  [VmCtx.stackLimit, "stack limit"],
  [VmCtx.memory0Base, "base of m0"],
  [VmCtx.trapExit, "trap exit"],
  [VmCtx.builtin, "builtin"],
  [VmCtx.memmove, "memmove"],
  [VmCtx.memset, "memset"],
  [VmCtx.trapValue, "trap value"],
  [VmCtx.hostFunc, "host function"],
  [VmCtx.instance, "instance"],
];

const importFields: readonly (readonly [ImportedFunc, string])[] = [
  [ImportedFunc.code, "code"],
  [ImportedFunc.ctx, "context"],
  [ImportedFunc.ref, "reference"],
];

/** Offset in the vm-context => name. Linear in the declarations. */
export function contextFields(module: Module, layout: VmLayout): ReadonlyMap<number, string> {
  const names = new Map<number, string>(header);
  module.globals.forEach(({ imported }, i) => names.set(layout.globals + i * 16, imported ? `address of g${i}` : `g${i}`));
  module.tables.forEach((_, i) => names.set(layout.tables + i * 8, `header of T${i}`));
  module.memories.forEach((_, i) => names.set(layout.memories + i * 8, `header of m${i}`));
  module.types.forEach((_, i) => names.set(layout.typeIds + i * 4, `type id of t${i}`));
  for (const index of module.importedFuncs()) {
    for (const [offset, field] of importFields) names.set(layout.importedFunc(index) + offset, `${field} of ${funcLabel(module, index)}`);
  }
  layout.refFuncs.forEach((index, slot) => names.set(layout.refs + slot * 8, `reference to ${funcLabel(module, index)}`));
  return names;
}
