// What all emission shares: the allocated function's operands, memory operands, accesses at any displacement.
//
// There is no addressing mode of base + index + displacement: where a memory operand has all three (or a displacement too
// large), the address is made in x17, with x16 for what does not fit there. Both are free within any machine op but moves,
// which may find x16 taken. A memory operand is decoded into fields, which the next access takes: nothing is allocated.
// Before anything is emitted, additions to pointers are looked for that an access can do on the way (`findUpdates`).
import { TrapKind } from "../../ir/layout.js";
import { FIRST_FLOAT_REG, FIRST_SLOT, type MFunc } from "../../ir/machine/mfunc.js";
import { slotOffset, type Frame } from "../frame.js";
import { accessScale, fitsAdd, fitsDisplacement, type Assembler } from "./encode.js";
import { Group, opForm, opGroup } from "./mop-forms.js";
import { Base, Form as Operands, M, Shape, mops } from "./mops.js";
import { Extend, Form, Index } from "./opcodes.js";
import { Reg } from "./registers.js";

export const scratch = Reg.scratchInt;
export const fscratch = Reg.scratchFloat;
export const address = Reg.address;

/** Where the return address stands above the frame proper, in functions that have a frame. */
export const LINK_BYTES = 8;

const NO_REG = -1;

export class OperandEmitter {
  // The memory operand last decoded.
  protected base = NO_REG;
  protected index = NO_REG;
  protected scale = 0;
  protected disp = 0;
  /** Undefined where no access goes by a pointer. */
  protected readonly updates: Updates | undefined;

  constructor(
    readonly asm: Assembler,
    readonly mfn: MFunc,
    readonly frame: Frame,
    /** The function sets up no frame: the return address stays in x30. */
    readonly frameless: boolean,
    /** Label of pool entry 0. */
    protected readonly pool: number,
  ) {
    this.updates = findUpdates(mfn);
  }

  /** By register, the one to read in its place, -1 for itself: before the prologue (early-moves.ts). */
  standIn: Int8Array | undefined;

  /** Location of operand `k` of instruction `i`. */
  at(i: number, k: number): number {
    const loc = this.mfn.opndReg[this.mfn.opndStart[i]! + k]!;
    return this.standIn !== undefined && loc < FIRST_FLOAT_REG && this.standIn[loc]! >= 0 ? this.standIn[loc]! : loc;
  }

  /** Operand `k`, which must be a register. */
  reg(i: number, k: number): number {
    const loc = this.at(i, k);
    if (loc >= FIRST_SLOT) throw this.bug(i, `operand ${k} is in slot ${loc - FIRST_SLOT}, wants a register`);
    return loc;
  }

  bug(i: number, what: string): Error {
    const { mfn } = this;
    let block = 0;
    while (block < mfn.blockCount && mfn.blockEnd[block]! <= i) block++;
    return new Error(`emit @${mfn.index} block ${block} instruction ${i} ${mops[mfn.op[i]!]?.name ?? mfn.op[i]}: ${what}`);
  }

  /** Bytes from the stack pointer to the caller's. */
  protected get frameTotal(): number {
    return this.frameless ? 0 : this.frame.bytes + LINK_BYTES;
  }

  /** Another instruction does its work. */
  protected isGone(i: number): boolean {
    return this.updates !== undefined && this.updates.mode[i] === Update.gone;
  }

  /** Decodes the memory operand of the shape; its registers start at operand `k`. */
  protected memory(i: number, k: number): void {
    const shape = this.mfn.imm3[i]!;
    this.disp = this.mfn.imm2[i]! >>> 0;
    switch ((shape & Shape.baseMask) >> Shape.baseShift) {
      case Base.memory:
        this.base = Reg.memoryBase;
        break;
      case Base.vmctx:
        this.base = Reg.vmctx;
        break;
      case Base.reg:
        this.base = this.reg(i, k++);
        break;
      case Base.pointer:
        this.base = this.reg(i, k++);
        this.disp = this.mfn.imm2[i]!;
        break;
      case Base.outgoing:
        this.base = Reg.sp;
        break;
      case Base.incoming:
        this.base = Reg.sp;
        this.disp += this.frameTotal;
        break;
      default:
        throw this.bug(i, "unknown base");
    }
    this.index = shape & Shape.index ? this.reg(i, k) : NO_REG;
    this.scale = (shape & Shape.scaleMask) >> Shape.scaleShift;
  }

