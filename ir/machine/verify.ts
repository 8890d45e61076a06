// Checks machine IR: structure, operand constraints, definitions before uses; before and after allocation.
//
// Before allocation every virtual register has one definition, which dominates its uses; critical edges are split. After it
// every operand is a register of the target or a slot of the frame, and meets its constraint; that the *right* values
// stand there is the symbolic checker's matter. Linear in the function, but for dominators (near linear).
import { FIRST_FLOAT_REG, FIRST_SLOT, MOp, Opnd, type MFunc } from "./mfunc.js";
import { locationName, type MachineNames } from "./names.js";
import { printMInst } from "./print.js";
import { RegClass, regClass, type Type } from "../types.js";

/** One broken rule, and where. `inst` and `block` are -1 where the rule is about the function. */
export interface MachineProblem {
  readonly func: number;
  readonly block: number;
  readonly inst: number;
  /** The rule that is broken, with what was found. */
  readonly rule: string;
  toString(): string;
}

/** Problems found, at most `limit`; an empty array for a function in order. */
export function verifyMFunc(mfn: MFunc, names: MachineNames, limit = 20): MachineProblem[] {
  const problems: MachineProblem[] = [];
  const report = (block: number, inst: number, rule: string) => {
    if (problems.length >= limit) return;
    const where = `@${mfn.index} b${block}` + (inst < 0 ? "" : `, ${printMInst(mfn, inst, names)}`);
    problems.push({ func: mfn.index, block, inst, rule, toString: () => `${where}: ${rule}` });
  };
  if (!verifyStructure(mfn, names, report)) return problems;
  if (mfn.allocated) verifyLocations(mfn, names, report);
  else verifyVregs(mfn, names, report);
  return problems;
}

type Report = (block: number, inst: number, rule: string) => void;

/** Blocks, edges, ops: what everything else stands on. False when it does not hold. */
function verifyStructure(mfn: MFunc, names: MachineNames, report: Report): boolean {
  let sound = true;
  const broken: Report = (block, inst, rule) => {
    sound = false;
    report(block, inst, rule);
  };
  if (mfn.blockCount === 0) broken(-1, -1, "a function has an entry block");
  let next = 0;
  for (let b = 0; b < mfn.blockCount; b++) {
    if (mfn.blockStart[b] !== next) broken(b, -1, `blocks follow each other: expected to start at instruction ${next}, found ${mfn.blockStart[b]}`);
    next = mfn.blockEnd[b]!;
    if (!(next > mfn.blockStart[b]! && next <= mfn.instCount)) {
      broken(b, -1, "a block has instructions");
      return false;
    }
    for (let i = mfn.blockStart[b]!; i < next; i++) {
      const info = names.mops[mfn.op[i]!];
      if (!info) broken(b, i, `machine op ${mfn.op[i]} is not in the target's table`);
      else if ((info.terminator === true) !== (i === next - 1)) {
        broken(b, i, i === next - 1 ? "a block ends in a terminator" : "a terminator ends its block");
      }
      const operands = mfn.opndStart[i]! + mfn.opndCount[i]!;
      if (!(mfn.opndStart[i]! >= 0 && operands <= mfn.opndLength)) {
        broken(b, -1, `the operands of instruction ${i} lie outside of the ${mfn.opndLength} there are`);
        return false;
      }
      if (mfn.clobbers[i]! >= mfn.clobberSets.length) broken(b, i, `there is no clobber set ${mfn.clobbers[i]}`);
    }
    for (let k = 0; k < mfn.succCount[b]!; k++) {
      const e = mfn.lists[mfn.succStart[b]! + k]!;
      if (!(e >= 0 && e < mfn.edgeCount)) broken(b, -1, `successor ${k} is edge ${e}, which does not exist`);
      else if (mfn.edgeFrom[e] !== b) broken(b, -1, `successor ${k} is an edge of b${mfn.edgeFrom[e]}`);
      else if (!(mfn.edgeTo[e]! >= 0 && mfn.edgeTo[e]! < mfn.blockCount)) broken(b, -1, `successor ${k} enters b${mfn.edgeTo[e]}, which does not exist`);
      else if (mfn.edgeTo[e] === 0) broken(b, -1, "no edge enters the entry block");
      else if (mfn.succCount[b]! > 1 && mfn.predCount[mfn.edgeTo[e]!]! > 1) broken(b, -1, `the edge to b${mfn.edgeTo[e]} is critical`);
    }
    for (let k = 0; k < mfn.predCount[b]!; k++) {
      const e = mfn.lists[mfn.predStart[b]! + k]!;
      if (!(e >= 0 && e < mfn.edgeCount) || mfn.edgeTo[e] !== b) broken(b, -1, `predecessor ${k}, edge ${e}, does not enter this block`);
    }
  }
  if (next !== mfn.instCount) broken(mfn.blockCount - 1, -1, `${mfn.instCount - next} instructions are in no block`);
  return sound;
}

