// `wasmlathe/register`: `node --import wasmlathe/register app.mjs` runs a program on this engine, unchanged.
import type { WebAssemblyNamespace } from "../runtime/webassembly/index.js";
import { engineScript, evaluate } from "./quick-start.js";

async function load(): Promise<WebAssemblyNamespace> {
  const script = process.env.LATHE_PASS ? undefined : engineScript(import.meta.url);
  if (!script) return (await import("./webassembly.js")).WebAssembly;
  const { optionsOfEnvironment, webAssembly } = evaluate(script);
  return webAssembly(optionsOfEnvironment(process.env));
}

Object.defineProperty(globalThis, "WebAssembly", { value: await load(), writable: true, enumerable: false, configurable: true });
