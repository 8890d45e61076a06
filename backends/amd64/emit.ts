// Allocated machine function => code object: frame, blocks in layout order, branches, out-of-line paths, tables, pool.
//
// Blocks that only jump on are not emitted: branches go where they lead. A branch to the next block falls through. Small
// inner loops are kept within a cache line. Behind the blocks: slow paths and trap calls, jump tables, constants.
// Relies on allocation (every operand a location) and on block order being final.
import type { FuncCode } from "../../ir/code.js";
import { MOp, type MFunc } from "../../ir/machine/mfunc.js";
import { STACK_RESERVE } from "../../ir/layout.js";
import { planFrame } from "../frame.js";
import { EarlyMoves } from "../early-moves.js";
import type { CodegenOptions } from "../target.js";
import { Assembler, LABEL, NO_REG } from "./encode.js";
import { earlyReturn } from "./early-return.js";
import { InstEmitter } from "./emit-inst.js";
import { RETURN_BYTES } from "./emit-operands.js";
import { Group, opGroup } from "./mop-forms.js";
import { Cond, Consumer, M, consumerOf, invert } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg, registers } from "./registers.js";

/** A frame of this size may be set up before it is compared with the limit: half of what is mapped below. */
const LARGE_FRAME = STACK_RESERVE / 2;
/** An inner loop of at most so many bytes must not straddle a line. */
const LINE = 64;
/** Machine ops of a loop that may come to a line. */
const LINE_OPS = 24;

/** Jump targets by block: a block that only jumps stands for the one it leads to. */
function threadJumps(mfn: MFunc): Int32Array {
  const target = new Int32Array(mfn.blockCount);
  for (let b = 0; b < mfn.blockCount; b++) {
    let i = mfn.blockStart[b]!;
    const last = mfn.blockEnd[b]! - 1;
    while (i < last && (mfn.op[i] === MOp.nop || mfn.op[i] === MOp.args)) i++;
    target[b] = i === last && mfn.op[last] === M.jmp ? mfn.edgeTo[mfn.lists[mfn.succStart[b]!]!]! : b;
  }
  // Follow chains, then let every block on the way point to the end. A ring of empty blocks keeps one of them.
  const seenBy = new Int32Array(mfn.blockCount).fill(-1);
  for (let b = 0; b < mfn.blockCount; b++) {
    let end = b;
    while (target[end] !== end && seenBy[end] !== b) {
      seenBy[end] = b;
      end = target[end]!;
    }
    target[end] = end;
    for (let at = b; at !== end; ) {
      const next = target[at]!;
      target[at] = end;
      at = next;
    }
  }
  return target;
}

/** Last block of each innermost loop that may fit a line, by its header; -1 elsewhere. */
function smallLoops(mfn: MFunc): Int32Array {
  const loopEnd = new Int32Array(mfn.blockCount).fill(-1);
  for (let e = 0; e < mfn.edgeCount; e++) {
    const to = mfn.edgeTo[e]!;
    const from = mfn.edgeFrom[e]!;
    if (from >= to && from > loopEnd[to]!) loopEnd[to] = from;
  }
  let inner = mfn.blockCount;
  for (let b = mfn.blockCount - 1; b >= 0; b--) {
    const end = loopEnd[b]!;
    if (end < 0) continue;
    const holdsLoop = inner <= end;
    inner = b;
    if (holdsLoop || mfn.blockEnd[end]! - mfn.blockStart[b]! > LINE_OPS) loopEnd[b] = -1;
  }
  return loopEnd;
}

/** Whether nothing else leads to a block that the entry block leads to, straight or through blocks that only jump. */
function onlyFromEntry(mfn: MFunc, block: number): boolean {
  let b = block;
  while (b !== 0) {
    if (mfn.predCount[b] !== 1) return false;
    const from = mfn.edgeFrom[mfn.lists[mfn.predStart[b]!]!]!;
    if (from !== 0 && mfn.succCount[from] !== 1) return false;
    // A block that does something before it jumps is another way in.
    if (from !== 0 && mfn.blockEnd[from]! - mfn.blockStart[from]! !== 1) return false;
    b = from;
  }
  return true;
}

