// One allocated machine op => its instructions. What is slow or traps stands out of line, behind the function's code.
//
// Terminators are emit.ts's, but for the flags of a compare-and-branch (`compare`). Sequences are those of the comments in
// mops.ts; the forms come from mop-forms.ts. Relies on the allocator having met every operand's constraint; an operand
// that may be a slot is addressed in the frame. Uses r11 and xmm15 freely. Allocates nothing per instruction.
import { VmCtx, FuncRef, ImportedFunc, TrapKind } from "../../ir/layout.js";
import { FIRST_FLOAT_REG, FIRST_SLOT, MOp, Opnd, type MFunc } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import { slotOffset, type Frame } from "../frame.js";
import { LABEL, NO_REG, type Assembler } from "./encode.js";
import { Group, Is, opExtra, opGroup, opIs, opMi, opMr, opRm, producerMi, producerRm } from "./mop-forms.js";
import { Base, Cond, Consumer, Form as Operands, M, Producer, Shape, consumerOf, invert, mops, producerOf } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg } from "./registers.js";

const scratch = Reg.scratchInt;
const fscratch = Reg.scratchFloat;

/** What the return address takes. */
export const RETURN_BYTES = 8;

const enum Slow {
  /** The trap of a `.trap` op. */
  trap,
  divByZero,
  divOverflow,
  remOverflow,
  minMax,
  cvtU64,
  truncI64,
  truncU64,
  stackExhausted,
  hugeFrame,
}

export class InstEmitter {
  // The memory operand last decoded.
  private base = NO_REG;
  private index = NO_REG;
  private scale = 0;
  private disp = 0;

  private slowCount = 0;
  private slowKind = new Uint8Array(16);
  private slowInst = new Int32Array(16);
  private slowLabel = new Int32Array(16);
  private slowBack = new Int32Array(16);

  constructor(
    readonly asm: Assembler,
    readonly mfn: MFunc,
    readonly frame: Frame,
    readonly avx: boolean,
    /** Label of pool entry 0. */
    private readonly pool: number,
  ) {}

  // ---------------------------------------------------------------- operands

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

  /** Decodes the memory operand of the shape; its registers start at operand `k`. */
  private memory(i: number, k: number): void {
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

  private slot(loc: number): void {
    this.base = Reg.rsp;
    this.index = NO_REG;
    this.scale = 0;
    this.disp = slotOffset(this.frame, loc);
  }

  /** The next instruction may fault, if the shape says so. */
  private fault(i: number): void {
    const kind = (this.mfn.imm3[i]! & Shape.faultMask) >> Shape.faultShift;
    if (kind !== TrapKind.none) this.asm.trap(kind, this.mfn.offset[i]!);
  }

  /** `form reg, [memory]`, of the operand last decoded. */
  private rm(form: number, reg: number): void {
    this.asm.rm(form, reg, this.base, this.index, this.scale, this.disp);
  }

  private m(form: number): void {
    this.asm.m(form, this.base, this.index, this.scale, this.disp);
  }

  private mi(form: number, imm: number): void {
    this.asm.mi(form, this.base, this.index, this.scale, this.disp, imm);
  }

  /** `form reg, location`. */
  private rl(form: number, reg: number, loc: number): void {
    if (loc < FIRST_SLOT) this.asm.rr(form, reg, loc);
    else {
      this.slot(loc);
      this.rm(form, reg);
    }
  }

  /** `form location`. */
  private l(form: number, loc: number): void {
    if (loc < FIRST_SLOT) this.asm.r(form, loc);
    else {
      this.slot(loc);
      this.m(form);
    }
  }

  private li(form: number, loc: number, imm: number): void {
    if (loc < FIRST_SLOT) this.asm.ri(form, loc, imm);
    else {
      this.slot(loc);
      this.mi(form, imm);
    }
  }

  // Float instructions in the encoding of choice: without AVX the destination is also the left operand.

  private f2(form: number, dst: number, src: number): void {
    if (this.avx) this.asm.vrr(form, dst, src);
    else this.asm.rr(form, dst, src);
  }

  private f2m(form: number, dst: number): void {
    if (this.avx) this.asm.vrm(form, dst, this.base, this.index, this.scale, this.disp);
    else this.rm(form, dst);
  }

  private f3(form: number, dst: number, left: number, right: number): void {
    if (this.avx) this.asm.vrvr(form, dst, left, right);
    else this.asm.rr(form, dst, right);
  }

  private f3m(form: number, dst: number, left: number): void {
    if (this.avx) this.asm.vrvm(form, dst, left, this.base, this.index, this.scale, this.disp);
    else this.rm(form, dst);
  }

  private zeroFloat(reg: number): void {
    this.f3(Form.xorps_rm, reg, reg, reg);
  }

  /** A float constant in xmm15, by way of r11. */
  private floatBits(lo: number, hi: number, double: boolean): void {
    this.asm.movImm64(scratch, lo, hi);
    this.f2(double ? Form.movq_rm : Form.movd_rm, fscratch, scratch);
  }

  // ---------------------------------------------------------------- out of line

  private later(kind: Slow, inst: number, back = -1): number {
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
      case Slow.stackExhausted:
        return this.trapCall(TrapKind.stack_exhausted, offset);
      case Slow.hugeFrame:
        asm.rm(Form.mov64_rm, scratch, Reg.vmctx, NO_REG, 0, VmCtx.exec);
        asm.mi(Form.mov32_mi, scratch, NO_REG, 0, 0, TrapKind.stack_exhausted);
        return asm.m(Form.jmp_m, Reg.vmctx, NO_REG, 0, VmCtx.trapExit);
    }
  }

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

  // ---------------------------------------------------------------- one instruction

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
        asm.rm(Form.mov64_rm, Reg.vmctx, ref, NO_REG, 0, FuncRef.ctx);
        asm.rm(Form.mov64_rm, Reg.memoryBase, Reg.vmctx, NO_REG, 0, VmCtx.memory0Base);
        asm.m(Form.call_m, ref, NO_REG, 0, FuncRef.code);
        asm.returnAddress(mfn.offset[i]!);
        return this.ownContext(i);
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

  /** The function reference of a call: its first use. */
  private callee(i: number): number {
    const { opndInfo, opndStart, opndCount } = this.mfn;
    for (let k = 0; k < opndCount[i]!; k++) if ((opndInfo[opndStart[i]! + k]! & Opnd.kindMask) === Opnd.use) return this.reg(i, k);
    throw this.bug(i, "no function reference");
  }

  /** After a call into another instance. */
  private ownContext(i: number): void {
    if (this.frame.context < 0) throw this.bug(i, "switches the context in a frame that does not keep it");
    this.asm.rm(Form.mov64_rm, Reg.vmctx, Reg.rsp, NO_REG, 0, this.frame.context);
    this.asm.rm(Form.mov64_rm, Reg.memoryBase, Reg.vmctx, NO_REG, 0, VmCtx.memory0Base);
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

  // ---------------------------------------------------------------- compares

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
          if (imm === 0 && producer === Producer.cmp32) return asm.rr(Form.test32_mr, x, x);
          if (imm === 0 && producer === Producer.cmp64) return asm.rr(Form.test64_mr, x, x);
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

  cond(i: number): Cond {
    return (this.mfn.imm3[i]! & Shape.condMask) >> Shape.condShift;
  }

  private compareOp(i: number): void {
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
