// The local allocator: machine IR on virtual registers => operands located, moves to insert. For O0, and the fallback.
//
// One walk over the blocks from last to first and over their instructions backward. A use takes a register for its
// value, the definition gives it back; a value that loses its register between the two is reloaded behind the
// instruction that took it, and stored once, at its definition (SSA: the slot stays right). What a block wants in
// registers at its start is its contract (`contractStart`), which the ends of its predecessors satisfy, so values cross
// forward edges in registers. A loop header's contract is settled before its body is seen: up to six parameters of each class
// in registers, all else in slots. A parameter of a block with one predecessor is another name for its argument.
// Liveness is never computed; slots are shared by first and last mention, widened over loops (layout-loops.ts).
// Relies on: instructions' operand constraints; a terminator with one successor having no operands; each block ending
// in a terminator. Linear.
import { FIRST_SLOT, Opnd } from "../../ir/machine/mfunc.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { valueTypes } from "../../ir/types.js";
import type { RegisterFile } from "../target.js";
import { At, InsertedMoves } from "./inserted.js";
import { LayoutLoops } from "./layout-loops.js";
import { REMAT } from "./parallel-move.js";
import { SlotAssigner } from "./slots.js";

const HEADER_PARAMS_IN_REGISTERS = 6;

export class LocalAllocator {
  readonly inserted = new InsertedMoves();
  readonly slots = new SlotAssigner();
  dropped = new Uint8Array(256);

  private readonly loops = new LayoutLoops();
  private readonly registers: RegisterFile;
  /** By class: masks of registers. */
  private readonly allocatable = new Int32Array(2);
  private readonly callerSaved = new Int32Array(2);
  private readonly free = new Int32Array(2);
  /** Taken by operands of this instruction when it reads, and when it writes; its clobbers. */
  private readonly early = new Int32Array(2);
  private readonly late = new Int32Array(2);
  private readonly clob = new Int32Array(2);
  private readonly classOf = new Uint8Array(16);

  /** By register: the vreg in it (-1), and the instruction that mentioned it last in this walk. */
  private readonly held = new Int32Array(FIRST_SLOT);
  private readonly touch = new Int32Array(FIRST_SLOT);
  /** By register: the instruction at which a value was put there to wait, and the inserted move that takes it back. */
  private readonly waitsAt = new Int32Array(FIRST_SLOT);
  private readonly waitsFor = new Int32Array(FIRST_SLOT);
  /** By operand of the instruction at hand: the register its def is wanted in, or the location a tied use must take. */
  private want = new Int32Array(64);

  // By vreg.
  private regOf = new Int8Array(64);
  private hint = new Int8Array(64);
  private slotNeeded = new Uint8Array(64);
  private alias = new Int32Array(64);
  private paramBlock = new Int32Array(64);
  private paramIndex = new Int32Array(64);
  private from = new Int32Array(64);
  private to = new Int32Array(64);
  private defBlock = new Int32Array(64);
  private lastBlock = new Int32Array(64);
  private slotHint = new Int32Array(64);

  // Contracts: pairs (register, vreg) in an arena. -1: not settled.
  private contractStart = new Int32Array(64);
  private contractCount = new Int32Array(64);
  private pairReg = new Uint8Array(256);
  private pairVreg = new Int32Array(256);
  private pairs = 0;

  private mfn!: MFunc;
  private block = 0;
  /** Nothing may be put behind this instruction. */
  private closed = -1;

  constructor(registers: RegisterFile) {
    this.registers = registers;
    for (const t of valueTypes) this.classOf[t.type] = t.class;
    for (const r of registers.allocatableInts) this.allocatable[0] |= 1 << r;
    for (const r of registers.allocatableFloats) this.allocatable[1] |= 1 << (r & 31);
    this.callerSaved[0] = this.allocatable[0] & ~registers.calleeSavedInts;
    this.callerSaved[1] = this.allocatable[1] & ~registers.calleeSavedFloats;
  }

