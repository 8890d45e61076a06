// One allocated machine op => its instructions. What is slow or traps stands out of line (emit-slow.ts).
//
// Terminators are emit.ts's. Sequences are those of the comments in mops.ts, forms come from mop-forms.ts. Relies on the
// allocator having met every operand's constraint. Allocates nothing per instruction.
import { VmCtx, FuncRef, ImportedFunc } from "../../ir/layout.js";
import { FIRST_FLOAT_REG, FIRST_SLOT, MOp } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import { slotOffset } from "../frame.js";
import { LABEL, NO_REG } from "./encode.js";
import { CompareEmitter } from "./emit-compare.js";
import { RETURN_BYTES, fscratch, scratch } from "./emit-operands.js";
import { Slow } from "./emit-slow.js";
import { Group, Is, opGroup, opIs, opMi, opMr, opRm } from "./mop-forms.js";
import { Cond, Form as Operands, M, Shape } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg } from "./registers.js";

export class InstEmitter extends CompareEmitter {
  /** Any instruction but a terminator. */
  emit(i: number): void {
    const { asm, mfn } = this;
    const op = mfn.op[i]!;
    if (op >= M.compare_first) return this.compareOp(i);
    if (op < MOp.firstTarget) {
      if (op === MOp.move) this.move(i);
      else if (op === MOp.swap) this.swap(i);
      return;
    }
    const form = opRm[op]!;
    const shape = mfn.imm3[i]!;
    switch (opGroup[op]! as Group) {
      case Group.iconst32: {
        const d = this.reg(i, 0);
        if (mfn.imm[i] === 0) asm.rr(Form.xor32_rm, d, d);
        else asm.movImm32(d, mfn.imm[i]!);
        return;
      }
      case Group.iconst64: {
        const d = this.reg(i, 0);
        if (mfn.imm[i] === 0 && mfn.imm2[i] === 0) asm.rr(Form.xor32_rm, d, d);
        else asm.movImm64(d, mfn.imm[i]!, mfn.imm2[i]!);
        return;
      }
      case Group.fconst:
        this.base = LABEL;
        this.index = NO_REG;
        this.scale = 0;
        this.disp = this.pool + mfn.imm[i]!;
        return this.f2m(form, this.reg(i, 0));
      case Group.fzero:
        return this.zeroFloat(this.reg(i, 0));
      case Group.stackArg:
        return this.load(this.reg(i, 0), mfn.imm2[i]!, mfn.imm[i]! + this.frame.bytes + RETURN_BYTES);
      case Group.ctxLoad:
        return asm.rm(Form.mov64_rm, this.reg(i, 0), Reg.vmctx, NO_REG, 0, mfn.imm[i]!);
      case Group.mov:
        return this.mov(i, op, form);
      case Group.lea:
        return this.lea(i, op);
      case Group.alu:
        return this.alu(i, op, form);
      case Group.imul:
        switch ((shape & Shape.formMask) as Operands) {
          case Operands.rr:
            return this.rl(form, this.reg(i, 0), this.at(i, 2));
          case Operands.self:
            return asm.rr(form, this.reg(i, 0), this.reg(i, 0));
          case Operands.rm:
            this.memory(i, 2);
            this.fault(i);
            return this.rm(form, this.reg(i, 0));
          case Operands.ri: {
            const x = this.at(i, 1);
            if (x < FIRST_SLOT) return asm.rri(opMi[op]!, this.reg(i, 0), x, mfn.imm[i]!);
            this.slot(x);
            return asm.rmi(opMi[op]!, this.reg(i, 0), this.base, this.index, this.scale, this.disp, mfn.imm[i]!);
          }
          case Operands.mi:
            this.memory(i, 1);
            this.fault(i);
            return asm.rmi(opMi[op]!, this.reg(i, 0), this.base, this.index, this.scale, this.disp, mfn.imm[i]!);
          default:
            throw this.bug(i, "no such form");
        }
      case Group.unary:
        return this.l(form, this.at(i, 0));
      case Group.shift:
        if ((shape & Shape.formMask) === Operands.ri) this.li(opMi[op]!, this.at(i, 0), mfn.imm[i]!);
        else this.l(form, this.at(i, 0));
        return;
      case Group.shiftx: {
        const inMemory = (shape & Shape.formMask) === Operands.rm;
        const count = this.reg(i, inMemory ? 1 : 2);
        const x = inMemory ? FIRST_SLOT : this.at(i, 1);
        if (x < FIRST_SLOT) return asm.vrvr(form, this.reg(i, 0), count, x);
        if (inMemory) {
          this.memory(i, 2);
          this.fault(i);
        } else this.slot(x);
        return asm.vrvm(form, this.reg(i, 0), count, this.base, this.index, this.scale, this.disp);
      }
      case Group.rorx: {
        const x = this.at(i, 1);
        if (x < FIRST_SLOT) return asm.vrri(form, this.reg(i, 0), x, mfn.imm[i]!);
        this.slot(x);
        return asm.vrmi(form, this.reg(i, 0), this.base, this.index, this.scale, this.disp, mfn.imm[i]!);
      }
      case Group.count: {
        const d = this.reg(i, 0);
        if ((shape & Shape.formMask) === Operands.rm) {
          this.memory(i, 1);
          // Older CPUs wait for the target's old value.
          if (d !== this.base && d !== this.index) asm.rr(Form.xor32_rm, d, d);
          this.fault(i);
          return this.rm(form, d);
        }
        if (this.at(i, 1) !== d) asm.rr(Form.xor32_rm, d, d);
        return this.rl(form, d, this.at(i, 1));
      }
      case Group.bitScan: {
        const d = this.reg(i, 0);
        asm.movImm32(scratch, mfn.imm[i]!);
        this.rl(form, d, this.at(i, 1));
        return asm.rr(opMr[op]! + Cond.e, d, scratch);
      }
      case Group.mulHigh:
        return this.l(form, this.at(i, 3));
      case Group.div:
      case Group.rem:
        return this.divide(i, op, form);
      case Group.float:
        return this.float(i, form);
      case Group.floatCmp:
        this.float(i, form);
        return asm.u8(mfn.imm[i]!);
      case Group.sqrt:
      case Group.round:
      case Group.cvtFloat:
        return this.floatUnary(i, op, form);
      case Group.minMax: {
        const d = this.reg(i, 0);
        const back = asm.newLabel();
        this.f2(opMr[op]!, this.reg(i, 1), this.reg(i, 2));
        // Equal (zeros of both signs) or unordered.
        asm.jcc(Cond.e, this.later(Slow.minMax, i, back));
        this.f3(form, d, this.reg(i, 1), this.reg(i, 2));
        return asm.bind(back);
      }
      case Group.cvtFromInt: {
        const d = this.reg(i, 0);
        this.zeroFloat(d);
        if ((shape & Shape.formMask) === Operands.rm) {
          this.memory(i, 1);
          this.fault(i);
          return this.f3m(form, d, d);
        }
        const x = this.at(i, 1);
        if (x < FIRST_SLOT) return this.f3(form, d, d, x);
        this.slot(x);
        return this.f3m(form, d, d);
      }
      case Group.cvtToInt: {
        const d = this.reg(i, 0);
        if ((shape & Shape.formMask) === Operands.rm) {
          this.memory(i, 1);
          this.fault(i);
          return this.f2m(form, d);
        }
        const x = this.at(i, 1);
        if (x < FIRST_SLOT) return this.f2(form, d, x);
        this.slot(x);
        return this.f2m(form, d);
      }
      case Group.cvtU64: {
        const d = this.reg(i, 0);
        const x = this.reg(i, 1);
        const back = asm.newLabel();
        this.zeroFloat(d);
        asm.rr(Form.test64_mr, x, x);
        asm.jcc(Cond.s, this.later(Slow.cvtU64, i, back));
        this.f3(form, d, d, x);
        return asm.bind(back);
      }
      case Group.truncI64: {
        const d = this.reg(i, 0);
        const back = asm.newLabel();
        this.f2(form, d, this.reg(i, 1));
        asm.ri(Form.cmp64_mi, d, 1);
        asm.jcc(Cond.o, this.later(Slow.truncI64, i, back));
        return asm.bind(back);
      }
      case Group.truncU64: {
        const d = this.reg(i, 0);
        const back = asm.newLabel();
        this.f2(form, d, this.reg(i, 1));
        asm.rr(Form.test64_mr, d, d);
        asm.jcc(Cond.s, this.later(Slow.truncU64, i, back));
        return asm.bind(back);
      }
      case Group.toFloat: {
        const x = this.at(i, 1);
        if (x < FIRST_SLOT) return this.f2(form, this.reg(i, 0), x);
        this.slot(x);
        return this.f2m(opMr[op]!, this.reg(i, 0));
      }
      case Group.toInt: {
        const x = this.at(i, 1);
        // The form writes r/m: the float register is in the reg field.
        if (x < FIRST_SLOT) return this.f2(form, x, this.reg(i, 0));
        return this.rl(opMr[op]!, this.reg(i, 0), x);
      }
      case Group.call:
        asm.callFunc(mfn.imm[i]!);
        return asm.returnAddress(mfn.offset[i]!);
      case Group.callImport: {
        const at = mfn.imm[i]!;
        asm.rm(Form.mov64_rm, scratch, Reg.vmctx, NO_REG, 0, at + ImportedFunc.code);
        asm.rm(Form.mov64_rm, Reg.vmctx, Reg.vmctx, NO_REG, 0, at + ImportedFunc.ctx);
        asm.rm(Form.mov64_rm, Reg.memoryBase, Reg.vmctx, NO_REG, 0, VmCtx.memory0Base);
        asm.r(Form.call_m, scratch);
        asm.returnAddress(mfn.offset[i]!);
        return this.ownContext(i);
      }
      case Group.callRef: {
        const ref = this.callee(i);
        this.fault(i);
        // Mostly a function of this instance: nothing to switch, and no loads between the callee's return and its caller's work.
        const back = asm.newLabel();
        asm.rm(Form.cmp64_rm, Reg.vmctx, ref, NO_REG, 0, FuncRef.ctx);
        asm.jcc(Cond.ne, this.later(Slow.foreignCall, i, back));
        asm.m(Form.call_m, ref, NO_REG, 0, FuncRef.code);
        asm.returnAddress(mfn.offset[i]!);
        return asm.bind(back);
      }
      case Group.callRefOwn: {
        const ref = this.callee(i);
        this.fault(i);
        asm.m(Form.call_m, ref, NO_REG, 0, FuncRef.code);
        return asm.returnAddress(mfn.offset[i]!);
      }
      case Group.callCtx:
        asm.m(Form.call_m, Reg.vmctx, NO_REG, 0, mfn.imm[i]!);
        return asm.returnAddress(mfn.offset[i]!);
      default:
        throw this.bug(i, "nothing emits this op here");
    }
  }