export function emit(mfn: MFunc, options: CodegenOptions): FuncCode {
  const asm = new Assembler(mfn.instCount, 2 * mfn.blockCount + mfn.constants.length);
  const frame = planFrame(mfn, registers, RETURN_BYTES);
  const blocks = mfn.blockCount;
  // Labels 0 .. blocks - 1 are the blocks'.
  asm.newLabels(blocks);
  const pool = asm.newLabels(mfn.constants.length);
  const tables = asm.newLabels(mfn.jumpTables.length);
  const inst = new InstEmitter(asm, mfn, frame, options.features.has("avx"), pool);

  const { op, offset, lists } = mfn;
  const target = threadJumps(mfn);
  /** The instructions of a block but its terminator. */
  const body = (b: number, leftOut: readonly number[] = []): void => {
    const last = mfn.blockEnd[b]! - 1;
    inst.blockStart = mfn.blockStart[b]!;
    for (let i = inst.blockStart; i < last; i++) {
      if (leftOut.includes(i)) continue;
      if (offset[i] !== 0) asm.source(offset[i]!);
      inst.emit(i);
    }
    if (offset[last] !== 0) asm.source(offset[last]!);
  };
  const successor = (b: number, k: number): number => target[mfn.edgeTo[lists[mfn.succStart[b]! + k]!]!]!;

  let firstOffset = 0;
  while (firstOffset < mfn.instCount && mfn.offset[firstOffset] === 0) firstOffset++;
  if (firstOffset === mfn.instCount) firstOffset = 0;
  asm.source(mfn.offset[firstOffset]!);

  // ---- what needs no frame ----
  let start = target[0]!;
  const earlyMoves = new EarlyMoves(mfn, registers.calleeSavedInts);
  const early = options.level > 0 && (frame.bytes > 0 || frame.needsCheck) ? earlyReturn(mfn, target, earlyMoves) : -1;
  if (early >= 0) {
    const returnsIf = successor(0, 0) === early;
    start = successor(0, returnsIf ? 1 : 0);
    const withFrame = asm.newLabel();
    const last = mfn.blockEnd[0]! - 1;
    inst.standIn = earlyMoves.source;
    asm.bind(0);
    body(0, earlyMoves.moves);
    inst.compare(last, 0);
    inst.jumpIf(returnsIf ? invert(inst.cond(last)) : inst.cond(last), withFrame);
    body(early);
    inst.standIn = undefined;
    asm.op0(Form.ret);
    asm.bind(withFrame);
  }

  // ---- prologue ----
  const huge = frame.bytes > LARGE_FRAME;
  if (frame.needsCheck && huge) inst.hugeStackCheck(firstOffset);
  for (const reg of frame.saved) asm.o(Form.push, reg);
  if (frame.localBytes > 0) asm.ri(Form.sub64_mi, Reg.rsp, frame.localBytes);
  if (frame.needsCheck && !huge) inst.stackCheck(firstOffset);
  if (frame.context >= 0) asm.rm(Form.mov64_mr, Reg.vmctx, Reg.rsp, NO_REG, 0, frame.context);
  if (mfn.counter >= 0) inst.countDown(firstOffset);
  if (early >= 0) for (const i of earlyMoves.moves) inst.emit(i);

  // ---- blocks ----
  const loopEnd = options.level > 0 ? smallLoops(mfn) : undefined;
  const endLabels: number[] = [];
  const isDone = (b: number): boolean => target[b] !== b || (early >= 0 && (b === 0 || (b === early && onlyFromEntry(mfn, early))));
  const nextEmitted = new Int32Array(blocks);
  let firstEmitted = -1;
  for (let b = blocks - 1; b >= 0; b--) {
    nextEmitted[b] = firstEmitted;
    if (!isDone(b)) firstEmitted = b;
  }
  if (start !== firstEmitted) asm.jmp(start);
  for (let b = 0; b < blocks; b++) {
    while (endLabels.length > 0 && endLabels[endLabels.length - 2]! < b) {
      asm.bind(endLabels[endLabels.length - 1]!);
      endLabels.length -= 2;
    }
    if (isDone(b)) continue;
    if (loopEnd !== undefined && loopEnd[b]! >= 0) {
      const end = asm.newLabel();
      endLabels.push(loopEnd[b]!, end);
      asm.keepInLine(end, LINE);
    }
    asm.bind(b);
    if (mfn.counter >= 0 && mfn.blockLoopHeader[b]! !== 0) inst.countDown(mfn.blockStart[b]!);
    body(b);
    const last = mfn.blockEnd[b]! - 1;
    const next = nextEmitted[b]!;
    const lastOp = op[last]!;
    if (lastOp >= M.compare_first) {
      if (consumerOf(lastOp) !== Consumer.br) throw inst.bug(last, "a block must end in a terminator");
      branch(inst, last, successor(b, 0), successor(b, 1), next);
    } else {
      switch (opGroup[lastOp]! as Group) {
        case Group.jmp: {
          const to = successor(b, 0);
          if (to !== next) asm.jmp(to);
          break;
        }
        case Group.jumpTable: {
          const entries = mfn.jumpTables[mfn.imm[last]!]!;
          jumpTable(inst, last, tables + mfn.imm[last]!, entries.length - 1, successor(b, entries[entries.length - 1]!));
          break;
        }
        case Group.ret:
          if (frame.localBytes > 0) asm.ri(Form.add64_mi, Reg.rsp, frame.localBytes);
          for (let k = frame.saved.length - 1; k >= 0; k--) asm.o(Form.pop, frame.saved[k]!);
          asm.op0(Form.ret);
          break;
        case Group.trap:
          inst.trapCall(mfn.imm[last]!, offset[last]!);
          // The return address must not be a pc of the next block, which may fault in its own way.
          asm.op0(Form.int3);
          break;
        default:
          throw inst.bug(last, "a block must end in a terminator");
      }
    }
  }
  while (endLabels.length > 0) {
    asm.bind(endLabels[endLabels.length - 1]!);
    endLabels.length -= 2;
  }

  inst.outOfLine();

  // ---- tables and constants ----
  const tableOf = new Int32Array(mfn.jumpTables.length).fill(-1);
  for (let b = 0; b < blocks; b++) {
    const last = mfn.blockEnd[b]! - 1;
    if (target[b] === b && op[last]! < M.compare_first && opGroup[op[last]!] === Group.jumpTable) tableOf[mfn.imm[last]!] = b;
  }
  for (let t = 0; t < mfn.jumpTables.length; t++) {
    const entries = mfn.jumpTables[t]!;
    const b = tableOf[t]!;
    if (b < 0) continue;
    asm.alignTo(4);
    asm.bind(tables + t);
    for (let k = 0; k < entries.length - 1; k++) asm.tableEntry(successor(b, entries[k]!), tables + t);
  }
  for (const bytes of [16, 8, 4]) {
    let aligned = false;
    for (let c = 0; c < mfn.constants.length; c++) {
      if (mfn.constants[c]!.length !== bytes) continue;
      if (!aligned) asm.alignTo(bytes);
      aligned = true;
      asm.bind(pool + c);
      asm.raw(mfn.constants[c]!);
    }
  }

  const bytes = asm.finish();
  return {
    func: mfn.index,
    bytes,
    align: asm.align,
    frameBytes: frame.bytes,
    traps: asm.traps,
    source: asm.sourceMap,
    relocs: asm.relocs,
  };
}

