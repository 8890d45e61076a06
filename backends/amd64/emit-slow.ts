// What stands out of line, behind a function's blocks: trap calls and the slow halves of sequences.
//
// `later` notes one while the fast half is written, `outOfLine` writes them all. A trap is a *call* of the trap exit, so that
// its return address names the site. Calls into other instances stand here, too. Slow paths note none of their own.
import { FuncRef, VmCtx, TrapKind } from "../../ir/layout.js";
import { FIRST_SLOT, Opnd } from "../../ir/machine/mfunc.js";
import { NO_REG } from "./encode.js";
import { OperandEmitter, fscratch, scratch } from "./emit-operands.js";
import { Is, opExtra, opIs, opMi, opMr, opRm } from "./mop-forms.js";
import { Cond, M, Shape } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg } from "./registers.js";

export const enum Slow {
  /** The trap of a `.trap` op. */
  trap,
  divByZero,
  divOverflow,
  remOverflow,
  minMax,
  cvtU64,
  truncI64,
  truncU64,
  /** call_ref of a function with another context. */
  foreignCall,
  stackExhausted,
  hugeFrame,
  tierUp,
}

export class SlowPaths extends OperandEmitter {
  private slowCount = 0;
  private slowKind = new Uint8Array(16);
  private slowInst = new Int32Array(16);
  private slowLabel = new Int32Array(16);
  private slowBack = new Int32Array(16);

  protected later(kind: Slow, inst: number, back = -1): number {
    const n = this.slowCount++;
    if (n === this.slowKind.length) {
      const size = n * 2;
      const kinds = new Uint8Array(size);
      kinds.set(this.slowKind);
      this.slowKind = kinds;
      const wider = (column: Int32Array) => {
        const bigger = new Int32Array(size);
        bigger.set(column);
        return bigger;
      };
      this.slowInst = wider(this.slowInst);
      this.slowLabel = wider(this.slowLabel);
      this.slowBack = wider(this.slowBack);
    }
    this.slowKind[n] = kind;
    this.slowInst[n] = inst;
    this.slowBack[n] = back;
    return (this.slowLabel[n] = this.asm.newLabel());
  }

  /** Calls the trap exit: the return address names the site. */
  trapCall(kind: number, offset: number): void {
    this.asm.m(Form.call_m, Reg.vmctx, NO_REG, 0, VmCtx.trapExit);
    this.asm.trap(kind, offset);
  }

  /** Takes one off the function's counter, where nothing but operands is in registers and no flags are held. */
  countDown(firstInst: number): void {
    const back = this.asm.newLabel();
    this.asm.mi(Form.sub32_mi, Reg.vmctx, NO_REG, 0, this.mfn.counter, 1);
    this.asm.jcc(Cond.s, this.later(Slow.tierUp, firstInst, back));
    this.asm.bind(back);
  }

  /** Compares the stack pointer with the limit. The frame is already in place, unless it is huge. */
  stackCheck(firstInst: number): void {
    this.asm.rm(Form.cmp64_rm, Reg.rsp, Reg.vmctx, NO_REG, 0, VmCtx.stackLimit);
    this.asm.jcc(Cond.b, this.later(Slow.stackExhausted, firstInst));
  }

  /**
   * Before anything is pushed: a frame larger than the reserve below the limit must not be entered to be refused. The trap is
   * then the caller's: its return address stands where the trap exit looks, and the kind is stored.
   */
  hugeStackCheck(firstInst: number): void {
    this.asm.rm(Form.lea64_rm, scratch, Reg.rsp, NO_REG, 0, -this.frame.bytes);
    this.asm.rm(Form.cmp64_rm, scratch, Reg.vmctx, NO_REG, 0, VmCtx.stackLimit);
    this.asm.jcc(Cond.b, this.later(Slow.hugeFrame, firstInst));
  }

  /** Everything put off so far, behind the function's blocks. */
  outOfLine(): void {
    const { asm, mfn } = this;
    // Slow paths add none of their own.
    for (let n = 0; n < this.slowCount; n++) {
      const i = this.slowInst[n]!;
      const offset = mfn.offset[i]!;
      asm.bind(this.slowLabel[n]!);
      asm.source(offset);
      this.slowPath(this.slowKind[n]!, i, this.slowBack[n]!, offset);
    }
    // The last return address must not be the next function's first pc.
    if (this.slowCount > 0) asm.op0(Form.int3);
  }

