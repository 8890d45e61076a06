// JS code made for a signature: what an exported function does around its entry stub, and what a host function gets and gives.
//
// Values cross in the slots of the exec-context, so all that is left to say is which cell takes which argument. The text
// says it without loops and without arrays, so V8 inlines it into the caller. It is compiled by `vm.compileFunction`, which
// works where code from strings is forbidden. Everything else (coercion that may run code of the user's, funcref, v128, raw bits, very many
// parameters) goes the general way of call.ts.
import { compileFunction } from "node:vm";
import { Exec, Outcome, SLOT_BYTES } from "../ir/layout.js";
import { funcTypeKey, Type, type FuncType } from "../ir/types.js";
import { callFunc } from "./call.js";
import type { ExecContext } from "./exec-context.js";
import type { Externs } from "./externref.js";
import type { FuncInstance } from "./func.js";
import type { Holder } from "./holder.js";
import { doubleOf } from "./native-heap.js";
import { SHIM_SCRIPT } from "./stack-text.js";

type AnyFunction = (...args: unknown[]) => unknown;
type MakeExported = (func: FuncInstance, holder: Holder, code: number, ctx: number, externs: Externs) => AnyFunction;
type MakeServer = (fn: AnyFunction, externs: Externs) => () => void;

/** Parameters and results of a shim at most, and parameters that it coerces itself. */
const MAX_VALUES = 16;
const MAX_COERCED = 3;

/** How a value of a type stands in its slot: the view, and what `typeof` says of a JS value that needs no coercion. */
const access: Readonly<Partial<Record<Type, { readonly cells: "i32" | "i64" | "f32" | "f64"; readonly bytes: number; readonly typeOf: string }>>> = {
  [Type.i32]: { cells: "i32", bytes: 4, typeOf: "number" },
  [Type.i64]: { cells: "i64", bytes: 8, typeOf: "bigint" },
  [Type.f32]: { cells: "f32", bytes: 4, typeOf: "number" },
  [Type.f64]: { cells: "f64", bytes: 8, typeOf: "number" },
};

function slot(i: number, bytes: number): number {
  return (Exec.slots + i * SLOT_BYTES) / bytes;
}

function read(type: Type, i: number): string {
  const row = access[type];
  return row ? `${row.cells}[${slot(i, row.bytes)}]` : `externs.read(i32, ${slot(i, 4)})`;
}

function write(type: Type, i: number, value: string): string {
  const row = access[type];
  return row ? `${row.cells}[${slot(i, row.bytes)}] = ${value};` : `externs.write(i32, ${slot(i, 4)}, ${value});`;
}

/** Makes primitives the numbers they stand for; `general` where code of the user's may run. BigInts and symbols throw, as they should. */
function coerce(params: readonly Type[], general: string): string[] {
  const kinds = params.map((type) => access[type]?.typeOf);
  const other = kinds.flatMap((kind, i) => (kind ? [`typeof p${i} !== "${kind}"`] : []));
  // A shim that is too large would not be inlined.
  if (params.length > MAX_COERCED) return other.length > 0 ? [`  if (${other.join(" || ")}) ${general}`] : [];
  return kinds.flatMap((kind, i) => {
    if (kind === "bigint") return [`  if (typeof p${i} !== "bigint") ${general}`];
    if (kind === undefined) return [];
    return [`  if (typeof p${i} !== "number") { if (typeof p${i} === "function" || (typeof p${i} === "object" && p${i} !== null)) ${general} p${i} = +p${i}; }`];
  });
}

function fits(types: readonly Type[]): boolean {
  return types.length <= MAX_VALUES && types.every((type) => type === Type.externref || access[type] !== undefined);
}

function exportedText({ params, results }: FuncType): string {
  const names = params.map((_, i) => `p${i}`).join(", ");
  const values = results.map(read).join(", ");
  return [
    `"use strict"; return (func, holder, code, ctx, externs) => (${names}) => {`,
    ...coerce(params, `return callFunc(func, [${names}]);`),
    `  const start = f64[${Exec.wasmSp / 8}];`,
    ...params.map((type, i) => `  ${write(type, i, `p${i}`)}`),
    `  f64[${Exec.entryCode / 8}] = code;`,
    `  f64[${Exec.entryCtx / 8}] = ctx;`,
    "  enter();",
    // Set back here and not in `settle`, which may be what a JS stack overflow did not let begin.
    `  if (i32[${Exec.outcome / 4}] !== ${Outcome.finished}) {`,
    `    try { exec.settle(holder); } catch (error) { f64[${Exec.wasmSp / 8}] = start; throw error; }`,
    "  }",
    results.length > 1 ? `  return [${values}];` : `  return ${values};`,
    "};",
  ].join("\n");
}

function serverText({ params, results }: FuncType): string {
  const call = `fn(${params.map(read).join(", ")})`;
  // The cell coerces by the JS API's rules.
  return `"use strict"; return (fn, externs) => () => { ${results.length === 0 ? call : write(results[0]!, 0, call)} };`;
}

export class Shims {
  private readonly exported = new Map<string, MakeExported | undefined>();
  private readonly servers = new Map<string, MakeServer | undefined>();

  constructor(private readonly exec: ExecContext) {}

  /** The exported function of a native function; undefined for a signature that goes the general way. */
  exportedFunction(func: FuncInstance): AnyFunction | undefined {
    const key = funcTypeKey(func.sig);
    let make = this.exported.get(key);
    if (!make && !this.exported.has(key)) this.exported.set(key, (make = this.makeExported(func.sig)));
    return make?.(func, func.holder, doubleOf(func.code), doubleOf(func.ctx), func.holder.externs);
  }

  /** Calls the host function with arguments from slots, its result into slot 0; undefined for one that goes the general way. */
  server(func: FuncInstance): (() => void) | undefined {
    const { host, sig } = func;
    if (!host || host.raw || sig.results.length > 1) return undefined;
    const key = funcTypeKey(sig);
    let make = this.servers.get(key);
    if (!make && !this.servers.has(key)) this.servers.set(key, (make = this.makeServer(sig)));
    return make?.(host.fn, func.holder.externs);
  }

  private makeExported(sig: FuncType): MakeExported | undefined {
    if (!fits(sig.params) || !fits(sig.results)) return undefined;
    const { exec } = this;
    const { i32, i64, f32, f64 } = exec;
    const make = compileFunction(exportedText(sig), ["exec", "i32", "i64", "f32", "f64", "enter", "callFunc"], { filename: SHIM_SCRIPT }) as (...args: unknown[]) => MakeExported;
    return make(exec, i32, i64, f32, f64, exec.enterFunction(sig), callFunc);
  }

  private makeServer(sig: FuncType): MakeServer | undefined {
    if (!fits(sig.params) || !fits(sig.results)) return undefined;
    const { i32, i64, f32, f64 } = this.exec;
    const make = compileFunction(serverText(sig), ["i32", "i64", "f32", "f64"], { filename: SHIM_SCRIPT }) as (...args: unknown[]) => MakeServer;
    return make(i32, i64, f32, f64);
  }
}
