// A `WebAssembly` object over this compiler: what `wasmlathe/webassembly` and `wasmlathe/register` hand out.
import { setImmediate } from "node:timers/promises";
import type { Module } from "../ir/module.js";
import { createWebAssembly, type WebAssemblyNamespace } from "../runtime/webassembly/index.js";
import { refuseUnsupported } from "./compile.js";
import { decodeModule, decodeModuleAsync, WasmError } from "./frontend/index.js";
import { compilerFor } from "./index.js";
import type { CompileOptions } from "./options.js";

/**
 * A `WebAssembly` object that compiles with these options, passes of one's own among them. Without any, modules of every size start lazily:
 * programs make an object of a module to run it now, and most of its functions once or never.
 */
export function webAssembly(options: CompileOptions = {}): WebAssemblyNamespace {
  const chosen = Object.keys(options).length > 0 ? options : { lazy: true };
  let compiler: ReturnType<typeof compilerFor> | undefined;
  const compile = (input: Uint8Array | Module) => (compiler ??= compilerFor(chosen))(input);
  return createWebAssembly({
    compile,
    compileAsync: async (bytes) => {
      await setImmediate();
      return compile(await decodeModuleAsync(bytes, setImmediate));
    },
    validate,
  });
}

/** Also false for modules that are valid but not compiled yet: programs ask this to find out what they can use. */
function validate(bytes: Uint8Array): boolean {
  try {
    refuseUnsupported(decodeModule(bytes));
    return true;
  } catch (error) {
    if (error instanceof WasmError) return false;
    throw error;
  }
}
