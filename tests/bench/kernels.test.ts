// The kernels of ../shared/bench with their small arguments: natively at every level, and the shorter ones in the interpreter.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compileSync, instantiate } from "../../pipeline/index.js";
import { benchDirectory, isExpected, kernelBytes, kernels, kernelsExist } from "./kernels.mjs";

const test = suite("kernels");

if (!kernelsExist()) {
  console.log(`note: the kernels are not there (${benchDirectory}): nothing was run`);
  test("no kernels, nothing to run", () => assert.not.ok(kernelsExist()));
} else {
  for (const kernel of kernels()) {
    test(kernel.name, () => {
      const bytes = kernelBytes(kernel);
      for (const options of [{ level: 2 }, { level: 2, bounds: "explicit" }, { level: 1 }, { level: 0 }, { level: "baseline" }, { level: "baseline", bounds: "explicit" }] as const) {
        const run = instantiate(compileSync(bytes, options)).exports[kernel.export] as (...args: number[]) => unknown;
        const result = run(...kernel.quick.args);
        assert.ok(isExpected(kernel.quick.expected, result), `${JSON.stringify(options)}: ${String(result)}, expected ${kernel.quick.expected.value}`);
      }
    });
  }
}

test.run();
