// Both allocators on random functions, each allocation proved; and what the one over live ranges must keep in registers.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { FIRST_SLOT, MOp, Opnd } from "../../../ir/machine/mfunc.js";
import type { MFunc } from "../../../ir/machine/mfunc.js";
import { Type } from "../../../ir/types.js";
import { allocate, Allocator } from "../../../backends/regalloc/allocate.js";
import { Builder, def, defFixed, defSame, use, useAny, useFixed, useLate } from "./build.js";
import { randomFunction, registerFile, TestOp } from "./random-mfunc.js";

const seeds = Number(process.env["LATHE_REGALLOC_SEEDS"] ?? 1500);

test(`${seeds} random functions, two allocators, four register files`, () => {
  const files = [registerFile(12, 15), registerFile(8, 8), registerFile(6, 4), registerFile(4, 3)];
  const allocators = files.map((f) => new Allocator(f));
  for (let seed = 0; seed < seeds; seed++) {
    const n = seed % files.length;
    for (const level of [0, 2] as const) {
      const mfn = randomFunction(seed, files[n]);
      try {
        allocators[n].allocate(mfn, { level, check: true });
      } catch (e) {
        throw new Error(`seed ${seed}, level ${level}: ${(e as Error).message}`);
      }
      assert.ok(mfn.allocated);
    }
  }
  const fallbacks = allocators.reduce((sum, a) => sum + a.fallbacks, 0);
  assert.ok(fallbacks * 50 < seeds, `${fallbacks} of ${seeds} functions went to the local allocator`);
});

test("the same function twice gives the same columns, whatever the allocator did between", () => {
  const registers = registerFile(8, 8);
  const allocator = new Allocator(registers);
  for (const level of [0, 2] as const) {
    const columns = (mfn: MFunc) => [mfn.op.slice(0, mfn.instCount).join(), mfn.opndReg.slice(0, mfn.opndLength).join(), mfn.slotCount, mfn.usedInts, mfn.usedFloats].join(";");
    const one = randomFunction(7, registers);
    allocator.allocate(one, { level });
    for (let seed = 100; seed < 120; seed++) allocator.allocate(randomFunction(seed, registers), { level });
    const two = randomFunction(7, registers);
    allocator.allocate(two, { level });
    const three = randomFunction(7, registers);
    allocate(three, registers, { level });
    assert.is(columns(one), columns(two));
    assert.is(columns(one), columns(three));
  }
});

test("more operands than registers is an error that says so", () => {
  const registers = registerFile(3, 3);
  const b = new Builder();
  const values = b.vregs(4, Type.i64);
  b.block();
  for (const v of values) b.inst(TestOp.plain, def(v));
  b.inst(TestOp.ret, ...values.map(use));
  assert.throws(() => allocate(b.done(), registers, { level: 0 }), /need more registers than there are/);
  assert.throws(() => allocate(b.done(), registers, { level: 2 }), /need more registers than there are/);
});

// ---- quality: what is inserted, by loop depth ----

interface Inserted {
  loads: number;
  stores: number;
  moves: number;
}

/** Inserted moves in blocks of loop depth `depth` that are not cold. */
function inserted(mfn: MFunc, depth: number): Inserted {
  const count = { loads: 0, stores: 0, moves: 0 };
  for (let b = 0; b < mfn.blockCount; b++) {
    if (mfn.blockLoopDepth[b] !== depth || mfn.blockCold[b] !== 0) continue;
    for (let i = mfn.blockStart[b]; i < mfn.blockEnd[b]; i++) {
      if (mfn.op[i] === MOp.swap) count.moves++;
      if (mfn.op[i] !== MOp.move) continue;
      const dst = mfn.opndReg[mfn.opndStart[i]];
      const src = mfn.opndReg[mfn.opndStart[i] + 1];
      if (dst >= FIRST_SLOT) count.stores++;
      else if (src >= FIRST_SLOT) count.loads++;
      else count.moves++;
    }
  }
  return count;
}

