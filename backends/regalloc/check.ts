// The symbolic checker: (machine IR before allocation, after it) => nothing, or an Error that says where it is wrong.
//
// Proved: on every path every use finds its own virtual register in the location it was given, every operand meets its
// constraint, and no two things share a location at the same time. It asks backward: a use of v in location L is a need
// (L, v), carried from instruction to instruction towards the entry. An inserted move L <- M turns it into (M, v), an edge
// turns a parameter into its argument; a definition of v in L answers it; any other write to L, a definition of v
// elsewhere, a clobber, or the function's entry refutes it. Needs are remembered by (block, location, vreg), so loops end.
// Time: the sum of the sizes of the live-in sets, times the visits a block gets (about its loop depth).
// Relies on nothing the allocator computed: the origin of each instruction, which it does record, is itself verified.
// Not seen: what emission does to flags and scratch registers inside one instruction.
import { FIRST_FLOAT_REG, FIRST_SLOT, MOp, Opnd } from "../../ir/machine/mfunc.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { Type, valueTypes } from "../../ir/types.js";
import type { RegisterFile } from "../target.js";

/** What `origin` holds for an inserted move or swap; an inserted remat of v: `ORIGIN_REMAT - v`; else the old index. */
export const ORIGIN_MOVE = -1;
export const ORIGIN_REMAT = -2;

/** The columns of a function as they were before allocation. */
export interface BeforeAllocation {
  readonly instCount: number;
  readonly op: Uint16Array;
  readonly imm: Int32Array;
  readonly imm2: Int32Array;
  readonly imm3: Int32Array;
  readonly clobbers: Uint8Array;
  readonly offset: Int32Array;
  readonly opndStart: Int32Array;
  readonly opndCount: Uint16Array;
  readonly opndReg: Int32Array;
  readonly opndInfo: Uint16Array;
  readonly blockStart: Int32Array;
  readonly blockEnd: Int32Array;
  readonly paramStart: Int32Array;
  readonly paramCount: Int32Array;
  readonly edgeArgStart: Int32Array;
  readonly lists: Int32Array;
}

export function recordBefore(mfn: MFunc): BeforeAllocation {
  const insts = mfn.instCount;
  const blocks = mfn.blockCount;
  return {
    instCount: insts,
    op: mfn.op.slice(0, insts),
    imm: mfn.imm.slice(0, insts),
    imm2: mfn.imm2.slice(0, insts),
    imm3: mfn.imm3.slice(0, insts),
    clobbers: mfn.clobbers.slice(0, insts),
    offset: mfn.offset.slice(0, insts),
    opndStart: mfn.opndStart.slice(0, insts),
    opndCount: mfn.opndCount.slice(0, insts),
    opndReg: mfn.opndReg.slice(0, mfn.opndLength),
    opndInfo: mfn.opndInfo.slice(0, mfn.opndLength),
    blockStart: mfn.blockStart.slice(0, blocks),
    blockEnd: mfn.blockEnd.slice(0, blocks),
    paramStart: mfn.paramStart.slice(0, blocks),
    paramCount: mfn.paramCount.slice(0, blocks),
    edgeArgStart: mfn.edgeArgStart.slice(0, mfn.edgeCount),
    lists: mfn.lists.slice(0, mfn.listLength),
  };
}

/** @throws Error naming function, block, instruction, operand, location and vreg of the first fault found. */
export function checkAllocation(before: BeforeAllocation, mfn: MFunc, origin: Int32Array, registers: RegisterFile): void {
  new Checker(before, mfn, origin, registers).run();
}

const NONE = -1;

/** A set of (block, location, vreg) by open addressing. */
class NeedSet {
  private mask = 1023;
  private size = 0;
  private table = new Int32Array(1024 * 3).fill(NONE);

  /** True if it was not in yet. */
  add(block: number, loc: number, vreg: number): boolean {
    if (this.size * 2 > this.mask) this.grow();
    const { table, mask } = this;
    let at = this.hash(block, loc, vreg) & mask;
    for (;;) {
      const k = at * 3;
      if (table[k] === NONE) {
        table[k] = block;
        table[k + 1] = loc;
        table[k + 2] = vreg;
        this.size++;
        return true;
      }
      if (table[k] === block && table[k + 1] === loc && table[k + 2] === vreg) return false;
      at = (at + 1) & mask;
    }
  }

