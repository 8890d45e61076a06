// Liveness: a function => live ranges and uses of every vreg, the registers its instructions take for themselves, and
// the values live into each block.
//
// First, per vreg, blocks are explored upward from those that use it before defining it, a stamp per vreg marking where
// it has been: the work is the sum of the live-in sets, never vregs x blocks. Then one backward walk makes ranges
// (prepending, so they come out sorted). Gives up (returns false) when the live-in sets pass the budget.
import { MOp, Opnd } from "../../ir/machine/mfunc.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { NONE, Role, UseKind } from "./intervals.js";
import type { Intervals } from "./intervals.js";
import type { RegisterMap } from "./register-map.js";

/** Live-in entries allowed: this many an instruction, and a floor. */
const LIVE_IN_PER_INST = 40;
const LIVE_IN_FLOOR = 100_000;

/** A pair of vregs that one location would serve: an edge, a two-address operand, a move. `weight` decides the order. */
export class CopyPairs {
  count = 0;
  a = new Int32Array(256);
  b = new Int32Array(256);
  weight = new Float64Array(256);

  add(a: number, b: number, weight: number): void {
    const n = this.count++;
    if (n === this.a.length) {
      const as = new Int32Array(n * 2);
      as.set(this.a);
      this.a = as;
      const bs = new Int32Array(n * 2);
      bs.set(this.b);
      this.b = bs;
      const weights = new Float64Array(n * 2);
      weights.set(this.weight);
      this.weight = weights;
    }
    this.a[n] = a;
    this.b[n] = b;
    this.weight[n] = weight;
  }
}

export class Liveness {
  /** `liveHead[b]`, along `liveNext`: `liveVreg`, the values live into b. Its parameters are not among them. */
  liveHead = new Int32Array(64);
  liveNext = new Int32Array(1024);
  liveVreg = new Int32Array(1024);
  /** How often a block runs, as a guess: powers of ten by loop depth, a hundredth if cold. */
  blockWeight = new Float64Array(64);
  readonly pairs = new CopyPairs();
  /** Positions (ascending) at which each clobber set strikes. */
  clobberAt: Int32Array[] = [];
  clobberCount = new Int32Array(8);

  /** Operands in fixed registers that make no use: dead definitions, temporaries. `leftoverReg` is the register. */
  leftoverCount = 0;
  leftoverOpnd = new Int32Array(64);
  leftoverReg = new Int32Array(64);
  /** Instructions that are MOp.move already. */
  moveCount = 0;
  moveInst = new Int32Array(64);

  private live = 0;
  private defBlock = new Int32Array(256);
  private seen = new Int32Array(256);
  private counts = new Int32Array(256);
  private exposedVreg = new Int32Array(256);
  private exposedBlock = new Int32Array(256);
  private sorted = new Int32Array(256);
  private mark = new Int32Array(64);
  private stack = new Int32Array(64);
  private open = new Int32Array(64);
  private readonly lastFixed = new Int32Array(64);

  /** False: more live-in entries than the budget allows. */
  compute(mfn: MFunc, ivs: Intervals, map: RegisterMap): boolean {
    const vregs = mfn.vregCount;
    const blocks = mfn.blockCount;
    if (this.defBlock.length < vregs) {
      const n = vregs + (vregs >> 1);
      this.defBlock = new Int32Array(n);
      this.seen = new Int32Array(n);
      this.counts = new Int32Array(n + 1);
    }
    if (this.mark.length < blocks) {
      const n = blocks + (blocks >> 1);
      this.mark = new Int32Array(n);
      this.stack = new Int32Array(n);
      this.liveHead = new Int32Array(n);
      this.blockWeight = new Float64Array(n);
    }
    this.defBlock.fill(NONE, 0, vregs);
    for (let b = 0; b < blocks; b++) {
      const depth = Math.min(4, mfn.blockLoopDepth[b]);
      let w = mfn.blockCold[b] !== 0 ? 0.01 : 1;
      for (let d = 0; d < depth; d++) w *= 10;
      this.blockWeight[b] = w;
    }
    if (!this.liveIns(mfn)) return false;
    this.ranges(mfn, ivs, map);
    return true;
  }