  /** Fills `inserted`, `dropped`, `slots.slotOf` (ids are vregs) and the operands' locations; sets `slotCount`. */
  allocate(mfn: MFunc): void {
    this.mfn = mfn;
    this.prepare();
    for (let b = mfn.blockCount - 1; b >= 0; b--) {
      this.block = b;
      const start = mfn.blockStart[b];
      const last = mfn.blockEnd[b] - 1;
      if (last < start) this.fail(start, "the block has no instruction");
      this.closed = mfn.succCount[b] > 0 ? last : -1;
      this.enterFromBelow(b, last);
      for (let i = last; i >= start; i--) if (mfn.opndCount[i] !== 0 || mfn.clobbers[i] !== 0) this.instruction(i);
      this.leaveAtTop(b, start);
    }
    this.placeSlots();
  }

  private prepare(): void {
    const { mfn } = this;
    const vregs = mfn.vregCount;
    if (this.regOf.length < vregs) {
      const n = vregs + (vregs >> 1);
      this.regOf = new Int8Array(n);
      this.hint = new Int8Array(n);
      this.slotNeeded = new Uint8Array(n);
      this.alias = new Int32Array(n);
      this.paramBlock = new Int32Array(n);
      this.paramIndex = new Int32Array(n);
      this.from = new Int32Array(n);
      this.to = new Int32Array(n);
      this.defBlock = new Int32Array(n);
      this.lastBlock = new Int32Array(n);
      this.slotHint = new Int32Array(n);
    }
    if (this.contractStart.length < mfn.blockCount) {
      this.contractStart = new Int32Array(mfn.blockCount * 2);
      this.contractCount = new Int32Array(mfn.blockCount * 2);
    }
    if (this.dropped.length < mfn.instCount) this.dropped = new Uint8Array(mfn.instCount * 2);
    this.dropped.fill(0, 0, mfn.instCount);
    this.inserted.reset(mfn.instCount);
    this.slots.reset(vregs);
    this.loops.compute(mfn);
    this.regOf.fill(-1, 0, vregs);
    this.hint.fill(-1, 0, vregs);
    this.slotNeeded.fill(0, 0, vregs);
    this.alias.fill(-1, 0, vregs);
    this.paramBlock.fill(-1, 0, vregs);
    this.from.fill(-1, 0, vregs);
    this.to.fill(-1, 0, vregs);
    this.slotHint.fill(-1, 0, vregs);
    // Without dominators first a use may be met after the definition in this walk: then everything is stored.
    if (!this.loops.ordered) for (let v = 0; v < vregs; v++) if (mfn.rematOp[v] === 0) this.slotNeeded[v] = 1;
    this.contractStart.fill(-1, 0, mfn.blockCount);
    this.pairs = 0;
    this.held.fill(-1);
    this.waitsAt.fill(-1);
    this.free[0] = this.allocatable[0];
    this.free[1] = this.allocatable[1];
    for (let b = 0; b < mfn.blockCount; b++) {
      for (let i = 0; i < mfn.paramCount[b]; i++) {
        const p = mfn.lists[mfn.paramStart[b] + i];
        this.paramBlock[p] = b;
        this.paramIndex[p] = i;
      }
    }
  }

  // ---- block borders ----

  /** Sets the registers at the end of `b` to what its successors want at their starts. */
  private enterFromBelow(b: number, last: number): void {
    const { mfn } = this;
    const { lists } = mfn;
    const succs = mfn.succCount[b];
    if (succs === 0) return;
    const first = mfn.succStart[b];
    if (succs === 1) {
      const e = lists[first];
      const s = mfn.edgeTo[e];
      if (mfn.predCount[s] !== 1) {
        if (mfn.opndCount[last] !== 0) this.fail(last, "a terminator with one successor has operands");
        this.intoMerge(e, s, last);
        return;
      }
    }
    // All successors have this predecessor only. Likely ones choose first.
    const reserved = this.early;
    const room = this.late;
    this.terminatorNeeds(last, reserved, room);
    for (let cold = 0; cold < 2; cold++) {
      for (let n = 0; n < succs; n++) {
        const e = lists[first + n];
        const s = mfn.edgeTo[e];
        if (mfn.blockCold[s] !== cold) continue;
        if (this.contractStart[s] < 0) this.settle(s);
        const end = this.contractStart[s] + this.contractCount[s];
        for (let c = this.contractStart[s]; c < end; c++) {
          const r = this.pairReg[c];
          const v = this.across(e, s, this.pairVreg[c]);
          const cls = r >> 5;
          if (this.regOf[v] >= 0 || this.held[r] >= 0 || mfn.rematOp[v] !== 0) continue;
          if (((reserved[cls] >>> (r & 31)) & 1) !== 0 || room[cls] <= 0) continue;
          room[cls]--;
          this.hold(v, r, last + 1);
        }
      }
    }
    for (let n = 0; n < succs; n++) this.intoOnly(lists[first + n], last);
  }

