// The compare families: what sets flags together with what reads them (`Producer`, `Consumer` of mops.ts).
//
// A branch on zero, on one bit or on the sign needs no flags: cbz, tbz. A compare-and-branch's blocks are emit.ts's business;
// here are its flags (`compare`), the branch (`jumpIf`) and everything that is no terminator.
import { Opnd } from "../../ir/machine/mfunc.js";
import { logicalImmediate, fitsAdd } from "./encode.js";
import { Slow, SlowPaths } from "./emit-slow.js";
import { consumerSelect, producerExtended, producerImm, producerNegated, producerReg } from "./mop-forms.js";
import { Consumer, Form as Operands, Producer, Shape, consumerOf, producerOf } from "./mops.js";
import { Cond, Form } from "./opcodes.js";
import { Reg } from "./registers.js";

export class CompareEmitter extends SlowPaths {
  cond(i: number): Cond {
    return (this.mfn.imm3[i]! & Shape.condMask) >> Shape.condShift;
  }

  // The compare whose flags are there still: its op's producer (-1: none) and form, immediates, registers.
  private heldProducer = -1;
  private heldForm = 0;
  private heldImm = 0;
  private heldImm2 = 0;
  private heldLeft = 0;
  private heldRight = 0;

  /** Flags are unknown from here on: another block, an instruction that sets them otherwise. */
  forgetFlags(): void {
    this.heldProducer = -1;
  }

  /** Behind instruction `i`, which leaves the flags alone: a compare of what it has written is not the one that was made. */
  protected keepFlags(i: number): void {
    if (this.heldProducer < 0) return;
    const { mfn } = this;
    for (let k = 0; k < mfn.opndCount[i]!; k++) {
      if ((mfn.opndInfo[mfn.opndStart[i]! + k]! & Opnd.kindMask) === Opnd.use) continue;
      const written = this.at(i, k);
      if (written === this.heldLeft || written === this.heldRight) this.heldProducer = -1;
    }
  }

  /** Sets the flags, unless the same compare has just done it; the producer's operands start at `k`. */
  private compare(i: number, k: number): void {
    const { mfn } = this;
    const producer = producerOf(mfn.op[i]!);
    const form = mfn.imm3[i]! & Shape.formMask;
    const left = this.reg(i, k);
    const right = form === Operands.imm ? -1 : this.reg(i, k + 1);
    if (producer >= Producer.ccmp32) {
      this.heldProducer = -1;
      return this.compareOnCondition(i, producer, form, left, right);
    }
    const imm = mfn.imm[i]!;
    const imm2 = mfn.imm2[i]!;
    if (
      this.heldProducer === producer && this.heldForm === form && this.heldImm === imm && this.heldImm2 === imm2 &&
      this.heldLeft === left && this.heldRight === right
    ) return;
    this.setFlags(producer, form, left, right, imm, imm2);
    this.heldProducer = producer;
    this.heldForm = form;
    this.heldImm = imm;
    this.heldImm2 = imm2;
    this.heldLeft = left;
    this.heldRight = right;
  }

  private setFlags(producer: Producer, form: Operands, left: number, right: number, imm: number, imm2: number): void {
    const { asm } = this;
    const isFloat = producer >= Producer.fcmp32;
    switch (form) {
      case Operands.reg:
        if (isFloat) return asm.fcmp(producerReg[producer]!, left, right);
        return asm.rrr(producerReg[producer]!, Reg.zr, left, right);
      case Operands.shifted:
        return asm.rrrShift(producerReg[producer]!, Reg.zr, left, right, imm >> 6, imm & 63);
      case Operands.extended:
        return asm.rrrExtend(producerExtended[producer]!, Reg.zr, left, right, imm >> 6, imm & 63);
      case Operands.imm:
        if (isFloat) return asm.fcmp(producerImm[producer]!, left, 0);
        if (producer >= Producer.tst32) return asm.logicalImm(producerImm[producer]!, Reg.zr, left, imm, imm2);
        if (fitsAdd(imm)) return asm.addImm(producerImm[producer]!, Reg.zr, left, imm);
        return asm.addImm(producerNegated[producer]!, Reg.zr, left, -imm);
    }
  }

  private compareOnCondition(i: number, producer: Producer, form: Operands, left: number, right: number): void {
    const { asm, mfn } = this;
    const link = (mfn.imm3[i]! >>> Shape.linkShift) & 15;
    const otherwise = (mfn.imm3[i]! >>> Shape.flagsShift) & 15;
    if (form === Operands.reg) return asm.ccmp(producerReg[producer]!, left, right, otherwise, link);
    const imm = mfn.imm[i]!;
    asm.ccmpImm(imm < 0 ? producerNegated[producer]! : producerImm[producer]!, left, Math.abs(imm), otherwise, link);
  }

  /** Branches to the label where `c` holds of the producer's operands, which start at operand 0. */
  jumpIf(i: number, c: Cond, label: number): void {
    const { asm, mfn } = this;
    const producer = producerOf(mfn.op[i]!);
    if ((mfn.imm3[i]! & Shape.formMask) === Operands.imm && producer < Producer.fcmp32) {
      const x = this.reg(i, 0);
      const imm = mfn.imm[i]!;
      const wide = producer === Producer.cmp64 || producer === Producer.tst64;
      const equality = c === Cond.eq || c === Cond.ne;
      if (producer <= Producer.cmp64) {
        if (imm === 0) {
          if (equality) return asm.cbz(c === Cond.eq ? (wide ? Form.cbz64 : Form.cbz32) : wide ? Form.cbnz64 : Form.cbnz32, x, label);
          if (c === Cond.lt || c === Cond.ge || c === Cond.mi || c === Cond.pl) return asm.tbz(c === Cond.lt || c === Cond.mi ? Form.tbnz : Form.tbz, x, wide ? 63 : 31, label);
        }
      } else if (equality) {
        const n = singleBit(imm, wide ? mfn.imm2[i]! : 0);
        if (n >= 0) return asm.tbz(c === Cond.eq ? Form.tbz : Form.tbnz, x, n, label);
      }
    }
    this.compare(i, 0);
    asm.bcond(c, label);
  }

  protected compareOp(i: number): void {
    const { asm, mfn } = this;
    const c = this.cond(i);
    const consumer = consumerOf(mfn.op[i]!);
    switch (consumer) {
      case Consumer.br:
        throw this.bug(i, "a terminator inside a block");
      case Consumer.trap:
        return this.jumpIf(i, c, this.later(Slow.trap, i));
      case Consumer.flags:
        return this.compare(i, 0);
      case Consumer.set:
        this.compare(i, 1);
        asm.cset(this.reg(i, 0), c);
        return this.keepFlags(i);
      default:
        this.compare(i, 3);
        asm.select(consumerSelect[consumer]!, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), c);
        return this.keepFlags(i);
    }
  }
}

/** The bit number of a 64-bit constant with one bit, else -1. */
export function singleBit(lo: number, hi: number): number {
  if (hi === 0) return lo !== 0 && (lo & (lo - 1)) === 0 ? 31 - Math.clz32(lo) : -1;
  return lo === 0 && (hi & (hi - 1)) === 0 ? 63 - Math.clz32(hi) : -1;
}

/** Whether a mask of that width can be the immediate of and, orr, eor, tst. */
export function isMask(lo: number, hi: number, bits: 32 | 64): boolean {
  return logicalImmediate(lo, bits === 32 ? lo : hi) >= 0;
}
