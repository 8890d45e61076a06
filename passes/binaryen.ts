// Passes of binaryen as passes of the wasm stage: bytes to bytes, before anything is decoded.
//
// `binaryen:O2` optimizes by that level, `binaryen:<name>` runs one pass of binaryen's own. The package is loaded when such
// a pass first runs (half a second and 120 MB), never before.
import type binaryenPackage from "binaryen";
import { definePass, type WasmPass } from "./pass.js";

type Binaryen = typeof binaryenPackage;

/** What binaryen may make use of: WebAssembly 2.0. Without features it refuses what a module has, with more it writes 2.0 code in terms of 3.0's types. */
export function limitFeatures({ Features }: Binaryen, module: binaryenPackage.Module): void {
  module.setFeatures(
    Features.MutableGlobals | Features.SignExt | Features.NontrappingFPToInt | Features.Multivalue | Features.BulkMemory | Features.BulkMemoryOpt |
      Features.ReferenceTypes | Features.SIMD128,
  );
}

/** The module in the binary format, names included. Whether those are written is a switch of the library: left as it was found. */
export function emitNamed(binaryen: Binaryen, module: binaryenPackage.Module): Uint8Array {
  const named = binaryen.getDebugInfo();
  try {
    binaryen.setDebugInfo(true);
    return module.emitBinary();
  } finally {
    binaryen.setDebugInfo(named);
  }
}

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
        limitFeatures(binaryen, module);
        const level = /^O([0-4sz])$/.exec(name)?.[1];
        if (level === undefined) module.runPasses([name]);
        else {
          binaryen.setOptimizeLevel(level === "s" || level === "z" ? 2 : Number(level));
          binaryen.setShrinkLevel(level === "s" ? 1 : level === "z" ? 2 : 0);
          module.optimize();
        }
        const result = emitNamed(binaryen, module);
        cx.count("bytes saved", bytes.length - result.length);
        return result;
      } finally {
        module.dispose();
      }
    },
  });
}