  /** What the terminator takes for itself: fixed and clobbered registers, and as many others as it has operands. */
  private terminatorNeeds(last: number, reserved: Int32Array, room: Int32Array): void {
    const { mfn } = this;
    const set = mfn.clobberSets[mfn.clobbers[last]];
    reserved[0] = set.ints;
    reserved[1] = set.floats;
    const start = mfn.opndStart[last];
    const count = mfn.opndCount[last];
    for (let k = start; k < start + count; k++) {
      const info = mfn.opndInfo[k];
      if ((info & Opnd.constraintMask) !== Opnd.fixed) continue;
      const r = info >> Opnd.payloadShift;
      reserved[r >> 5] |= 1 << (r & 31);
    }
    room[0] = bits(this.allocatable[0] & ~reserved[0]) - count;
    room[1] = bits(this.allocatable[1] & ~reserved[1]) - count;
  }

  /** Edge e is the only one into s: its moves stand at the start of s; parameters are the arguments. */
  private intoOnly(e: number, last: number): void {
    const { mfn, inserted } = this;
    const s = mfn.edgeTo[e];
    const at = mfn.blockStart[s];
    const end = this.contractStart[s] + this.contractCount[s];
    for (let c = this.contractStart[s]; c < end; c++) {
      const r = this.pairReg[c];
      const v = this.across(e, s, this.pairVreg[c]);
      this.mention(v, 2 * last);
      if (this.regOf[v] >= 0) inserted.add(at, At.entry, r, this.regOf[v], v);
      else inserted.add(at, At.entry, r, this.home(v), v);
    }
    const settledBefore = s <= this.block;
    for (let n = 0; n < mfn.paramCount[s]; n++) {
      const p = mfn.lists[mfn.paramStart[s] + n];
      const arg = mfn.lists[mfn.edgeArgStart[e] + n];
      this.mention(arg, 2 * last);
      if (mfn.rematOp[arg] !== 0) {
        if (this.slotNeeded[p] !== 0 || settledBefore) {
          this.slotNeeded[p] = 1;
          inserted.add(at, At.entry, FIRST_SLOT + p, REMAT, arg);
        }
      } else {
        this.alias[p] = arg;
        if (this.slotNeeded[p] !== 0 || settledBefore) this.slotNeeded[arg] = 1;
      }
    }
  }

  /** Edge e leaves a block with one successor and enters a merge: its moves stand before the terminator. */
  private intoMerge(e: number, s: number, last: number): void {
    const { mfn, inserted } = this;
    if (this.contractStart[s] < 0) this.settle(s);
    const start = this.contractStart[s];
    const end = start + this.contractCount[s];
    const taken = this.early;
    taken[0] = 0;
    taken[1] = 0;
    for (let c = start; c < end; c++) taken[this.pairReg[c] >> 5] |= 1 << (this.pairReg[c] & 31);
    for (let c = start; c < end; c++) {
      const r = this.pairReg[c];
      const v = this.across(e, s, this.pairVreg[c]);
      this.mention(v, 2 * last);
      if (this.regOf[v] >= 0) inserted.add(last, At.exit, r, this.regOf[v], v);
      else if (mfn.rematOp[v] !== 0) inserted.add(last, At.exit, r, REMAT, v);
      else this.hold(v, r, last + 1);
    }
    for (let n = 0; n < mfn.paramCount[s]; n++) {
      const p = mfn.lists[mfn.paramStart[s] + n];
      if (this.slotNeeded[p] === 0 || this.inContract(s, p)) continue;
      const arg = mfn.lists[mfn.edgeArgStart[e] + n];
      this.mention(arg, 2 * last);
      this.slotHint[p] = arg;
      if (this.from[p] < 0 || this.from[p] > 2 * last + 1) this.from[p] = 2 * last + 1;
      if (this.to[p] < 2 * last + 1) {
        this.to[p] = 2 * last + 1;
        this.lastBlock[p] = this.block;
      }
      if (this.regOf[arg] < 0 && mfn.rematOp[arg] === 0) {
        const r = this.pick(this.classOf[mfn.vregType[arg]], taken[this.classOf[mfn.vregType[arg]]], this.hint[arg]);
        if (r >= 0) this.hold(arg, r, last + 1);
      }
      inserted.add(last, At.exit, FIRST_SLOT + p, this.regOf[arg] >= 0 ? this.regOf[arg] : this.home(arg), arg);
    }
  }

