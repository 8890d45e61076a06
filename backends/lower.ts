// The shared driver of lowering: SSA => machine IR on virtual registers, bottom up, without knowledge of any target.
//
// SSA (critical edges split, block order final) => machine blocks in the same order, edges and block parameters kept.
// Blocks are visited after all blocks they dominate, instructions last to first. A value gets a virtual register when a
// user asks for one (`reg`); a pure value nobody asked for is not emitted at all. So a user may take what a producer
// computes into itself (a memory operand, a compare), by looking at the producer instead of asking for its register.
// Instructions are emitted forward in one group a value; one linear pass at the end puts the groups in order.
// Relies on ir/analysis (rpo, loops, use counts) and on the target's `Selector`.
import { NONE, type Block, type Edge, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { computeDom, type Dom } from "../ir/analysis/dom.js";
import { computeLoops, type Loops } from "../ir/analysis/loops.js";
import { computeRpo, type Rpo } from "../ir/analysis/rpo.js";
import { computeUseCounts } from "../ir/analysis/uses.js";
import { Is, Op, opFlags } from "../ir/ops.js";
import { Type } from "../ir/types.js";
import { MFunc, MOp, Opnd } from "../ir/machine/mfunc.js";
import { callAbi, frameAbi, type CallAbi } from "./abi.js";
import type { CodegenModule, CodegenOptions, RegisterFile } from "./target.js";

/** Whatever others can see of an instruction besides its result: these keep their order. */
const EFFECT = Is.traps | Is.call | Is.writes_memory | Is.writes_global | Is.writes_table;
const READ = Is.reads_memory | Is.reads_global | Is.reads_table;

const NOTHING: readonly number[] = [];

/** What a target does. Each call emits one group of instructions, forward, through `Lowering.inst` and `operand`. */
export interface Selector {
  /** A non-terminator whose result is wanted, or which has an effect. */
  value(v: Value): void;
  /** Edges are already there: `mfn.succStart` of the current block. */
  terminator(v: Value): void;
  /** A constant in a new register of its own, for one use nearby. */
  constant(v: Value): number;
  /** Defines `vreg` from the caller's outgoing area. */
  stackArg(vreg: number, offset: number, type: Type): void;
  /** Called for values that `Lowering.wantBehind` was called for: emits what is to stand right behind them. */
  behind?(v: Value): void;
  /** What is to stand at the function's start, behind its parameters. */
  entry?(): void;
  /** Whether nobody will ask for the register of that block parameter: it is not passed. */
  drops?(param: Value): boolean;
  /** Registers that a block receives besides its parameters; on each edge into it as many are passed, at the end of its source. */
  carried?(b: Block): readonly number[];
  carriedOn?(e: Edge): readonly number[];
}

/** State of the lowering of one function. */
export class Lowering {
  readonly mfn: MFunc;
  readonly abi: CallAbi;
  /** Uses by value. */
  readonly useCount: Int32Array;
  /** Virtual register by value, NONE where none was asked for. */
  readonly vreg: Int32Array;
  /** By value: how many instructions with effects stand before it in its block. Tells whether a load may sink. */
  readonly color: Int32Array;
  /** By value: 1 if another instruction does its work, though it has an effect. */
  private readonly merged: Uint8Array;
  /** Position among its block's successors, by SSA edge. */
  readonly edgeIndex: Int32Array;
  /** Machine block by SSA block, NONE if unreachable. */
  readonly blockOf: Int32Array;
  /** Undefined where there are no loops, or at level 0. */
  loops: Loops | undefined;
  dom: Dom | undefined;
  /** By value: something is to stand behind it. */
  private readonly behind: Uint8Array;
  /** The instruction being lowered, its block, its color. */
  root = NONE as Value;
  rootBlock = NONE as Block;
  rootColor = 0;
  private selector!: Selector;
  /** Instructions in order of emission, one row of `Inst.words` each, and their operands, two words each. */
  private insts: Int32Array;
  private instCount = 0;
  private opnds: Int32Array;
  private opndLength = 0;

  constructor(
    readonly fn: Func,
    readonly module: CodegenModule,
    readonly options: CodegenOptions,
    readonly registers: RegisterFile,
  ) {
    this.mfn = new MFunc(fn.index, fn.sig, fn.name);
    this.mfn.reserve(fn.valueCount + 16, fn.blockCount);
    if (options.level === 0) this.mfn.counter = module.layout.counter(fn.index);
    this.insts = new Int32Array((fn.valueCount + 16) * Inst.words);
    this.opnds = new Int32Array((fn.valueCount + 16) * 4);
    this.abi = fn.frameParams === NONE ? callAbi(fn.sig, registers) : frameAbi(fn.sig, fn.frameParams, registers);
    this.useCount = computeUseCounts(fn);
    this.vreg = new Int32Array(fn.valueCount).fill(NONE);
    this.color = new Int32Array(fn.valueCount);
    this.merged = new Uint8Array(fn.valueCount);
    this.behind = new Uint8Array(fn.valueCount);
    this.edgeIndex = new Int32Array(fn.edgeCount);
    this.blockOf = new Int32Array(fn.blockCount).fill(NONE);
  }

  // ---------------------------------------------------------------- asked by selectors

  /** The value behind copies. */
  source(v: Value): Value {
    while (this.fn.op[v] === Op.copy) v = this.through(v);
    return v;
  }

  /** The operand of a one-operand instruction that the root looks through: with several users it counts as used by each. */
  through(v: Value): Value {
    const x = this.fn.pool[this.fn.argStart[v]!]! as Value;
    if (this.useCount[v] !== 1) this.useCount[x]!++;
    return x;
  }

  /** The virtual register of a value: from here on it will be computed. */
  reg(v: Value): number {
    v = this.source(v);
    const known = this.vreg[v]!;
    if (known !== NONE) return known;
    if (this.merged[v] === 1) throw new Error(`@${this.fn.index}: v${this.root} uses v${v}, which another instruction has taken in`);
    return (this.vreg[v] = this.mfn.newVreg(this.fn.type[v]!, v));
  }

  /** The same, for a use that wants the value in a place of its own (an argument, an edge): constants are made anew. */
  shortLived(v: Value): number {
    v = this.source(v);
    return (opFlags[this.fn.op[v]!]! & Is.const) !== 0 ? this.selector.constant(v) : this.reg(v);
  }

  /** `Selector.behind` is to be called for `v`, which stands before the instruction that asks. */
  wantBehind(v: Value): void {
    this.behind[v] = 1;
  }

  /** Loop depth of an SSA block, 0 outside of loops and at level 0. */
  depthOf(b: number): number {
    return this.loops === undefined ? 0 : this.loops.blockDepth[b]!;
  }

  /** A register without an SSA value. */
  temp(type: Type): number {
    return this.mfn.newVreg(type);
  }

  /**
   * Whether the root may do the work of `v` (not a copy) in its place: `v` has no other use, stands in the same block, and
   * moving it down to the root changes nothing anyone sees. For values with effects (loads) call `merge` when it is done.
   */
  canMerge(v: Value): boolean {
    const fn = this.fn;
    if (this.useCount[v] !== 1 || fn.block[v] !== this.rootBlock || this.vreg[v] !== NONE) return false;
    const flags = opFlags[fn.op[v]!]!;
    if ((flags & Is.pure) !== 0) return true;
    if ((flags & (Is.call | Is.writes_memory | Is.writes_global | Is.writes_table | Is.terminator | Is.pinned)) !== 0) return false;
    if ((flags & EFFECT) !== 0) return this.color[v]! + 1 === this.rootColor;
    return (flags & READ) !== 0 && this.color[v] === this.rootColor;
  }

  /** The root does what the pure `v` does, which others may want as well: its operands have one more user. */
  repeat(v: Value): void {
    const { fn } = this;
    for (let i = 0; i < fn.argCount[v]!; i++) this.useCount[fn.pool[fn.argStart[v]! + i]!]!++;
  }

  /** The root does what `v` does. */
  merge(v: Value): void {
    this.merged[v] = 1;
  }

  // ---------------------------------------------------------------- emission, in groups

  /** Starts an instruction; `operand` and the two setters are about the newest one. */
  inst(op: number, imm: number, imm2: number, imm3: number, offset: number): void {
    const at = this.instCount++ * Inst.words;
    if (at + Inst.words > this.insts.length) this.insts = doubled(this.insts);
    const { insts } = this;
    insts[at + Inst.op] = op;
    insts[at + Inst.imm] = imm;
    insts[at + Inst.imm2] = imm2;
    insts[at + Inst.imm3] = imm3;
    insts[at + Inst.clobbers] = 0;
    insts[at + Inst.offset] = offset;
    insts[at + Inst.opnds] = this.opndLength;
  }

  /** A virtual register and its `Opnd` info. */
  operand(reg: number, info: number): void {
    const at = this.opndLength;
    if (at + 2 > this.opnds.length) this.opnds = doubled(this.opnds);
    this.opnds[at] = reg;
    this.opnds[at + 1] = info;
    this.opndLength = at + 2;
  }

  setOffset(offset: number): void {
    this.insts[(this.instCount - 1) * Inst.words + Inst.offset] = offset;
  }

  /** @param set index of a clobber set of `mfn`. */
  setClobbers(set: number): void {
    this.insts[(this.instCount - 1) * Inst.words + Inst.clobbers] = set;
  }

  // ---------------------------------------------------------------- the walk

  run(selector: Selector): MFunc {
    const { fn, mfn } = this;
    this.selector = selector;
    const rpo = computeRpo(fn);
    const { order } = rpo;
    this.makeBlocks(rpo);
    this.makeColors();

    const blockCount = mfn.blockCount;
    // Groups in the order of emission: first instruction of each; of every block the first and last group.
    let groups: Int32Array = new Int32Array(fn.valueCount + 16);
    let groupCount = 0;
    const firstGroup = new Int32Array(blockCount);
    const endGroup = new Int32Array(blockCount);
    for (let i = order.length - 1; i >= 0; i--) {
      const b = order[i]! as Block;
      const mb = this.blockOf[b]!;
      firstGroup[mb] = groupCount;
      this.rootBlock = b;
      for (let v = fn.lastInst[b]! as Value; v !== NONE; v = fn.prev[v]! as Value) {
        const op = fn.op[v]! as Op;
        const flags = opFlags[op]!;
        if (this.behind[v] === 1) {
          if (groupCount + 2 >= groups.length) groups = doubled(groups);
          groups[groupCount++] = this.instCount;
          this.makeBehind(v);
        }
        if ((flags & (EFFECT | Is.terminator)) !== 0) {
          if (this.merged[v] === 1) continue;
        } else if (this.vreg[v] === NONE || this.merged[v] === 1 || op === Op.result || op === Op.param) continue;
        this.root = v;
        this.rootColor = this.color[v]!;
        if (groupCount + 1 >= groups.length) groups = doubled(groups);
        const before = this.instCount;
        if ((flags & Is.terminator) !== 0) {
          this.makeEdges(v, mb);
          selector.terminator(v);
        } else selector.value(v);
        if (this.instCount !== before) groups[groupCount++] = before;
      }
      for (let i = 0; i < fn.paramCount[b]!; i++) {
        const v = fn.param(b, i);
        if (this.behind[v] === 0) continue;
        if (groupCount + 2 >= groups.length) groups = doubled(groups);
        groups[groupCount++] = this.instCount;
        this.makeBehind(v);
      }
      if (b === fn.entry) {
        if (groupCount + 2 >= groups.length) groups = doubled(groups);
        groups[groupCount++] = this.instCount;
        selector.entry?.();
        if (this.instCount === groups[groupCount - 1]) groupCount--;
        groups[groupCount++] = this.instCount;
        this.makeArgs(selector);
      }
      endGroup[mb] = groupCount;
    }
    groups[groupCount] = this.instCount;
    this.putInOrder(groups, firstGroup, endGroup);
    mfn.linkPreds();
    return mfn;
  }

  private makeBehind(v: Value): void {
    this.root = v;
    this.rootColor = this.color[v]!;
    this.selector.behind!(v);
  }

  /** Machine blocks of reachable blocks, in layout order, with depth, coldness and parameters. */
  private makeBlocks(rpo: Rpo): void {
    const { fn, mfn } = this;
    const { order, index } = rpo;
    // Cold: ends in a trap, or all ways out lead to cold blocks.
    const cold = new Uint8Array(fn.blockCount);
    let loops = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const b = order[i]!;
      const last = fn.lastInst[b]! as Value;
      if (fn.op[last] === Op.unreachable) cold[b] = 1;
      else {
        const targets = fn.targetCount(last);
        let allCold = targets > 0 && b !== fn.entry;
        for (let t = 0; t < targets; t++) {
          const to = fn.edgeTo[fn.targetEdge(last, t)]!;
          if (cold[to] === 0) allCold = false;
          if (index[to]! <= i) loops = true;
        }
        if (allCold) cold[b] = 1;
      }
    }
    if (loops && this.options.level > 0) {
      this.dom = computeDom(fn);
      this.loops = computeLoops(fn, this.dom, rpo);
    }
    if (fn.firstBlock !== fn.entry) throw new Error(`@${fn.index}: the entry b${fn.entry} is not first in the block order`);
    if (fn.firstPred[fn.entry] !== NONE) throw new Error(`@${fn.index}: edge e${fn.firstPred[fn.entry]} enters the entry block b${fn.entry}`);
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      if (index[b] === NONE) continue;
      const mb = mfn.newBlock(b, Math.min(255, this.depthOf(b)), cold[b] === 1);
      this.blockOf[b] = mb;
      const count = b === fn.entry ? 0 : fn.paramCount[b]!;
      const carried = this.selector.carried?.(b as Block) ?? NOTHING;
      const start = mfn.newList(count + carried.length);
      let kept = 0;
      for (let i = 0; i < count; i++) {
        const v = fn.param(b as Block, i);
        if (!this.selector.drops?.(v)) mfn.lists[start + kept++] = this.reg(v);
      }
      for (const r of carried) mfn.lists[start + kept++] = r;
      mfn.paramStart[mb] = start;
      mfn.paramCount[mb] = kept;
    }
  }

  private makeColors(): void {
    const { fn, color } = this;
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      let n = 0;
      for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) {
        color[v] = n;
        if ((opFlags[fn.op[v]!]! & EFFECT) !== 0) n++;
      }
    }
  }

  /** The edges of a terminator, with their arguments. */
  private makeEdges(v: Value, mb: number): void {
    const { fn, mfn } = this;
    const targets = fn.targetCount(v);
    mfn.succStart[mb] = mfn.newList(targets);
    mfn.succCount[mb] = 0;
    if (fn.op[v] !== Op.br_table) for (let i = 0; i < targets; i++) this.makeEdge(fn.targetEdge(v, i), mb);
    else fn.forEachEdgeOf(v, (e) => this.makeEdge(e, mb));
  }

  private makeEdge(e: Edge, mb: number): void {
    const { fn, mfn } = this;
    const argCount = fn.edgeArgCount[e]!;
    const to = fn.edgeTo[e]! as Block;
    const carried = this.selector.carriedOn?.(e) ?? NOTHING;
    const args = mfn.newList(argCount + carried.length);
    let kept = 0;
    for (let i = 0; i < argCount; i++) {
      if (this.selector.drops?.(fn.param(to, i))) continue;
      const x = this.source(fn.edgeArg(e, i));
      if (this.isNextBehind(x, e, fn.param(to, i))) this.sink(x);
      // A constant gets a register of its own at the end of the block: the parameter's, if all goes well.
      mfn.lists[args + kept++] = this.shortLived(x);
    }
    for (const r of carried) mfn.lists[args + kept++] = r;
    this.edgeIndex[e] = mfn.succCount[mb]!;
    mfn.lists[mfn.succStart[mb]! + mfn.succCount[mb]!++] = mfn.newEdge(mb, this.blockOf[fn.edgeTo[e]!]!, args);
  }

  /**
   * Whether `x` is the next value of the loop's parameter `p`, made from `p` and a constant for the back edge `e` alone, before a
   * branch that tests `p` itself. Made there both would live at once; on the edge, in the block it has of its own, it can take p's register.
   */
  private isNextBehind(x: Value, e: Edge, p: Value): boolean {
    const { fn } = this;
    const from = fn.edgeFrom[e]!;
    if (this.options.level === 0 || this.useCount[x] !== 1 || (opFlags[fn.op[x]!]! & Is.pure) === 0) return false;
    if (fn.argCount[x] !== 2 || fn.arg(x, 0) !== p || (opFlags[fn.op[fn.arg(x, 1)]!]! & Is.const) === 0) return false;
    const way = fn.singlePred(from as Block);
    if (way === NONE || fn.firstInst[from] !== fn.lastInst[from] || fn.edgeFrom[way] !== fn.block[x]) return false;
    const branch = fn.terminator(fn.block[x]! as Block);
    if (fn.op[branch] !== Op.br_if) return false;
    const condition = fn.arg(branch, 0);
    if (fn.block[condition] !== fn.block[x] || this.useCount[condition] !== 1) return false;
    for (let i = 0; i < fn.argCount[condition]!; i++) if (fn.arg(condition, i) === p) return true;
    return condition === p;
  }

  /** Emits `v` here, before the terminator being lowered, and nowhere else. */
  private sink(v: Value): void {
    const { root, rootColor } = this;
    this.reg(v);
    this.root = v;
    this.rootColor = this.color[v]!;
    this.selector.value(v);
    this.merged[v] = 1;
    this.root = root;
    this.rootColor = rootColor;
  }

  /** The function's parameters, as the convention delivers them. */
  private makeArgs(selector: Selector): void {
    const { fn, abi } = this;
    this.inst(MOp.args, 0, 0, 0, 0);
    for (let i = 0; i < fn.paramCount[fn.entry]!; i++) {
      const r = this.vreg[fn.param(fn.entry, i)]!;
      if (r !== NONE && abi.args[i]! >= 0) this.operand(r, Opnd.def | Opnd.fixed | (abi.args[i]! << Opnd.payloadShift));
    }
    for (let i = 0; i < fn.paramCount[fn.entry]!; i++) {
      const v = fn.param(fn.entry, i);
      const r = this.vreg[v]!;
      if (r !== NONE && abi.args[i]! < 0) selector.stackArg(r, ~abi.args[i]!, fn.type[v]!);
    }
  }

  /** Fills the columns so that blocks stand in layout order and groups in program order. */
  private putInOrder(groups: Int32Array, firstGroup: Int32Array, endGroup: Int32Array): void {
    const { mfn, insts, opnds } = this;
    const n = Math.max(8, this.instCount);
    const op = new Uint16Array(n);
    const imm = new Int32Array(n);
    const imm2 = new Int32Array(n);
    const imm3 = new Int32Array(n);
    const clobbers = new Uint8Array(n);
    const offset = new Int32Array(n);
    const opndStart = new Int32Array(n);
    const opndCount = new Uint16Array(n);
    const opndLength = this.opndLength >> 1;
    const opndReg = new Int32Array(Math.max(8, opndLength));
    const opndInfo = new Uint16Array(Math.max(8, opndLength));
    let to = 0;
    let opnd = 0;
    for (let mb = 0; mb < mfn.blockCount; mb++) {
      mfn.blockStart[mb] = to;
      for (let g = endGroup[mb]! - 1; g >= firstGroup[mb]!; g--) {
        const end = groups[g + 1]!;
        for (let i = groups[g]!; i < end; i++) {
          const at = i * Inst.words;
          op[to] = insts[at + Inst.op]!;
          imm[to] = insts[at + Inst.imm]!;
          imm2[to] = insts[at + Inst.imm2]!;
          imm3[to] = insts[at + Inst.imm3]!;
          clobbers[to] = insts[at + Inst.clobbers]!;
          offset[to] = insts[at + Inst.offset]!;
          const start = insts[at + Inst.opnds]!;
          const stop = i + 1 < this.instCount ? insts[at + Inst.words + Inst.opnds]! : this.opndLength;
          opndStart[to] = opnd;
          opndCount[to] = (stop - start) >> 1;
          for (let k = start; k < stop; k += 2) {
            opndReg[opnd] = opnds[k]!;
            opndInfo[opnd++] = opnds[k + 1]!;
          }
          to++;
        }
      }
      mfn.blockEnd[mb] = to;
    }
    mfn.instCount = to;
    mfn.op = op;
    mfn.imm = imm;
    mfn.imm2 = imm2;
    mfn.imm3 = imm3;
    mfn.clobbers = clobbers;
    mfn.offset = offset;
    mfn.opndStart = opndStart;
    mfn.opndCount = opndCount;
    mfn.opndLength = opnd;
    mfn.opndReg = opndReg;
    mfn.opndInfo = opndInfo;
  }
}

/** Layout of a row of `Lowering.insts`. */
const enum Inst {
  op = 0,
  imm = 1,
  imm2 = 2,
  imm3 = 3,
  clobbers = 4,
  offset = 5,
  /** Where its operands start in `opnds`. */
  opnds = 6,
  words = 7,
}

function doubled(column: Int32Array): Int32Array {
  const bigger = new Int32Array(column.length * 2);
  bigger.set(column);
  return bigger;
}
