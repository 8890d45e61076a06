// One allocated machine op => its instructions. What traps stands out of line (emit-slow.ts).
//
// Terminators are emit.ts's. Sequences are those of the comments in mops.ts, forms come from mop-forms.ts. Relies on the
// allocator having met every operand's constraint. Allocates nothing per instruction.
import { FuncRef, ImportedFunc, VmCtx } from "../../ir/layout.js";
import { FIRST_FLOAT_REG, FIRST_SLOT, MOp, Opnd } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import { CompareEmitter } from "./emit-compare.js";
import { address, fscratch, scratch } from "./emit-operands.js";
import { Slow } from "./emit-slow.js";
import { Group, Is, opForm, opGroup, opIs, opSecond, opThird } from "./mop-forms.js";
import { Form as Operands, M, Shape } from "./mops.js";
import { Cond, Extend, Form } from "./opcodes.js";
import { Reg } from "./registers.js";

export class InstEmitter extends CompareEmitter {
  /** Any instruction but a terminator. */
  emit(i: number): void {
    const op = this.mfn.op[i]!;
    if (op >= M.compare_first) return this.compareOp(i);
    if (this.isGone(i)) return;
    this.emitPlain(i, op);
    if (op < MOp.firstTarget || opIs[op]! & Is.flagless) this.keepFlags(i);
    else this.forgetFlags();
  }