const none: Inserted = { loads: 0, stores: 0, moves: 0 };
const registers = registerFile(8, 8); // r0-r5 the caller's, r6 and r7 saved by callees
const callInts = 0b00111111;
const callFloats = 0xff;

test("a loop over two variables has no moves in it", () => {
  const b = new Builder();
  const [n, i0, s0, i, s, i1, s1] = b.vregs(7, Type.i64);
  b.block();
  b.inst(MOp.args, defFixed(n, 0), defFixed(s0, 1));
  b.inst(TestOp.plain, def(i0));
  b.inst(TestOp.jump);
  b.block([i, s], 1);
  b.inst(TestOp.plain, use(s), useLate(i), defSame(s1, 0));
  b.inst(TestOp.plain, use(i), defSame(i1, 0));
  b.inst(TestOp.branch, use(i1), useAny(n));
  b.block([], 1);
  b.inst(TestOp.jump);
  b.block();
  b.inst(TestOp.ret, useFixed(s1, 0));
  b.edge(0, 1, [i0, s0]);
  b.edge(1, 2);
  b.edge(1, 3);
  b.edge(2, 1, [i1, s1]);
  const mfn = b.done();
  allocate(mfn, registers, { level: 2, check: true });
  assert.equal(inserted(mfn, 1), none);
});

/** A loop over `count` variables; its body may go to a block with a call. */
function loopWithCall(count: number, cold: boolean): MFunc {
  const b = new Builder();
  const start = b.vregs(count, Type.i64);
  const vars = b.vregs(count, Type.i64);
  const next = b.vregs(count, Type.i64);
  b.block();
  for (const v of start) b.inst(TestOp.plain, def(v));
  b.inst(TestOp.jump);
  b.block(vars, 1); // 1
  for (let k = 0; k < count; k++) b.inst(TestOp.plain, use(vars[k]), defSame(next[k], 0));
  b.inst(TestOp.branch, use(next[0]));
  b.block([], 1); // 2
  b.inst(TestOp.jump);
  b.block([], 1); // 3: where both ways meet
  b.inst(TestOp.branch, use(next[1]));
  b.block([], 1); // 4: back
  b.inst(TestOp.jump);
  b.block(); // 5: out
  for (const v of next) b.inst(TestOp.plain, use(v));
  b.inst(TestOp.ret);
  b.block([], 1, cold); // 6: the call
  b.call(TestOp.call, callInts, callFloats);
  b.inst(TestOp.jump);
  b.edge(0, 1, start);
  b.edge(1, 2);
  b.edge(1, 6);
  b.edge(2, 3);
  b.edge(6, 3);
  b.edge(3, 4);
  b.edge(3, 5);
  b.edge(4, 1, next);
  return b.done();
}

test("a call in a cold block of a hot loop costs the loop nothing", () => {
  const mfn = loopWithCall(5, true);
  allocate(mfn, registers, { level: 2, check: true });
  assert.equal(inserted(mfn, 1), none);
});

test("values over a call in a loop sit in the registers that callees save", () => {
  const mfn = loopWithCall(2, false);
  allocate(mfn, registers, { level: 2, check: true });
  assert.equal(inserted(mfn, 1), none);
  assert.is(mfn.usedInts & 0b11000000, 0b11000000);
});