  private liveIns(mfn: MFunc): boolean {
    const { defBlock, seen, counts, mark, stack } = this;
    const { opndReg, opndInfo, lists } = mfn;
    const vregs = mfn.vregCount;
    for (let b = 0; b < mfn.blockCount; b++) {
      for (let i = 0; i < mfn.paramCount[b]; i++) defBlock[lists[mfn.paramStart[b] + i]] = b;
      const from = mfn.opndStart[mfn.blockStart[b]];
      const last = mfn.blockEnd[b] - 1;
      const to = mfn.opndStart[last] + mfn.opndCount[last];
      for (let k = from; k < to; k++) if ((opndInfo[k] & Opnd.kindMask) === Opnd.def) defBlock[opndReg[k]] = b;
    }
    // Uses above their definition, counted by vreg.
    seen.fill(NONE, 0, vregs);
    counts.fill(0, 0, vregs + 1);
    let exposed = 0;
    for (let b = 0; b < mfn.blockCount; b++) {
      const from = mfn.opndStart[mfn.blockStart[b]];
      const last = mfn.blockEnd[b] - 1;
      const to = mfn.opndStart[last] + mfn.opndCount[last];
      for (let k = from; k < to; k++) {
        const v = opndReg[k];
        if ((opndInfo[k] & Opnd.kindMask) !== Opnd.use || defBlock[v] === b || seen[v] === b) continue;
        seen[v] = b;
        exposed = this.expose(exposed, v, b);
      }
      for (let s = 0; s < mfn.succCount[b]; s++) {
        const e = lists[mfn.succStart[b] + s];
        const args = mfn.paramCount[mfn.edgeTo[e]];
        for (let a = 0; a < args; a++) {
          const v = lists[mfn.edgeArgStart[e] + a];
          if (defBlock[v] === b || seen[v] === b) continue;
          seen[v] = b;
          exposed = this.expose(exposed, v, b);
        }
      }
    }
    if (this.sorted.length < exposed) this.sorted = new Int32Array(exposed * 2);
    for (let v = 0, sum = 0; v <= vregs; v++) {
      const c = counts[v];
      counts[v] = sum;
      sum += c;
    }
    for (let x = 0; x < exposed; x++) this.sorted[counts[this.exposedVreg[x]]++] = x;
    // counts[v] is now the end of v's part.
    this.live = 0;
    this.liveHead.fill(NONE, 0, mfn.blockCount);
    mark.fill(NONE, 0, mfn.blockCount);
    const budget = Math.max(LIVE_IN_FLOOR, mfn.instCount * LIVE_IN_PER_INST);
    for (let x = 0; x < exposed; x++) {
      const v = this.exposedVreg[this.sorted[x]];
      const b = this.exposedBlock[this.sorted[x]];
      if (mark[b] === v) continue;
      mark[b] = v;
      let top = 0;
      stack[top++] = b;
      while (top > 0) {
        const at = stack[--top];
        if (at === 0 || defBlock[v] < 0) throw new Error(`register allocation of function ${mfn.index}: v${v} is used without a definition on some path`);
        this.addLive(at, v);
        for (let p = 0; p < mfn.predCount[at]; p++) {
          const from = mfn.edgeFrom[lists[mfn.predStart[at] + p]];
          if (from === defBlock[v] || mark[from] === v) continue;
          mark[from] = v;
          stack[top++] = from;
        }
      }
      if (this.live > budget) return false;
    }
    return true;
  }

  private expose(n: number, v: number, b: number): number {
    if (n === this.exposedVreg.length) {
      const vregs = new Int32Array(n * 2);
      vregs.set(this.exposedVreg);
      this.exposedVreg = vregs;
      const blocks = new Int32Array(n * 2);
      blocks.set(this.exposedBlock);
      this.exposedBlock = blocks;
    }
    this.exposedVreg[n] = v;
    this.exposedBlock[n] = b;
    this.counts[v]++;
    return n + 1;
  }

  private addLive(b: number, v: number): void {
    const n = this.live++;
    if (n === this.liveVreg.length) {
      const vregs = new Int32Array(n * 2);
      vregs.set(this.liveVreg);
      this.liveVreg = vregs;
      const nexts = new Int32Array(n * 2);
      nexts.set(this.liveNext);
      this.liveNext = nexts;
    }
    this.liveVreg[n] = v;
    this.liveNext[n] = this.liveHead[b];
    this.liveHead[b] = n;
  }

  // ---- ranges ----

