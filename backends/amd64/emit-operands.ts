// What all emission shares: the allocated function's operands, memory operands, and instructions in either float encoding.
//
// An operand that may be a slot is addressed in the frame. Memory operands are decoded into four fields, which the next
// instruction takes: nothing is allocated per instruction. r11 and xmm15 are free for any sequence.
import { TrapKind } from "../../ir/layout.js";
import { FIRST_FLOAT_REG, FIRST_SLOT, type MFunc } from "../../ir/machine/mfunc.js";
import { slotOffset, type Frame } from "../frame.js";
import { LABEL, NO_REG, type Assembler } from "./encode.js";
import { Base, Shape, mops } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg } from "./registers.js";

export const scratch = Reg.scratchInt;
export const fscratch = Reg.scratchFloat;

/** What the return address takes. */
export const RETURN_BYTES = 8;

export class OperandEmitter {
  // The memory operand last decoded.
  protected base = NO_REG;
  protected index = NO_REG;
  protected scale = 0;
  protected disp = 0;

  constructor(
    readonly asm: Assembler,
    readonly mfn: MFunc,
    readonly frame: Frame,
    readonly avx: boolean,
    /** Label of pool entry 0. */
    protected readonly pool: number,
  ) {}

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

  /** Decodes the memory operand of the shape; its registers start at operand `k`. */
  protected memory(i: number, k: number): void {
    const shape = this.mfn.imm3[i]!;
    const disp = this.mfn.imm2[i]!;
    this.disp = disp;
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
      case Base.pool:
        this.base = LABEL;
        this.disp = this.pool + disp;
        break;
      case Base.outgoing:
        this.base = Reg.rsp;
        break;
      case Base.incoming:
        this.base = Reg.rsp;
        this.disp = disp + this.frame.bytes + RETURN_BYTES;
        break;
      default:
        this.base = NO_REG;
    }
    if (shape & Shape.index) {
      this.index = this.reg(i, k);
      this.scale = (shape & Shape.scaleMask) >> Shape.scaleShift;
    } else {
      this.index = NO_REG;
      this.scale = 0;
    }
  }

  protected slot(loc: number): void {
    this.base = Reg.rsp;
    this.index = NO_REG;
    this.scale = 0;
    this.disp = slotOffset(this.frame, loc);
  }

  /** The next instruction may fault, if the shape says so. */
  protected fault(i: number): void {
    const kind = (this.mfn.imm3[i]! & Shape.faultMask) >> Shape.faultShift;
    if (kind !== TrapKind.none) this.asm.trap(kind, this.mfn.offset[i]!);
  }

  /** `form reg, [memory]`, of the operand last decoded. */
  protected rm(form: number, reg: number): void {
    this.asm.rm(form, reg, this.base, this.index, this.scale, this.disp);
  }

  protected m(form: number): void {
    this.asm.m(form, this.base, this.index, this.scale, this.disp);
  }

  protected mi(form: number, imm: number): void {
    this.asm.mi(form, this.base, this.index, this.scale, this.disp, imm);
  }

  /** `form reg, location`. */
  protected rl(form: number, reg: number, loc: number): void {
    if (loc < FIRST_SLOT) this.asm.rr(form, reg, loc);
    else {
      this.slot(loc);
      this.rm(form, reg);
    }
  }

  /** `form location`. */
  protected l(form: number, loc: number): void {
    if (loc < FIRST_SLOT) this.asm.r(form, loc);
    else {
      this.slot(loc);
      this.m(form);
    }
  }

  protected li(form: number, loc: number, imm: number): void {
    if (loc < FIRST_SLOT) this.asm.ri(form, loc, imm);
    else {
      this.slot(loc);
      this.mi(form, imm);
    }
  }

  // Float instructions in the encoding of choice: without AVX the destination is also the left operand.

  protected f2(form: number, dst: number, src: number): void {
    if (this.avx) this.asm.vrr(form, dst, src);
    else this.asm.rr(form, dst, src);
  }

  protected f2m(form: number, dst: number): void {
    if (this.avx) this.asm.vrm(form, dst, this.base, this.index, this.scale, this.disp);
    else this.rm(form, dst);
  }

  protected f3(form: number, dst: number, left: number, right: number): void {
    if (this.avx) this.asm.vrvr(form, dst, left, right);
    else this.asm.rr(form, dst, right);
  }

  protected f3m(form: number, dst: number, left: number): void {
    if (this.avx) this.asm.vrvm(form, dst, left, this.base, this.index, this.scale, this.disp);
    else this.rm(form, dst);
  }

  protected zeroFloat(reg: number): void {
    this.f3(Form.xorps_rm, reg, reg, reg);
  }

  /** A float constant in xmm15, by way of r11. */
  protected floatBits(lo: number, hi: number, double: boolean): void {
    this.asm.movImm64(scratch, lo, hi);
    this.f2(double ? Form.movq_rm : Form.movd_rm, fscratch, scratch);
  }
}
