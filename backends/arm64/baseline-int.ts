// The baseline compiler's integers on arm64, and what its operations share: where a result goes, rows of machine IR.
//
//   local.get 0; i32.const 4; i32.add; local.set 0    => add w19, w19, #4          where local 0 has a register
// All have three addresses, so an operand is read where it is and a result written where it goes. What takes long sequences (division; in
// baseline-float.ts conversions that trap, population count) is a row of machine IR, emitted by the code that emits it at every level.
// Relies on baseline-frame.ts. An i32 in a register is zero-extended, as in all code.
import { MFunc } from "../../ir/machine/mfunc.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Held } from "../baseline/state.js";
import { BaselineFrame } from "./baseline-frame.js";
import { scratch } from "./emit-operands.js";
import { InstEmitter } from "./emit-inst.js";
import { fitsAdd, logicalImmediate } from "./encode.js";
import { M } from "./mops.js";
import { Form, Shift } from "./opcodes.js";
import { Reg } from "./registers.js";

const NO_REG = -1;

export abstract class BaselineInt extends BaselineFrame {
  /** Rows of machine IR, and who emits them; none so far. */
  protected rows: MFunc | undefined;
  protected rowEmitter: InstEmitter | undefined;

  protected override beginCode(far: boolean): void {
    super.beginCode(far);
    this.rows = this.rowEmitter = undefined;
  }

  protected override outOfLine(): void {
    super.outOfLine();
    this.rowEmitter?.outOfLine();
  }

  // ---------------------------------------------------------------- results

  /**
   * Releases the operands that were taken off and gives a register for the result, which may be one of theirs: that of the local that the
   * next instruction sets, where nothing else stands for that local; or one that is taken.
   */
  protected define(type: Type, operands: number): number {
    const local = this.target;
    const home = local < 0 ? NO_REG : this.localHome[local]!;
    let isAlone = false;
    if (home >= 0) {
      let own = 0;
      for (let i = this.height; i < this.height + operands; i++) if (this.held[i] === Held.local && this.lo[i] === local) own++;
      isAlone = this.standingFor(local) === own;
    }
    for (let i = this.height; i < this.height + operands; i++) this.release(i);
    return isAlone ? home : this.take(type);
  }

  /** The result is in a register that `define` gave. */
  protected result(type: Type, reg: number): void {
    if (this.target >= 0 && this.localHome[this.target] === reg) this.target = NO_REG;
    else this.push(type, reg);
  }

  /** A row of machine IR on these registers, emitted at once. */
  protected row(mop: number, imm: number, offset: number, ...operands: number[]): void {
    const rows = (this.rows ??= new MFunc(this.index, this.sig));
    this.rowEmitter ??= new InstEmitter(this.asm, rows, { saved: [], slots: 0, context: NO_REG, localBytes: 0, bytes: 0, needsCheck: false }, false, NO_REG);
    rows.inst(mop, imm, 0, 0, offset);
    for (const reg of operands) rows.operand(reg, 0);
    this.rowEmitter.emit(rows.instCount - 1);
  }

  // ---------------------------------------------------------------- integers