/** Compare and branch: to block `yes` if the condition holds, else to `no`. */
function branch(inst: InstEmitter, i: number, yes: number, no: number, next: number): void {
  const { asm } = inst;
  inst.compare(i, 0);
  const c = inst.cond(i);
  if (yes === no) {
    if (yes !== next) asm.jmp(yes);
  } else if (c === Cond.feq) {
    asm.jcc(Cond.p, no);
    if (yes === next) asm.jcc(Cond.ne, no);
    else {
      asm.jcc(Cond.e, yes);
      if (no !== next) asm.jmp(no);
    }
  } else if (c === Cond.fne) {
    asm.jcc(Cond.p, yes);
    if (yes === next) asm.jcc(Cond.e, no);
    else {
      asm.jcc(Cond.ne, yes);
      if (no !== next) asm.jmp(no);
    }
  } else if (yes === next) asm.jcc(invert(c), no);
  else {
    asm.jcc(c, yes);
    if (no !== next) asm.jmp(no);
  }
}

function jumpTable(inst: InstEmitter, i: number, table: number, count: number, otherwise: number): void {
  const { asm } = inst;
  const index = inst.reg(i, 0);
  const temp = inst.reg(i, 1);
  asm.ri(Form.cmp32_mi, index, count);
  asm.jcc(Cond.ae, otherwise);
  asm.rm(Form.lea64_rm, Reg.scratchInt, LABEL, NO_REG, 0, table);
  // An i32 in a register is zero-extended, see selection.ts.
  asm.rm(Form.movsx32_64_rm, temp, Reg.scratchInt, index, 2, 0);
  asm.rr(Form.add64_rm, temp, Reg.scratchInt);
  asm.r(Form.jmp_m, temp);
}
