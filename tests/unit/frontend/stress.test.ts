// Large and deep functions: nothing recurses, and time grows with the input's size.
//
// Times are the process's CPU time, so that other work on the machine counts little.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { NONE, type FuncIndex } from "../../../ir/entity.js";
import type { Func } from "../../../ir/func.js";
import { Op } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";
import { printVerifierError, verifyFunc } from "../../../ir/verify.js";
import { decodeModule, translateFunction } from "../../../pipeline/frontend/index.js";
import { Random } from "../../fuzz/random.js";
import { Bytes, leb, oneFunction, sleb } from "../../wasm-bytes.js";

const sig = { params: [Type.i32], results: [Type.i32] };
const get = (x: number): number[] => [0x20, ...leb(x)];
const set = (x: number): number[] => [0x21, ...leb(x)];

/** `locals` of them besides the parameter, local 0. */
function make(locals: number, write: (code: Bytes) => void): Uint8Array {
  const code = new Bytes();
  write(code);
  return oneFunction(sig, locals > 0 ? [{ count: locals, type: Type.i32 }] : [], code.done());
}

/** Decodes, validates, translates and verifies; seconds for the first three. */
function run(bytes: Uint8Array, verify = true): { fn: Func; seconds: number } {
  const started = process.cpuUsage();
  const module = decodeModule(bytes);
  const fn = translateFunction(module, 0 as FuncIndex);
  const used = process.cpuUsage(started);
  const seconds = (used.user + used.system) / 1e6;
  if (verify) {
    const errors = verifyFunc(fn, module);
    assert.is(errors.length, 0, errors.slice(0, 3).map(printVerifierError).join("; "));
  }
  return { fn, seconds };
}

function params(fn: Func): number {
  let n = 0;
  for (let v = 0; v < fn.valueCount; v++) if (fn.op[v] === Op.param && fn.block[v] !== NONE) n++;
  return n;
}

test("10 k nested blocks, each the target of a branch", () => {
  const n = 10_000;
  const bytes = make(1, (c) => {
    for (let i = 0; i < n; i++) c.push(0x02, 0x40);
    for (let i = 0; i < n; i++) c.push(0x41, ...sleb(i), ...set(1), ...get(0), 0x0d, ...leb(i));
    for (let i = 0; i < n; i++) c.push(0x0b);
    c.push(...get(1));
  });
  const { fn, seconds } = run(bytes);
  assert.ok(seconds < 5, `${seconds} s`);
  // Every block's end merges local 1 of its br_if with the value from the end before.
  assert.is(params(fn), 1 + n);
});

test("10 k nested loops and 10 k nested ifs", () => {
  const n = 10_000;
  const loops = make(1, (c) => {
    for (let i = 0; i < n; i++) c.push(0x03, 0x40);
    c.push(...get(1), 0x41, 1, 0x6a, ...set(1));
    for (let i = 0; i < n; i++) c.push(...get(0), 0x0d, 0, 0x0b);
    c.push(...get(1));
  });
  assert.is(params(run(loops).fn), 1 + n);
  const ifs = make(1, (c) => {
    for (let i = 0; i < n; i++) c.push(...get(0), 0x04, 0x40);
    c.push(0x41, 7, ...set(1));
    for (let i = 0; i < n; i++) c.push(0x0b);
    c.push(...get(1));
  });
  assert.is(params(run(ifs).fn), 1 + n);
});

test("a br_table of 100 k entries has one edge per target", () => {
  const n = 100_000;
  const bytes = make(0, (c) => {
    c.push(0x02, 0x40, 0x02, 0x40, ...get(0), 0x0e, ...leb(n));
    for (let i = 0; i <= n; i++) c.push(i & 1);
    c.push(0x0b, 0x0b, ...get(0));
  });
  const { fn, seconds } = run(bytes);
  assert.ok(seconds < 5, `${seconds} s`);
  assert.is(fn.targetCount(fn.terminator(fn.entry)), n + 1);
  assert.is(fn.edgeCount, 3);
});

test("100 k branches to one label make one parameter with 100 k arguments", () => {
  const n = 100_000;
  const bytes = make(1, (c) => {
    c.push(0x02, 0x40);
    for (let i = 0; i < n; i++) c.push(0x41, ...sleb(i), ...set(1), ...get(0), 0x0d, 0);
    c.push(0x0b, ...get(1));
  });
  const { fn, seconds } = run(bytes, false);
  assert.ok(seconds < 10, `${seconds} s`);
  assert.is(params(fn), 2);
});

test("50 k locals in 10 k blocks and in 10 k nested loops", () => {
  const locals = 49_999;
  const n = 10_000;
  const joins = make(locals, (c) => {
    for (let x = 1; x <= locals; x++) c.push(...get(0), ...set(x));
    for (let i = 0; i < n; i++) c.push(...get(0), 0x04, 0x40, 0x41, 1, ...set(i + 1), 0x0b);
    for (let x = 0; x <= locals; x++) c.push(...get(x), 0x1a);
    c.push(...get(0));
  });
  const first = run(joins);
  assert.ok(first.seconds < 10, `${first.seconds} s`);
  assert.is(params(first.fn), 1 + n);
  const nested = make(locals, (c) => {
    for (let x = 1; x <= locals; x++) c.push(...get(0), ...set(x));
    for (let i = 0; i < n; i++) c.push(0x03, 0x40);
    for (let x = 0; x <= locals; x++) c.push(...get(x), 0x1a);
    for (let i = 0; i < n; i++) c.push(...get(0), 0x0d, 0, 0x0b);
    c.push(...get(0));
  });
  const second = run(nested);
  assert.ok(second.seconds < 10, `${second.seconds} s`);
  assert.is(params(second.fn), 1);
});

/** `n` instructions of straight code, diamonds and loops over 20 locals. */
function mixed(n: number): Uint8Array {
  const random = new Random(7);
  const x = () => random.below(21);
  return make(20, (c) => {
    for (let i = 0; i < n; i += 26) {
      for (let k = 0; k < 2; k++) c.push(...get(x()), ...get(x()), 0x6a, ...set(x()));
      c.push(...get(x()), 0x04, 0x40, ...get(x()), ...set(x()), 0x05, ...get(x()), ...set(x()), 0x0b);
      c.push(0x02, 0x40, 0x03, 0x40, ...get(x()), 0x0d, 1, ...get(x()), ...set(x()), ...get(x()), 0x0d, 0, 0x0b, 0x0b);
    }
    c.push(...get(0));
  });
}

test("an instruction of 1 M costs less than twice one of 10 k", () => {
  for (let i = 0; i < 20; i++) run(mixed(10_000), false);
  const perInstruction = (n: number, times: number) => {
    const bytes = mixed(n);
    let best = Infinity;
    for (let i = 0; i < times; i++) best = Math.min(best, run(bytes, false).seconds);
    return (best / n) * 1e9;
  };
  const small = perInstruction(10_000, 20);
  const large = perInstruction(1_000_000, 3);
  console.log(`${small.toFixed(0)} ns an instruction at 10 k, ${large.toFixed(0)} ns at 1 M`);
  assert.ok(large < 2 * small, `${small} ns at 10 k, ${large} ns at 1 M`);
});

test.run();