  protected integer(op: Op, wide: boolean, offset: number): void {
    const w = wide ? 1 : 0;
    switch (op) {
      case Op.i32_add: return this.sum(false, wide);
      case Op.i32_sub: return this.sum(true, wide);
      case Op.i32_and: return this.logical(wide ? Form.and64_r : Form.and32_r, wide ? Form.and64_i : Form.and32_i, wide);
      case Op.i32_or: return this.logical(wide ? Form.orr64_r : Form.orr32_r, wide ? Form.orr64_i : Form.orr32_i, wide);
      case Op.i32_xor: return this.logical(wide ? Form.eor64_r : Form.eor32_r, wide ? Form.eor64_i : Form.eor32_i, wide);
      case Op.i32_mul: return this.multiply(wide);
      case Op.i32_shl: return this.shift(Shift.lsl, wide ? Form.lslv64 : Form.lslv32, wide);
      case Op.i32_shr_u: return this.shift(Shift.lsr, wide ? Form.lsrv64 : Form.lsrv32, wide);
      case Op.i32_shr_s: return this.shift(Shift.asr, wide ? Form.asrv64 : Form.asrv32, wide);
      case Op.i32_rotr: return this.shift(Shift.ror, wide ? Form.rorv64 : Form.rorv32, wide);
      case Op.i32_rotl: return this.rotateLeft(wide);
      case Op.i32_div_u: return this.divide(M.udiv32 + w, wide, offset);
      case Op.i32_div_s: return this.divide(M.sdiv32 + w, wide, offset);
      case Op.i32_rem_u: return this.divide(M.urem32 + w, wide, offset);
      case Op.i32_rem_s: return this.divide(M.srem32 + w, wide, offset);
      case Op.i32_ctz: return this.trailingZeros(wide);
      default: throw new Error(`op ${op}: no integer operation`);
    }
  }

  /** Whether an entry is a constant, the sign extension of its low half. */
  protected isSmall(entry: number, wide: boolean): boolean {
    return this.held[entry] === Held.constant && (!wide || this.hi[entry] === this.lo[entry]! >> 31);
  }

  /** The exponent of a constant that is a power of two, else -1. */
  protected power(entry: number, wide: boolean): number {
    if (this.held[entry] !== Held.constant || (wide && this.hi[entry] !== 0)) return -1;
    const lo = this.lo[entry]!;
    return lo !== 0 && (lo & (lo - 1)) === 0 ? 31 - Math.clz32(lo) : -1;
  }

  protected sum(subtract: boolean, wide: boolean): void {
    const { asm } = this;
    const type = wide ? Type.i64 : Type.i32;
    let x = this.pop(2);
    let y = x + 1;
    if (!subtract && this.held[x] === Held.constant) [x, y] = [y, x];
    const imm = this.lo[y]!;
    if (this.isSmall(y, wide) && (fitsAdd(imm) || fitsAdd(-imm))) {
      const left = this.toReg(x);
      const d = this.define(type, 2);
      const down = subtract === fitsAdd(imm);
      asm.addImm(down ? (wide ? Form.sub64_i : Form.sub32_i) : wide ? Form.add64_i : Form.add32_i, d, left, Math.abs(imm));
      return this.result(type, d);
    }
    const left = this.intOrZero(x);
    const right = this.right(y);
    const d = this.define(type, 2);
    asm.rrr(subtract ? (wide ? Form.sub64_r : Form.sub32_r) : wide ? Form.add64_r : Form.add32_r, d, left, right);
    this.result(type, d);
  }

  protected logical(form: number, immediate: number, wide: boolean): void {
    const { asm } = this;
    const type = wide ? Type.i64 : Type.i32;
    let x = this.pop(2);
    let y = x + 1;
    if (this.held[x] === Held.constant) [x, y] = [y, x];
    const lo = this.lo[y]!;
    const hi = wide ? this.hi[y]! : lo;
    const isMask = this.held[y] === Held.constant && logicalImmediate(lo, hi) >= 0;
    const left = this.toReg(x);
    const right = isMask ? NO_REG : this.right(y);
    const d = this.define(type, 2);
    if (isMask) asm.logicalImm(immediate, d, left, lo, hi);
    else asm.rrr(form, d, left, right);
    this.result(type, d);
  }

  protected multiply(wide: boolean): void {
    const type = wide ? Type.i64 : Type.i32;
    let x = this.pop(2);
    let y = x + 1;
    if (this.held[x] === Held.constant) [x, y] = [y, x];
    const k = this.power(y, wide);
    const left = this.toReg(x);
    const right = k >= 0 ? NO_REG : this.right(y);
    const d = this.define(type, 2);
    if (k >= 0) this.shiftBy(Shift.lsl, d, left, k, wide);
    else this.asm.rrrr(wide ? Form.madd64 : Form.madd32, d, left, right, Reg.zr);
    this.result(type, d);
  }