  private hash(block: number, loc: number, vreg: number): number {
    let h = Math.imul(block, 0x9e3779b1) ^ Math.imul(loc, 0x85ebca6b) ^ Math.imul(vreg, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    return (h ^ (h >>> 13)) >>> 0;
  }

  private grow(): void {
    const old = this.table;
    this.mask = this.mask * 2 + 1;
    this.table = new Int32Array((this.mask + 1) * 3).fill(NONE);
    this.size = 0;
    for (let k = 0; k < old.length; k += 3) if (old[k] !== NONE) this.add(old[k], old[k + 1], old[k + 2]);
  }
}

class Checker {
  /** Needs of the block being walked, by location: `needHead[loc]`, then along `needNext`. */
  private readonly needHead: Int32Array;
  private needVreg = new Int32Array(256);
  /** The old instruction that asked. */
  private needBy = new Int32Array(256);
  private needNext = new Int32Array(256);
  private needFree = NONE;
  private needCount = 0;
  /** Locations that have had a need in this walk, each once (`locListed`). */
  private locs = new Int32Array(64);
  private locCount = 0;
  private readonly locListed: Uint8Array;
  /** Needs now open, by vreg. */
  private readonly openNeeds: Int32Array;

  /** Needs asked for at a block's end and not yet carried through it. */
  private readonly pendHead: Int32Array;
  private pendLoc = new Int32Array(256);
  private pendVreg = new Int32Array(256);
  private pendBy = new Int32Array(256);
  private pendNext = new Int32Array(256);
  private pendFree = NONE;
  private pendCount = 0;

  private readonly asked = new NeedSet();
  /** Block and index of a parameter, by vreg. */
  private readonly paramBlock: Int32Array;
  private readonly paramIndex: Int32Array;
  private readonly stack: Int32Array;
  private readonly onStack: Uint8Array;
  private stackTop = 0;
  private readonly allocatable: Uint8Array;

  private block = 0;

  constructor(
    private readonly before: BeforeAllocation,
    private readonly mfn: MFunc,
    private readonly origin: Int32Array,
    private readonly registers: RegisterFile,
  ) {
    const locations = FIRST_SLOT + mfn.slotCount;
    this.needHead = new Int32Array(locations).fill(NONE);
    this.locListed = new Uint8Array(locations);
    this.openNeeds = new Int32Array(mfn.vregCount);
    this.pendHead = new Int32Array(mfn.blockCount).fill(NONE);
    this.paramBlock = new Int32Array(mfn.vregCount).fill(NONE);
    this.paramIndex = new Int32Array(mfn.vregCount);
    this.stack = new Int32Array(mfn.blockCount);
    this.onStack = new Uint8Array(mfn.blockCount);
    this.allocatable = new Uint8Array(FIRST_SLOT);
    for (const r of registers.allocatableInts) this.allocatable[r] = 1;
    for (const r of registers.allocatableFloats) this.allocatable[r] = 1;
  }

  run(): void {
    const { mfn, before } = this;
    if (!mfn.allocated) throw new Error(`${this.where()}: not marked as allocated`);
    for (let b = 0; b < mfn.blockCount; b++) {
      this.block = b;
      if (mfn.paramCount[b] !== 0) this.fail(NONE, "the block still has parameters");
      for (let i = 0; i < before.paramCount[b]; i++) {
        const p = before.lists[before.paramStart[b] + i];
        this.paramBlock[p] = b;
        this.paramIndex[p] = i;
      }
      this.checkShape(b);
      for (let j = mfn.blockStart[b]; j < mfn.blockEnd[b]; j++) this.checkInstruction(j);
    }
    for (let b = 0; b < mfn.blockCount; b++) {
      this.stack[this.stackTop++] = b;
      this.onStack[b] = 1;
    }
    const walked = new Uint8Array(mfn.blockCount);
    while (this.stackTop > 0) {
      const b = this.stack[--this.stackTop];
      this.onStack[b] = 0;
      this.walk(b, walked[b] === 0);
      walked[b] = 1;
    }
  }

  // ---- shape: the old instructions in order, nothing else added than moves, swaps and remats ----

