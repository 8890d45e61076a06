// The symbolic checker: right allocations pass, and allocations broken on purpose are caught, each class of mistake.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { FIRST_FLOAT_REG, FIRST_SLOT, MFunc, MOp, Opnd } from "../../../ir/machine/mfunc.js";
import { Type } from "../../../ir/types.js";
import { Allocator } from "../../../backends/regalloc/allocate.js";
import { checkAllocation, recordBefore } from "../../../backends/regalloc/check.js";
import type { BeforeAllocation } from "../../../backends/regalloc/check.js";
import { Builder, def, defFixed, defSame, temp, use, useAny, useFixed, useLate } from "./build.js";
import { Random, randomFunction, registerFile } from "./random-mfunc.js";

const registers = registerFile(4, 4);

/** A function whose locations a test writes by hand: nothing is inserted, so before and after match one to one. */
function byHand(build: (b: Builder) => void, locations: number[], slots = 0): () => void {
  const builder = new Builder();
  build(builder);
  const mfn = builder.done();
  const before = recordBefore(mfn);
  mfn.opndReg.set(locations);
  const origin = new Int32Array(mfn.instCount).map((_, i) => i);
  for (let b = 0; b < mfn.blockCount; b++) mfn.paramCount[b] = 0;
  mfn.slotCount = slots;
  mfn.usedInts = -1;
  mfn.usedFloats = -1;
  mfn.allocated = true;
  return () => checkAllocation(before, mfn, origin, registers);
}

const straight = (b: Builder): void => {
  const [x, y, z] = b.vregs(3, Type.i64);
  b.block();
  b.inst(20, def(x));
  b.inst(20, def(y));
  b.inst(21, use(x), use(y), def(z));
  b.inst(16, use(z));
};

test("a right allocation passes", () => {
  byHand(straight, [0, 1, 0, 1, 0, 0])();
});

test("a value overwritten before its use", () => {
  assert.throws(byHand(straight, [0, 0, 0, 0, 1, 1]), /instruction 1 .*defines v1 there, but v0 is wanted in r0 by old instruction 2/);
});

test("a use that reads another location than the definition wrote", () => {
  assert.throws(byHand(straight, [0, 1, 2, 1, 0, 0]), /v0 in r0, but it is wanted in r2/);
});

test("a constraint of each kind", () => {
  assert.throws(byHand(straight, [FIRST_SLOT, 1, FIRST_SLOT, 1, 0, 0], 1), /v0 must be in a register, is in slot 0/);
  assert.throws(byHand(straight, [31, 1, 31, 1, 0, 0]), /scratch, which is not allocatable/);
  assert.throws(byHand(straight, [FIRST_FLOAT_REG, 1, FIRST_FLOAT_REG, 1, 0, 0]), /i64 v0 in f0/);
  assert.throws(byHand(straight, [20, 1, 20, 1, 0, 0]), /register 20 does not exist/);
  const fixed = (b: Builder): void => {
    const [x] = b.vregs(1, Type.i64);
    b.block();
    b.inst(20, defFixed(x, 2));
    b.inst(16, useFixed(x, 3));
  };
  assert.throws(byHand(fixed, [2, 2]), /v0 must be in r3, is in r2/);
  const tied = (b: Builder): void => {
    const [x, y] = b.vregs(2, Type.i64);
    b.block();
    b.inst(20, def(x));
    b.inst(21, use(x), defSame(y, 0));
    b.inst(16, use(y));
  };
  byHand(tied, [1, 1, 1, 1])();
  assert.throws(byHand(tied, [1, 1, 2, 2]), /must be where operand 0 is, r1, is in r2/);
});

