// What all emission shares: the allocated function's operands, memory operands, accesses at any displacement.
//
// There is no addressing mode of base + index + displacement: where a memory operand has all three (or a displacement too
// large), the address is made in x17, with x16 for what does not fit there. Both are free within any machine op but moves,
// which may find x16 taken. A memory operand is decoded into fields, which the next access takes: nothing is allocated.
import { TrapKind } from "../../ir/layout.js";
import { FIRST_SLOT, type MFunc } from "../../ir/machine/mfunc.js";
import { slotOffset, type Frame } from "../frame.js";
import { accessScale, fitsAdd, fitsDisplacement, type Assembler } from "./encode.js";
import { Base, Shape, mops } from "./mops.js";
import { Extend, Form } from "./opcodes.js";
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

  constructor(
    readonly asm: Assembler,
    readonly mfn: MFunc,
    readonly frame: Frame,
    /** The function sets up no frame: the return address stays in x30. */
    readonly frameless: boolean,
    /** Label of pool entry 0. */
    protected readonly pool: number,
  ) {}

  /** Location of operand `k` of instruction `i`. */
  at(i: number, k: number): number {
    return this.mfn.opndReg[this.mfn.opndStart[i]! + k]!;
  }

  /** Operand `k`, which must be a register. */
  reg(i: number, k: number): number {
    const loc = this.mfn.opndReg[this.mfn.opndStart[i]! + k]!;
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
    const { asm, base, index, scale, disp } = this;
    const bytes = accessScale(form);
    if (index === NO_REG) {
      if (fitsDisplacement(disp, bytes)) {
        this.fault(i);
        return asm.mem(form, t, base, disp);
      }
      const low = this.withHighPart(address, base, disp, bytes);
      if (low >= 0) {
        this.fault(i);
        return asm.mem(form, t, address, low);
      }
      this.constant(address, disp);
      this.fault(i);
      return asm.memIndex(form, t, base, address, Extend.uxtx, false);
    }
    if (disp === 0 && (scale === 0 || scale === bytes)) {
      this.fault(i);
      return asm.memIndex(form, t, base, index, Extend.uxtw, scale !== 0);
    }
    asm.rrrExtend(Form.add64_x, address, base, index, Extend.uxtw, scale);
    if (fitsDisplacement(disp, bytes)) {
      this.fault(i);
      return asm.mem(form, t, address, disp);
    }
    const low = this.withHighPart(address, address, disp, bytes);
    if (low >= 0) {
      this.fault(i);
      return asm.mem(form, t, address, low);
    }
    this.constant(scratch, disp);
    this.fault(i);
    asm.memIndex(form, t, address, scratch, Extend.uxtx, false);
  }

  /** d = base + the part of `disp` above 12 bits, where one addition and the rest as displacement do; returns the rest, else -1. */
  private withHighPart(d: number, base: number, disp: number, scale: number): number {
    const low = disp & 0xfff;
    const high = disp - low;
    if (!fitsAdd(high) || !fitsDisplacement(low, scale)) return -1;
    this.asm.addImm(Form.add64_i, d, base, high);
    return low;
  }

  private constant(d: number, value: number): void {
    this.asm.movImm64(d, value | 0, Math.floor(value / 4294967296));
  }

  /** `form t, [base + disp]`, whatever the displacement; by way of x17 where it is large. Cannot fault. */
  reach(form: number, t: number, base: number, disp: number): void {
    const scale = accessScale(form);
    if (fitsDisplacement(disp, scale)) return this.asm.mem(form, t, base, disp);
    const low = this.withHighPart(address, base, disp, scale);
    if (low >= 0) return this.asm.mem(form, t, address, low);
    this.constant(address, disp);
    this.asm.memIndex(form, t, base, address, Extend.uxtx, false);
  }

  protected slotDisp(loc: number): number {
    return slotOffset(this.frame, loc);
  }
}