  private checkShape(b: number): void {
    const { mfn, before, origin } = this;
    let next = before.blockStart[b];
    for (let j = mfn.blockStart[b]; j < mfn.blockEnd[b]; j++) {
      const i = origin[j];
      if (i < 0) {
        this.checkInserted(j);
        continue;
      }
      if (i < next || i >= before.blockEnd[b]) this.fail(j, `stems from old instruction ${i}, which is out of order or of another block`);
      for (; next < i; next++) this.checkDropped(next, j);
      next = i + 1;
      if (
        mfn.op[j] !== before.op[i] || mfn.imm[j] !== before.imm[i] || mfn.imm2[j] !== before.imm2[i] || mfn.imm3[j] !== before.imm3[i] ||
        mfn.clobbers[j] !== before.clobbers[i] || mfn.offset[j] !== before.offset[i] || mfn.opndCount[j] !== before.opndCount[i]
      ) {
        this.fail(j, `differs from old instruction ${i} in more than its locations`);
      }
    }
    for (; next < before.blockEnd[b]; next++) this.checkDropped(next, mfn.blockEnd[b] - 1);
  }

  private checkDropped(i: number, near: number): void {
    const { before, mfn } = this;
    if (before.op[i] === MOp.move || before.op[i] === MOp.nop) return;
    const k = before.opndStart[i];
    if (before.opndCount[i] === 1 && (before.opndInfo[k] & Opnd.kindMask) === Opnd.def && mfn.rematOp[before.opndReg[k]] === before.op[i]) return;
    this.fail(near, `old instruction ${i} (op ${before.op[i]}) was dropped`);
  }

  private checkInserted(j: number): void {
    const { mfn, origin } = this;
    const k = mfn.opndStart[j];
    if (origin[j] === ORIGIN_MOVE) {
      if (mfn.op[j] !== MOp.move && mfn.op[j] !== MOp.swap) this.fail(j, "is neither old nor a move");
      if (mfn.opndCount[j] !== 2) this.fail(j, "a move or swap has two operands");
      const a = mfn.opndReg[k];
      const b = mfn.opndReg[k + 1];
      this.checkLocation(j, a);
      this.checkLocation(j, b);
      if (mfn.op[j] === MOp.swap) {
        if (a >= FIRST_FLOAT_REG || b >= FIRST_FLOAT_REG) this.fail(j, "swap of anything but two integer registers");
      } else if (a >= FIRST_SLOT && b >= FIRST_SLOT) this.fail(j, "a move from slot to slot");
      else {
        const want = valueTypes[mfn.imm[j]].class;
        for (const loc of [a, b]) if (loc < FIRST_SLOT && (loc >= FIRST_FLOAT_REG ? 1 : 0) !== want) this.fail(j, `move of a ${valueTypes[mfn.imm[j]].name} in ${this.locName(loc)}`);
      }
      return;
    }
    const v = ORIGIN_REMAT - origin[j];
    if (v < 0 || v >= mfn.vregCount || mfn.rematOp[v] === 0) this.fail(j, `makes v${v} again, which cannot be`);
    if (mfn.op[j] !== mfn.rematOp[v] || mfn.imm[j] !== mfn.rematImm[v] || mfn.imm2[j] !== mfn.rematImm2[v] || mfn.opndCount[j] !== 1) {
      this.fail(j, `does not make v${v} again: op or immediates differ`);
    }
    if (mfn.opndReg[k] >= FIRST_SLOT) this.fail(j, "remat into a slot");
    this.checkLocation(j, mfn.opndReg[k]);
    this.checkClass(j, 0, mfn.opndReg[k], v);
  }

  // ---- each instruction by itself ----

  private checkLocation(j: number, loc: number): void {
    if (loc < 0 || loc >= FIRST_SLOT + this.mfn.slotCount) this.fail(j, `location ${loc} does not exist (${this.mfn.slotCount} slots)`);
    if (loc < FIRST_SLOT && this.registers.names[loc] === undefined) this.fail(j, `register ${loc} does not exist`);
  }

