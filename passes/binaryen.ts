// Passes of binaryen as passes of the wasm stage: bytes to bytes, before anything is decoded.
//
// `binaryen:O2` optimizes by that level, `binaryen:<name>` runs one pass of binaryen's own. The package is loaded when such
// a pass first runs (half a second and 120 MB), never before.
import { definePass, type WasmPass } from "./pass.js";

/** `name`: `O0` .. `O4`, `Os`, `Oz`, or one of binaryen's pass names such as `inlining`. */
export function binaryenPass(name: string): WasmPass {
  return definePass({
    name: `binaryen:${name}`,
    summary: `binaryen's ${name}`,
    stage: "wasm",
    scope: "module",
    async run(bytes, cx) {
      const { default: binaryen } = await import("binaryen");
      const module = binaryen.readBinary(bytes);
      try {
        const level = /^O([0-4sz])$/.exec(name)?.[1];
        if (level === undefined) module.runPasses([name]);
        else {
          binaryen.setOptimizeLevel(level === "s" || level === "z" ? 2 : Number(level));
          binaryen.setShrinkLevel(level === "s" ? 1 : level === "z" ? 2 : 0);
          module.optimize();
        }
        const result = module.emitBinary();
        cx.count("bytes saved", bytes.length - result.length);
        return result;
      } finally {
        module.dispose();
      }
    },
  });
}
