// `EXAMPLE=NAME node --import .../register.mjs app.mjs`: the program's WebAssembly is ours, with a pass of passes/examples over every module.
import { webAssembly } from "wasmlathe/webassembly";
import { quietExample } from "./passes.mjs";

globalThis.WebAssembly = webAssembly({ passes: [await quietExample(process.env["EXAMPLE"])] });