function classOf(mfn: MFunc, vreg: number): RegClass {
  return regClass(mfn.vregType[vreg]! as Type);
}

function verifyVregs(mfn: MFunc, names: MachineNames, report: Report): void {
  const { vregCount } = mfn;
  const defBlock = new Int32Array(vregCount).fill(-1);
  const defInst = new Int32Array(vregCount).fill(-1);
  const define = (vreg: number, b: number, i: number) => {
    if (!(vreg >= 0 && vreg < vregCount)) return report(b, i, `v${vreg} does not exist`);
    if (defBlock[vreg] !== -1) report(b, i, `v${vreg} is defined twice, first in b${defBlock[vreg]}`);
    defBlock[vreg] = b;
    defInst[vreg] = i;
  };
  for (let b = 0; b < mfn.blockCount; b++) {
    for (let k = 0; k < mfn.paramCount[b]!; k++) define(mfn.lists[mfn.paramStart[b]! + k]!, b, -1);
    for (let i = mfn.blockStart[b]!; i < mfn.blockEnd[b]!; i++) {
      for (let at = mfn.opndStart[i]!; at < mfn.opndStart[i]! + mfn.opndCount[i]!; at++) {
        const info = mfn.opndInfo[at]!;
        if ((info & Opnd.kindMask) !== Opnd.use) define(mfn.opndReg[at]!, b, i);
        verifyConstraint(mfn, names, b, i, at, report);
      }
    }
  }
  if (mfn.paramCount[0]! > 0) report(0, -1, "the entry block has no parameters: arguments are defined by `args`");
  verifyDominance(mfn, defBlock, defInst, report);
}

/** Fixed registers exist and fit the class; ties point to a use of the same class. */
function verifyConstraint(mfn: MFunc, names: MachineNames, b: number, i: number, at: number, report: Report): void {
  const info = mfn.opndInfo[at]!;
  const reg = mfn.opndReg[at]!;
  if (!(reg >= 0 && reg < mfn.vregCount)) return;
  const payload = info >> Opnd.payloadShift;
  switch (info & Opnd.constraintMask) {
    case Opnd.fixed:
      if (names.registers.names[payload] === undefined) report(b, i, `the target has no register ${payload}`);
      else if ((payload >= FIRST_FLOAT_REG) !== (classOf(mfn, reg) === RegClass.float)) report(b, i, `v${reg} cannot be in ${locationName(names, payload)}: wrong class`);
      return;
    case Opnd.same: {
      const tied = mfn.opndStart[i]! + payload;
      if ((info & Opnd.kindMask) !== Opnd.def) report(b, i, "only a def is tied to another operand");
      else if (payload >= mfn.opndCount[i]! || (mfn.opndInfo[tied]! & Opnd.kindMask) !== Opnd.use) report(b, i, `v${reg} is tied to operand ${payload}, which is no use`);
      else if (classOf(mfn, reg) !== classOf(mfn, mfn.opndReg[tied]!)) report(b, i, `v${reg} is tied to a value of the other class`);
      return;
    }
    case Opnd.any:
    case Opnd.reg:
      return;
    default:
      report(b, i, `unknown constraint in operand ${at - mfn.opndStart[i]!}`);
  }
}

function verifyDominance(mfn: MFunc, defBlock: Int32Array, defInst: Int32Array, report: Report): void {
  const dom = new Dominance(mfn);
  const use = (vreg: number, b: number, i: number) => {
    if (!(vreg >= 0 && vreg < mfn.vregCount) || defBlock[vreg] === -1) return report(b, i, `v${vreg} is used and never defined`);
    if (!dom.reached(b)) return;
    const before = defBlock[vreg] === b ? i < 0 || defInst[vreg]! < i : dom.strictly(defBlock[vreg]!, b);
    if (!before) report(b, i, `v${vreg} is used where its definition in b${defBlock[vreg]} does not dominate`);
  };
  for (let b = 0; b < mfn.blockCount; b++) {
    for (let i = mfn.blockStart[b]!; i < mfn.blockEnd[b]!; i++) {
      for (let at = mfn.opndStart[i]!; at < mfn.opndStart[i]! + mfn.opndCount[i]!; at++) {
        if ((mfn.opndInfo[at]! & Opnd.kindMask) === Opnd.use) use(mfn.opndReg[at]!, b, i);
      }
    }
    for (let k = 0; k < mfn.succCount[b]!; k++) {
      const e = mfn.lists[mfn.succStart[b]! + k]!;
      const to = mfn.edgeTo[e]!;
      for (let p = 0; p < mfn.paramCount[to]!; p++) {
        const arg = mfn.lists[mfn.edgeArgStart[e]! + p]!;
        use(arg, b, -1);
        const param = mfn.lists[mfn.paramStart[to]! + p]!;
        if (arg >= 0 && arg < mfn.vregCount && classOf(mfn, arg) !== classOf(mfn, param)) report(b, -1, `argument v${arg} and parameter v${param} of b${to} are of different classes`);
      }
    }
  }
}