  private inContract(s: number, v: number): boolean {
    // While a merge's contract holds a parameter, its register is remembered as the parameter's hint.
    const r = this.hint[v];
    if (r < 0) return false;
    const end = this.contractStart[s] + this.contractCount[s];
    for (let c = this.contractStart[s]; c < end; c++) if (this.pairVreg[c] === v) return true;
    return false;
  }

  /** Settles the contract of a block that is not seen yet (an edge from behind enters it). */
  private settle(s: number): void {
    const { mfn, registers } = this;
    this.contractStart[s] = this.pairs;
    this.contractCount[s] = 0;
    const params = mfn.paramCount[s];
    if (mfn.predCount[s] === 1) return;
    const next = [0, 0];
    const taken = [0, 0];
    for (let n = 0; n < params; n++) {
      const p = mfn.lists[mfn.paramStart[s] + n];
      const cls = this.classOf[mfn.vregType[p]];
      const list = cls === 0 ? registers.allocatableInts : registers.allocatableFloats;
      // At most half the registers of a small file.
      if (taken[cls] >= HEADER_PARAMS_IN_REGISTERS || taken[cls] * 2 >= list.length) {
        this.slotNeeded[p] = 1;
        continue;
      }
      const r = list[list.length - 1 - next[cls]++];
      taken[cls]++;
      this.pair(r, p);
      this.contractCount[s]++;
      this.hint[p] = r;
    }
  }

  private pair(r: number, v: number): void {
    if (this.pairs === this.pairReg.length) {
      const regs = new Uint8Array(this.pairs * 2);
      regs.set(this.pairReg);
      this.pairReg = regs;
      const vregs = new Int32Array(this.pairs * 2);
      vregs.set(this.pairVreg);
      this.pairVreg = vregs;
    }
    this.pairReg[this.pairs] = r;
    this.pairVreg[this.pairs++] = v;
  }

  /** The name of s's value v on the other side of edge e. */
  private across(e: number, s: number, v: number): number {
    return this.paramBlock[v] === s ? this.mfn.lists[this.mfn.edgeArgStart[e] + this.paramIndex[v]] : v;
  }

  private leaveAtTop(b: number, start: number): void {
    const { mfn, inserted, held } = this;
    const settled = this.contractStart[b] >= 0;
    const merge = mfn.predCount[b] !== 1;
    if (!settled) {
      this.contractStart[b] = this.pairs;
      this.contractCount[b] = 0;
    }
    for (let cls = 0; cls < 2; cls++) {
      let regs = this.allocatable[cls] & ~this.free[cls];
      while (regs !== 0) {
        const bit = regs & -regs;
        regs ^= bit;
        const r = cls * 32 + 31 - Math.clz32(bit);
        const v = held[r];
        if (b === 0) this.fail(start, `v${v} is used on a path from the entry without a definition`);
        this.release(v, r);
        if (mfn.rematOp[v] !== 0) inserted.addRemat(start, At.entry, r, v);
        else if (settled) {
          const at = this.contractRegister(b, v);
          inserted.add(start, At.entry, r, at >= 0 ? at : this.home(v), v);
        } else {
          this.pair(r, v);
          this.contractCount[b]++;
          if (this.paramBlock[v] === b) {
            this.hint[v] = r;
            if (merge && this.slotNeeded[v] !== 0) inserted.add(start, At.entry, FIRST_SLOT + v, r, v);
          }
        }
      }
    }
    if (settled) {
      const end = this.contractStart[b] + this.contractCount[b];
      for (let c = this.contractStart[b]; c < end; c++) {
        const p = this.pairVreg[c];
        if (this.slotNeeded[p] !== 0) inserted.add(start, At.entry, FIRST_SLOT + p, this.pairReg[c], p);
      }
    }
    for (let n = 0; n < mfn.paramCount[b]; n++) {
      const p = mfn.lists[mfn.paramStart[b] + n];
      this.defBlock[p] = b;
      if (this.from[p] < 0 || this.from[p] > 2 * start) this.from[p] = 2 * start;
    }
  }

