// What quick-start.ts evaluates: the engine as far as `wasmlathe/register` needs it.
export { optionsOfEnvironment } from "./environment.js";
export { webAssembly } from "./webassembly-object.js";