  private slowPath(kind: Slow, i: number, back: number, offset: number): void {
    const { asm, mfn } = this;
    const op = mfn.op[i]!;
    const form = op < M.compare_first ? opRm[op]! : 0;
    switch (kind) {
      case Slow.trap:
        return this.slowTrap(i, offset);
      case Slow.divByZero:
        return this.trapCall(TrapKind.integer_divide_by_zero, offset);
      case Slow.divOverflow: {
        // Only MIN - 1 overflows; else x / -1 runs as usual.
        const trap = asm.newLabel();
        asm.ri(opMi[op]!, Reg.rax, 1);
        asm.jcc(Cond.o, trap);
        asm.jmp(back);
        asm.bind(trap);
        return this.trapCall(TrapKind.integer_overflow, offset);
      }
      case Slow.remOverflow:
        asm.rr(Form.xor32_rm, Reg.rdx, Reg.rdx);
        return asm.jmp(back);
      case Slow.minMax: {
        const nan = asm.newLabel();
        const d = this.at(i, 0);
        const a = this.at(i, 1);
        const b = this.at(i, 2);
        asm.jcc(Cond.p, nan);
        this.f3(opMi[op]!, d, a, b);
        asm.jmp(back);
        asm.bind(nan);
        this.f3(opExtra[op]!, d, a, b);
        return asm.jmp(back);
      }
      case Slow.cvtU64: {
        // Half of it, the lost bit kept for rounding, doubled.
        const even = asm.newLabel();
        const d = this.at(i, 0);
        asm.rr(Form.mov64_rm, scratch, this.at(i, 1));
        asm.ri(Form.shr64_mi, scratch, 1);
        asm.jcc(Cond.ae, even);
        asm.ri(Form.or64_mi, scratch, 1);
        asm.bind(even);
        this.f3(form, d, d, scratch);
        this.f3(opMr[op]!, d, d, d);
        return asm.jmp(back);
      }
      case Slow.truncI64:
        return this.slowTruncI64(i, back, offset);
      case Slow.truncU64:
        return this.slowTruncU64(i, back, offset);
      case Slow.foreignCall: {
        const ref = this.callee(i);
        asm.rm(Form.mov64_rm, Reg.vmctx, ref, NO_REG, 0, FuncRef.ctx);
        asm.rm(Form.mov64_rm, Reg.memoryBase, Reg.vmctx, NO_REG, 0, VmCtx.memory0Base);
        asm.m(Form.call_m, ref, NO_REG, 0, FuncRef.code);
        asm.returnAddress(offset);
        this.ownContext(i);
        return asm.jmp(back);
      }
      case Slow.tierUp:
        asm.movImm32(scratch, this.mfn.index);
        asm.m(Form.call_m, Reg.vmctx, NO_REG, 0, VmCtx.tierUp);
        asm.returnAddress(offset);
        return asm.jmp(back);
      case Slow.stackExhausted:
        return this.trapCall(TrapKind.stack_exhausted, offset);
      case Slow.hugeFrame:
        asm.rm(Form.mov64_rm, scratch, Reg.vmctx, NO_REG, 0, VmCtx.exec);
        asm.mi(Form.mov32_mi, scratch, NO_REG, 0, 0, TrapKind.stack_exhausted);
        return asm.m(Form.jmp_m, Reg.vmctx, NO_REG, 0, VmCtx.trapExit);
    }
  }

  // ---- calls into other instances ----

  /** The function reference of a call: its first use. */
  protected callee(i: number): number {
    const { opndInfo, opndStart, opndCount } = this.mfn;
    for (let k = 0; k < opndCount[i]!; k++) if ((opndInfo[opndStart[i]! + k]! & Opnd.kindMask) === Opnd.use) return this.reg(i, k);
    throw this.bug(i, "no function reference");
  }

  /** After a call into another instance. */
  protected ownContext(i: number): void {
    if (this.frame.context < 0) throw this.bug(i, "switches the context in a frame that does not keep it");
    this.asm.rm(Form.mov64_rm, Reg.vmctx, Reg.rsp, NO_REG, 0, this.frame.context);
    this.asm.rm(Form.mov64_rm, Reg.memoryBase, Reg.vmctx, NO_REG, 0, VmCtx.memory0Base);
  }

