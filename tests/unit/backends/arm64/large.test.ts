// Functions of megabytes by the baseline compiler, in the emulator: conditional branches that do not reach, frames that pairs and
// displacements do not, locals zeroed in a loop. Skips without an emulator.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../../../ir/types.js";
import { compileSync, instantiate } from "../../../../pipeline/index.js";
import { emulateCode, hasEmulator } from "../../../emulated/code-only.js";
import { manyLocals, wideJoin } from "../../../generate.js";
import { testWithout } from "../../../missing.js";
import { exportName, funcType, header, leb, section } from "../../../wasm-bytes.js";

const REACH = 1 << 20;

/** A short body of long code: `count` times what `run` is given is tested, and many values carried to where it is not zero. */
function manyCarried(values: number, count: number): Uint8Array {
  const many = { params: [], results: new Array<Type>(values).fill(Type.i32) };
  const code: number[] = [0x02, ...leb(1)];
  for (let i = 0; i < values; i++) code.push(0x20, i === 0 ? 0 : 1);
  for (let i = 0; i < count; i++) code.push(0x20, 0, 0x0d, 0);
  // i32.const 7, and the lowest of the values.
  code.push(0x41, 7, 0x21, 1, 0x0b);
  for (let i = 1; i < values; i++) code.push(0x1a);
  code.push(0x20, 1, 0x6a, 0x0b);
  const body = [1, 1, 0x7f, ...code];
  return Uint8Array.from([
    ...header, ...section(1, funcType({ params: [Type.i32], results: [Type.i32] }), funcType(many)), ...section(3, [0]),
    ...section(7, [...exportName("run"), 0, 0]), ...section(10, [...leb(body.length), ...body]),
  ]);
}

/** What `run` gives; what the code comes to. */
function run(bytes: Uint8Array, args: readonly number[]): { results: number[]; codeBytes: number } {
  const compilation = compileSync(bytes, { level: "baseline", features: [], lazy: false });
  const f = instantiate(compilation).exports["run"] as (x: number) => number;
  return { results: args.map(f), codeBytes: compilation.code!.bytes.length };
}

if (hasEmulator()) {
  emulateCode();

  test("branches over more than they reach", () => {
    const { results, codeBytes } = run(wideJoin(100_000), [12]);
    assert.equal(results, [48]);
    assert.ok(codeBytes > 2 * REACH, `${codeBytes} bytes`);
  });

  test("a short body whose code is longer than it seems", () => {
    const { results, codeBytes } = run(manyCarried(900, 400), [0, 5]);
    assert.equal(results, [7, 5]);
    assert.ok(codeBytes > REACH, `${codeBytes} bytes`);
  });

  test("50,000 locals", () => assert.equal(run(manyLocals(49_999), [12]).results, [9]));
} else {
  testWithout(test, "functions of megabytes, emulated", "qemu-aarch64 (qemu-user)");
}

test.run();