  // ---------------------------------------------------------------- moves

  private move(i: number): void {
    const { asm } = this;
    const type = this.mfn.imm[i]!;
    const dst = this.at(i, 0);
    const src = this.at(i, 1);
    if (dst === src) return;
    if (dst < FIRST_SLOT && src < FIRST_SLOT) {
      if (dst < FIRST_FLOAT_REG && src < FIRST_FLOAT_REG) asm.rr(type === Type.i32 ? Form.mov32_rm : Form.mov64_rm, dst, src);
      else if (dst >= FIRST_FLOAT_REG && src >= FIRST_FLOAT_REG) this.f2(Form.movaps_rm, dst, src);
      else throw this.bug(i, `moves between the classes, ${dst} from ${src}`);
    } else if (dst < FIRST_SLOT) this.load(dst, type, slotOffset(this.frame, src));
    else if (src < FIRST_SLOT) this.store(src, type, slotOffset(this.frame, dst));
    else throw this.bug(i, "moves from slot to slot");
  }

  private swap(i: number): void {
    const a = this.reg(i, 0);
    const b = this.reg(i, 1);
    if (a < FIRST_FLOAT_REG) return this.asm.rr(Form.xchg64_mr, a, b);
    this.f2(Form.movaps_rm, fscratch, a);
    this.f2(Form.movaps_rm, a, b);
    this.f2(Form.movaps_rm, b, fscratch);
  }

