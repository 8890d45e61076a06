// Allocated machine function => code object: frame, blocks in layout order, branches, jump tables, out-of-line paths, pool.
//
// Blocks that only jump on are not emitted: branches go where they lead. A branch to the next block falls through. A
// jump table stands right behind its branch, so that its address is always near; behind the blocks stand trap calls and
// constants. The return address stands above the saved registers, where other targets' calls push it: a frame is
// `frameBytes` up to it and 8 more to the caller's. A function without a frame has -8: its return address
// stays in x30, and whoever reports a trap puts it below the stack pointer.
// Relies on allocation (every operand a location) and on block order being final.
import type { FuncCode } from "../../ir/code.js";
import { MOp, type MFunc } from "../../ir/machine/mfunc.js";
import { STACK_RESERVE } from "../../ir/layout.js";
import { planFrame, type Frame } from "../frame.js";
import { rotateLoops } from "../rotate-loops.js";
import { EarlyMoves } from "../early-moves.js";
import type { CodegenOptions } from "../target.js";
import { earlyReturn } from "./early-return.js";
import { InstEmitter } from "./emit-inst.js";
import { LINK_BYTES, address, scratch } from "./emit-operands.js";
import { Assembler, fitsAdd } from "./encode.js";
import { Group, opGroup } from "./mop-forms.js";
import { Consumer, M, consumerOf } from "./mops.js";
import { Cond, Extend, Form, Index } from "./opcodes.js";
import { Reg, registers } from "./registers.js";

/** A frame of this size may be set up before it is compared with the limit: half of what is mapped below. */
const LARGE_FRAME = STACK_RESERVE / 2;
/** One addition moves the stack pointer so far. */
const MAX_STEP = 0xfff000;
/** Pairs reach so far from the stack pointer. */
const PAIR_REACH = 504;

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

/** The shared plan, with the stack pointer a multiple of 16 in leaf functions, too. */
function framePlan(mfn: MFunc): Frame {
  const frame = planFrame(mfn, registers, LINK_BYTES);
  const odd = (frame.bytes + LINK_BYTES) & 15;
  if (odd === 0 || frame.bytes === 0) return frame;
  return { ...frame, localBytes: frame.localBytes + (16 - odd), bytes: frame.bytes + (16 - odd) };
}

/** Sets up and takes down the frame. */
export class FrameCode {
  /** Saved registers and the return address, from low to high; what fills up to the stack pointer, as zero. */
  private readonly kept: readonly number[];
  /** The stack pointer goes down in two steps, unless the whole frame is in reach of pairs. */
  private readonly first: number;
  private readonly rest: number;
  /** Of the first kept register, after the first step. */
  private readonly at: number;

  constructor(
    private readonly asm: Assembler,
    frame: Pick<Frame, "saved" | "bytes">,
  ) {
    const kept = [...frame.saved, Reg.link];
    const total = frame.bytes + LINK_BYTES;
    this.first = total <= PAIR_REACH ? total : (8 * kept.length + 15) & -16;
    this.rest = total - this.first;
    if (this.first - 8 * kept.length === 8) kept.unshift(Reg.zr);
    this.kept = kept;
    this.at = this.first - 8 * kept.length;
  }

  private step(form: number, bytes: number): void {
    while (bytes > 0xfff) {
      const high = Math.min(bytes & ~0xfff, MAX_STEP);
      this.asm.addImm(form, Reg.sp, Reg.sp, high);
      bytes -= high;
    }
    if (bytes !== 0) this.asm.addImm(form, Reg.sp, Reg.sp, bytes);
  }

  enter(): void {
    const { asm, kept, first, at } = this;
    let k = 0;
    if (at === 0) {
      asm.pair(Form.stp64, kept[0]!, kept[1]!, Reg.sp, -first, Index.pre);
      for (k = 2; k < kept.length; k += 2) asm.pair(Form.stp64, kept[k]!, kept[k + 1]!, Reg.sp, 8 * k);
    } else {
      this.step(Form.sub64_i, first);
      for (; k + 1 < kept.length; k += 2) asm.pair(Form.stp64, kept[k]!, kept[k + 1]!, Reg.sp, at + 8 * k);
      if (k < kept.length) asm.mem(Form.str64, kept[k]!, Reg.sp, at + 8 * k);
    }
    this.step(Form.sub64_i, this.rest);
  }

  leave(): void {
    const { asm, kept, first, at } = this;
    this.step(Form.add64_i, this.rest);
    let k = 0;
    if (at === 0) {
      for (k = 2; k < kept.length; k += 2) asm.pair(Form.ldp64, kept[k]!, kept[k + 1]!, Reg.sp, 8 * k);
      asm.pair(Form.ldp64, kept[0]!, kept[1]!, Reg.sp, first, Index.post);
    } else {
      for (; k + 1 < kept.length; k += 2) asm.pair(Form.ldp64, kept[k]!, kept[k + 1]!, Reg.sp, at + 8 * k);
      if (k < kept.length) asm.mem(Form.ldr64, kept[k]!, Reg.sp, at + 8 * k);
      this.step(Form.add64_i, first);
    }
  }
}

