// A Wasm module compiled for arm64, as far as the bulk runner can hold one: no imports, one memory, one table of functions.
//
// Memory, globals and table are as instantiation would leave them.
import { compileSync, type Compilation, type CompileOptions } from "../../../../pipeline/index.js";
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