  /** From rsp + `disp`. */
  private load(reg: number, type: number, disp: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (reg < FIRST_FLOAT_REG) return this.asm.rm(narrow ? Form.mov32_rm : Form.mov64_rm, reg, Reg.rsp, NO_REG, 0, disp);
    const form = type === Type.v128 ? Form.movups_rm : narrow ? Form.movss_rm : Form.movsd_rm;
    if (this.avx) this.asm.vrm(form, reg, Reg.rsp, NO_REG, 0, disp);
    else this.asm.rm(form, reg, Reg.rsp, NO_REG, 0, disp);
  }

  private store(reg: number, type: number, disp: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (reg < FIRST_FLOAT_REG) return this.asm.rm(narrow ? Form.mov32_mr : Form.mov64_mr, reg, Reg.rsp, NO_REG, 0, disp);
    const form = type === Type.v128 ? Form.movups_mr : narrow ? Form.movss_mr : Form.movsd_mr;
    if (this.avx) this.asm.vrm(form, reg, Reg.rsp, NO_REG, 0, disp);
    else this.asm.rm(form, reg, Reg.rsp, NO_REG, 0, disp);
  }

  private mov(i: number, op: number, form: number): void {
    const { mfn } = this;
    const isFloat = (opIs[op]! & Is.double) !== 0;
    switch ((mfn.imm3[i]! & Shape.formMask) as Operands) {
      case Operands.rr: {
        const d = this.reg(i, 0);
        const s = this.at(i, 1);
        // A 64-bit move onto itself does nothing; all others extend.
        if (d === s && op === M.mov64) return;
        return this.rl(form, d, s);
      }
      case Operands.rm:
        this.memory(i, 1);
        this.fault(i);
        if (isFloat) this.f2m(form, this.reg(i, 0));
        else this.rm(form, this.reg(i, 0));
        return;
      case Operands.mr:
        this.memory(i, 1);
        this.fault(i);
        if (isFloat) this.f2m(opMr[op]!, this.reg(i, 0));
        else this.rm(opMr[op]!, this.reg(i, 0));
        return;
      case Operands.mi:
        this.memory(i, 0);
        this.fault(i);
        return this.mi(opMi[op]!, mfn.imm[i]!);
      default:
        throw this.bug(i, "no such form");
    }
  }