  private emitPlain(i: number, op: number): void {
    const { asm, mfn } = this;
    if (op < MOp.firstTarget) {
      if (op === MOp.move) this.move(i);
      else if (op === MOp.swap) this.swap(i);
      return;
    }
    const form = opForm[op]!;
    switch (opGroup[op]! as Group) {
      case Group.iconst32:
        return asm.movImm32(this.reg(i, 0), mfn.imm[i]!);
      case Group.iconst64:
        return asm.movImm64(this.reg(i, 0), mfn.imm[i]!, mfn.imm2[i]!);
      case Group.fconst32:
        return asm.fmov32(this.reg(i, 0), mfn.imm[i]!, address);
      case Group.fconst64:
        return asm.fmov64(this.reg(i, 0), mfn.imm[i]!, mfn.imm2[i]!, address);
      case Group.fpool:
        return asm.memLabel(form, this.reg(i, 0), this.pool + mfn.imm[i]!);
      case Group.stackArg:
        return this.load(this.reg(i, 0), mfn.imm2[i]!, mfn.imm[i]! + this.frameTotal);
      case Group.ctxLoad:
        return this.reach(Form.ldr64, this.reg(i, 0), Reg.vmctx, mfn.imm[i]!);
      case Group.memoryBase:
        return this.memoryBase(this.reg(i, 0), mfn.imm[i]!);
      case Group.pointer:
        return asm.rrrExtend(form, this.reg(i, 0), Reg.memoryBase, this.reg(i, 1), Extend.uxtw, 0);
      case Group.mov: {
        const d = this.reg(i, 0);
        const n = this.reg(i, 1);
        const wide = (opIs[op]! & Is.wide) !== 0;
        if (d !== n || !wide) asm.mov(wide ? 64 : 32, d, n);
        return;
      }
      case Group.load:
        this.memory(i, 1);
        return this.access(i, form, this.reg(i, 0));
      case Group.store: {
        const zero = (mfn.imm3[i]! & Shape.zero) !== 0;
        this.memory(i, zero ? 0 : 1);
        return this.access(i, form, zero ? Reg.zr : this.reg(i, 0));
      }
      case Group.sum:
      case Group.logical:
        return this.arithmetic(i, op, form);
      case Group.fromZero:
        if ((mfn.imm3[i]! & Shape.formMask) === Operands.shifted) {
          return asm.rrrShift(form, this.reg(i, 0), Reg.zr, this.reg(i, 1), mfn.imm[i]! >> 6, mfn.imm[i]! & 63);
        }
        return asm.rrr(form, this.reg(i, 0), Reg.zr, this.reg(i, 1));
      case Group.rrr:
        return asm.rrr(form, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2));
      case Group.product:
        return asm.rrrr(form, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), Reg.zr);
      case Group.rrrr:
        return asm.rrrr(form, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), this.reg(i, 3));
      case Group.bitfield:
        return asm.bitfield(form, this.reg(i, 0), this.reg(i, 1), mfn.imm[i]!, mfn.imm2[i]!);
      case Group.extract:
        return asm.extr(form, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), mfn.imm[i]!);
      case Group.rr:
        return asm.rr(form, this.reg(i, 0), this.reg(i, 1));
      case Group.popcnt:
        asm.rr(form, fscratch, this.reg(i, 1));
        asm.rr(Form.cnt_8b, fscratch, fscratch);
        asm.rr(Form.addv_8b, fscratch, fscratch);
        return asm.rr(Form.fmov_ws, this.reg(i, 0), fscratch);
      case Group.divide:
        return this.divide(i, op, form);
      case Group.copysign:
        asm.movi(Form.movi_d, fscratch, 0, 0);
        asm.rr(opIs[op]! & Is.double ? Form.fneg_d : Form.fneg_s, fscratch, fscratch);
        return asm.rrr(Form.bit_8b, this.reg(i, 0), this.reg(i, 2), fscratch);
      case Group.trunc32: {
        const x = this.reg(i, 1);
        asm.rr(form, address, x);
        asm.rrrExtend(Form.subs64_x, Reg.zr, address, address, opIs[op]! & Is.signed ? Extend.sxtw : Extend.uxtw, 0);
        asm.ccmp(opSecond[op]!, x, x, 0, Cond.eq);
        asm.bcond(Cond.ne, this.later(Slow.trunc, i));
        return asm.mov(32, this.reg(i, 0), address);
      }
      case Group.trunc64:
        return this.trunc64(i, op, form);
      case Group.call:
        asm.callFunc(mfn.imm[i]!);
        return asm.returnAddress(mfn.offset[i]!);
      case Group.callImport: {
        const at = mfn.imm[i]!;
        this.reach(Form.ldr64, scratch, Reg.vmctx, at + ImportedFunc.code);
        this.reach(Form.ldr64, Reg.vmctx, Reg.vmctx, at + ImportedFunc.ctx);
        asm.mem(Form.ldr64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
        asm.r(Form.blr, scratch);
        asm.returnAddress(mfn.offset[i]!);
        return this.ownContext(i);
      }
      case Group.callRef: {
        const ref = this.callee(i);
        this.fault(i);
        asm.mem(Form.ldr64, scratch, ref, FuncRef.code);
        asm.mem(Form.ldr64, Reg.vmctx, ref, FuncRef.ctx);
        asm.mem(Form.ldr64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
        asm.r(Form.blr, scratch);
        asm.returnAddress(mfn.offset[i]!);
        return this.ownContext(i);
      }
      case Group.callRefOwn: {
        const ref = this.callee(i);
        this.fault(i);
        asm.mem(Form.ldr64, scratch, ref, FuncRef.code);
        asm.r(Form.blr, scratch);
        return asm.returnAddress(mfn.offset[i]!);
      }
      case Group.callCtx:
        this.reach(Form.ldr64, scratch, Reg.vmctx, mfn.imm[i]!);
        asm.r(Form.blr, scratch);
        return asm.returnAddress(mfn.offset[i]!);
      default:
        throw this.bug(i, "nothing emits this op here");
    }
  }

  /** The function reference of a call: its first use. */
  private callee(i: number): number {
    const { opndInfo, opndStart, opndCount } = this.mfn;
    for (let k = 0; k < opndCount[i]!; k++) if ((opndInfo[opndStart[i]! + k]! & Opnd.kindMask) === Opnd.use) return this.reg(i, k);
    throw this.bug(i, "no function reference");
  }

  /** After a call into another instance. */
  private ownContext(i: number): void {
    if (this.frame.context < 0) throw this.bug(i, "switches the context in a frame that does not keep it");
    this.reach(Form.ldr64, Reg.vmctx, Reg.sp, this.frame.context);
    this.asm.mem(Form.ldr64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
  }

  // ---------------------------------------------------------------- moves

  private move(i: number): void {
    const { asm } = this;
    const type = this.mfn.imm[i]!;
    const dst = this.at(i, 0);
    const src = this.at(i, 1);
    if (dst === src) return;
    if (dst < FIRST_SLOT && src < FIRST_SLOT) {
      if (dst < FIRST_FLOAT_REG && src < FIRST_FLOAT_REG) asm.mov(type === Type.i32 ? 32 : 64, dst, src);
      else if (dst >= FIRST_FLOAT_REG && src >= FIRST_FLOAT_REG) this.moveFloat(dst, src, type);
      else throw this.bug(i, `moves between the classes, ${dst} from ${src}`);
    } else if (dst < FIRST_SLOT) this.load(dst, type, this.slotDisp(src));
    else if (src < FIRST_SLOT) this.store(src, type, this.slotDisp(dst));
    else throw this.bug(i, "moves from slot to slot");
  }

  private moveFloat(dst: number, src: number, type: number): void {
    if (type === Type.v128) this.asm.rrr(Form.orr_16b, dst, src, src);
    else this.asm.rr(Form.fmov_d, dst, src);
  }

  /** The values' types are not known here: all of the registers. x17 serves the integers, whose scratch may hold something. */
  private swap(i: number): void {
    const { asm } = this;
    const a = this.reg(i, 0);
    const b = this.reg(i, 1);
    if (a < FIRST_FLOAT_REG) {
      asm.mov(64, address, a);
      asm.mov(64, a, b);
      return asm.mov(64, b, address);
    }
    asm.rrr(Form.orr_16b, fscratch, a, a);
    asm.rrr(Form.orr_16b, a, b, b);
    asm.rrr(Form.orr_16b, b, fscratch, fscratch);
  }

  /** From sp + `disp`. */
  private load(reg: number, type: number, disp: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (reg < FIRST_FLOAT_REG) return this.reach(narrow ? Form.ldr32 : Form.ldr64, reg, Reg.sp, disp);
    this.reach(type === Type.v128 ? Form.ldr_q : narrow ? Form.ldr_s : Form.ldr_d, reg, Reg.sp, disp);
  }

  private store(reg: number, type: number, disp: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (reg < FIRST_FLOAT_REG) return this.reach(narrow ? Form.str32 : Form.str64, reg, Reg.sp, disp);
    this.reach(type === Type.v128 ? Form.str_q : narrow ? Form.str_s : Form.str_d, reg, Reg.sp, disp);
  }

  // ---------------------------------------------------------------- constants

  private memoryBase(d: number, displacement: number): void {
    const form = displacement < 0 ? Form.sub64_i : Form.add64_i;
    const high = Math.abs(displacement) & 0xfff000;
    const low = Math.abs(displacement) & 0xfff;
    if (high !== 0) this.asm.addImm(form, d, Reg.memoryBase, high);
    if (low !== 0) this.asm.addImm(form, d, high !== 0 ? d : Reg.memoryBase, low);
  }

  // ---------------------------------------------------------------- arithmetic

  private arithmetic(i: number, op: number, form: number): void {
    const { asm, mfn } = this;
    const imm = mfn.imm[i]!;
    switch ((mfn.imm3[i]! & Shape.formMask) as Operands) {
      case Operands.reg:
        return asm.rrr(form, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2));
      case Operands.shifted:
        return asm.rrrShift(form, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), imm >> 6, imm & 63);
      case Operands.extended:
        return asm.rrrExtend(opThird[op]!, this.reg(i, 0), this.reg(i, 1), this.reg(i, 2), imm >> 6, imm & 63);
      case Operands.imm:
        if (opGroup[op] === Group.sum) asm.addImm(opSecond[op]!, this.reg(i, 0), this.reg(i, 1), imm);
        else asm.logicalImm(opSecond[op]!, this.reg(i, 0), this.reg(i, 1), imm, mfn.imm2[i]!);
    }
  }

  private divide(i: number, op: number, form: number): void {
    const { asm } = this;
    const checks = this.mfn.imm[i]!;
    const d = this.reg(i, 0);
    const x = this.reg(i, 1);
    const y = this.reg(i, 2);
    const wide = (opIs[op]! & Is.wide) !== 0;
    if (checks & 1) asm.cbz(opSecond[op]!, y, this.later(Slow.divByZero, i));
    const msub = opThird[op]!;
    if (msub !== 0) {
      // MIN / -1 gives MIN, and MIN - MIN * -1 is 0: what Wasm wants.
      asm.rrr(form, scratch, x, y);
      return asm.rrrr(msub, d, scratch, y, x);
    }
    if (checks & 2) {
      // y = -1 and x - 1 overflows.
      asm.addImm(wide ? Form.adds64_i : Form.adds32_i, Reg.zr, y, 1);
      asm.ccmpImm(wide ? Form.ccmp64_i : Form.ccmp32_i, x, 1, 0, Cond.eq);
      asm.bcond(Cond.vs, this.later(Slow.divOverflow, i));
    }
    asm.rrr(form, d, x, y);
  }

  private trunc64(i: number, op: number, form: number): void {
    const { asm } = this;
    const x = this.reg(i, 1);
    const double = (opIs[op]! & Is.double) !== 0;
    const signed = (opIs[op]! & Is.signed) !== 0;
    // 2^63 or 2^64, which x must be below; NaN is not.
    if (double) asm.fmov64(fscratch, 0, signed ? 0x43e00000 : 0x43f00000, address);
    else asm.fmov32(fscratch, signed ? 0x5f000000 : 0x5f800000, address);
    asm.fcmp(opSecond[op]!, x, fscratch);
    if (signed) asm.rr(double ? Form.fneg_d : Form.fneg_s, fscratch, fscratch);
    else if (double) asm.fmov64(fscratch, 0, 0xbff00000 | 0, address);
    else asm.fmov32(fscratch, 0xbf800000 | 0, address);
    asm.ccmp(opThird[op]!, x, fscratch, 8, Cond.mi);
    asm.bcond(signed ? Cond.lt : Cond.le, this.later(Slow.trunc, i));
    asm.rr(form, this.reg(i, 0), x);
  }
}