test("operands that share a register while both are alive", () => {
  const late = (b: Builder): void => {
    const [x, y] = b.vregs(2, Type.i64);
    b.block();
    b.inst(20, def(x));
    b.inst(21, useLate(x), def(y));
    b.inst(16, use(y));
  };
  assert.throws(byHand(late, [1, 1, 1, 1]), /operands 0 and 1 \(v0, v1\) are both in r1/);
  const withTemp = (b: Builder): void => {
    const [x, t] = b.vregs(2, Type.i64);
    b.block();
    b.inst(20, def(x));
    b.inst(21, use(x), temp(t));
    b.inst(16, use(x));
  };
  byHand(withTemp, [1, 1, 2, 1])();
  assert.throws(byHand(withTemp, [1, 1, 1, 1]), /both in r1/);
});

test("a value kept in a register over a call that clobbers it", () => {
  const call = (b: Builder): void => {
    const [x] = b.vregs(1, Type.i64);
    b.block();
    b.inst(20, def(x));
    b.call(23, 0b0111, 0);
    b.inst(16, use(x));
  };
  byHand(call, [3, 3])();
  assert.throws(byHand(call, [1, 1]), /clobbers that register, but v0 is wanted in r1/);
});

test("a temporary in a register whose value lives on", () => {
  const through = (b: Builder): void => {
    const [x, t] = b.vregs(2, Type.i64);
    b.block();
    b.inst(20, def(x));
    b.inst(21, temp(t));
    b.inst(16, use(x));
  };
  assert.throws(byHand(through, [1, 1, 1]), /has its temporary, but v0 is wanted in r1/);
});

const diamond = (b: Builder): void => {
  const [x, p, y] = b.vregs(3, Type.i64);
  const b0 = b.block();
  b.inst(20, def(x));
  b.inst(20, def(y));
  b.inst(18);
  const b1 = b.block();
  b.inst(17);
  const b2 = b.block();
  b.inst(17);
  const b3 = b.block([p]);
  b.inst(16, use(p));
  b.edge(b0, b1);
  b.edge(b0, b2);
  b.edge(b1, b3, [x]);
  b.edge(b2, b3, [y]);
};

test("a parameter that gets the right value on one edge only", () => {
  assert.throws(byHand(diamond, [0, 1, 0]), /defines v2 in r1, but it is wanted in r0/);
});

test("a value that a loop carries on in the wrong place", () => {
  const loop = (b: Builder): void => {
    const [x, i, next] = b.vregs(3, Type.i64);
    const b0 = b.block();
    b.inst(20, def(x));
    b.inst(17);
    const b1 = b.block([i], 1);
    b.inst(21, use(i), def(next));
    b.inst(18);
    const b2 = b.block([], 1);
    b.inst(17);
    const b3 = b.block();
    b.inst(16);
    b.edge(b0, b1, [x]);
    b.edge(b1, b2);
    b.edge(b1, b3);
    b.edge(b2, b1, [next]);
  };
  byHand(loop, [0, 0, 0])();
  assert.throws(byHand(loop, [0, 0, 1]), /defines v2 in r1, but it is wanted in r0/);
});

test("a use that no path defines", () => {
  const none = (b: Builder): void => {
    const [x] = b.vregs(1, Type.i64);
    b.block();
    b.inst(16, use(x));
  };
  assert.throws(byHand(none, [0]), /a path from the entry does not put it there/);
});

test("slots: halves of a pair, widths", () => {
  const pair = (b: Builder): void => {
    const [v] = b.vregs(1, Type.v128);
    const [x] = b.vregs(1, Type.i64);
    b.block();
    b.inst(20, [v, Opnd.def | Opnd.any]);
    b.inst(20, [x, Opnd.def | Opnd.any]);
    b.inst(16, useAny(v), useAny(x));
  };
  byHand(pair, [FIRST_SLOT, FIRST_SLOT + 2, FIRST_SLOT, FIRST_SLOT + 2], 4)();
  assert.throws(byHand(pair, [FIRST_SLOT, FIRST_SLOT + 1, FIRST_SLOT, FIRST_SLOT + 1], 4), /upper half|pair/);
  assert.throws(byHand(pair, [FIRST_SLOT + 1, FIRST_SLOT + 3, FIRST_SLOT + 1, FIRST_SLOT + 3], 4), /not an even pair/);
  assert.throws(byHand(pair, [FIRST_SLOT, FIRST_SLOT + 4, FIRST_SLOT, FIRST_SLOT + 4], 4), /location 68 does not exist/);
});