  // ---------------------------------------------------------------- integers

  private lea(i: number, op: number): void {
    const { asm } = this;
    const d = this.reg(i, 0);
    this.memory(i, 1);
    const { base, index, scale, disp } = this;
    const move = opMr[op]!;
    const add = opMi[op]!;
    const wide = (opIs[op]! & Is.wide) !== 0;
    if (base >= 0 && index < 0) {
      if (disp === 0) {
        if (d !== base || !wide) asm.rr(move, d, base);
        return;
      }
      if (d === base) return asm.ri(add, d, disp);
    } else if (base >= 0 && scale === 0 && disp === 0) {
      if (d === base) return asm.rr(wide ? Form.add64_rm : Form.add32_rm, d, index);
      if (d === index) return asm.rr(wide ? Form.add64_rm : Form.add32_rm, d, base);
    } else if (base === NO_REG && index >= 0 && disp === 0) {
      if (d === index) {
        if (scale > 0) asm.ri(wide ? Form.shl64_mi : Form.shl32_mi, d, scale);
        else if (!wide) asm.rr(move, d, d);
        return;
      }
      if (scale === 0) return asm.rr(move, d, index);
      // Without base a lea needs four bytes of displacement.
      if (scale === 1) return asm.rm(opRm[op]!, d, index, index, 0, 0);
    }
    this.rm(opRm[op]!, d);
  }

