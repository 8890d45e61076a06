// Rebuilds the instruction columns: operands that already hold locations + moves to insert => the allocated function.
//
// One pass in layout order. Slot ids become slots, each bucket of inserted moves becomes a sequence, dropped instructions
// go, parameters and edge arguments are emptied, the written registers are collected. The new columns are built in arrays
// of the rewriter's own and copied at the end: in the steady state nothing is allocated.
// Relies on: `InsertedMoves`; every operand in `opndReg` being a register or FIRST_SLOT + slot id.
import { FIRST_FLOAT_REG, FIRST_SLOT, MOp, Opnd } from "../../ir/machine/mfunc.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import type { RegisterFile } from "../target.js";
import { ORIGIN_MOVE, ORIGIN_REMAT } from "./check.js";
import { At } from "./inserted.js";
import type { InsertedMoves } from "./inserted.js";
import { ParallelMove, Step } from "./parallel-move.js";

function grown<T extends Int32Array | Uint8Array | Uint16Array>(column: T, capacity: number): T {
  const bigger = new (column.constructor as new (n: number) => T)(capacity);
  bigger.set(column);
  return bigger;
}

export class Rewriter {
  private op = new Uint16Array(1024);
  private imm = new Int32Array(1024);
  private imm2 = new Int32Array(1024);
  private imm3 = new Int32Array(1024);
  private clobbers = new Uint8Array(1024);
  private offset = new Int32Array(1024);
  private opndStart = new Int32Array(1024);
  private opndCount = new Uint16Array(1024);
  private origin = new Int32Array(1024);
  private opndReg = new Int32Array(2048);
  private opndInfo = new Uint16Array(2048);
  private insts = 0;
  private opnds = 0;
  private usedInts = 0;
  private usedFloats = 0;
  private readonly parallel: ParallelMove;

  constructor(registers: RegisterFile) {
    this.parallel = new ParallelMove(registers);
  }

  /**
   * `slotOf[id]`: the final slot of a slot id. `dropped[i]`: 1 if instruction i goes. Sets everything of the function but
   * `slotCount`. Returns for every new instruction its old index, ORIGIN_MOVE or ORIGIN_REMAT - vreg (see check.ts).
   */
  rewrite(mfn: MFunc, inserted: InsertedMoves, slotOf: Int32Array, dropped: Uint8Array): Int32Array {
    this.insts = 0;
    this.opnds = 0;
    this.usedInts = 0;
    this.usedFloats = 0;
    const { op, imm, imm2, imm3, clobbers, offset, opndStart, opndCount, opndReg, opndInfo, clobberSets } = mfn;
    const head = inserted.head;
    for (let b = 0; b < mfn.blockCount; b++) {
      const start = mfn.blockStart[b];
      const end = mfn.blockEnd[b];
      mfn.blockStart[b] = this.insts;
      for (let i = start; i < end; i++) {
        const bucket = i * 4;
        if (head[bucket + At.entry] >= 0) this.sequence(mfn, inserted, head[bucket + At.entry], slotOf);
        if (head[bucket + At.before] >= 0) this.sequence(mfn, inserted, head[bucket + At.before], slotOf);
        if (head[bucket + At.exit] >= 0) this.sequence(mfn, inserted, head[bucket + At.exit], slotOf);
        if (dropped[i] === 0) {
          const n = this.newInst();
          this.op[n] = op[i];
          this.imm[n] = imm[i];
          this.imm2[n] = imm2[i];
          this.imm3[n] = imm3[i];
          this.clobbers[n] = clobbers[i];
          this.offset[n] = offset[i];
          this.origin[n] = i;
          const count = opndCount[i];
          this.opndCount[n] = count;
          if (this.opnds + count > this.opndReg.length) this.growOperands(count);
          const first = opndStart[i];
          let to = this.opnds;
          for (let k = first; k < first + count; k++) {
            let loc = opndReg[k];
            if (loc >= FIRST_SLOT) loc = FIRST_SLOT + slotOf[loc - FIRST_SLOT];
            else if ((opndInfo[k] & Opnd.kindMask) !== Opnd.use) this.used(loc);
            this.opndReg[to] = loc;
            this.opndInfo[to++] = opndInfo[k];
          }
          this.opnds = to;
          if (clobbers[i] !== 0) {
            const set = clobberSets[clobbers[i]];
            this.usedInts |= set.ints;
            this.usedFloats |= set.floats;
          }
        }
        if (head[bucket + At.after] >= 0) this.sequence(mfn, inserted, head[bucket + At.after], slotOf);
      }
      mfn.blockEnd[b] = this.insts;
      mfn.paramCount[b] = 0;
    }
    for (let e = 0; e < mfn.edgeCount; e++) mfn.edgeArgStart[e] = 0;
    this.deliver(mfn);
    return this.origin;
  }

  private used(loc: number): void {
    if (loc < FIRST_FLOAT_REG) this.usedInts |= 1 << loc;
    else if (loc < FIRST_SLOT) this.usedFloats |= 1 << (loc & 31);
  }