  private checkClass(j: number, k: number, loc: number, v: number): void {
    const type = this.mfn.vregType[v];
    if (loc >= FIRST_SLOT) {
      if (type === Type.v128 && ((loc & 1) !== 0 || loc + 1 >= FIRST_SLOT + this.mfn.slotCount)) this.fail(j, `operand ${k}: v128 v${v} in ${this.locName(loc)}, not an even pair`);
    } else if ((loc >= FIRST_FLOAT_REG ? 1 : 0) !== valueTypes[type].class) this.fail(j, `operand ${k}: ${valueTypes[type].name} v${v} in ${this.locName(loc)}`);
  }

  private checkInstruction(j: number): void {
    const { mfn, before, origin } = this;
    const start = mfn.opndStart[j];
    const count = mfn.opndCount[j];
    const i = origin[j];
    if (mfn.op[j] === MOp.swap) {
      this.checkUsed(j, mfn.opndReg[start]);
      this.checkUsed(j, mfn.opndReg[start + 1]);
      return;
    }
    if (i < 0) {
      this.checkUsed(j, mfn.opndReg[start]);
      return;
    }
    const oldStart = before.opndStart[i];
    const clobbers = mfn.clobberSets[mfn.clobbers[j]];
    for (let k = 0; k < count; k++) {
      const loc = mfn.opndReg[start + k];
      const v = before.opndReg[oldStart + k];
      const info = before.opndInfo[oldStart + k];
      const kind = info & Opnd.kindMask;
      const payload = info >> Opnd.payloadShift;
      this.checkLocation(j, loc);
      this.checkClass(j, k, loc, v);
      switch (info & Opnd.constraintMask) {
        case Opnd.reg:
          if (loc >= FIRST_SLOT) this.fail(j, `operand ${k}: v${v} must be in a register, is in ${this.locName(loc)}`);
          if (this.allocatable[loc] === 0) this.fail(j, `operand ${k}: v${v} in ${this.locName(loc)}, which is not allocatable`);
          break;
        case Opnd.fixed:
          if (loc !== payload) this.fail(j, `operand ${k}: v${v} must be in ${this.locName(payload)}, is in ${this.locName(loc)}`);
          break;
        case Opnd.same:
          if (loc !== mfn.opndReg[start + payload]) this.fail(j, `operand ${k}: v${v} must be where operand ${payload} is, ${this.locName(mfn.opndReg[start + payload])}, is in ${this.locName(loc)}`);
          break;
        default:
          if (loc < FIRST_SLOT && this.allocatable[loc] === 0) this.fail(j, `operand ${k}: v${v} in ${this.locName(loc)}, which is not allocatable`);
      }
      if (kind !== Opnd.use) this.checkUsed(j, loc);
      const early = kind === Opnd.temp || (kind === Opnd.use ? true : (info & Opnd.flip) !== 0);
      const late = kind === Opnd.temp || (kind === Opnd.def ? true : (info & Opnd.flip) !== 0);
      if (late && kind !== Opnd.def && loc < FIRST_SLOT && clobbered(clobbers, loc)) this.fail(j, `operand ${k}: v${v} is needed to the end in ${this.locName(loc)}, which the instruction clobbers`);
      for (let m = 0; m < k; m++) {
        if (!overlaps(loc, mfn.vregType[v], mfn.opndReg[start + m], mfn.vregType[before.opndReg[oldStart + m]])) continue;
        const otherInfo = before.opndInfo[oldStart + m];
        const otherKind = otherInfo & Opnd.kindMask;
        if (kind === Opnd.use && otherKind === Opnd.use) continue;
        const otherEarly = otherKind === Opnd.temp || (otherKind === Opnd.use ? true : (otherInfo & Opnd.flip) !== 0);
        const otherLate = otherKind === Opnd.temp || (otherKind === Opnd.def ? true : (otherInfo & Opnd.flip) !== 0);
        if ((early && otherEarly) || (late && otherLate)) this.fail(j, `operands ${m} and ${k} (v${before.opndReg[oldStart + m]}, v${v}) are both in ${this.locName(loc)} at one time`);
      }
    }
  }

  private checkUsed(j: number, loc: number): void {
    if (loc >= FIRST_SLOT) return;
    const mask = loc >= FIRST_FLOAT_REG ? this.mfn.usedFloats : this.mfn.usedInts;
    if (((mask >>> (loc & 31)) & 1) === 0) this.fail(j, `${this.locName(loc)} is written and not in the function's used registers`);
  }