test("a value that lives through a full loop without a use there waits in its slot: one store, one load, both outside", () => {
  const b = new Builder();
  const [idle] = b.vregs(1, Type.i64);
  const start = b.vregs(8, Type.i64);
  const vars = b.vregs(8, Type.i64);
  const next = b.vregs(8, Type.i64);
  b.block();
  b.inst(TestOp.plain, def(idle));
  for (const v of start) b.inst(TestOp.plain, def(v));
  b.inst(TestOp.jump);
  b.block(vars, 1);
  for (let k = 0; k < 8; k++) b.inst(TestOp.plain, use(vars[k]), defSame(next[k], 0));
  b.inst(TestOp.branch, use(next[0]));
  b.block([], 1);
  b.inst(TestOp.jump);
  b.block();
  b.inst(TestOp.plain, use(idle));
  b.inst(TestOp.ret, useFixed(next[3], 0));
  b.edge(0, 1, start);
  b.edge(1, 2);
  b.edge(1, 3);
  b.edge(2, 1, next);
  const mfn = b.done();
  allocate(mfn, registers, { level: 2, check: true });
  assert.equal(inserted(mfn, 1), none);
  const outside = inserted(mfn, 0);
  assert.is(outside.stores, 1);
  assert.is(outside.loads, 1);
});

test("a constant under pressure is made again, never stored", () => {
  const b = new Builder();
  const [c] = b.vregs(1, Type.i64);
  b.mfn.setRemat(c, TestOp.constant, 42);
  const values = b.vregs(8, Type.i64);
  b.block();
  b.inst(TestOp.constant, def(c));
  b.mfn.imm[0] = 42;
  b.inst(TestOp.plain, use(c));
  for (const v of values) b.inst(TestOp.plain, def(v));
  for (const v of values) b.inst(TestOp.plain, use(v));
  b.inst(TestOp.ret, useFixed(c, 0));
  const mfn = b.done();
  allocate(mfn, registers, { level: 2, check: true });
  assert.is(mfn.slotCount, 0);
  let made = 0;
  for (let i = 0; i < mfn.instCount; i++) if (mfn.op[i] === TestOp.constant) made++;
  assert.is(made, 2);
});

test("arguments of calls are computed where they are wanted, results used where they come", () => {
  const b = new Builder();
  const [x, y, r, z] = b.vregs(4, Type.i64);
  b.block();
  b.inst(MOp.args, defFixed(x, 0), defFixed(y, 1));
  b.call(TestOp.call, callInts, callFloats, useFixed(x, 0), useFixed(y, 1), defFixed(r, 0));
  b.inst(TestOp.plain, use(r), defSame(z, 0));
  b.inst(TestOp.ret, useFixed(z, 0));
  const mfn = b.done();
  allocate(mfn, registers, { level: 2, check: true });
  assert.equal(inserted(mfn, 0), none);
  assert.is(mfn.slotCount, 0);
});

test("spills of a loop that needs too many registers: a measure, so that a change shows", () => {
  const measure = (level: 0 | 2): Inserted => {
    const b = new Builder();
    const start = b.vregs(11, Type.i64);
    const vars = b.vregs(11, Type.i64);
    const next = b.vregs(11, Type.i64);
    b.block();
    for (const v of start) b.inst(TestOp.plain, def(v));
    b.inst(TestOp.jump);
    b.block(vars, 1);
    for (let k = 0; k < 11; k++) b.inst(TestOp.plain, use(vars[k]), [next[k], Opnd.def | Opnd.same]);
    b.inst(TestOp.branch, use(next[0]));
    b.block([], 1);
    b.inst(TestOp.jump);
    b.block();
    for (const v of next) b.inst(TestOp.plain, use(v));
    b.inst(TestOp.ret);
    b.edge(0, 1, start);
    b.edge(1, 2);
    b.edge(1, 3);
    b.edge(2, 1, next);
    const mfn = b.done();
    allocate(mfn, registers, { level, check: true });
    return inserted(mfn, 1);
  };
  // 11 variables, 8 registers: at least 3 loads and 3 stores a round, and one register more for them to pass through.
  const scan = measure(2);
  assert.ok(scan.loads <= 5 && scan.stores <= 5 && scan.moves <= 1, JSON.stringify(scan));
  const local = measure(0);
  assert.ok(local.loads + local.stores + local.moves <= 40, JSON.stringify(local));
});

test.run();
