// `wasmlathe/webassembly`: a drop-in `WebAssembly` object over this compiler.
//
//     import { WebAssembly } from "wasmlathe/webassembly";
//     const { instance } = await WebAssembly.instantiate(bytes, imports);
import type { WebAssemblyNamespace } from "../runtime/webassembly/index.js";
import { optionsOfEnvironment } from "./environment.js";
import type { CompileOptions } from "./options.js";
import { webAssembly } from "./webassembly-object.js";

export type { WebAssemblyNamespace } from "../runtime/webassembly/index.js";
export { webAssembly } from "./webassembly-object.js";

/** Passes from files are loaded before anything is compiled. */
async function environmentOptions(): Promise<CompileOptions> {
  const options = optionsOfEnvironment(process.env);
  return options.passes ? (await import("./user-passes.js")).expandPasses(options, process.cwd()) : options;
}

/** Compiles as `compile` does by default, or as the environment says (see environment.ts). */
export const WebAssembly: WebAssemblyNamespace = webAssembly(await environmentOptions());