  private alu(i: number, op: number, form: number): void {
    const { asm, mfn } = this;
    switch ((mfn.imm3[i]! & Shape.formMask) as Operands) {
      case Operands.rr: {
        const d = this.at(i, 0);
        if (d < FIRST_SLOT) return this.rl(form, d, this.at(i, 2));
        this.slot(d);
        return this.rm(opMr[op]!, this.reg(i, 2));
      }
      case Operands.ri:
        return this.li(opMi[op]!, this.at(i, 0), mfn.imm[i]!);
      case Operands.self:
        return asm.rr(form, this.reg(i, 0), this.reg(i, 0));
      case Operands.rm:
        this.memory(i, 2);
        this.fault(i);
        return this.rm(form, this.reg(i, 0));
      case Operands.mr:
        this.memory(i, 1);
        this.fault(i);
        return this.rm(opMr[op]!, this.reg(i, 0));
      case Operands.mi:
        this.memory(i, 0);
        this.fault(i);
        return this.mi(opMi[op]!, mfn.imm[i]!);
    }
  }

  private divide(i: number, op: number, form: number): void {
    const { asm } = this;
    const checks = this.mfn.imm[i]!;
    const y = this.reg(i, 3);
    const is = opIs[op]!;
    const back = asm.newLabel();
    if (checks & 1) {
      asm.rr(opMr[op]!, y, y);
      asm.jcc(Cond.e, this.later(Slow.divByZero, i));
    }
    if ((is & Is.signed) === 0) {
      asm.rr(Form.xor32_rm, Reg.rdx, Reg.rdx);
      asm.r(form, y);
      asm.bind(back);
      return;
    }
    const quotient = opGroup[op] === Group.div;
    if (checks & 2) {
      asm.ri(opMi[op]!, y, -1);
      asm.jcc(Cond.e, this.later(quotient ? Slow.divOverflow : Slow.remOverflow, i, back));
    }
    if (quotient) asm.bind(back);
    asm.op0((is & Is.wide) !== 0 ? Form.cqo : Form.cdq);
    asm.r(form, y);
    if (!quotient) asm.bind(back);
  }

  // ---------------------------------------------------------------- floats

  private float(i: number, form: number): void {
    const d = this.reg(i, 0);
    const left = this.reg(i, 1);
    switch ((this.mfn.imm3[i]! & Shape.formMask) as Operands) {
      case Operands.rr:
        return this.f3(form, d, left, this.reg(i, 2));
      case Operands.self:
        return this.f3(form, d, left, left);
      case Operands.rm:
        this.memory(i, 2);
        this.fault(i);
        return this.f3m(form, d, left);
      default:
        throw this.bug(i, "no such form");
    }
  }

  /** sqrt, round, conversions between floats: they leave the target's upper part, hence would wait for its old value. */
  private floatUnary(i: number, op: number, form: number): void {
    const { asm, mfn } = this;
    const d = this.reg(i, 0);
    if ((mfn.imm3[i]! & Shape.formMask) === Operands.rm) {
      this.zeroFloat(d);
      this.memory(i, 1);
      this.fault(i);
      if (opGroup[op] === Group.round) {
        if (this.avx) asm.vrvmi(form, d, d, this.base, this.index, this.scale, this.disp, mfn.imm[i]!);
        else asm.rmi(form, d, this.base, this.index, this.scale, this.disp, mfn.imm[i]!);
      } else this.f3m(form, d, d);
      return;
    }
    const s = this.reg(i, 1);
    if (!this.avx && d !== s) this.zeroFloat(d);
    this.f3(form, d, s, s);
    if (opGroup[op] === Group.round) asm.u8(mfn.imm[i]!);
  }
}
