// A `WebAssembly` object over this compiler: what `wasmlathe/webassembly` and `wasmlathe/register` hand out.
import { setImmediate } from "node:timers/promises";
import type { Module } from "../ir/module.js";
import { createWebAssembly, type WebAssemblyNamespace } from "../runtime/webassembly/index.js";
import { refuseUnsupported } from "./compile.js";
import { decodeModule, decodeModuleAsync, WasmError } from "./frontend/index.js";
import { compilerFor } from "./index.js";
import type { CompileOptions } from "./options.js";

/** How long compiling keeps the event loop waiting at a time, but for a single function. */
const SLICE_MS = 5;

/** A `WebAssembly` object that compiles with these options, passes of one's own among them. */
export function webAssembly(options: CompileOptions = {}): WebAssemblyNamespace {
  let compiler: ReturnType<typeof compilerFor> | undefined;
  const prepare = (input: Uint8Array | Module) => (compiler ??= compilerFor(options))(input);
  return createWebAssembly({
    compile: (bytes) => {
      const compilation = prepare(bytes);
      compilation.ahead?.run();
      return compilation;
    },
    compileAsync: async (bytes) => {
      await setImmediate();
      const compilation = prepare(await decodeModuleAsync(bytes, setImmediate));
      let until = performance.now() + SLICE_MS;
      while (compilation.ahead?.run(() => performance.now() > until) === false) {
        await setImmediate();
        until = performance.now() + SLICE_MS;
      }
      return compilation;
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
