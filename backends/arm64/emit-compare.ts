// The compare families: what sets flags together with what reads them (`Producer`, `Consumer` of mops.ts).
//
// A branch on zero, on one bit or on the sign needs no flags: cbz, tbz. A compare-and-branch's blocks are emit.ts's business;
// here are its flags (`compare`), the branch (`jumpIf`) and everything that is no terminator.
import { logicalImmediate, fitsAdd } from "./encode.js";
import { Slow, SlowPaths } from "./emit-slow.js";
import { producerExtended, producerImm, producerNegated, producerReg } from "./mop-forms.js";
import { Consumer, Form as Operands, Producer, Shape, consumerOf, producerOf } from "./mops.js";
import { Cond, Form } from "./opcodes.js";
import { Reg } from "./registers.js";

export class CompareEmitter extends SlowPaths {
  cond(i: number): Cond {
    return (this.mfn.imm3[i]! & Shape.condMask) >> Shape.condShift;
  }

  /** Sets the flags; the producer's operands start at `k`. */
  private compare(i: number, k: number): void {
    const { asm, mfn } = this;
    const producer = producerOf(mfn.op[i]!);
    const x = this.reg(i, k);
    const imm = mfn.imm[i]!;
    const isFloat = producer >= Producer.fcmp32;
    switch ((mfn.imm3[i]! & Shape.formMask) as Operands) {
      case Operands.reg:
        if (isFloat) return asm.fcmp(producerReg[producer]!, x, this.reg(i, k + 1));
        return asm.rrr(producerReg[producer]!, Reg.zr, x, this.reg(i, k + 1));
      case Operands.shifted:
        return asm.rrrShift(producerReg[producer]!, Reg.zr, x, this.reg(i, k + 1), imm >> 6, imm & 63);
      case Operands.extended:
        return asm.rrrExtend(producerExtended[producer]!, Reg.zr, x, this.reg(i, k + 1), imm >> 6, imm & 63);
      case Operands.imm:
        if (isFloat) return asm.fcmp(producerImm[producer]!, x, 0);
        if (producer >= Producer.tst32) return asm.logicalImm(producerImm[producer]!, Reg.zr, x, imm, mfn.imm2[i]!);
        if (fitsAdd(imm)) return asm.addImm(producerImm[producer]!, Reg.zr, x, imm);
        return asm.addImm(producerNegated[producer]!, Reg.zr, x, -imm);
    }
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
    switch (consumerOf(mfn.op[i]!)) {
      case Consumer.set:
        this.compare(i, 1);
        return asm.cset(this.reg(i, 0), c);
      case Consumer.sel32:
        this.compare(i, 3);
        return asm.select(Form.csel32, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), c);
      case Consumer.sel64:
        this.compare(i, 3);
        return asm.select(Form.csel64, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), c);
      case Consumer.self:
        this.compare(i, 3);
        return asm.select(Form.fcsel_d, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), c);
      case Consumer.trap:
        return this.jumpIf(i, c, this.later(Slow.trap, i));
      default:
        throw this.bug(i, "a terminator inside a block");
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
