// Every numeric op, compiled for several sets of CPU features and run natively: only where the host is an amd64.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { targetNamed } from "../../../pipeline/targets.js";
import { hostCpuFeatures } from "../../../runtime/index.js";
import { runNumericOps } from "./run-numeric-ops.js";

if (process.arch === "x64") {
  const host = hostCpuFeatures(targetNamed().stubs);
  const subset = (...names: string[]) => names.filter((name) => host.includes(name));
  test("with no CPU feature beyond the baseline", () => runNumericOps({ features: [], level: 2, bounds: "guard", constants: 99 }));
  test("with SSE4.1 and POPCNT", () => runNumericOps({ features: subset("sse41", "popcnt"), level: 2, bounds: "explicit", constants: 12 }));
  test("with AVX, without BMI", () => runNumericOps({ features: subset("sse41", "popcnt", "avx"), level: 2, bounds: "guard", constants: 12 }));
  test("with all the host has", () => runNumericOps({ features: host, level: 2, bounds: "guard", constants: 99 }));
  test("at level 0", () => runNumericOps({ features: host, level: 0, bounds: "guard", constants: 12 }));
  test("by the baseline compiler", () => runNumericOps({ features: host, level: "baseline", bounds: "guard", constants: 99 }));
  test("the same into locals, without AVX and BMI", () => runNumericOps({ features: subset("sse41", "popcnt"), level: "baseline", bounds: "explicit", constants: 12, into: "local" }));
  test("the same into an operand's own local", () => runNumericOps({ features: host, level: "baseline", bounds: "guard", constants: 12, into: "parameter" }));
} else test("no amd64 here", () => assert.is.not(process.arch, "x64"));

test.run();