export function emit(mfn: MFunc, options: CodegenOptions): FuncCode {
  const asm = new Assembler(mfn.instCount, 2 * mfn.blockCount + mfn.constants.length);
  const frame = framePlan(mfn);
  const frameless = frame.bytes === 0 && !mfn.hasCalls;
  const blocks = mfn.blockCount;
  // Labels 0 .. blocks - 1 are the blocks'.
  asm.newLabels(blocks);
  const pool = asm.newLabels(mfn.constants.length);
  const inst = new InstEmitter(asm, mfn, frame, frameless, pool);
  const frameCode = new FrameCode(asm, frame);

  const { op, offset, lists } = mfn;
  const target = threadJumps(mfn);
  /** The instructions of a block but its terminator. */
  const body = (b: number, leftOut: readonly number[] = []): void => {
    const last = mfn.blockEnd[b]! - 1;
    for (let i = mfn.blockStart[b]!; i < last; i++) {
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
  const early = options.level > 0 && !frameless ? earlyReturn(mfn, target, earlyMoves) : -1;
  if (early >= 0) {
    const returnsIf = successor(0, 0) === early;
    start = successor(0, returnsIf ? 1 : 0);
    const withFrame = asm.newLabel();
    const last = mfn.blockEnd[0]! - 1;
    inst.standIn = earlyMoves.source;
    asm.bind(0);
    body(0, earlyMoves.moves);
    inst.jumpIf(last, returnsIf ? inst.cond(last) ^ 1 : inst.cond(last), withFrame);
    body(early);
    inst.standIn = undefined;
    asm.r(Form.ret, Reg.link);
    asm.bind(withFrame);
  }

  // ---- prologue ----
  const huge = frame.bytes > LARGE_FRAME;
  if (frame.needsCheck && huge) inst.hugeStackCheck(firstOffset);
  if (!frameless) frameCode.enter();
  if (frame.needsCheck && !huge) inst.stackCheck(firstOffset);
  if (frame.context >= 0) inst.reach(Form.str64, Reg.vmctx, Reg.sp, frame.context);
  if (mfn.counter >= 0) inst.countDown(firstOffset);
  if (early >= 0) for (const i of earlyMoves.moves) inst.emit(i);

  // ---- blocks ----
  const isDone = (b: number): boolean => target[b] !== b || (early >= 0 && (b === 0 || (b === early && onlyFromEntry(mfn, early))));
  let emitted = 0;
  const order = new Int32Array(blocks);
  for (let b = 0; b < blocks; b++) if (!isDone(b)) order[emitted++] = b;
  const emission = order.subarray(0, emitted);
  if (options.level > 0) rotateLoops(mfn, emission, target, (b) => op[mfn.blockEnd[b]! - 1]! >= M.compare_first);
  if (start !== emission[0]) asm.b(start);
  for (let at = 0; at < emitted; at++) {
    const b = emission[at]!;
    asm.bind(b);
    if (mfn.counter >= 0 && mfn.blockLoopHeader[b]! !== 0) inst.countDown(mfn.blockStart[b]!);
    inst.forgetFlags();
    body(b);
    const last = mfn.blockEnd[b]! - 1;
    const next = at + 1 < emitted ? emission[at + 1]! : -1;
    const lastOp = op[last]!;
    if (lastOp >= M.compare_first) {
      if (consumerOf(lastOp) !== Consumer.br) throw inst.bug(last, "a block must end in a terminator");
      branch(inst, last, successor(b, 0), successor(b, 1), next);
      continue;
    }
    switch (opGroup[lastOp]! as Group) {
      case Group.jmp: {
        const to = successor(b, 0);
        if (to !== next) asm.b(to);
        break;
      }
      case Group.jumpTable: {
        const entries = mfn.jumpTables[mfn.imm[last]!]!;
        const count = entries.length - 1;
        const table = jumpTable(asm, inst.reg(last, 0), count, successor(b, entries[count]!));
        for (let k = 0; k < count; k++) asm.tableEntry(successor(b, entries[k]!), table);
        break;
      }
      case Group.ret:
        if (!frameless) frameCode.leave();
        asm.r(Form.ret, Reg.link);
        break;
      case Group.trap:
        inst.trapCall(mfn.imm[last]!, offset[last]!);
        // The return address must not be a pc of the next block, which may fault in its own way.
        asm.exception(Form.brk, 0);
        break;
      default:
        throw inst.bug(last, "a block must end in a terminator");
    }
  }

  inst.outOfLine();

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
    frameBytes: frameless ? -LINK_BYTES : frame.bytes,
    traps: asm.traps,
    source: asm.sourceMap,
    relocs: asm.relocs,
  };
}

/** Compare and branch: to block `yes` if the condition holds, else to `no`. */
function branch(inst: InstEmitter, i: number, yes: number, no: number, next: number): void {
  const { asm } = inst;
  const c = inst.cond(i);
  if (yes === no) {
    if (yes !== next) asm.b(yes);
  } else if (yes === next) inst.jumpIf(i, c ^ 1, no);
  else {
    inst.jumpIf(i, c, yes);
    if (no !== next) asm.b(no);
  }
}

/** Up to the label of the table, which is returned: its entries come next. Changes x16 and x17. */
export function jumpTable(asm: Assembler, index: number, count: number, otherwise: number): number {
  const table = asm.newLabel();
  if (fitsAdd(count)) asm.addImm(Form.subs32_i, Reg.zr, index, count);
  else {
    asm.movImm32(scratch, count);
    asm.rrr(Form.subs32_r, Reg.zr, index, scratch);
  }
  asm.bcond(Cond.hs, otherwise);
  asm.adr(scratch, table);
  asm.memIndex(Form.ldrsw, address, scratch, index, Extend.uxtw, true);
  asm.rrr(Form.add64_r, scratch, scratch, address);
  asm.r(Form.br, scratch);
  asm.bind(table);
  return table;
}