test("parameters left over, registers not declared as used", () => {
  const builder = new Builder();
  straight(builder);
  const mfn = builder.done();
  const before = recordBefore(mfn);
  mfn.opndReg.set([0, 1, 0, 1, 0, 0]);
  mfn.allocated = true;
  mfn.usedInts = 1;
  const origin = new Int32Array([0, 1, 2, 3]);
  assert.throws(() => checkAllocation(before, mfn, origin, registers), /r1 is written and not in the function's used registers/);
  mfn.usedInts = 3;
  checkAllocation(before, mfn, origin, registers);
  mfn.paramCount[0] = 1;
  assert.throws(() => checkAllocation(before, mfn, origin, registers), /still has parameters/);
});

/** Copies of one allocated function, each to be broken in one place. */
function allocated(seed: number, level: 0 | 2): { mfn: MFunc; before: BeforeAllocation; origin: Int32Array } {
  const mfn = randomFunction(seed, registers);
  const before = recordBefore(mfn);
  const origin = new Allocator(registers).allocate(mfn, { level }).slice(0, mfn.instCount);
  return { mfn, before, origin };
}

test("random allocations: an operand changed, a move lost, a move redirected are caught", () => {
  let caught = 0;
  let tried = 0;
  const missed: string[] = [];
  for (let seed = 0; seed < 400; seed++) {
    const level = seed % 2 === 0 ? 0 : 2;
    const { mfn, before, origin } = allocated(seed, level);
    checkAllocation(before, mfn, origin, registers);
    const random = new Random(seed);
    const j = random.below(mfn.instCount);
    if (mfn.opndCount[j] === 0) continue;
    const k = mfn.opndStart[j] + random.below(mfn.opndCount[j]);
    const info = mfn.opndInfo[k];
    const isUse = (info & Opnd.kindMask) === Opnd.use;
    const inserted = origin[j] === -1 && mfn.op[j] === MOp.move;
    // A use that reads an arbitrary other location: right only if that holds a copy. Uses of the same value are skipped.
    if (!isUse) continue;
    const was = mfn.opndReg[k];
    const to = was >= FIRST_SLOT || was < FIRST_FLOAT_REG ? (was + 1) % 4 : FIRST_FLOAT_REG + ((was - FIRST_FLOAT_REG + 1) % 4);
    if (to === was || (inserted && was >= FIRST_SLOT)) continue;
    tried++;
    mfn.opndReg[k] = to;
    try {
      checkAllocation(before, mfn, origin, registers);
      missed.push(`seed ${seed} instruction ${j}`);
    } catch {
      caught++;
    }
  }
  assert.ok(tried > 100, `${tried} tried`);
  // What goes through uncaught must be copies, and dead moves: few.
  assert.ok(missed.length * 10 < tried, `${missed.length} of ${tried} missed: ${missed.slice(0, 5).join("; ")}`);
  assert.ok(caught > 90);
});

test("an instruction dropped, changed or moved is caught", () => {
  const { mfn, before, origin } = allocated(3, 0);
  let j = 0;
  while (origin[j] < 0 || mfn.op[j] === MOp.args || mfn.rematOp.includes(mfn.op[j])) j++;
  const imm = mfn.imm[j];
  mfn.imm[j]++;
  assert.throws(() => checkAllocation(before, mfn, origin, registers), /differs from old instruction/);
  mfn.imm[j] = imm;
  const was = origin[j];
  origin[j] = -1;
  assert.throws(() => checkAllocation(before, mfn, origin, registers), /neither old nor a move|two operands/);
  origin[j] = was;
  checkAllocation(before, mfn, origin, registers);
});

test.run();