  private sequence(mfn: MFunc, inserted: InsertedMoves, first: number, slotOf: Int32Array): void {
    const { parallel } = this;
    const { dst, src, vreg, next } = inserted;
    parallel.clear();
    for (let m = first; m >= 0; m = next[m]) {
      let to = dst[m];
      let from = src[m];
      if (to >= FIRST_SLOT) to = FIRST_SLOT + slotOf[to - FIRST_SLOT];
      if (from >= FIRST_SLOT) from = FIRST_SLOT + slotOf[from - FIRST_SLOT];
      parallel.add(to, from, vreg[m], mfn.vregType[vreg[m]]);
    }
    parallel.resolve();
    for (let s = 0; s < parallel.outCount; s++) {
      const step = parallel.outStep[s];
      const to = parallel.outDst[s];
      if (step === Step.remat) {
        const v = parallel.outVreg[s];
        const n = this.newInst();
        this.op[n] = mfn.rematOp[v];
        this.imm[n] = mfn.rematImm[v];
        this.imm2[n] = mfn.rematImm2[v];
        this.opndCount[n] = 1;
        this.origin[n] = ORIGIN_REMAT - v;
        this.operand(to, Opnd.def | Opnd.reg);
        this.used(to);
        continue;
      }
      const from = parallel.outSrc[s];
      const n = this.newInst();
      this.imm[n] = parallel.outType[s];
      this.imm2[n] = 0;
      this.opndCount[n] = 2;
      this.origin[n] = ORIGIN_MOVE;
      if (step === Step.swap) {
        this.op[n] = MOp.swap;
        this.imm[n] = Type.i64;
        this.operand(to, Opnd.def | Opnd.any);
        this.operand(from, Opnd.def | Opnd.any);
        this.used(from);
      } else {
        this.op[n] = MOp.move;
        this.operand(to, Opnd.def | Opnd.any);
        this.operand(from, Opnd.use | Opnd.any);
      }
      this.used(to);
    }
  }

  private newInst(): number {
    const n = this.insts++;
    if (n === this.op.length) {
      const size = n * 2;
      this.op = grown(this.op, size);
      this.imm = grown(this.imm, size);
      this.imm2 = grown(this.imm2, size);
      this.imm3 = grown(this.imm3, size);
      this.clobbers = grown(this.clobbers, size);
      this.offset = grown(this.offset, size);
      this.opndStart = grown(this.opndStart, size);
      this.opndCount = grown(this.opndCount, size);
    }
    if (n >= this.origin.length) this.origin = grown(this.origin, n * 2);
    this.imm3[n] = 0;
    this.clobbers[n] = 0;
    this.offset[n] = 0;
    this.opndStart[n] = this.opnds;
    return n;
  }

  private operand(loc: number, info: number): void {
    if (this.opnds === this.opndReg.length) this.growOperands(1);
    this.opndReg[this.opnds] = loc;
    this.opndInfo[this.opnds++] = info;
  }

  private growOperands(more: number): void {
    const size = Math.max(this.opndReg.length * 2, this.opnds + more);
    this.opndReg = grown(this.opndReg, size);
    this.opndInfo = grown(this.opndInfo, size);
  }

  /** Copies the new columns into the function's own arrays, or where those are too short into new ones. */
  private deliver(mfn: MFunc): void {
    const { insts, opnds } = this;
    // All instruction columns have one length (MFunc.inst relies on it).
    if (mfn.op.length < insts) {
      mfn.op = new Uint16Array(insts);
      mfn.imm = new Int32Array(insts);
      mfn.imm2 = new Int32Array(insts);
      mfn.imm3 = new Int32Array(insts);
      mfn.clobbers = new Uint8Array(insts);
      mfn.offset = new Int32Array(insts);
      mfn.opndStart = new Int32Array(insts);
      mfn.opndCount = new Uint16Array(insts);
    }
    if (mfn.opndReg.length < opnds) {
      mfn.opndReg = new Int32Array(opnds);
      mfn.opndInfo = new Uint16Array(opnds);
    }
    mfn.op.set(this.op.subarray(0, insts));
    mfn.imm.set(this.imm.subarray(0, insts));
    mfn.imm2.set(this.imm2.subarray(0, insts));
    mfn.imm3.set(this.imm3.subarray(0, insts));
    mfn.clobbers.set(this.clobbers.subarray(0, insts));
    mfn.offset.set(this.offset.subarray(0, insts));
    mfn.opndStart.set(this.opndStart.subarray(0, insts));
    mfn.opndCount.set(this.opndCount.subarray(0, insts));
    mfn.opndReg.set(this.opndReg.subarray(0, opnds));
    mfn.opndInfo.set(this.opndInfo.subarray(0, opnds));
    mfn.instCount = insts;
    mfn.opndLength = opnds;
    mfn.usedInts = this.usedInts;
    mfn.usedFloats = this.usedFloats;
    mfn.allocated = true;
  }
}