  /** By vreg: end of the range now open, NONE. Uses the array of phase one. */
  private ranges(mfn: MFunc, ivs: Intervals, map: RegisterMap): void {
    const openEnd = this.seen;
    openEnd.fill(NONE, 0, mfn.vregCount);
    const { opndReg, opndInfo, lists, rematOp } = mfn;
    this.pairs.count = 0;
    this.leftoverCount = 0;
    this.moveCount = 0;
    const sets = mfn.clobberSets.length;
    if (this.clobberCount.length < sets) this.clobberCount = new Int32Array(sets * 2);
    this.clobberCount.fill(0);
    while (this.clobberAt.length < sets) this.clobberAt.push(new Int32Array(64));
    this.lastFixed.fill(0x7fffffff);
    for (let b = mfn.blockCount - 1; b >= 0; b--) {
      const weight = this.blockWeight[b];
      const startPos = 4 * (mfn.blockStart[b] + b);
      const endPos = 4 * (mfn.blockEnd[b] + b + 1);
      let opened = 0;
      for (let s = 0; s < mfn.succCount[b]; s++) {
        const e = lists[mfn.succStart[b] + s];
        const to = mfn.edgeTo[e];
        for (let n = this.liveHead[to]; n >= 0; n = this.liveNext[n]) {
          const v = this.liveVreg[n];
          if (openEnd[v] < 0) opened = this.opens(opened, v, endPos);
        }
        const w = Math.min(weight, this.blockWeight[to]);
        for (let a = 0; a < mfn.paramCount[to]; a++) {
          const p = lists[mfn.paramStart[to] + a];
          const v = lists[mfn.edgeArgStart[e] + a];
          if (openEnd[v] < 0) opened = this.opens(opened, v, endPos);
          // A parameter without a range is dead: it gets nothing. Behind a backward edge it is not known yet.
          if (to > b && ivs.firstRange[p] < 0) continue;
          ivs.prependUse(v, endPos - 1, NONE, UseKind.copy, Role.edge, w, -1, NONE);
          this.pairs.add(p, v, w);
        }
      }
      for (let i = mfn.blockEnd[b] - 1; i >= mfn.blockStart[b]; i--) {
        const pos = 4 * (i + b + 1);
        const start = mfn.opndStart[i];
        const end = start + mfn.opndCount[i];
        const isMove = mfn.op[i] === MOp.move;
        if (isMove) {
          if (this.moveCount === this.moveInst.length) {
            const bigger = new Int32Array(this.moveCount * 2);
            bigger.set(this.moveInst);
            this.moveInst = bigger;
          }
          this.moveInst[this.moveCount++] = i;
        }
        let tied = false;
        for (let k = start; k < end; k++) {
          const info = opndInfo[k];
          if ((info & Opnd.kindMask) !== Opnd.def) continue;
          const v = opndReg[k];
          const constraint = info & Opnd.constraintMask;
          let fixed = -1;
          let from = (info & Opnd.flip) !== 0 ? pos + 1 : pos + 2;
          if (constraint === Opnd.fixed) fixed = info >> Opnd.payloadShift;
          else if (constraint === Opnd.same) {
            const use = start + (info >> Opnd.payloadShift);
            if ((opndInfo[use] & Opnd.constraintMask) === Opnd.fixed) fixed = opndInfo[use] >> Opnd.payloadShift;
            else {
              from = pos;
              tied = true;
            }
          }
          if (fixed >= 0) {
            // Copied out right behind the instruction, before the moves of the next gap.
            this.fix(map, fixed, from, pos + 3);
            if (openEnd[v] >= 0) {
              ivs.prependRange(v, pos + 3, openEnd[v], 1);
              ivs.prependUse(v, pos + 3, k, UseKind.copy, Role.fixedDef | Role.def, weight, fixed, fixed);
              openEnd[v] = NONE;
            } else this.leftover(k, fixed);
            continue;
          }
          ivs.prependRange(v, from, openEnd[v] >= 0 ? openEnd[v] : pos + 4, 1);
          openEnd[v] = NONE;
          const kind = constraint === Opnd.any && rematOp[v] === 0 ? UseKind.any : UseKind.register;
          // A tied def is in its register from the gap on.
          ivs.prependUse(v, from, k, kind, Role.operand | Role.def, weight, -1, NONE);
        }
        if (mfn.clobbers[i] !== 0) this.clobber(mfn.clobbers[i], pos + 2);
        for (let k = start; k < end; k++) {
          const info = opndInfo[k];
          const kind = info & Opnd.kindMask;
          if (kind === Opnd.def) continue;
          const v = opndReg[k];
          const constraint = info & Opnd.constraintMask;
          if (kind === Opnd.temp) {
            if (constraint === Opnd.fixed) {
              this.fix(map, info >> Opnd.payloadShift, pos, pos + 4);
              this.leftover(k, info >> Opnd.payloadShift);
            } else {
              ivs.prependRange(v, pos, pos + 4, 1);
              ivs.prependUse(v, pos + 1, k, UseKind.register, Role.operand, weight, -1, NONE);
            }
            continue;
          }
          const late = (info & Opnd.flip) !== 0;
          let to = late ? pos + 4 : pos + 2;
          let at = pos + 1;
          let useKind = constraint === Opnd.reg || rematOp[v] !== 0 ? UseKind.register : UseKind.any;
          let role: number = Role.operand;
          let hint = -1;
          let aux = NONE;
          if (constraint === Opnd.fixed) {
            hint = info >> Opnd.payloadShift;
            this.fix(map, hint, pos, to);
            to = pos;
            at = pos - 1;
            useKind = UseKind.copy;
            role = Role.fixedUse;
            aux = hint;
          } else if (tied) {
            for (let d = start; d < end; d++) {
              if ((opndInfo[d] & (Opnd.kindMask | Opnd.constraintMask)) !== (Opnd.def | Opnd.same) || opndInfo[d] >> Opnd.payloadShift !== k - start) continue;
              to = pos;
              at = pos - 1;
              useKind = UseKind.copy;
              role = Role.tiedUse;
              aux = d;
              this.pairs.add(opndReg[d], v, weight);
            }
          } else if (isMove) {
            for (let d = start; d < end; d++) if ((opndInfo[d] & Opnd.kindMask) === Opnd.def) this.pairs.add(opndReg[d], v, weight);
          }
          if (openEnd[v] < 0) opened = this.opens(opened, v, to);
          else if (openEnd[v] < to) openEnd[v] = to;
          ivs.prependUse(v, at, k, useKind, role, weight, hint, aux);
        }
      }
      for (let a = 0; a < mfn.paramCount[b]; a++) {
        const p = lists[mfn.paramStart[b] + a];
        if (openEnd[p] < 0) continue;
        ivs.prependRange(p, startPos, openEnd[p], 1);
        ivs.prependUse(p, startPos, NONE, UseKind.copy, Role.edge | Role.def, weight, -1, NONE);
        openEnd[p] = NONE;
      }
      for (let n = 0; n < opened; n++) {
        const v = this.open[n];
        if (openEnd[v] < 0) continue;
        ivs.prependRange(v, startPos, openEnd[v], 0);
        openEnd[v] = NONE;
      }
    }
    for (let c = 1; c < sets; c++) this.clobberAt[c].subarray(0, this.clobberCount[c]).reverse();
  }