/** Dominators by Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm" (2001), then numbered for constant-time queries. */
class Dominance {
  private readonly pre: Int32Array;
  private readonly last: Int32Array;

  constructor(mfn: MFunc) {
    const n = mfn.blockCount;
    const { order, place } = reversePostorder(mfn);
    const idom = new Int32Array(n).fill(-1);
    idom[0] = 0;
    for (let changed = true; changed; ) {
      changed = false;
      for (let k = 1; k < order.length; k++) {
        const b = order[k]!;
        let dominator = -1;
        for (let p = 0; p < mfn.predCount[b]!; p++) {
          let x = mfn.edgeFrom[mfn.lists[mfn.predStart[b]! + p]!]!;
          if (idom[x] === -1) continue;
          if (dominator === -1) dominator = x;
          else {
            let y: number = dominator;
            while (x !== y) {
              while (place[x]! > place[y]!) x = idom[x]!;
              while (place[y]! > place[x]!) y = idom[y]!;
            }
            dominator = x;
          }
        }
        if (idom[b] !== dominator) {
          idom[b] = dominator;
          changed = true;
        }
      }
    }
    // Subtree sizes give preorder intervals: children stand behind their dominator in reverse postorder.
    const size = new Int32Array(n);
    for (let k = order.length - 1; k >= 0; k--) {
      const b = order[k]!;
      size[b]!++;
      if (b !== 0) size[idom[b]!]! += size[b]!;
    }
    this.pre = new Int32Array(n).fill(-1);
    this.last = new Int32Array(n);
    const free = new Int32Array(n);
    for (const b of order) {
      this.pre[b] = b === 0 ? 0 : free[idom[b]!]!;
      if (b !== 0) free[idom[b]!]! += size[b]!;
      free[b] = this.pre[b]! + 1;
      this.last[b] = this.pre[b]! + size[b]! - 1;
    }
  }

  reached(b: number): boolean {
    return this.pre[b] !== -1;
  }

  strictly(a: number, b: number): boolean {
    return this.pre[a] !== -1 && this.pre[a]! < this.pre[b]! && this.pre[b]! <= this.last[a]!;
  }
}

function reversePostorder(mfn: MFunc): { order: Int32Array; place: Int32Array } {
  const n = mfn.blockCount;
  const order = new Int32Array(n);
  const place = new Int32Array(n).fill(-1);
  const next = new Int32Array(n).fill(-1);
  const stack = new Int32Array(n);
  let depth = 0;
  let at = n;
  stack[depth++] = 0;
  next[0] = 0;
  while (depth > 0) {
    const b = stack[depth - 1]!;
    if (next[b]! < mfn.succCount[b]!) {
      const to = mfn.edgeTo[mfn.lists[mfn.succStart[b]! + next[b]!++]!]!;
      if (next[to] === -1) {
        next[to] = 0;
        stack[depth++] = to;
      }
    } else {
      order[--at] = b;
      depth--;
    }
  }
  const reached = order.subarray(at);
  for (let k = 0; k < reached.length; k++) place[reached[k]!] = k;
  return { order: reached, place };
}

function verifyLocations(mfn: MFunc, names: MachineNames, report: Report): void {
  const end = FIRST_SLOT + mfn.slotCount;
  for (let b = 0; b < mfn.blockCount; b++) {
    if (mfn.paramCount[b]! > 0) report(b, -1, "after allocation blocks have no parameters");
    for (let i = mfn.blockStart[b]!; i < mfn.blockEnd[b]!; i++) {
      const start = mfn.opndStart[i]!;
      for (let at = start; at < start + mfn.opndCount[i]!; at++) {
        const location = mfn.opndReg[at]!;
        const info = mfn.opndInfo[at]!;
        const payload = info >> Opnd.payloadShift;
        const isSlot = location >= FIRST_SLOT;
        if (location < 0 || location >= end || (!isSlot && names.registers.names[location] === undefined)) {
          report(b, i, `operand ${at - start} is in ${locationName(names, location)}, which does not exist`);
          continue;
        }
        const constraint = info & Opnd.constraintMask;
        if (constraint === Opnd.reg && isSlot) report(b, i, `operand ${at - start} must be in a register, is in ${locationName(names, location)}`);
        else if (constraint === Opnd.fixed && location !== payload) report(b, i, `operand ${at - start} must be in ${locationName(names, payload)}, is in ${locationName(names, location)}`);
        else if (constraint === Opnd.same && location !== mfn.opndReg[start + payload]) report(b, i, `operand ${at - start} must be where operand ${payload} is, is in ${locationName(names, location)}`);
      }
      if (mfn.op[i] === MOp.swap && (mfn.opndReg[start]! >= FIRST_SLOT || mfn.opndReg[start + 1]! >= FIRST_SLOT)) report(b, i, "swap exchanges registers");
    }
  }
}