  /** The next instruction may fault, if the shape says so. */
  protected fault(i: number): void {
    const kind = (this.mfn.imm3[i]! & Shape.faultMask) >> Shape.faultShift;
    if (kind !== TrapKind.none) this.asm.trap(kind, this.mfn.offset[i]!);
  }

  /** `form t, [memory]`, of the operand last decoded, of instruction `i`. */
  protected access(i: number, form: number, t: number): void {
    const { asm, base, index, scale, updates } = this;
    let { disp } = this;
    if (updates !== undefined) {
      disp += updates.shift[i]!;
      if (updates.mode[i] !== Update.none) {
        this.fault(i);
        return asm.memUpdate(form, t, base, updates.by[i]!, updates.mode[i] === Update.pre ? Index.pre : Index.post);
      }
    }
    const { imm3, offset } = this.mfn;
    access(asm, form, t, base, index, scale, disp, (imm3[i]! & Shape.faultMask) >> Shape.faultShift, offset[i]!);
  }

  /** `form t, [base + disp]`, whatever the displacement; by way of x17 where it is large. Cannot fault. */
  reach(form: number, t: number, base: number, disp: number): void {
    reach(this.asm, form, t, base, disp);
  }

  protected slotDisp(loc: number): number {
    return slotOffset(this.frame, loc);
  }
}

/** d = base + the part of `disp` above 12 bits, where one addition and the rest as displacement do; returns the rest, else -1. */
function withHighPart(asm: Assembler, d: number, base: number, disp: number, scale: number): number {
  const low = disp & 0xfff;
  const high = disp - low;
  if (!fitsAdd(high) || !fitsDisplacement(low, scale)) return -1;
  asm.addImm(Form.add64_i, d, base, high);
  return low;
}

function constant(asm: Assembler, d: number, value: number): void {
  asm.movImm64(d, value | 0, Math.floor(value / 4294967296));
}

/** See `OperandEmitter.reach`. */
export function reach(asm: Assembler, form: number, t: number, base: number, disp: number): void {
  const scale = accessScale(form);
  if (fitsDisplacement(disp, scale)) return asm.mem(form, t, base, disp);
  const low = withHighPart(asm, address, base, disp, scale);
  if (low >= 0) return asm.mem(form, t, address, low);
  constant(asm, address, disp);
  asm.memIndex(form, t, base, address, Extend.uxtx, false);
}

/**
 * `form t, [base + (index << scale) + disp]`; index: the low 32 bits of a register, or -1. The access faults with a trap of that kind at a
 * Wasm byte offset, unless it is none. Changes x17 and x16.
 */
export function access(asm: Assembler, form: number, t: number, base: number, index: number, scale: number, disp: number, kind: TrapKind, offset: number): void {
  const bytes = accessScale(form);
  const fault = kind !== TrapKind.none;
  if (index === NO_REG) {
    if (fitsDisplacement(disp, bytes)) {
      if (fault) asm.trap(kind, offset);
      return asm.mem(form, t, base, disp);
    }
    const low = withHighPart(asm, address, base, disp, bytes);
    if (low >= 0) {
      if (fault) asm.trap(kind, offset);
      return asm.mem(form, t, address, low);
    }
    constant(asm, address, disp);
    if (fault) asm.trap(kind, offset);
    return asm.memIndex(form, t, base, address, Extend.uxtx, false);
  }
  if (disp === 0 && (scale === 0 || scale === bytes)) {
    if (fault) asm.trap(kind, offset);
    return asm.memIndex(form, t, base, index, Extend.uxtw, scale !== 0);
  }
  asm.rrrExtend(Form.add64_x, address, base, index, Extend.uxtw, scale);
  if (fitsDisplacement(disp, bytes)) {
    if (fault) asm.trap(kind, offset);
    return asm.mem(form, t, address, disp);
  }
  const low = withHighPart(asm, address, address, disp, bytes);
  if (low >= 0) {
    if (fault) asm.trap(kind, offset);
    return asm.mem(form, t, address, low);
  }
  constant(asm, scratch, disp);
  if (fault) asm.trap(kind, offset);
  asm.memIndex(form, t, address, scratch, Extend.uxtx, false);
}

/** What becomes of an instruction beside its neighbours. */
const enum Update {
  none,
  /** An access that also adds `by` to its pointer, before or behind. */
  pre,
  post,
  /** An addition that an access does. */
  gone,
}

/** By instruction. */
export interface Updates {
  readonly mode: Uint8Array;
  readonly by: Int16Array;
  /** Added to an access's displacement, because its pointer has moved on already. */
  readonly shift: Int16Array;
}