  private contractRegister(b: number, v: number): number {
    const end = this.contractStart[b] + this.contractCount[b];
    for (let c = this.contractStart[b]; c < end; c++) if (this.pairVreg[c] === v) return this.pairReg[c];
    return -1;
  }

  // ---- registers ----

  private hold(v: number, r: number, i: number): void {
    this.regOf[v] = r;
    this.held[r] = v;
    this.touch[r] = i;
    this.free[r >> 5] &= ~(1 << (r & 31));
  }

  private release(v: number, r: number): void {
    this.regOf[v] = -1;
    this.held[r] = -1;
    this.free[r >> 5] |= (1 << (r & 31)) & this.allocatable[r >> 5];
  }

  /** A free register outside `avoid`, the hint if it will do; -1 if there is none. */
  private pick(cls: number, avoid: number, hint: number): number {
    const free = this.free[cls] & ~avoid;
    if (hint >= 0 && hint >> 5 === cls && ((free >>> (hint & 31)) & 1) !== 0) return hint;
    const some = free & this.callerSaved[cls] || free;
    return some === 0 ? -1 : cls * 32 + 31 - Math.clz32(some & -some);
  }

  /** Frees the register outside `avoid` whose value was mentioned longest ago in this walk: its use is furthest ahead. */
  private evict(i: number, cls: number, avoid: number): number {
    let regs = this.allocatable[cls] & ~this.free[cls] & ~avoid;
    let best = -1;
    while (regs !== 0) {
      const bit = regs & -regs;
      regs ^= bit;
      const r = cls * 32 + 31 - Math.clz32(bit);
      if (this.touch[r] !== i && (best < 0 || this.touch[r] > this.touch[best])) best = r;
    }
    if (best < 0) this.fail(i, "its operands need more registers than there are");
    const v = this.held[best];
    this.release(v, best);
    const { inserted } = this;
    if (this.waitsAt[best] === i) inserted.src[this.waitsFor[best]] = this.home(v);
    else this.behind(i, best, this.home(v), v);
    this.waitsAt[best] = -1;
    // Operands in fixed registers that were to be copied from it come from its home as well.
    for (let m = inserted.head[4 * i + At.before]; m >= 0; m = inserted.next[m]) if (inserted.src[m] === best) inserted.src[m] = this.home(v);
    return best;
  }

  /** Where v comes from when it has no register: its slot, or REMAT. */
  private home(v: number): number {
    if (this.mfn.rematOp[v] !== 0) return REMAT;
    this.slotNeeded[v] = 1;
    return FIRST_SLOT + v;
  }

  private behind(i: number, dst: number, src: number, v: number): void {
    if (i === this.closed) this.fail(i, `v${v} would have to move behind the terminator`);
    this.inserted.add(i, At.after, dst, src, v);
  }

  /** v is still wanted at `position` (2 * instruction, + 1 for its end) of this block. */
  private mention(v: number, position: number): void {
    if (this.to[v] >= position) return;
    this.to[v] = position;
    this.lastBlock[v] = this.block;
  }

  // ---- one instruction, backward ----