  // ---- needs through a block ----

  private walk(b: number, first: boolean): void {
    const { mfn, before, origin } = this;
    this.block = b;
    for (let p = this.pendHead[b]; p !== NONE; ) {
      this.need(this.pendLoc[p], this.pendVreg[p], this.pendBy[p]);
      const next = this.pendNext[p];
      this.pendNext[p] = this.pendFree;
      this.pendFree = p;
      p = next;
    }
    this.pendHead[b] = NONE;
    let after = before.blockEnd[b];
    for (let j = mfn.blockEnd[b] - 1; j >= mfn.blockStart[b]; j--) {
      const i = origin[j];
      const start = mfn.opndStart[j];
      if (i >= 0) {
        while (--after > i) this.passDropped(j, after);
        this.passOld(j, i, first);
      } else if (i === ORIGIN_MOVE) {
        if (mfn.op[j] === MOp.move) this.passMove(j, mfn.opndReg[start], mfn.opndReg[start + 1], mfn.imm[j]);
        else this.passSwap(mfn.opndReg[start], mfn.opndReg[start + 1]);
      } else this.passRemat(j, mfn.opndReg[start], ORIGIN_REMAT - i);
    }
    while (--after >= before.blockStart[b]) this.passDropped(mfn.blockStart[b], after);
    this.leave(b);
  }

  /** Carries what is still needed at the block's start to the ends of its predecessors. */
  private leave(b: number): void {
    const { mfn, before } = this;
    const lists = mfn.lists;
    const preds = mfn.predCount[b];
    for (let n = 0; n < this.locCount; n++) {
      const loc = this.locs[n];
      this.locListed[loc] = 0;
      for (let x = this.needHead[loc]; x !== NONE; ) {
        const v = this.needVreg[x];
        const by = this.needBy[x];
        const isParam = this.paramBlock[v] === b;
        if (b === 0) this.fail(NONE, `v${v} is wanted in ${this.locName(loc)} by old instruction ${by}, and a path from the entry does not put it there`);
        for (let p = 0; p < preds; p++) {
          const e = lists[mfn.predStart[b] + p];
          const from = mfn.edgeFrom[e];
          const arg = isParam ? before.lists[before.edgeArgStart[e] + this.paramIndex[v]] : v;
          if (this.asked.add(from, loc, arg)) this.ask(from, loc, arg, by);
        }
        this.openNeeds[v]--;
        const next = this.needNext[x];
        this.needNext[x] = this.needFree;
        this.needFree = x;
        x = next;
      }
      this.needHead[loc] = NONE;
    }
    this.locCount = 0;
  }

  private passOld(j: number, i: number, first: boolean): void {
    const { mfn, before } = this;
    const start = mfn.opndStart[j];
    const oldStart = before.opndStart[i];
    const count = mfn.opndCount[j];
    // Definitions answer first: a call may define a result in a register it clobbers.
    for (let k = 0; k < count; k++) {
      const info = before.opndInfo[oldStart + k];
      if ((info & Opnd.kindMask) !== Opnd.def) continue;
      const loc = mfn.opndReg[start + k];
      const v = before.opndReg[oldStart + k];
      this.written(j, loc, mfn.vregType[v], v, "defines");
    }
    for (let k = 0; k < count; k++) {
      const info = before.opndInfo[oldStart + k];
      const v = before.opndReg[oldStart + k];
      if ((info & Opnd.kindMask) === Opnd.def) {
        if (this.openNeeds[v] !== 0) this.fail(j, `defines v${v} in ${this.locName(mfn.opndReg[start + k])}, but it is wanted in ${this.locName(this.holderOf(v))} by old instruction ${this.askerOf(v)}`);
      } else if ((info & Opnd.kindMask) === Opnd.temp) this.written(j, mfn.opndReg[start + k], mfn.vregType[v], NONE, "has its temporary");
    }
    const set = mfn.clobberSets[mfn.clobbers[j]];
    if (set.ints !== 0 || set.floats !== 0) {
      for (let r = 0; r < FIRST_SLOT; r++) if (this.needHead[r] !== NONE && clobbered(set, r)) this.refute(j, r, "clobbers that register");
    }
    // Emission may use the scratch registers in any instruction.
    this.scratchFree(j);
    if (!first) return;
    for (let k = 0; k < count; k++) {
      if ((before.opndInfo[oldStart + k] & Opnd.kindMask) === Opnd.use) this.need(mfn.opndReg[start + k], before.opndReg[oldStart + k], i);
    }
  }

