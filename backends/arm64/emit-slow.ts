// What stands out of line, behind a function's blocks: trap calls.
//
// `later` notes one while the fast path is written, `outOfLine` writes them all. A trap is a *call* of the trap exit, so that
// its return address names the site; in a function without a frame the own return address goes along in x17, and the
// trap exit puts it where a frame would have it. Slow paths note none of their own.
import { Exec, TrapKind, VmCtx } from "../../ir/layout.js";
import { OperandEmitter, address, scratch } from "./emit-operands.js";
import { Is, opIs } from "./mop-forms.js";
import { Shape } from "./mops.js";
import { Cond, Extend, Form, Index } from "./opcodes.js";
import { Reg } from "./registers.js";

export const enum Slow {
  /** The trap of a `.trap` op. */
  trap,
  divByZero,
  divOverflow,
  /** Out of range, or NaN. */
  trunc,
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
    const { asm } = this;
    if (this.frameless) asm.mov(64, address, Reg.link);
    asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.trapExit);
    asm.r(Form.blr, scratch);
    asm.trap(kind, offset);
  }

  /** Takes one off the function's counter, where nothing but operands is in registers and no flags are held. */
  countDown(firstInst: number): void {
    const { asm, mfn } = this;
    const back = asm.newLabel();
    // `reach` may need the other scratch register for the address, each time.
    this.reach(Form.ldr32, scratch, Reg.vmctx, mfn.counter);
    asm.addImm(Form.subs32_i, scratch, scratch, 1);
    this.reach(Form.str32, scratch, Reg.vmctx, mfn.counter);
    asm.bcond(Cond.mi, this.later(Slow.tierUp, firstInst, back));
    asm.bind(back);
  }

  /** Compares the stack pointer with the limit. The frame is already in place, unless it is huge. */
  stackCheck(firstInst: number): void {
    const { asm } = this;
    asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.stackLimit);
    asm.rrrExtend(Form.subs64_x, Reg.zr, Reg.sp, scratch, Extend.uxtx, 0);
    asm.bcond(Cond.lo, this.later(Slow.stackExhausted, firstInst));
  }

  /**
   * Before anything is stored: a frame larger than the reserve below the limit must not be entered to be refused. The trap is
   * then the caller's: its return address stands where the trap exit looks, and the kind is stored.
   */
  hugeStackCheck(firstInst: number): void {
    const { asm } = this;
    asm.movImm64(address, this.frameTotal, 0);
    asm.rrrExtend(Form.sub64_x, scratch, Reg.sp, address, Extend.uxtx, 0);
    asm.mem(Form.ldr64, address, Reg.vmctx, VmCtx.stackLimit);
    asm.rrr(Form.subs64_r, Reg.zr, scratch, address);
    asm.bcond(Cond.lo, this.later(Slow.hugeFrame, firstInst));
  }

  /** Everything put off so far, behind the function's blocks. */
  outOfLine(): void {
    const { asm, mfn } = this;
    for (let n = 0; n < this.slowCount; n++) {
      const i = this.slowInst[n]!;
      const offset = mfn.offset[i]!;
      asm.bind(this.slowLabel[n]!);
      asm.source(offset);
      this.slowPath(this.slowKind[n]!, i, offset, this.slowBack[n]!);
    }
    // The last return address must not be the next function's first pc.
    if (this.slowCount > 0) asm.exception(Form.brk, 0);
  }

  private slowPath(kind: Slow, i: number, offset: number, back: number): void {
    const { asm, mfn } = this;
    switch (kind) {
      case Slow.trap: {
        const shape = mfn.imm3[i]!;
        if (shape & Shape.trapValue) asm.mem(Form.str32, this.reg(i, mfn.opndCount[i]! - 1), Reg.vmctx, VmCtx.trapValue);
        return this.trapCall((shape & Shape.trapMask) >> Shape.trapShift, offset);
      }
      case Slow.divByZero:
        return this.trapCall(TrapKind.integer_divide_by_zero, offset);
      case Slow.divOverflow:
        return this.trapCall(TrapKind.integer_overflow, offset);
      case Slow.trunc: {
        const x = this.reg(i, 1);
        const nan = asm.newLabel();
        asm.fcmp(opIs[mfn.op[i]!]! & Is.double ? Form.fcmp_d : Form.fcmp_s, x, x);
        asm.bcond(Cond.vs, nan);
        this.trapCall(TrapKind.integer_overflow, offset);
        asm.bind(nan);
        return this.trapCall(TrapKind.invalid_conversion, offset);
      }
      case Slow.tierUp:
        // A function without a frame has its return address in the link register alone.
        asm.memUpdate(Form.str64, Reg.link, Reg.sp, -16, Index.pre);
        asm.movImm32(address, mfn.index);
        asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.tierUp);
        asm.r(Form.blr, scratch);
        asm.returnAddress(offset);
        asm.memUpdate(Form.ldr64, Reg.link, Reg.sp, 16, Index.post);
        return asm.b(back);
      case Slow.stackExhausted:
        return this.trapCall(TrapKind.stack_exhausted, offset);
      case Slow.hugeFrame:
        asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.exec);
        asm.movImm32(address, TrapKind.stack_exhausted);
        asm.mem(Form.str32, address, scratch, Exec.trapKind);
        asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.trapExit);
        return asm.r(Form.br, scratch);
    }
  }
}
