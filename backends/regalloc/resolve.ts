// Resolution: placed intervals => locations in the operands, and the moves that connect the pieces.
//
// Moves stand where a piece of a bundle ends and the next begins inside a block, on edges whose ends know a live value in
// different places or whose parameter gets an argument from elsewhere, before fixed and two-address operands, and behind
// fixed definitions. A slot, once written, is right for good; so a bundle is stored either at its definitions or where
// it passes from a register to the slot, whichever runs less often. Values that can be made again have no slot.
// Relies on: pieces being cut at gaps only; `Liveness` for the values live into a block.
import { FIRST_SLOT } from "../../ir/machine/mfunc.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { At } from "./inserted.js";
import type { InsertedMoves } from "./inserted.js";
import { NONE, Role, SPILLED } from "./intervals.js";
import type { Intervals } from "./intervals.js";
import type { Liveness } from "./liveness.js";
import { REMAT } from "./parallel-move.js";
import type { SlotAssigner } from "./slots.js";

/** Segments that are sorted by insertion. */
const SHORT = 40;

export class Resolver {
  /** Segments of the bundles with several pieces: `segStart[bundle]`, `segCount[bundle]`, sorted by position. */
  private segStart = new Int32Array(64);
  private segFrom = new Int32Array(256);
  private segTo = new Int32Array(256);
  private segIv = new Int32Array(256);
  private segBorn = new Uint8Array(256);
  private segCount = new Int32Array(64);
  private segs = 0;

  /** By bundle: 1 if it has a slot; what storing at definitions and at passages would cost. */
  private slotted = new Uint8Array(64);
  /** By vreg: 1 if its bundle has more than one piece. */
  private several = new Uint8Array(64);
  private defCost = new Float64Array(64);
  private passCost = new Float64Array(64);
  /** Passages from a register to the slot, for the bundles that are stored there. */
  private passages = 0;
  private passBundle = new Int32Array(64);
  private passInst = new Int32Array(64);
  private passAt = new Uint8Array(64);
  private passSrc = new Int32Array(64);

  private slotFrom = new Int32Array(64);
  private slotTo = new Int32Array(64);
  private noHint = new Int32Array(64);

  private mfn!: MFunc;
  private ivs!: Intervals;
  private live!: Liveness;
  private inserted!: InsertedMoves;

  resolve(mfn: MFunc, ivs: Intervals, live: Liveness, inserted: InsertedMoves, slots: SlotAssigner, dropped: Uint8Array): void {
    this.mfn = mfn;
    this.ivs = ivs;
    this.live = live;
    this.inserted = inserted;
    const vregs = mfn.vregCount;
    if (this.segStart.length < vregs) {
      const n = vregs + (vregs >> 1);
      this.segStart = new Int32Array(n);
      this.segCount = new Int32Array(n);
      this.slotted = new Uint8Array(n);
      this.several = new Uint8Array(n);
      this.defCost = new Float64Array(n);
      this.passCost = new Float64Array(n);
      this.slotFrom = new Int32Array(n);
      this.slotTo = new Int32Array(n);
      this.noHint = new Int32Array(n).fill(NONE);
    }
    this.slotted.fill(0, 0, vregs);
    this.defCost.fill(0, 0, vregs);
    this.passCost.fill(0, 0, vregs);
    this.passages = 0;
    this.segs = 0;
    for (let iv = 0; iv < ivs.ivCount; iv++) {
      const bundle = ivs.ivBundle[iv];
      if (ivs.ivLoc[iv] === SPILLED && mfn.rematOp[bundle] === 0) this.slotted[bundle] = 1;
    }
    for (let v = 0; v < vregs; v++) {
      this.several[v] = ivs.pieceCount[ivs.root[v]] > 1 ? 1 : 0;
      if (ivs.pieceCount[v] > 1) this.collectSegments(v);
    }
    this.operands(dropped);
    for (let v = 0; v < vregs; v++) if (ivs.pieceCount[v] > 1) this.passagesInBlocks(v);
    this.edges();
    this.stores();
    this.leftovers(dropped);
    this.placeSlots(slots);
  }

  // ---- where things are ----

  private collectSegments(bundle: number): void {
    const { ivs } = this;
    const start = this.segs;
    for (let iv = ivs.pieces[bundle]; iv >= 0; iv = ivs.ivSibling[iv]) {
      for (let r = ivs.ivRange[iv]; r >= 0; r = ivs.rangeNext[r]) {
        const n = this.segs++;
        if (n === this.segFrom.length) this.growSegments();
        this.segFrom[n] = ivs.rangeFrom[r];
        this.segTo[n] = ivs.rangeTo[r];
        this.segIv[n] = iv;
        this.segBorn[n] = ivs.rangeBorn[r];
      }
    }
    const count = this.segs - start;
    this.segStart[bundle] = start;
    this.segCount[bundle] = count;
    if (count <= SHORT) this.sortShort(start, count);
    else this.sortLong(start, count);
  }

