// `wasmlathe/register`: `node --import wasmlathe/register app.mjs` runs a program on this engine, unchanged.
import { WebAssembly } from "./webassembly.js";

Object.defineProperty(globalThis, "WebAssembly", { value: WebAssembly, writable: true, enumerable: false, configurable: true });
