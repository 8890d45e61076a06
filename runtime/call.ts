// Calls across the border: JS to Wasm (either engine), Wasm to JS, and between the engines.
//
// Arguments are coerced before anything is written, because coercion may run code that uses the same slots. Natively a
// value takes one slot of the exec-context, in the interpreter one register of its file; both are `Cells`.
import { InterpTrap, type InterpCallee, type RegFile } from "../ir/interp-env.js";
import { run } from "../ir/interp.js";
import { TrapKind } from "../ir/layout.js";
import { Type } from "../ir/types.js";
import type { ExecContext } from "./exec-context.js";
import type { FuncInstance } from "./func.js";
import { weaveIntoError } from "./stack-text.js";
import { Trap, trapOfInterp } from "./trap.js";
import { coerce, copyBits, mayRunCode, readRaw, readValue, REG_WORDS, SLOT_WORDS, writeRaw, writeValue, type Cells } from "./values.js";

/**
 * Calls a function as an exported function is called: coerced arguments, missing ones undefined; nothing, a value, or an array.
 * @throws Trap; TypeError from coercion; what a host function threw.
 */
export function callFunc(func: FuncInstance, args: readonly unknown[]): unknown {
  return invoke(func, args, false);
}

/**
 * Calls with raw bits (BigInt) for numbers; references are JS values. NaN payloads survive.
 * @returns all results, unsigned.
 */
export function callRaw(func: FuncInstance, args: readonly unknown[]): unknown[] {
  const result = invoke(func, args, true);
  const { length } = func.sig.results;
  return length === 0 ? [] : length === 1 ? [result] : (result as unknown[]);
}

function invoke(func: FuncInstance, args: readonly unknown[], raw: boolean): unknown {
  if (func.host) return invokeHost(func, args, raw);
  const { exec } = func.store.thread;
  if (!func.entered || !exec) return invokeInterpreted(func, args, raw);
  writeAll(exec, exec.slots, SLOT_WORDS, func, args, raw);
  exec.run(func);
  return readAll(exec, exec.slots, SLOT_WORDS, func, raw);
}

function invokeInterpreted(func: FuncInstance, args: readonly unknown[], raw: boolean): unknown {
  const { interp } = func.store.thread;
  const at = interp.top;
  interp.file.ensure(at + Math.max(func.sig.params.length, func.sig.results.length));
  const coerced = raw ? args : coerceAll(func, args);
  writeAll(interp.file, at * REG_WORDS, REG_WORDS, func, coerced, raw);
  runInterpreted(func);
  return readAll(interp.file, at * REG_WORDS, REG_WORDS, func, raw);
}

/** Arguments and results stand at the top of the interpreter's file. */
function runInterpreted(func: FuncInstance): void {
  const { thread } = func.store;
  const { interp, current } = thread;
  const { top, depth } = interp;
  thread.current = func.holder;
  try {
    run(interp, calleeOf(func));
  } catch (error) {
    throw error instanceof InterpTrap ? trapOfInterp(error, thread) : error;
  } finally {
    interp.top = top;
    interp.depth = depth;
    thread.current = current;
  }
}

/** A host function called from JS: coerced both ways, as if Wasm stood between. */
function invokeHost(func: FuncInstance, args: readonly unknown[], raw: boolean): unknown {
  const { params, results } = func.sig;
  const host = func.host!;
  const passed = params.map((type, i) => convert(func, type, raw ? args[i] : coerce(type, args[i]), raw, host.raw));
  const result = host.fn(...passed);
  if (results.length === 0) return undefined;
  const list = resultList(func, result);
  const converted = results.map((type, i) => convert(func, type, list[i], host.raw, raw));
  return converted.length === 1 ? converted[0] : converted;
}

/** What becomes of a value that passes through a Wasm type. References get no handle: nothing would hold it. */
function convert(func: FuncInstance, type: Type, value: unknown, fromRaw: boolean, toRaw: boolean): unknown {
  if (type === Type.externref) return value;
  if (type === Type.funcref) return func.store.funcRef(value)?.object ?? null;
  const bits = new ArrayBuffer(8);
  const cells: Cells = { i32: new Int32Array(bits), i64: new BigInt64Array(bits), f32: new Float32Array(bits), f64: new Float64Array(bits) };
  (fromRaw ? writeRaw : writeValue)(cells, 0, type, value, func.store, func.holder);
  return (toRaw ? readRaw : readValue)(cells, 0, type, func.store, func.holder);
}

