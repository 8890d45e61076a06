// How many operands a body has on the stack at most, as validation finds it by each of its ways.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeModule } from "../../../pipeline/index.js";
import { Type } from "../../../ir/types.js";
import { oneFunction } from "../../wasm-bytes.js";

const GET = [0x20, 0];
const ADD = [0x6a];
const DROP = [0x1a];
const repeat = (code: readonly number[], n: number) => Array.from({ length: n }, () => code).flat();

/** The code is that of a function with an i32 parameter; the last `end` is added. */
const height = (...code: number[]) => decodeModule(oneFunction({ params: [Type.i32], results: [] }, [], Uint8Array.from(code))).funcs[0]!.maxHeight;

test("of plain instructions, whose state validation keeps in variables", () => {
  const rest = [...repeat(GET, 20), ...repeat(DROP, 20)];
  assert.is(height(...rest), 20);
  assert.is(height(...GET, ...DROP, ...repeat([...GET, ...DROP], 20)), 1);
  assert.is(height(...repeat(GET, 40), ...repeat(ADD, 39), ...DROP, ...rest), 40);
});

test("of all others, and of bodies too short for the plain way", () => {
  assert.is(height(), 0);
  assert.is(height(...GET, ...DROP), 1);
  assert.is(height(...GET, ...GET, ...ADD, ...DROP), 2);
  // block (result i32) with two operands below it.
  assert.is(height(...GET, ...GET, 0x02, 0x7f, ...GET, ...GET, ...ADD, 0x0b, ...ADD, ...ADD, ...DROP), 4);
  // Results of a block count when they are there.
  assert.is(height(...GET, 0x02, 0x7f, ...GET, 0x0b, ...DROP, ...DROP), 2);
});

test.run();