/** Accesses at one pointer that may follow the one that moves it. */
const MAX_FOLLOWING = 8;
const UPDATE_REACH = 255;

function findUpdates(mfn: MFunc): Updates | undefined {
  let any = false;
  for (let i = 0; i < mfn.instCount && !any; i++) any = isByPointer(mfn, i);
  if (!any) return undefined;
  const updates = { mode: new Uint8Array(mfn.instCount), by: new Int16Array(mfn.instCount), shift: new Int16Array(mfn.instCount) };
  const finder = new UpdateFinder(mfn, updates);
  for (let b = 0; b < mfn.blockCount; b++) finder.block(mfn.blockStart[b]!, mfn.blockEnd[b]!);
  return updates;
}

function isByPointer(mfn: MFunc, i: number): boolean {
  const op = mfn.op[i]!;
  if (op < M.iconst32 || op >= M.compare_first || (opGroup[op] !== Group.load && opGroup[op] !== Group.store)) return false;
  return (mfn.imm3[i]! & Shape.baseMask) >> Shape.baseShift === Base.pointer;
}

class UpdateFinder {
  /** By register: the access without displacement since which it was nothing but a pointer; an addition to it since which it was not used. */
  private readonly access = new Int32Array(FIRST_FLOAT_REG).fill(-1);
  private readonly addition = new Int32Array(FIRST_FLOAT_REG).fill(-1);
  /** Accesses at a register behind that one. */
  private readonly following: number[][] = Array.from({ length: FIRST_FLOAT_REG }, () => []);

  constructor(
    private readonly mfn: MFunc,
    private readonly updates: Updates,
  ) {}

  block(start: number, end: number): void {
    const { mfn } = this;
    this.access.fill(-1);
    this.addition.fill(-1);
    for (let i = start; i < end; i++) {
      if (isByPointer(mfn, i)) this.visitAccess(i);
      else if (!this.visitAddition(i)) this.forgetOperands(i);
    }
  }

  private at(i: number, k: number): number {
    return this.mfn.opndReg[this.mfn.opndStart[i]! + k]!;
  }

  private forgetOperands(i: number): void {
    for (let k = 0; k < this.mfn.opndCount[i]!; k++) this.forget(this.at(i, k));
  }

  private forget(reg: number): void {
    if (reg >= FIRST_FLOAT_REG) return;
    this.access[reg] = -1;
    this.addition[reg] = -1;
  }

  private visitAccess(i: number): void {
    const { mfn, updates, access, addition, following } = this;
    const last = mfn.opndCount[i]! - 1;
    const base = this.at(i, last);
    if (last > 0) this.forget(this.at(i, 0));
    if (last > 0 && this.at(i, 0) === base) return;
    if (mfn.imm2[i] !== 0) {
      addition[base] = -1;
      if (access[base]! < 0 || following[base]!.length === MAX_FOLLOWING) access[base] = -1;
      else following[base]!.push(i);
    } else if (addition[base]! >= 0) {
      updates.mode[i] = Update.pre;
      updates.by[i] = this.added(addition[base]!);
      updates.mode[addition[base]!] = Update.gone;
      this.forget(base);
    } else if (access[base]! >= 0) following[base]!.push(i);
    else {
      access[base] = i;
      following[base]!.length = 0;
    }
  }

  /** A constant added to a register, small enough for an access; 0 if it is nothing of the kind. */
  private added(i: number): number {
    const { mfn } = this;
    const op = mfn.op[i]!;
    if ((op !== M.add64 && op !== M.sub64) || (mfn.imm3[i]! & Shape.formMask) !== Operands.imm || this.at(i, 0) !== this.at(i, 1)) return 0;
    const by = mfn.imm[i]!;
    return by > UPDATE_REACH ? 0 : op === M.sub64 ? -by : by;
  }

  private visitAddition(i: number): boolean {
    const { mfn, updates, access, addition, following } = this;
    const by = this.added(i);
    if (by === 0) return false;
    const reg = this.at(i, 0);
    const first = access[reg]!;
    this.forget(reg);
    addition[reg] = i;
    if (first < 0 || updates.mode[first] !== Update.none) return true;
    for (const k of following[reg]!) if (!fitsDisplacement(mfn.imm2[k]! + updates.shift[k]! - by, accessScale(opForm[mfn.op[k]!]!)) || updates.mode[k] !== Update.none) return true;
    for (const k of following[reg]!) updates.shift[k]! -= by;
    updates.mode[first] = Update.post;
    updates.by[first] = by;
    updates.mode[i] = Update.gone;
    addition[reg] = -1;
    return true;
  }
}
