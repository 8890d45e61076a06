// The compare families: what sets flags together with what reads them (`Producer`, `Consumer` of mops.ts).
//
// Float equality needs two flags: `feq` is ZF without PF, `fne` its opposite. A compare-and-branch is emit.ts's, which
// knows the next block; here are its flags (`compare`) and everything that is no branch.
import { FIRST_SLOT, MOp } from "../../ir/machine/mfunc.js";
import { SlowPaths, Slow } from "./emit-slow.js";
import { scratch } from "./emit-operands.js";
import { Is, opIs, producerMi, producerRm } from "./mop-forms.js";
import { Cond, Consumer, Form as Operands, M, Producer, Shape, consumerOf, invert, producerOf } from "./mops.js";
import { Form } from "./opcodes.js";

export class CompareEmitter extends SlowPaths {
  /** First instruction of the block being emitted. */
  blockStart = 0;

  /** Sets the flags; the producer's operands start at `k`. */
  compare(i: number, k: number): void {
    const { asm, mfn } = this;
    const producer = producerOf(mfn.op[i]!);
    const imm = mfn.imm[i]!;
    const form = mfn.imm3[i]! & Shape.formMask;
    const isFloat = producer === Producer.ucomiss || producer === Producer.ucomisd;
    switch (form as Operands) {
      case Operands.rr: {
        const x = this.reg(i, k);
        const y = this.at(i, k + 1);
        if (isFloat) {
          if (y < FIRST_SLOT) return this.f2(producerRm[producer]!, x, y);
          this.slot(y);
          return this.f2m(producerRm[producer]!, x);
        }
        // bt's form has the tested value in r/m, its bit number in reg.
        if (producer === Producer.bt32 || producer === Producer.bt64) return asm.rr(producerRm[producer]!, this.reg(i, k + 1), x);
        return this.rl(producerRm[producer]!, x, y);
      }
      case Operands.self: {
        const x = this.reg(i, k);
        if (isFloat) return this.f2(producerRm[producer]!, x, x);
        return asm.rr(producerRm[producer]!, x, x);
      }
      case Operands.ri: {
        const x = this.at(i, k);
        if (x < FIRST_SLOT) {
          if (imm === 0 && (producer === Producer.cmp32 || producer === Producer.cmp64)) {
            if (this.flagsStand(i, x)) return;
            return asm.rr(producer === Producer.cmp32 ? Form.test32_mr : Form.test64_mr, x, x);
          }
          if ((producer === Producer.test32 || producer === Producer.test64) && imm >= 0) {
            // The sign flag is 0 in all of these, as for the wide one.
            if (imm <= 0x7f) return asm.ri(Form.test8_mi, x, imm);
            return asm.ri(Form.test32_mi, x, imm);
          }
        }
        return this.li(producerMi[producer]!, x, imm);
      }
      case Operands.rm: {
        const x = this.reg(i, k);
        this.memory(i, k + 1);
        this.fault(i);
        if (isFloat) this.f2m(producerRm[producer]!, x);
        else this.rm(producerRm[producer]!, x);
        return;
      }
      case Operands.mr: {
        // Memory is the left operand: `cmp [m], r`.
        const x = this.reg(i, k);
        this.memory(i, k + 1);
        this.fault(i);
        if (producer === Producer.cmp32) this.rm(Form.cmp32_mr, x);
        else if (producer === Producer.cmp64) this.rm(Form.cmp64_mr, x);
        else this.rm(producerRm[producer]!, x);
        return;
      }
      case Operands.mi:
        this.memory(i, k);
        this.fault(i);
        return this.mi(producerMi[producer]!, imm);
    }
  }

