// For the runtime's tests: a module from text, for either engine.
import { compileInput, type Compilation } from "../../../pipeline/compile.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { resolveOptions, type CompileOptions } from "../../../pipeline/options.js";
import { hostCpuFeatures } from "../../../runtime/index.js";

export type Mode = "guard" | "explicit" | "interp";
export const modes: readonly Mode[] = ["guard", "explicit", "interp"];

/** Compiles the text format. */
export async function compileWat(wat: string, mode: Mode): Promise<Compilation> {
  return compileModule(await watToBytes(wat), mode);
}

/** Compiles the binary format. */
export function compileModule(bytes: Uint8Array, mode: Mode): Compilation {
  const options: CompileOptions = mode === "interp" ? { engine: "interpreter" } : { bounds: mode };
  return compileInput({ bytes: bytes }, resolveOptions(options, (target) => hostCpuFeatures(target.stubs)));
}

/** What was thrown; an error if nothing was. */
export function thrown(run: () => unknown): any {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

export function functions(exports: Readonly<Record<string, unknown>>): Record<string, (...args: any[]) => any> {
  return exports as Record<string, (...args: any[]) => any>;
}

/** Resident bytes after a collection. */
export function residentBytes(collect: () => void): number {
  collect();
  return process.memoryUsage.rss();
}