  private sortShort(start: number, count: number): void {
    const { segFrom, segTo, segIv, segBorn } = this;
    for (let n = start + 1; n < start + count; n++) {
      const from = segFrom[n];
      const to = segTo[n];
      const iv = segIv[n];
      const born = segBorn[n];
      let at = n;
      for (; at > start && segFrom[at - 1] > from; at--) {
        segFrom[at] = segFrom[at - 1];
        segTo[at] = segTo[at - 1];
        segIv[at] = segIv[at - 1];
        segBorn[at] = segBorn[at - 1];
      }
      segFrom[at] = from;
      segTo[at] = to;
      segIv[at] = iv;
      segBorn[at] = born;
    }
  }

  /** By pairs packed into doubles, position first. */
  private sortLong(start: number, count: number): void {
    const { segFrom, segTo, segIv, segBorn } = this;
    const keys = new Float64Array(count);
    for (let n = 0; n < count; n++) keys[n] = segFrom[start + n] * 0x100_0000 + n;
    keys.sort();
    const froms = segFrom.slice(start, start + count);
    const tos = segTo.slice(start, start + count);
    const owners = segIv.slice(start, start + count);
    const borns = segBorn.slice(start, start + count);
    for (let n = 0; n < count; n++) {
      const from = keys[n] % 0x100_0000;
      segFrom[start + n] = froms[from];
      segTo[start + n] = tos[from];
      segIv[start + n] = owners[from];
      segBorn[start + n] = borns[from];
    }
  }

  private growSegments(): void {
    const size = this.segFrom.length * 2;
    const double = (column: Int32Array) => {
      const bigger = new Int32Array(size);
      bigger.set(column);
      return bigger;
    };
    this.segFrom = double(this.segFrom);
    this.segTo = double(this.segTo);
    this.segIv = double(this.segIv);
    const born = new Uint8Array(size);
    born.set(this.segBorn);
    this.segBorn = born;
  }

