// A Wasm module compiled for arm64, as far as the bulk runner can hold one: no imports, one memory, one table of functions.
//
// Memory, globals and table are as instantiation would leave them.
import { Op, opInfo } from "../../../../ir/ops.js";
import { compileSync, decodeModule, translateFunction, type FuncIndex, type Compilation, type CompileOptions } from "../../../../pipeline/index.js";
import type { ConstExpr } from "../../../../ir/module.js";
import { PAGE_BYTES } from "../../../../ir/layout.js";
import type { Program } from "./bulk.js";

/** For ARMv8.0, verified and checked at every step. */
export function compileForArm64(bytes: Uint8Array, options: CompileOptions = {}): Compilation {
  return compileSync(bytes, { target: "arm64", features: [], verify: true, check: true, ...options });
}

function bits(expr: ConstExpr): bigint {
  const op = expr[0]!;
  if ("lo" in op) return (BigInt(op.hi >>> 0) << 32n) | BigInt(op.lo >>> 0);
  if (op.op === "ref.null") return 0n;
  throw new Error(`a program of this runner has no ${op.op} in constant expressions`);
}

/** Ops that JS carries out. */
const builtins = new Set([Op.table_grow, Op.table_fill, Op.table_copy, Op.table_init, Op.elem_drop, Op.memory_grow, Op.memory_init, Op.data_drop]);

/** Why a module is more than the bulk runner holds; undefined when it is not. */
export function tooMuch(bytes: Uint8Array): string | undefined {
  const module = decodeModule(bytes);
  if (module.imports.length > 0) return "imports";
  if (module.start !== undefined) return "a start function";
  if (module.tables.length > 1 || module.memories.length > 1) return "several tables or memories";
  const constants = [...module.globals.map((global) => global.init!), ...[...module.datas, ...module.elems].flatMap(({ mode }) => (mode.mode === "active" ? [mode.offset] : []))];
  if (constants.some((expr) => expr.length > 1 || !("lo" in expr[0]! || expr[0]!.op === "ref.null"))) return "references in globals";
  for (let i = module.importedFuncCount; i < module.funcs.length; i++) {
    const fn = translateFunction(module, i as FuncIndex);
    for (let v = 0; v < fn.valueCount; v++) if (builtins.has(fn.op[v]!)) return opInfo[fn.op[v]!]!.name;
  }
  return undefined;
}

export function programOf({ module, layout, code }: Compilation): Program {
  if (module.imports.length > 0 || module.tables.length > 1 || module.memories.length > 1) throw new Error("more than this runner holds: imports, tables or memories");
  const memory = new Uint8Array((module.memories[0]?.limits.min ?? 0) * PAGE_BYTES);
  for (const { mode, bytes } of module.datas) if (mode.mode === "active") memory.set(bytes, Number(BigInt.asUintN(32, bits(mode.offset))));
  const table: number[] = new Array<number>(module.tables[0]?.limits.min ?? 0).fill(-1);
  for (const { mode, init } of module.elems) {
    if (mode.mode !== "active") continue;
    const at = Number(BigInt.asUintN(32, bits(mode.offset)));
    init.forEach((expr, i) => (table[at + i] = expr[0]!.op === "ref.func" ? expr[0]!.func : -1));
  }
  return { module, layout, code: code!, memory, globals: module.globals.map((g) => bits(g.init!)), table, backtraces: true };
}
