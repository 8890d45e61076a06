// Decoding long straight code: columns must grow before they are written past their end (instructions 43 to 64 once vanished).
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decode } from "../../../ir/interp.js";
import { parseFunc } from "../../../ir/parse.js";
import { Module } from "../../../ir/module.js";

for (const length of [10, 42, 43, 64, 65, 200]) {
  test(`${length} additions are ${length} instructions`, () => {
    const adds = Array.from({ length }, (_, i) => `  v${i + 1} = i32.add v${i}, v0`).join("\n");
    const fn = parseFunc(`func @0: t0 (i32) -> i32 {\nb0(v0: i32):\n${adds}\n  return v${length}\n}\n`);
    const code = decode(fn, new Module());
    const stride = code.code.length / code.origin.length;
    const add = code.code[0];
    for (let i = 0; i < length; i++) {
      assert.is(code.code[i * stride], add, `instruction ${i}`);
      assert.is.not(code.code[i * stride + 1], 0, `result of instruction ${i}`);
    }
  });
}

test.run();