  /** Location of a bundle at a position where it is alive: a register, or SPILLED. */
  private locAt(bundle: number, position: number): number {
    const { ivs } = this;
    if (ivs.pieceCount[bundle] === 1) return ivs.ivLoc[ivs.pieces[bundle]];
    let low = this.segStart[bundle];
    let high = low + this.segCount[bundle];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.segTo[middle] <= position) low = middle + 1;
      else high = middle;
    }
    if (low === this.segStart[bundle] + this.segCount[bundle] || this.segFrom[low] > position) {
      throw new Error(`register allocation of function ${this.mfn.index}: v${bundle} has no place at ${position}`);
    }
    return ivs.ivLoc[this.segIv[low]];
  }

  /** Location as a source of a move. */
  private source(bundle: number, loc: number): number {
    return loc !== SPILLED ? loc : this.mfn.rematOp[bundle] !== 0 ? REMAT : FIRST_SLOT + bundle;
  }

  // ---- operands ----

  private operands(dropped: Uint8Array): void {
    const { ivs, mfn, inserted } = this;
    const { usePos, useNext, useRole, useOpnd, useAux, useWeight } = ivs;
    for (let iv = 0; iv < ivs.ivCount; iv++) {
      const bundle = ivs.ivBundle[iv];
      const loc = ivs.ivLoc[iv];
      const spilled = loc === SPILLED;
      for (let u = ivs.ivUse[iv]; u >= 0; u = useNext[u]) {
        const role = useRole[u] & Role.mask;
        const isDef = (useRole[u] & Role.def) !== 0;
        if (isDef && !spilled) this.defCost[bundle] += useWeight[u];
        switch (role) {
          case Role.operand:
            if (spilled && mfn.rematOp[bundle] !== 0) {
              // Only the definition of what is made again where needed stays without a place.
              if (!isDef) throw new Error(`register allocation of function ${mfn.index}: v${bundle} was left without a register`);
              dropped[ivs.instOf[usePos[u] >> 2]] = 1;
              mfn.opndReg[useOpnd[u]] = 0;
            } else mfn.opndReg[useOpnd[u]] = spilled ? FIRST_SLOT + bundle : loc;
            break;
          case Role.fixedUse:
            inserted.add(ivs.instOf[(usePos[u] + 1) >> 2], At.before, useAux[u], this.source(bundle, loc), bundle);
            mfn.opndReg[useOpnd[u]] = useAux[u];
            break;
          case Role.fixedDef:
            mfn.opndReg[useOpnd[u]] = useAux[u];
            if (!spilled) inserted.add(ivs.instOf[usePos[u] >> 2], At.after, loc, useAux[u], bundle);
            else if (mfn.rematOp[bundle] === 0) inserted.add(ivs.instOf[usePos[u] >> 2], At.after, FIRST_SLOT + bundle, useAux[u], bundle);
            break;
        }
      }
    }
    // Two-address inputs: copied to where the output is, which is known now.
    for (let iv = 0; iv < ivs.ivCount; iv++) {
      for (let u = ivs.ivUse[iv]; u >= 0; u = useNext[u]) {
        if ((useRole[u] & Role.mask) !== Role.tiedUse) continue;
        const bundle = ivs.ivBundle[iv];
        const to = mfn.opndReg[useAux[u]];
        inserted.add(ivs.instOf[(usePos[u] + 1) >> 2], At.before, to, this.source(bundle, ivs.ivLoc[iv]), bundle);
        mfn.opndReg[useOpnd[u]] = to;
      }
    }
  }

  /** Fixed operands that no range knows of; moves between locations that turned out the same, or both slots. */
  private leftovers(dropped: Uint8Array): void {
    const { mfn, inserted, live } = this;
    const { opndReg } = mfn;
    for (let n = 0; n < live.leftoverCount; n++) opndReg[live.leftoverOpnd[n]] = live.leftoverReg[n];
    for (let n = 0; n < live.moveCount; n++) {
      const i = live.moveInst[n];
      const to = opndReg[mfn.opndStart[i]];
      const from = opndReg[mfn.opndStart[i] + 1];
      if (to === from) dropped[i] = 1;
      else if (to >= FIRST_SLOT && from >= FIRST_SLOT) {
        dropped[i] = 1;
        inserted.add(i, At.exit, to, from, to - FIRST_SLOT);
      }
    }
  }

  // ---- moves between pieces ----

  private passagesInBlocks(bundle: number): void {
    const { ivs } = this;
    const end = this.segStart[bundle] + this.segCount[bundle];
    for (let n = this.segStart[bundle] + 1; n < end; n++) {
      const at = this.segFrom[n];
      if (this.segTo[n - 1] !== at || this.segBorn[n] !== 0) continue;
      const i = ivs.instOf[at >> 2];
      // At a block's entry the edges do it.
      if (i < 0) continue;
      const b = (at >> 2) - i - 1;
      this.pass(bundle, i, At.before, ivs.ivLoc[this.segIv[n - 1]], ivs.ivLoc[this.segIv[n]], this.live.blockWeight[b]);
    }
  }

  private pass(bundle: number, inst: number, at: At, from: number, to: number, weight: number): void {
    if (from === to) return;
    if (to !== SPILLED) {
      this.inserted.add(inst, at, to, this.source(bundle, from), bundle);
      return;
    }
    if (this.mfn.rematOp[bundle] !== 0) return;
    this.passCost[bundle] += weight;
    const n = this.passages++;
    if (n === this.passBundle.length) this.growPassages();
    this.passBundle[n] = bundle;
    this.passInst[n] = inst;
    this.passAt[n] = at;
    this.passSrc[n] = from;
  }

  private growPassages(): void {
    const size = this.passBundle.length * 2;
    const double = (column: Int32Array) => {
      const bigger = new Int32Array(size);
      bigger.set(column);
      return bigger;
    };
    this.passBundle = double(this.passBundle);
    this.passInst = double(this.passInst);
    this.passSrc = double(this.passSrc);
    const at = new Uint8Array(size);
    at.set(this.passAt);
    this.passAt = at;
  }

  private edges(): void {
    const { mfn, ivs, live } = this;
    const { lists } = mfn;
    const { root, pieceCount } = ivs;
    const { several } = this;
    for (let e = 0; e < mfn.edgeCount; e++) {
      const p = mfn.edgeFrom[e];
      const s = mfn.edgeTo[e];
      const leave = 4 * (mfn.blockEnd[p] + p + 1) - 1;
      const enter = 4 * (mfn.blockStart[s] + s);
      const onEntry = mfn.predCount[s] === 1;
      const inst = onEntry ? mfn.blockStart[s] : mfn.blockEnd[p] - 1;
      const at = onEntry ? At.entry : At.exit;
      const weight = Math.min(live.blockWeight[p], live.blockWeight[s]);
      for (let n = live.liveHead[s]; n >= 0; n = live.liveNext[n]) {
        const v = live.liveVreg[n];
        if (several[v] === 0) continue;
        const bundle = root[v];
        this.pass(bundle, inst, at, this.locAt(bundle, leave), this.locAt(bundle, enter), weight);
      }
      for (let a = 0; a < mfn.paramCount[s]; a++) {
        const param = lists[mfn.paramStart[s] + a];
        const bundle = root[param];
        if (ivs.firstRange[param] < 0) continue;
        const arg = root[lists[mfn.edgeArgStart[e] + a]];
        const to = this.locAt(bundle, enter);
        const from = this.locAt(arg, leave);
        if (bundle === arg) {
          if (pieceCount[bundle] > 1) this.pass(bundle, inst, at, from, to, weight);
        } else if (to !== SPILLED) this.inserted.add(inst, at, to, this.source(arg, from), arg);
        else if (mfn.rematOp[bundle] === 0) this.inserted.add(inst, at, FIRST_SLOT + bundle, this.source(arg, from), arg);
      }
    }
  }

  // ---- stores ----

  private stores(): void {
    const { ivs, mfn, inserted, slotted, defCost, passCost } = this;
    const { lists } = mfn;
    const atDefs = (bundle: number) => slotted[bundle] !== 0 && passCost[bundle] > 0 && defCost[bundle] <= passCost[bundle];
    for (let n = 0; n < this.passages; n++) {
      const bundle = this.passBundle[n];
      if (!atDefs(bundle)) inserted.add(this.passInst[n], this.passAt[n], FIRST_SLOT + bundle, this.passSrc[n], bundle);
    }
    let params = false;
    for (let iv = 0; iv < ivs.ivCount; iv++) {
      const bundle = ivs.ivBundle[iv];
      const loc = ivs.ivLoc[iv];
      if (loc === SPILLED || !atDefs(bundle)) continue;
      for (let u = ivs.ivUse[iv]; u >= 0; u = ivs.useNext[u]) {
        if ((ivs.useRole[u] & Role.def) === 0) continue;
        const role = ivs.useRole[u] & Role.mask;
        if (role === Role.edge) params = true;
        // Behind the instruction; a fixed register is copied to both places at once.
        else if (role === Role.fixedDef) inserted.add(ivs.instOf[ivs.usePos[u] >> 2], At.after, FIRST_SLOT + bundle, ivs.useAux[u], bundle);
        else inserted.add(ivs.instOf[ivs.usePos[u] >> 2], At.after, FIRST_SLOT + bundle, loc, bundle);
      }
    }
    if (!params) return;
    for (let e = 0; e < mfn.edgeCount; e++) {
      const s = mfn.edgeTo[e];
      const p = mfn.edgeFrom[e];
      const onEntry = mfn.predCount[s] === 1;
      for (let a = 0; a < mfn.paramCount[s]; a++) {
        const param = lists[mfn.paramStart[s] + a];
        const bundle = ivs.root[param];
        const arg = ivs.root[lists[mfn.edgeArgStart[e] + a]];
        if (ivs.firstRange[param] < 0 || bundle === arg || !atDefs(bundle) || this.locAt(bundle, 4 * (mfn.blockStart[s] + s)) === SPILLED) continue;
        const from = this.locAt(arg, 4 * (mfn.blockEnd[p] + p + 1) - 1);
        inserted.add(onEntry ? mfn.blockStart[s] : mfn.blockEnd[p] - 1, onEntry ? At.entry : At.exit, FIRST_SLOT + bundle, this.source(arg, from), arg);
      }
    }
  }

  private placeSlots(slots: SlotAssigner): void {
    const { ivs, mfn, slotFrom, slotTo } = this;
    const vregs = mfn.vregCount;
    slotFrom.fill(NONE, 0, vregs);
    for (let iv = 0; iv < ivs.ivCount; iv++) {
      const bundle = ivs.ivBundle[iv];
      if (this.slotted[bundle] === 0) continue;
      const from = ivs.ivStart[iv] >> 1;
      const to = (ivs.ivEnd[iv] - 1) >> 1;
      if (slotFrom[bundle] < 0) {
        slotFrom[bundle] = from;
        slotTo[bundle] = to;
      } else {
        if (from < slotFrom[bundle]) slotFrom[bundle] = from;
        if (to > slotTo[bundle]) slotTo[bundle] = to;
      }
    }
    slots.reset(vregs);
    slots.assign(mfn, vregs, 2 * (mfn.instCount + mfn.blockCount), slotFrom, slotTo, mfn.vregType, this.noHint, true);
  }
}