  private scratchFree(j: number): void {
    const { scratchInt, scratchFloat } = this.registers;
    if (this.needHead[scratchInt] !== NONE) this.refute(j, scratchInt, "may overwrite the scratch register");
    if (this.needHead[scratchFloat] !== NONE) this.refute(j, scratchFloat, "may overwrite the scratch register");
  }

  private passDropped(j: number, i: number): void {
    const { mfn, before } = this;
    const k = before.opndStart[i];
    if (before.op[i] === MOp.nop) return;
    const v = before.opndReg[k];
    if (this.openNeeds[v] === 0) return;
    if (before.op[i] !== MOp.move) this.fail(j, `old instruction ${i}, the definition of v${v}, was dropped; it is wanted in ${this.locName(this.holderOf(v))} by old instruction ${this.askerOf(v)}`);
    const source = before.opndReg[k + 1];
    for (let n = 0; n < this.locCount; n++) {
      const loc = this.locs[n];
      for (let x = this.needHead[loc]; x !== NONE; x = this.needNext[x]) {
        if (this.needVreg[x] === v) {
          this.openNeeds[v]--;
          this.openNeeds[source]++;
          this.needVreg[x] = source;
        }
      }
    }
    if (mfn.vregType[source] !== mfn.vregType[v]) this.fail(j, `old instruction ${i}, a move between types, was dropped`);
  }

  private passMove(j: number, dst: number, src: number, type: number): void {
    const bytes = valueTypes[type].bytes;
    this.checkOverlap(j, dst, bytes);
    let x = this.needHead[dst];
    this.needHead[dst] = NONE;
    while (x !== NONE) {
      const v = this.needVreg[x];
      if (valueTypes[this.mfn.vregType[v]].bytes > bytes) this.fail(j, `moves ${bytes} bytes of v${v}, a ${valueTypes[this.mfn.vregType[v]].name}`);
      const next = this.needNext[x];
      this.openNeeds[v]--;
      this.need(src, v, this.needBy[x]);
      this.needNext[x] = this.needFree;
      this.needFree = x;
      x = next;
    }
  }

  private passSwap(a: number, b: number): void {
    const head = this.needHead[a];
    this.needHead[a] = this.needHead[b];
    this.needHead[b] = head;
    this.list(a);
    this.list(b);
  }

  private passRemat(j: number, loc: number, v: number): void {
    // Behind the only edge into a block, a parameter is its argument.
    const b = this.block;
    if (this.mfn.predCount[b] === 1) {
      const argStart = this.before.edgeArgStart[this.mfn.lists[this.mfn.predStart[b]]];
      for (let x = this.needHead[loc]; x !== NONE; x = this.needNext[x]) {
        const p = this.needVreg[x];
        if (this.paramBlock[p] !== b || this.before.lists[argStart + this.paramIndex[p]] !== v) continue;
        this.needVreg[x] = v;
        this.openNeeds[p]--;
        this.openNeeds[v]++;
      }
    }
    this.written(j, loc, this.mfn.vregType[v], v, "makes again");
    // Making a value again may take the scratch registers, too.
    this.scratchFree(j);
  }

  /** The instruction writes `loc`, with `v` or (NONE) something nobody may want. */
  private written(j: number, loc: number, type: number, v: number, how: string): void {
    this.checkOverlap(j, loc, valueTypes[type].bytes);
    for (let x = this.needHead[loc]; x !== NONE; ) {
      if (this.needVreg[x] !== v) this.refute(j, loc, v === NONE ? how : `${how} v${v} there`, x);
      this.openNeeds[v]--;
      const next = this.needNext[x];
      this.needNext[x] = this.needFree;
      this.needFree = x;
      x = next;
    }
    this.needHead[loc] = NONE;
  }