  private instruction(i: number): void {
    const { mfn, early, late, clob, free, held, regOf, classOf } = this;
    const { opndReg, opndInfo, vregType, rematOp } = mfn;
    const start = mfn.opndStart[i];
    const count = mfn.opndCount[i];
    const end = start + count;
    if (this.want.length < count) this.want = new Int32Array(count * 2);
    const want = this.want;
    const set = mfn.clobberSets[mfn.clobbers[i]];
    clob[0] = set.ints;
    clob[1] = set.floats;
    early[0] = early[1] = late[0] = late[1] = 0;

    // Fixed registers; definitions give theirs back.
    let fixed = mfn.clobbers[i] !== 0;
    let defs = 0;
    let lateUses = false;
    let tied = false;
    let temps = false;
    for (let k = start; k < end; k++) {
      const info = opndInfo[k];
      const kind = info & Opnd.kindMask;
      const v = opndReg[k];
      if ((info & Opnd.constraintMask) === Opnd.fixed) {
        fixed = true;
        const r = info >> Opnd.payloadShift;
        const bit = 1 << (r & 31);
        if (kind !== Opnd.def || (info & Opnd.flip) !== 0) early[r >> 5] |= bit;
        if (kind !== Opnd.use || (info & Opnd.flip) !== 0) late[r >> 5] |= bit;
      } else if ((info & Opnd.constraintMask) === Opnd.same) {
        const use = opndInfo[start + (info >> Opnd.payloadShift)];
        if ((use & Opnd.constraintMask) === Opnd.fixed) {
          fixed = true;
          late[use >> (Opnd.payloadShift + 5)] |= 1 << ((use >> Opnd.payloadShift) & 31);
        }
      }
      want[k - start] = -1;
      if (kind === Opnd.def) {
        defs++;
        const r = regOf[v];
        want[k - start] = r;
        if (r >= 0) this.release(v, r);
        this.from[v] = 2 * i + 1;
        this.defBlock[v] = this.block;
        if (r < 0 && count === 1 && rematOp[v] !== 0 && rematOp[v] === mfn.op[i]) {
          this.dropped[i] = 1;
          opndReg[k] = 0;
          return;
        }
      } else if (kind === Opnd.temp) temps = true;
      else {
        if (this.to[v] < 2 * i + 1) this.mention(v, 2 * i + 1);
        if ((info & Opnd.flip) !== 0) lateUses = true;
      }
    }

    // Values that live through the instruction leave the registers it takes.
    if (fixed) {
      for (let cls = 0; cls < 2; cls++) {
        let regs = (late[cls] | clob[cls]) & this.allocatable[cls] & ~free[cls];
        while (regs !== 0) {
          const bit = regs & -regs;
          regs ^= bit;
          this.relocate(i, cls * 32 + 31 - Math.clz32(bit), count);
        }
      }
      for (let k = start; k < end; k++) {
        const info = opndInfo[k];
        if ((info & Opnd.kindMask) !== Opnd.use || (info & Opnd.constraintMask) !== Opnd.fixed) continue;
        const r = info >> Opnd.payloadShift;
        if (held[r] >= 0 && held[r] !== opndReg[k]) this.relocate(i, r, count);
      }
    }

    if (defs > 0) {
      for (let k = start; k < end; k++) {
        const info = opndInfo[k];
        if ((info & Opnd.kindMask) !== Opnd.def) continue;
        const v = opndReg[k];
        const cls = classOf[vregType[v]];
        const wanted = want[k - start];
        const constraint = info & Opnd.constraintMask;
        let loc: number;
        if (constraint === Opnd.fixed) loc = info >> Opnd.payloadShift;
        else if (constraint === Opnd.any && wanted < 0 && this.slotNeeded[v] !== 0) loc = FIRST_SLOT + v;
        else {
          const use = start + (info >> Opnd.payloadShift);
          if (constraint === Opnd.same && (opndInfo[use] & Opnd.constraintMask) === Opnd.fixed) loc = opndInfo[use] >> Opnd.payloadShift;
          else {
            const both = constraint === Opnd.same || (info & Opnd.flip) !== 0;
            const avoid = both ? late[cls] | early[cls] : late[cls];
            loc = this.pick(cls, avoid, wanted >= 0 ? wanted : this.hint[v]);
            if (loc < 0) loc = this.evict(i, cls, avoid);
            if (both) early[cls] |= 1 << (loc & 31);
            if (constraint === Opnd.same) {
              want[use - start] = loc;
              tied = true;
            }
          }
          late[cls] |= 1 << (loc & 31);
        }
        if (wanted >= 0 && wanted !== loc) this.behind(i, wanted, loc, v);
        if (this.slotNeeded[v] !== 0 && loc < FIRST_SLOT) this.behind(i, FIRST_SLOT + v, loc, v);
        opndReg[k] = loc;
      }
    }
    late[0] |= clob[0];
    late[1] |= clob[1];

    if (temps || lateUses) {
      for (let k = start; k < end; k++) {
        const info = opndInfo[k];
        if ((info & Opnd.kindMask) !== Opnd.temp) continue;
        if ((info & Opnd.constraintMask) === Opnd.fixed) {
          opndReg[k] = info >> Opnd.payloadShift;
          continue;
        }
        const cls = classOf[vregType[opndReg[k]]];
        let r = this.pick(cls, late[cls] | early[cls], -1);
        if (r < 0) r = this.evict(i, cls, late[cls] | early[cls]);
        late[cls] |= 1 << (r & 31);
        early[cls] |= 1 << (r & 31);
        opndReg[k] = r;
      }
      if (lateUses) {
        this.plainUses(i, start, end, Opnd.reg, true);
        this.plainUses(i, start, end, Opnd.any, true);
      }
    }
    if (fixed) {
      for (let k = start; k < end; k++) {
        const info = opndInfo[k];
        if ((info & Opnd.kindMask) !== Opnd.use || (info & Opnd.constraintMask) !== Opnd.fixed) continue;
        const f = info >> Opnd.payloadShift;
        this.placeUse(i, f, opndReg[k], ((this.allocatable[f >> 5] >>> (f & 31)) & 1) !== 0);
        opndReg[k] = f;
      }
    }
    if (tied) {
      for (let k = start; k < end; k++) {
        const info = opndInfo[k];
        if ((info & Opnd.kindMask) !== Opnd.use || (info & Opnd.constraintMask) === Opnd.fixed || want[k - start] < 0) continue;
        this.placeUse(i, want[k - start], opndReg[k], true);
        opndReg[k] = want[k - start];
      }
    }
    if (defs === count) return;
    // Those that must have a register choose before those that may do without.
    this.plainUses(i, start, end, Opnd.reg, false);
    this.plainUses(i, start, end, Opnd.any, false);
  }