  private leftover(opnd: number, reg: number): void {
    const n = this.leftoverCount++;
    if (n === this.leftoverOpnd.length) {
      const opnds = new Int32Array(n * 2);
      opnds.set(this.leftoverOpnd);
      this.leftoverOpnd = opnds;
      const regs = new Int32Array(n * 2);
      regs.set(this.leftoverReg);
      this.leftoverReg = regs;
    }
    this.leftoverOpnd[n] = opnd;
    this.leftoverReg[n] = reg;
  }

  private opens(n: number, v: number, end: number): number {
    if (n === this.open.length) {
      const bigger = new Int32Array(n * 2);
      bigger.set(this.open);
      this.open = bigger;
    }
    this.seen[v] = end;
    this.open[n] = v;
    return n + 1;
  }

  /** The instruction has register r for itself. Called with descending positions. */
  private fix(map: RegisterMap, r: number, from: number, to: number): void {
    const end = Math.min(to, this.lastFixed[r]);
    if (from >= end) return;
    this.lastFixed[r] = from;
    map.insert(r, from, end, NONE);
  }

  private clobber(set: number, pos: number): void {
    const n = this.clobberCount[set]++;
    if (n === this.clobberAt[set].length) {
      const bigger = new Int32Array(n * 2);
      bigger.set(this.clobberAt[set]);
      this.clobberAt[set] = bigger;
    }
    this.clobberAt[set][n] = pos;
  }
}