  /** Slots are 8 bytes, a v128 takes two: a write to one half spoils a pair. */
  private checkOverlap(j: number, loc: number, bytes: number): void {
    if (loc < FIRST_SLOT) return;
    if (bytes === 16 && this.needHead[loc + 1] !== NONE) this.refute(j, loc + 1, "writes the pair this slot belongs to");
    if (loc > FIRST_SLOT) {
      for (let x = this.needHead[loc - 1]; x !== NONE; x = this.needNext[x]) {
        if (this.mfn.vregType[this.needVreg[x]] === Type.v128) this.refute(j, loc - 1, "writes its upper half", x);
      }
    }
  }

  private need(loc: number, v: number, by: number): void {
    for (let x = this.needHead[loc]; x !== NONE; x = this.needNext[x]) if (this.needVreg[x] === v) return;
    let x = this.needFree;
    if (x !== NONE) this.needFree = this.needNext[x];
    else {
      x = this.needCount++;
      if (x === this.needVreg.length) {
        this.needVreg = doubled(this.needVreg);
        this.needBy = doubled(this.needBy);
        this.needNext = doubled(this.needNext);
      }
    }
    this.needVreg[x] = v;
    this.needBy[x] = by;
    this.needNext[x] = this.needHead[loc];
    this.needHead[loc] = x;
    this.openNeeds[v]++;
    this.list(loc);
  }

  private list(loc: number): void {
    if (this.locListed[loc] !== 0) return;
    this.locListed[loc] = 1;
    if (this.locCount === this.locs.length) this.locs = doubled(this.locs);
    this.locs[this.locCount++] = loc;
  }

  private ask(block: number, loc: number, v: number, by: number): void {
    let p = this.pendFree;
    if (p !== NONE) this.pendFree = this.pendNext[p];
    else {
      p = this.pendCount++;
      if (p === this.pendLoc.length) {
        this.pendLoc = doubled(this.pendLoc);
        this.pendVreg = doubled(this.pendVreg);
        this.pendBy = doubled(this.pendBy);
        this.pendNext = doubled(this.pendNext);
      }
    }
    this.pendLoc[p] = loc;
    this.pendVreg[p] = v;
    this.pendBy[p] = by;
    this.pendNext[p] = this.pendHead[block];
    this.pendHead[block] = p;
    if (this.onStack[block] === 0) {
      this.onStack[block] = 1;
      this.stack[this.stackTop++] = block;
    }
  }

  // ---- messages ----

  private holderOf(v: number): number {
    for (let n = 0; n < this.locCount; n++) {
      for (let x = this.needHead[this.locs[n]]; x !== NONE; x = this.needNext[x]) if (this.needVreg[x] === v) return this.locs[n];
    }
    return NONE;
  }

  private askerOf(v: number): number {
    const loc = this.holderOf(v);
    for (let x = this.needHead[loc]; x !== NONE; x = this.needNext[x]) if (this.needVreg[x] === v) return this.needBy[x];
    return NONE;
  }

  private refute(j: number, loc: number, what: string, x = this.needHead[loc]): never {
    return this.fail(j, `${what}, but v${this.needVreg[x]} is wanted in ${this.locName(loc)} by old instruction ${this.needBy[x]}`);
  }

  private locName(loc: number): string {
    return loc >= FIRST_SLOT ? `slot ${loc - FIRST_SLOT}` : this.registers.names[loc] ?? `register ${loc}`;
  }

  private where(): string {
    return `allocation of function ${this.mfn.index}${this.mfn.name === undefined ? "" : ` (${this.mfn.name})`}`;
  }

  private fail(j: number, what: string): never {
    const at = j === NONE ? "" : `, instruction ${j} (op ${this.mfn.op[j]}, ${this.origin[j] >= 0 ? `old ${this.origin[j]}` : "inserted"})`;
    throw new Error(`${this.where()}, block ${this.block}${at}: ${what}`);
  }
}

function clobbered(set: { ints: number; floats: number }, reg: number): boolean {
  return (((reg >= FIRST_FLOAT_REG ? set.floats : set.ints) >>> (reg & 31)) & 1) !== 0;
}

function overlaps(a: number, aType: number, b: number, bType: number): boolean {
  if (a === b) return true;
  if (a < FIRST_SLOT || b < FIRST_SLOT) return false;
  return (aType === Type.v128 && b === a + 1) || (bType === Type.v128 && a === b + 1);
}

function doubled(column: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(column.length * 2);
  bigger.set(column);
  return bigger;
}