  protected shift(kind: Shift, form: number, wide: boolean): void {
    const type = wide ? Type.i64 : Type.i32;
    const x = this.pop(2);
    const y = x + 1;
    const isConstant = this.held[y] === Held.constant;
    const amount = this.lo[y]! & (wide ? 63 : 31);
    const left = this.toReg(x);
    const count = isConstant ? NO_REG : this.right(y);
    const d = this.define(type, 2);
    if (isConstant) this.shiftBy(kind, d, left, amount, wide);
    else this.asm.rrr(form, d, left, count);
    this.result(type, d);
  }

  /** By a constant, less than the width. */
  protected shiftBy(kind: Shift, d: number, n: number, k: number, wide: boolean): void {
    const { asm } = this;
    const bits = wide ? 64 : 32;
    if (k === 0) {
      if (d !== n) asm.mov(bits, d, n);
    } else if (kind === Shift.ror) asm.extr(wide ? Form.extr64 : Form.extr32, d, n, n, k);
    else if (kind === Shift.lsl) asm.bitfield(wide ? Form.ubfm64 : Form.ubfm32, d, n, bits - k, bits - 1 - k);
    else asm.bitfield(kind === Shift.lsr ? (wide ? Form.ubfm64 : Form.ubfm32) : wide ? Form.sbfm64 : Form.sbfm32, d, n, k, bits - 1);
  }

  /** To the right, by the opposite of the count. */
  protected rotateLeft(wide: boolean): void {
    const type = wide ? Type.i64 : Type.i32;
    const x = this.pop(2);
    const y = x + 1;
    const isConstant = this.held[y] === Held.constant;
    const amount = -this.lo[y]! & (wide ? 63 : 31);
    const left = this.toReg(x);
    if (!isConstant) this.asm.rrr(Form.sub32_r, scratch, Reg.zr, this.right(y));
    const d = this.define(type, 2);
    if (isConstant) this.shiftBy(Shift.ror, d, left, amount, wide);
    else this.asm.rrr(wide ? Form.rorv64 : Form.rorv32, d, left, scratch);
    this.result(type, d);
  }

  protected trailingZeros(wide: boolean): void {
    const { asm } = this;
    const type = wide ? Type.i64 : Type.i32;
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    asm.rr(wide ? Form.rbit64 : Form.rbit32, d, from);
    asm.rr(wide ? Form.clz64 : Form.clz32, d, d);
    this.result(type, d);
  }

  protected divide(mop: number, wide: boolean, offset: number): void {
    const type = wide ? Type.i64 : Type.i32;
    const x = this.pop(2);
    const y = x + 1;
    const kind = wide ? mop - 1 : mop;
    const k = kind === M.udiv32 ? this.power(y, wide) : -1;
    const left = this.toReg(x);
    if (k >= 0) {
      const d = this.define(type, 2);
      this.shiftBy(Shift.lsr, d, left, k, wide);
      return this.result(type, d);
    }
    // A constant needs no test for what it is not: 0 (bit 0), -1 (bit 1, of signed quotients).
    const isConstant = this.held[y] === Held.constant;
    const mayBeZero = !isConstant || this.isZero(y);
    const mayOverflow = kind === M.sdiv32 && (!isConstant || (this.isSmall(y, wide) && this.lo[y] === -1));
    const checks = (mayBeZero ? 1 : 0) | (mayOverflow ? 2 : 0);
    const right = this.toReg(y);
    const d = this.define(type, 2);
    this.row(mop, checks, offset, d, left, right);
    this.result(type, d);
  }

  /** sbfm: the bits up to `last`, extended. */
  protected bitfield(form: number, type: Type, first: number, last: number): void {
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    this.asm.bitfield(form, d, from, first, last);
    this.result(type, d);
  }

  protected wrap(): void {
    if (this.retype(Type.i32)) return;
    const from = this.toReg(this.pop(1));
    const d = this.define(Type.i32, 1);
    this.asm.mov(32, d, from);
    this.result(Type.i32, d);
  }
}
