// The kernels of ../shared/bench as data. Format: its README.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const benchDirectory = fileURLToPath(new URL("../../../shared/bench/", import.meta.url));

export function kernelsExist() {
  return existsSync(path.join(benchDirectory, "manifest.json"));
}

/** All kernels that need no SIMD, whose name holds one of `filters` (or all). */
export function kernels(filters = []) {
  const { kernels } = JSON.parse(readFileSync(path.join(benchDirectory, "manifest.json"), "utf8"));
  return kernels
    .filter((kernel) => !kernel.features.includes("simd128"))
    .filter((kernel) => filters.length === 0 || filters.some((part) => kernel.name.includes(part)));
}

export function kernelBytes(kernel) {
  return Uint8Array.from(readFileSync(path.join(benchDirectory, kernel.file)));
}

/** Whether a JS result is the expected one; f64 by bits, any NaN for a NaN. */
export function isExpected(expected, result) {
  if (expected.type === "i32") return result === Number(expected.value);
  if (expected.type === "i64") return BigInt.asUintN(64, result) === BigInt.asUintN(64, BigInt(expected.value));
  const want = new DataView(new ArrayBuffer(8));
  want.setBigUint64(0, BigInt(expected.bits));
  return Object.is(want.getFloat64(0), result);
}