  private plainUses(i: number, start: number, end: number, constraint: number, isLate: boolean): void {
    const { early, late, want } = this;
    const { opndReg, opndInfo, vregType } = this.mfn;
    for (let k = start; k < end; k++) {
      const info = opndInfo[k];
      if ((info & (Opnd.kindMask | Opnd.constraintMask)) !== (Opnd.use | constraint) || ((info & Opnd.flip) !== 0) !== isLate || want[k - start] >= 0) continue;
      const v = opndReg[k];
      const cls = this.classOf[vregType[v]];
      const loc = constraint === Opnd.any ? this.anyUse(i, v, cls, isLate) : this.useOperand(i, v, cls, isLate ? early[cls] | late[cls] : early[cls]);
      if (isLate && loc < FIRST_SLOT) {
        const bit = 1 << (loc & 31);
        late[cls] |= bit;
        early[cls] |= bit;
      }
      opndReg[k] = loc;
    }
  }

  /** The value in r lives through instruction i, which takes r: it waits elsewhere and comes back behind. */
  private relocate(i: number, r: number, count: number): void {
    const { mfn } = this;
    const v = this.held[r];
    const cls = r >> 5;
    const at = this.touch[r];
    this.release(v, r);
    if (mfn.rematOp[v] === 0) {
      let avoid = this.early[cls] | this.late[cls] | this.clob[cls];
      for (let k = 0; k < count; k++) if (this.want[k] >> 5 === cls) avoid |= 1 << (this.want[k] & 31);
      const other = this.pick(cls, avoid, -1);
      if (other >= 0) {
        this.hold(v, other, at);
        this.behind(i, r, other, v);
        this.waitsAt[other] = i;
        this.waitsFor[other] = this.inserted.count - 1;
        return;
      }
    }
    this.behind(i, r, this.home(v), v);
  }

