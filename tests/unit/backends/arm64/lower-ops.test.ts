// Every numeric op, compiled for arm64 and run in the emulator. Its default NaN is positive. Skips without an emulator.
import { test } from "uvu";
import { emulateCode, hasEmulator } from "../../../emulated/code-only.js";
import { testWithout } from "../../../missing.js";
import { runNumericOps } from "../run-numeric-ops.js";

if (hasEmulator()) {
  emulateCode();
  const arm64 = { features: [], otherNans: true } as const;
  test("every numeric op at level 2", () => runNumericOps({ ...arm64, level: 2, bounds: "guard", constants: 99 }));
  test("with explicit bounds checks", () => runNumericOps({ ...arm64, level: 2, bounds: "explicit", constants: 12 }));
  test("at level 0", () => runNumericOps({ ...arm64, level: 0, bounds: "guard", constants: 12 }));
  test("by the baseline compiler", () => runNumericOps({ ...arm64, level: "baseline", bounds: "guard", constants: 99 }));
  test("the same into locals", () => runNumericOps({ ...arm64, level: "baseline", bounds: "explicit", constants: 12, into: "local" }));
  test("the same into an operand's own local", () => runNumericOps({ ...arm64, level: "baseline", bounds: "guard", constants: 12, into: "parameter" }));
} else {
  testWithout(test, "every numeric op, emulated", "qemu-aarch64 (qemu-user)");
}

test.run();