/** A host function's results, coerced but for raw ones; as many as its type says. */
function resultList(func: FuncInstance, result: unknown): unknown[] {
  const { results } = func.sig;
  const { raw } = func.host!;
  if (results.length === 1) return [raw ? result : coerce(results[0]!, result)];
  if (typeof result !== "object" || result === null) throw new TypeError(`a host function of ${results.length} results must return an array`);
  const list = [...(result as Iterable<unknown>)];
  if (list.length !== results.length) throw new TypeError(`a host function must return ${results.length} results, not ${list.length}`);
  return raw ? list : results.map((type, i) => coerce(type, list[i]));
}

function coerceAll(func: FuncInstance, args: readonly unknown[]): readonly unknown[] {
  return func.sig.params.map((type, i) => coerce(type, args[i]));
}

function writeAll(cells: Cells, base: number, stride: number, func: FuncInstance, args: readonly unknown[], raw: boolean): void {
  const { params } = func.sig;
  const { store, holder } = func;
  if (raw) {
    for (let i = 0; i < params.length; i++) writeRaw(cells, base + i * stride, params[i]!, args[i], store, holder);
    return;
  }
  for (let i = 0; i < params.length; i++) {
    if (mayRunCode(params[i]!, args[i])) {
      args = coerceAll(func, args);
      break;
    }
  }
  for (let i = 0; i < params.length; i++) writeValue(cells, base + i * stride, params[i]!, args[i], store, holder);
}

function readAll(cells: Cells, base: number, stride: number, func: FuncInstance, raw: boolean): unknown {
  const { results } = func.sig;
  const { store, holder } = func;
  const read = raw ? readRaw : readValue;
  if (results.length === 0) return undefined;
  if (results.length === 1) return read(cells, base, results[0]!, store, holder);
  return results.map((type, i) => read(cells, base + i * stride, type, store, holder));
}

/** Calls the JS function: arguments from cells, results into the same ones. */
function callHost(func: FuncInstance, cells: Cells, base: number, stride: number): void {
  const { params, results } = func.sig;
  const { store, holder } = func;
  const { fn, raw } = func.host!;
  const near = store.thread.current ?? holder;
  const args: unknown[] = [];
  for (let i = 0; i < params.length; i++) {
    args.push((raw ? readRaw : readValue)(cells, base + i * stride, params[i]!, store, near));
  }
  const result = fn(...args);
  if (results.length === 0) return;
  const list = resultList(func, result);
  for (let i = 0; i < results.length; i++) (raw ? writeRaw : writeValue)(cells, base + i * stride, results[i]!, list[i], store, holder);
}

/** What calls a host function, or an interpreted one, for native code: arguments and results in slots. */
export function serverOf(exec: ExecContext, func: FuncInstance): () => void {
  // Known to stack-text.ts by their names.
  const servedByInterpreter = () => serveInterpreted(exec, func);
  const servedByHost = () => callHost(func, exec, exec.slots, SLOT_WORDS);
  return func.host ? (exec.shims.server(func) ?? servedByHost) : servedByInterpreter;
}

function serveInterpreted(exec: ExecContext, func: FuncInstance): void {
  const { params, results } = func.sig;
  const { file, top } = exec.thread.interp;
  if (!file.ensure(top + Math.max(params.length, results.length))) throw trapOfInterp(new InterpTrap(TrapKind.stack_exhausted), exec.thread);
  for (let i = 0; i < params.length; i++) copyBits(exec.i32, exec.slots + i * SLOT_WORDS, file.i32, (top + i) * REG_WORDS);
  runInterpreted(func);
  for (let i = 0; i < results.length; i++) copyBits(file.i32, (top + i) * REG_WORDS, exec.i32, exec.slots + i * SLOT_WORDS);
}

/** The function as the interpreter calls it. */
export function calleeOf(func: FuncInstance): InterpCallee {
  return (func.callee ??= func.holder.interpreted && !func.host && !func.native ? func.holder.interpret(func.index) : { kind: "host", call: (file, at) => callFromInterp(func, file, at) });
}

function callFromInterp(func: FuncInstance, file: RegFile, at: number): void {
  if (func.host) {
    try {
      callHost(func, file, at * REG_WORDS, REG_WORDS);
    } catch (error) {
      if (error instanceof Error && !(error instanceof Trap)) weaveIntoError(error, func.store.thread);
      throw error;
    }
    return;
  }
  const { params, results } = func.sig;
  const exec = func.store.thread.exec!;
  for (let i = 0; i < params.length; i++) copyBits(file.i32, (at + i) * REG_WORDS, exec.i32, exec.slots + i * SLOT_WORDS);
  exec.run(func);
  for (let i = 0; i < results.length; i++) copyBits(exec.i32, exec.slots + i * SLOT_WORDS, file.i32, (at + i) * REG_WORDS);
}