  /** Operand v must be in register r, which is free: there from its definition on, or brought there. */
  private placeUse(i: number, r: number, v: number, holdable: boolean): void {
    const at = this.regOf[v];
    if (at === r) this.touch[r] = i;
    else if (at >= 0) {
      // Only a copy is needed: the register itself may still be taken, see `evict`.
      this.inserted.add(i, At.before, r, at, v);
    } else if (holdable && this.mfn.rematOp[v] === 0) this.hold(v, r, i);
    else this.inserted.add(i, At.before, r, this.home(v), v);
  }

  /** A register for a use that must have one. */
  private useOperand(i: number, v: number, cls: number, avoid: number): number {
    const at = this.regOf[v];
    if (at >= 0) {
      this.touch[at] = i;
      return at;
    }
    let r = this.pick(cls, avoid, this.hint[v]);
    if (r < 0) r = this.evict(i, cls, avoid | this.late[cls]);
    this.hold(v, r, i);
    return r;
  }

  /** A use that may be in memory. Late ones choose before others and must not take a register from them. */
  private anyUse(i: number, v: number, cls: number, isLate: boolean): number {
    const at = this.regOf[v];
    if (at >= 0) {
      this.touch[at] = i;
      return at;
    }
    const r = isLate ? -1 : this.pick(cls, this.early[cls], this.hint[v]);
    if (r >= 0) {
      this.hold(v, r, i);
      return r;
    }
    if (this.mfn.rematOp[v] !== 0) {
      this.slotNeeded[v] = 1;
      const { head, next, dst } = this.inserted;
      let m = head[4 * i + At.before];
      while (m >= 0 && dst[m] !== FIRST_SLOT + v) m = next[m];
      if (m < 0) this.inserted.addRemat(i, At.before, FIRST_SLOT + v, v);
      return FIRST_SLOT + v;
    }
    return this.home(v);
  }

  // ---- slots ----

  private placeSlots(): void {
    const { mfn, alias, from, to, slotNeeded, lastBlock, loops } = this;
    const vregs = mfn.vregCount;
    for (let v = 0; v < vregs; v++) {
      if (alias[v] < 0) continue;
      // Shortens the chain as it goes: each step is taken once.
      let root = v;
      while (alias[root] >= 0) {
        const up = alias[root];
        if (alias[up] >= 0) alias[root] = alias[up];
        root = up;
      }
      alias[v] = root;
      if (to[v] > to[root]) {
        to[root] = to[v];
        lastBlock[root] = lastBlock[v];
      }
      if (slotNeeded[v] !== 0) slotNeeded[root] = 1;
    }
    for (let v = 0; v < vregs; v++) {
      if (slotNeeded[v] === 0 || alias[v] >= 0 || from[v] < 0) {
        from[v] = -1;
        continue;
      }
      if (to[v] < from[v]) to[v] = from[v];
      else {
        const last = loops.reach(this.defBlock[v], lastBlock[v]);
        if (last >= 0) to[v] = 2 * mfn.blockEnd[last] - 1;
      }
      const h = this.slotHint[v];
      if (h >= 0 && alias[h] >= 0) this.slotHint[v] = alias[h];
    }
    this.slots.assign(mfn, vregs, mfn.instCount * 2, from, to, mfn.vregType, this.slotHint, loops.ordered);
    const { slotOf } = this.slots;
    for (let v = 0; v < vregs; v++) if (alias[v] >= 0) slotOf[v] = slotOf[alias[v]];
  }

  private fail(i: number, what: string): never {
    const name = this.mfn.name === undefined ? "" : ` (${this.mfn.name})`;
    throw new Error(`local allocation of function ${this.mfn.index}${name}, block ${this.block}, instruction ${i} (op ${this.mfn.op[i]}): ${what}`);
  }
}

function bits(mask: number): number {
  let n = 0;
  for (let m = mask; m !== 0; m &= m - 1) n++;
  return n;
}