  // ---- the longer ones ----

  private slowTrap(i: number, offset: number): void {
    const { asm, mfn } = this;
    const shape = mfn.imm3[i]!;
    const kind = (shape & Shape.trapMask) >> Shape.trapShift;
    if (shape & (Shape.trapValue | Shape.nanCheck32 | Shape.nanCheck64)) {
      const value = this.at(i, mfn.opndCount[i]! - 1);
      if (shape & Shape.trapValue) {
        let reg = value;
        if (reg >= FIRST_SLOT) this.rl(Form.mov32_rm, (reg = scratch), value);
        asm.rm(Form.mov32_mr, reg, Reg.vmctx, NO_REG, 0, VmCtx.trapValue);
      } else {
        const nan = asm.newLabel();
        const double = (shape & Shape.nanCheck64) !== 0;
        let x = value;
        if (x >= FIRST_SLOT) {
          this.slot(x);
          this.f2m(double ? Form.movsd_rm : Form.movss_rm, (x = fscratch));
        }
        this.f2(double ? Form.ucomisd_rm : Form.ucomiss_rm, x, x);
        asm.jcc(Cond.p, nan);
        this.trapCall(kind, offset);
        asm.bind(nan);
        return this.trapCall(TrapKind.invalid_conversion, offset);
      }
    }
    this.trapCall(kind, offset);
  }

  /** d holds MIN: out of range, NaN, or MIN itself. */
  private slowTruncI64(i: number, back: number, offset: number): void {
    const { asm, mfn } = this;
    const op = mfn.op[i]!;
    const d = this.at(i, 0);
    const x = this.at(i, 1);
    const double = (opIs[op]! & Is.double) !== 0;
    const nan = asm.newLabel();
    this.f2(opMr[op]!, x, x);
    asm.jcc(Cond.p, nan);
    if (mfn.imm[i] === 0) {
      // -2^63 is in range.
      if (double) this.floatBits(0, 0xc3e00000 | 0, true);
      else this.floatBits(0xdf000000 | 0, 0, false);
      this.f2(opMr[op]!, x, fscratch);
      asm.jcc(Cond.e, back);
      this.trapCall(TrapKind.integer_overflow, offset);
      asm.bind(nan);
      this.trapCall(TrapKind.invalid_conversion, offset);
      return;
    }
    this.zeroFloat(fscratch);
    this.f2(opMr[op]!, x, fscratch);
    asm.jcc(Cond.b, back);
    asm.movImm64(d, -1, 0x7fffffff);
    asm.jmp(back);
    asm.bind(nan);
    asm.rr(Form.xor32_rm, d, d);
    asm.jmp(back);
  }

  /** The signed conversion was negative: 2^63 and more, NaN, or less than 0. */
  private slowTruncU64(i: number, back: number, offset: number): void {
    const { asm, mfn } = this;
    const op = mfn.op[i]!;
    const d = this.at(i, 0);
    const x = this.at(i, 1);
    const double = (opIs[op]! & Is.double) !== 0;
    const bad = asm.newLabel();
    // x - 2^63
    if (double) this.floatBits(0, 0xc3e00000 | 0, true);
    else this.floatBits(0xdf000000 | 0, 0, false);
    this.f3(opExtra[op]!, fscratch, fscratch, x);
    this.f2(opRm[op]!, d, fscratch);
    asm.rr(Form.test64_mr, d, d);
    asm.jcc(Cond.s, bad);
    asm.ri(Form.btc64_mi, d, 63);
    asm.jmp(back);
    asm.bind(bad);
    if (mfn.imm[i] === 0) {
      const nan = asm.newLabel();
      this.f2(opMr[op]!, x, x);
      asm.jcc(Cond.p, nan);
      this.trapCall(TrapKind.integer_overflow, offset);
      asm.bind(nan);
      this.trapCall(TrapKind.invalid_conversion, offset);
      return;
    }
    const ones = asm.newLabel();
    this.zeroFloat(fscratch);
    this.f2(opMr[op]!, x, fscratch);
    asm.jcc(Cond.a, ones); // not for NaN
    asm.rr(Form.xor32_rm, d, d);
    asm.jmp(back);
    asm.bind(ones);
    asm.movImm64(d, -1, -1);
    asm.jmp(back);
  }
}