  /**
   * Whether the flags of a comparison of `x` with 0 are there already: set by the arithmetic that made x, just before, with
   * nothing but moves between. Sign and zero hold after any; overflow and carry are 0 only after and, or, xor.
   */
  private flagsStand(i: number, x: number): boolean {
    const { mfn } = this;
    const compare = mfn.op[i]!;
    // `set` clears its target in between.
    if (consumerOf(compare) === Consumer.set || i === this.blockStart) return false;
    let p = i - 1;
    while (p > this.blockStart && mfn.op[p] === MOp.move && this.at(p, 0) !== x) p--;
    const op = mfn.op[p]!;
    if (op < M.add32 || op > M.xor64 || mfn.opndCount[p] === 0) return false;
    const form = (mfn.imm3[p]! & Shape.formMask) as Operands;
    if (form === Operands.mr || form === Operands.mi || this.at(p, 0) !== x) return false;
    if (((opIs[op]! & Is.wide) !== 0) !== (producerOf(compare) === Producer.cmp64)) return false;
    const c = this.cond(i);
    return c === Cond.e || c === Cond.ne || c === Cond.s || c === Cond.ns || op >= M.and32;
  }

  cond(i: number): Cond {
    return (this.mfn.imm3[i]! & Shape.condMask) >> Shape.condShift;
  }

  protected compareOp(i: number): void {
    const { asm, mfn } = this;
    const c = this.cond(i);
    switch (consumerOf(mfn.op[i]!)) {
      case Consumer.set:
        return this.set(i, c);
      case Consumer.sel32:
        return this.select(i, c, Form.cmov32_rm, Form.mov32_rm);
      case Consumer.sel64:
        return this.select(i, c, Form.cmov64_rm, Form.mov64_rm);
      case Consumer.self: {
        const d = this.reg(i, 0);
        const over = asm.newLabel();
        this.compare(i, 3);
        this.jumpIf(invert(c), over);
        this.f2(Form.movaps_rm, d, this.reg(i, 1));
        return asm.bind(over);
      }
      case Consumer.trap:
        this.compare(i, 0);
        return this.jumpIf(c, this.later(Slow.trap, i));
      default:
        throw this.bug(i, "a terminator inside a block");
    }
  }

  /** Jumps where the condition holds, else falls through. */
  jumpIf(c: Cond, label: number): void {
    const { asm } = this;
    if (c === Cond.feq) {
      const over = asm.newLabel();
      asm.jcc(Cond.p, over);
      asm.jcc(Cond.e, label);
      asm.bind(over);
    } else if (c === Cond.fne) {
      asm.jcc(Cond.p, label);
      asm.jcc(Cond.ne, label);
    } else asm.jcc(c, label);
  }

  private set(i: number, c: Cond): void {
    const { asm, mfn } = this;
    const d = this.reg(i, 0);
    // Cleared before the compare, where that reads something else: shorter and without a dependency.
    let early = true;
    for (let k = 1; k < mfn.opndCount[i]!; k++) if (this.at(i, k) === d) early = false;
    if (early) asm.rr(Form.xor32_rm, d, d);
    this.compare(i, 1);
    if (c === Cond.feq) {
      asm.r(Form.setcc + Cond.np, scratch);
      asm.r(Form.setcc + Cond.e, d);
      asm.rr(Form.and8_rm, d, scratch);
    } else if (c === Cond.fne) {
      asm.r(Form.setcc + Cond.p, scratch);
      asm.r(Form.setcc + Cond.ne, d);
      asm.rr(Form.or8_rm, d, scratch);
    } else asm.r(Form.setcc + c, d);
    if (!early) asm.rr(Form.movzx8_rm, d, d);
  }

  private select(i: number, c: Cond, cmov: number, mov: number): void {
    const { asm } = this;
    const d = this.reg(i, 0);
    const x = this.at(i, 1);
    this.compare(i, 3);
    if (c === Cond.feq) {
      const over = asm.newLabel();
      asm.jcc(Cond.p, over);
      asm.jcc(Cond.ne, over);
      this.rl(mov, d, x);
      asm.bind(over);
    } else if (c === Cond.fne) {
      this.rl(cmov + Cond.p, d, x);
      this.rl(cmov + Cond.ne, d, x);
    } else this.rl(cmov + c, d, x);
  }
}
