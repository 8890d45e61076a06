// Passes of the wasm stage: bytes to bytes, before anything is decoded. What each gives back must be a valid module.
import { Module } from "../ir/module.js";
import type { Pass, WasmPass } from "../passes/pass.js";
import { FuncAnalyses } from "./analyses.js";
import { BreachError, DEFAULT_PASS_TIMEOUT, Limiter } from "./guard.js";
import { decodeModule } from "./frontend/decode.js";
import { passError, type Failure } from "./pass-error.js";
import { Slot } from "./pass-slot.js";
import type { RunnerSettings } from "./runner.js";
import type { PassStats } from "./stats.js";

/** Runs passes one after the other. @throws PassError for one that throws, takes too long, or gives back no valid module. */
export async function runWasmPasses(bytes: Uint8Array, passes: readonly Pass[], settings: RunnerSettings, stats: PassStats[]): Promise<Uint8Array> {
  for (const [position, pass] of passes.entries()) {
    const slot = new Slot(pass, position, new Module(bytes), settings.passOptions, (fn) => new FuncAnalyses(fn));
    stats.push(slot.stats);
    const given = bytes;
    const timeout = settings.passTimeout ?? DEFAULT_PASS_TIMEOUT;
    const failed = (text: string, cause: unknown, rule?: string) => {
      const failure: Failure = { pass, options: slot.options, faults: [{ text, rule }], cause, before: { extension: "wasm", contents: () => given } };
      return passError(failure, settings);
    };
    const started = performance.now();
    let result: unknown;
    try {
      // A user's pass gets a copy: the bytes are the caller's.
      if (slot.guarded) result = await within(new Limiter(timeout).call(() => (pass as WasmPass).run(given.slice(), slot.cx)), timeout);
      else result = await (pass as WasmPass).run(given, slot.cx);
    } catch (cause) {
      throw failed(cause instanceof Error ? cause.message : `it threw ${String(cause)}`, cause, cause instanceof BreachError ? cause.breach.rule : undefined);
    }
    slot.stats.ms += performance.now() - started;
    slot.stats.runs++;
    if (!(result instanceof Uint8Array)) throw failed(`[bytes]: run returned ${result === null ? "null" : `a ${typeof result}`}: a pass of stage wasm returns the module's bytes, a Uint8Array`, result, "bytes");
    try {
      decodeModule(result);
    } catch (cause) {
      throw failed(`[valid-module]: what it returned is no valid module: ${(cause as Error).message}`, cause, "valid-module");
    }
    if (result !== bytes) slot.stats.changed++;
    bytes = result;
  }
  return bytes;
}

/** A promise's value, unless it takes too long. */
async function within(value: unknown, milliseconds: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    const message = `its promise was given up after ${milliseconds} ms: does it end? (passTimeout, --pass-timeout)`;
    timer = setTimeout(() => reject(new BreachError({ rule: "time-limit", message })), milliseconds);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
