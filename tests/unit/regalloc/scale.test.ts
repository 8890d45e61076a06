// The allocators' time grows in proportion: long functions, many parameters, predecessors, nested loops, values live through.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { MFunc } from "../../../ir/machine/mfunc.js";
import { Type } from "../../../ir/types.js";
import { Allocator } from "../../../backends/regalloc/allocate.js";
import { Builder, def, defSame, use, useAny, useFixed } from "./build.js";
import { registerFile, TestOp } from "./random-mfunc.js";

const registers = registerFile(12, 15);
const callInts = 0xff;
const callFloats = 0x7fff;

/** The better of two, in ms of this thread's own time as far as can be had. */
function time(make: () => MFunc, level: 0 | 2): number {
  let best = Infinity;
  const allocator = new Allocator(registers);
  for (let round = 0; round < 2; round++) {
    const mfn = make();
    const before = process.cpuUsage().user;
    allocator.allocate(mfn, { level });
    best = Math.min(best, (process.cpuUsage().user - before) / 1000);
  }
  return best;
}

/** Ten times the input may take `factor` times ten as long. */
function isLinear(what: string, make: (n: number) => MFunc, n: number, factor: number): void {
  for (const level of [0, 2] as const) {
    const small = time(() => make(n), level);
    const large = time(() => make(10 * n), level);
    // Below a few milliseconds the clock and the compiler's warming say nothing.
    assert.ok(large < Math.max(small, 5) * 10 * factor, `${what}, level ${level}: ${small.toFixed(1)} ms for ${n}, ${large.toFixed(1)} ms for ${10 * n}`);
  }
}

/** Straight code in blocks of 50 instructions, 30 values alive, a call now and then. */
function straight(instructions: number): MFunc {
  const b = new Builder();
  const values: number[] = [];
  b.block();
  for (let i = 0; i < 30; i++) {
    const v = b.mfn.newVreg(Type.i64);
    b.inst(TestOp.plain, def(v));
    values.push(v);
  }
  let block = 0;
  for (let i = 0; i < instructions; i++) {
    if (i % 50 === 49) {
      b.inst(TestOp.jump);
      const next = b.block();
      b.edge(block, next);
      block = next;
    }
    const a = values[(i * 7) % 30];
    const v = b.mfn.newVreg(Type.i64);
    if (i % 200 === 100) b.call(TestOp.call, callInts, callFloats, useFixed(a, 7), [v, 1 | (2 << 3) | (0 << 6)]);
    else b.inst(TestOp.plain, use(a), useAny(values[(i * 11) % 30]), defSame(v, 0));
    values[i % 30] = v;
  }
  for (const v of values) b.inst(TestOp.plain, use(v));
  b.inst(TestOp.ret);
  return b.done();
}

test("straight code up to 200,000 instructions", () => {
  isLinear("straight code", straight, 20_000, 2);
});

/** A loop whose header takes `n` parameters and passes them on. */
function manyParams(n: number): MFunc {
  const b = new Builder();
  const first = b.vregs(n, Type.i64);
  const params = b.vregs(n, Type.i64);
  b.block();
  for (const v of first) b.inst(TestOp.plain, def(v));
  b.inst(TestOp.jump);
  b.block(params, 1);
  b.inst(TestOp.branch, use(params[0]));
  b.block([], 1);
  b.inst(TestOp.jump);
  b.block();
  for (let i = 0; i < n; i += 100) b.inst(TestOp.plain, use(params[i]));
  b.inst(TestOp.ret);
  b.edge(0, 1, first);
  b.edge(1, 2);
  b.edge(1, 3);
  // Each moves on by one place, so no two can share.
  b.edge(2, 1, params.map((_, i) => params[(i + 1) % n]));
  return b.done();
}

test("100,000 block parameters", () => {
  isLinear("parameters", manyParams, 10_000, 2.5);
});

/** A table with `n` targets that all go on to one block with 3 parameters and 20 values live. */
function manyPreds(n: number): MFunc {
  const b = new Builder();
  const values = b.vregs(20, Type.i64);
  const params = b.vregs(3, Type.i64);
  b.block();
  for (const v of values) b.inst(TestOp.plain, def(v));
  b.inst(TestOp.table, use(values[0]));
  for (let i = 1; i <= n; i++) {
    b.block();
    b.inst(TestOp.jump);
  }
  const merge = b.block(params);
  for (const v of [...values, ...params]) b.inst(TestOp.plain, use(v));
  b.inst(TestOp.ret);
  for (let i = 1; i <= n; i++) b.edge(0, i);
  for (let i = 1; i <= n; i++) b.edge(i, merge, [values[i % 20], values[(i * 3) % 20], values[7]]);
  return b.done();
}

test("100,000 predecessors of one block", () => {
  isLinear("predecessors", manyPreds, 10_000, 2.5);
});

/** `n` values defined first and used last, with `n` blocks between: live-in sets of n squared. */
function liveThrough(n: number): MFunc {
  const b = new Builder();
  const values = b.vregs(n, Type.i64);
  let block = b.block();
  for (const v of values) b.inst(TestOp.plain, def(v));
  b.inst(TestOp.jump);
  for (let i = 0; i < n; i++) {
    const next = b.block();
    b.inst(TestOp.jump);
    b.edge(block, next);
    block = next;
  }
  const last = b.block();
  for (const v of values) b.inst(TestOp.plain, use(v));
  b.inst(TestOp.ret);
  b.edge(block, last);
  return b.done();
}

test("40,000 values alive over 40,000 blocks", () => {
  isLinear("values live through", liveThrough, 4_000, 2.5);
});

/** `n` loops, each inside of the one before, and a value used in all of them. */
function nested(n: number): MFunc {
  const b = new Builder();
  const [outer] = b.vregs(1, Type.i64);
  b.block();
  b.inst(TestOp.plain, def(outer));
  b.inst(TestOp.jump);
  b.edge(0, 1);
  for (let i = 0; i < n; i++) {
    const [p] = b.vregs(1, Type.i64);
    b.block([], Math.min(4, i + 1));
    b.inst(TestOp.plain, use(outer), def(p));
    b.inst(TestOp.plain, use(p));
    b.inst(TestOp.jump);
    b.edge(i + 1, i + 2);
  }
  b.block([], 4);
  b.inst(TestOp.jump);
  b.edge(n + 1, n + 2);
  // The ends of the loops, the innermost first: a test, an edge block back, one onward.
  let at = n + 2;
  for (let i = n; i > 0; i--) {
    b.block([], Math.min(4, i));
    b.inst(TestOp.branch, use(outer));
    b.block([], Math.min(4, i));
    b.inst(TestOp.jump);
    b.edge(at, at + 1);
    b.edge(at, at + 2);
    b.edge(at + 1, i);
    at += 2;
  }
  b.block();
  b.inst(TestOp.ret, useFixed(outer, 0));
  return b.done();
}

test("10,000 nested loops", () => {
  isLinear("nested loops", nested, 1_000, 2.5);
  const mfn = nested(300);
  new Allocator(registers).allocate(mfn, { level: 2, check: true });
});

test("the big cases are right, too", () => {
  for (const level of [0, 2] as const) {
    for (const make of [straight, manyParams, manyPreds, liveThrough]) new Allocator(registers).allocate(make(2000), { level, check: true });
  }
});

test.run();
