// The baseline compiler's integers on amd64, and what its operations share: where a result goes, rows of machine IR.
//
//   local.get 0; i32.const 4; i32.add; local.set 0    => add ebx, 4             where local 0 has a register
// What takes long sequences (division; in baseline-float.ts conversions, minimum and maximum) is a row of machine IR, emitted by the code that
// emits it at every level. Relies on baseline-frame.ts.
import { MFunc } from "../../ir/machine/mfunc.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Held } from "../baseline/state.js";
import { BaselineFrame } from "./baseline-frame.js";
import { NO_REG } from "./encode.js";
import { scratch } from "./emit-operands.js";
import { InstEmitter } from "./emit-inst.js";
import { Cond, M } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg } from "./registers.js";

export abstract class BaselineInt extends BaselineFrame {
  /** Rows of machine IR, and who emits them; none so far. */
  protected rows: MFunc | undefined;
  protected rowEmitter: InstEmitter | undefined;

  protected override beginCode(): void {
    super.beginCode();
    this.rows = this.rowEmitter = undefined;
  }

  protected override outOfLine(): void {
    super.outOfLine();
    this.rowEmitter?.outOfLine();
  }

  // ---------------------------------------------------------------- results

  /** Where the result goes: the register of the local that is set by the next instruction, where no operand but x is read behind the first write. */
  protected destination(x: number, y: number): number {
    const local = this.target;
    if (local < 0) return NO_REG;
    const home = this.localHome[local]!;
    if (home < 0) return NO_REG;
    if (y >= 0 && this.held[y] === Held.local && this.lo[y] === local) return NO_REG;
    const own = x >= 0 && this.held[x] === Held.local && this.lo[x] === local ? 1 : 0;
    return this.standingFor(local) === own ? home : NO_REG;
  }

  /** The result is in a register: that of the target, or one that was taken. */
  protected result(type: Type, reg: number, isTarget: boolean): void {
    if (isTarget) this.target = NO_REG;
    else this.push(type, reg);
  }

  // ---------------------------------------------------------------- rows of machine IR

  /** A row of machine IR on these registers, emitted at once. */
  protected row(mop: number, imm: number, offset: number, ...operands: number[]): void {
    const rows = (this.rows ??= new MFunc(this.index, this.sig));
    this.rowEmitter ??= new InstEmitter(this.asm, rows, { saved: [], slots: 0, context: NO_REG, localBytes: 0, bytes: 0, needsCheck: false }, this.avx, NO_REG);
    rows.inst(mop, imm, 0, 0, offset);
    for (const reg of operands) rows.operand(reg, 0);
    this.rowEmitter.emit(rows.instCount - 1);
  }

  // ---------------------------------------------------------------- integers

  protected integer(op: Op, wide: boolean, offset: number): void {
    const w = wide ? 1 : 0;
    switch (op) {
      case Op.i32_add: return this.add(wide);
      case Op.i32_sub: return this.alu(wide ? Form.sub64_rm : Form.sub32_rm, wide ? Form.sub64_mi : Form.sub32_mi, wide, false);
      case Op.i32_and: return this.alu(wide ? Form.and64_rm : Form.and32_rm, wide ? Form.and64_mi : Form.and32_mi, wide, true);
      case Op.i32_or: return this.alu(wide ? Form.or64_rm : Form.or32_rm, wide ? Form.or64_mi : Form.or32_mi, wide, true);
      case Op.i32_xor: return this.alu(wide ? Form.xor64_rm : Form.xor32_rm, wide ? Form.xor64_mi : Form.xor32_mi, wide, true);
      case Op.i32_mul: return this.multiply(wide);
      case Op.i32_shl: return this.shift(wide ? Form.shl64_mi : Form.shl32_mi, wide ? Form.shl64_mc : Form.shl32_mc, wide ? Form.shlx64_rmv : Form.shlx32_rmv, wide);
      case Op.i32_shr_u: return this.shift(wide ? Form.shr64_mi : Form.shr32_mi, wide ? Form.shr64_mc : Form.shr32_mc, wide ? Form.shrx64_rmv : Form.shrx32_rmv, wide);
      case Op.i32_shr_s: return this.shift(wide ? Form.sar64_mi : Form.sar32_mi, wide ? Form.sar64_mc : Form.sar32_mc, wide ? Form.sarx64_rmv : Form.sarx32_rmv, wide);
      case Op.i32_rotl: return this.shift(wide ? Form.rol64_mi : Form.rol32_mi, wide ? Form.rol64_mc : Form.rol32_mc, 0, wide);
      case Op.i32_rotr: return this.shift(wide ? Form.ror64_mi : Form.ror32_mi, wide ? Form.ror64_mc : Form.ror32_mc, 0, wide);
      case Op.i32_div_u: return this.divide(M.udiv32 + w, false, wide, offset);
      case Op.i32_div_s: return this.divide(M.sdiv32 + w, false, wide, offset);
      case Op.i32_rem_u: return this.divide(M.urem32 + w, true, wide, offset);
      case Op.i32_rem_s: return this.divide(M.srem32 + w, true, wide, offset);
      case Op.i32_clz: return this.countZeros(wide, true);
      case Op.i32_ctz: return this.countZeros(wide, false);
      case Op.i32_popcnt: return this.intUnary(wide ? Form.popcnt64_rm : Form.popcnt32_rm, wide ? Type.i64 : Type.i32);
      default: throw new Error(`op ${op}: no integer operation`);
    }
  }

  protected alu(rm: number, mi: number, wide: boolean, commutative: boolean): void {
    let x = this.pop(2);
    let y = x + 1;
    if (commutative && this.isBetterLeft(y, x)) [x, y] = [y, x];
    const home = this.destination(x, y);
    const d = home >= 0 ? this.into(home, x) : this.toOwn(x);
    this.withEntry(rm, mi, d, y, wide);
    this.result(wide ? Type.i64 : Type.i32, d, home >= 0);
  }

  /** Whether the right operand of a commutative operation should be the one that is written over: the target itself, else what is in a register of its own. */
  protected isBetterLeft(y: number, x: number): boolean {
    if (this.held[x] === Held.local && this.lo[x] === this.target) return false;
    if (this.held[y] === Held.local && this.lo[y] === this.target) return true;
    return this.held[x] === Held.constant || (this.held[y] === Held.register && this.held[x] !== Held.register);
  }

  /** Copies an entry to the register of the target, and releases it. */
  protected into(home: number, entry: number): number {
    if (this.held[entry] !== Held.local || this.localHome[this.lo[entry]!] !== home) this.copyTo(entry, home);
    this.release(entry);
    return home;
  }

  protected add(wide: boolean): void {
    const x = this.height - 2;
    const y = x + 1;
    const { held } = this;
    // A local in a register, and a constant: three addresses.
    const isLea =
      held[y] === Held.constant && held[x] === Held.local && this.localHome[this.lo[x]!]! >= 0 && (!wide || this.hi[y] === this.lo[y]! >> 31);
    if (!isLea) return this.alu(wide ? Form.add64_rm : Form.add32_rm, wide ? Form.add64_mi : Form.add32_mi, wide, true);
    this.pop(2);
    const from = this.localHome[this.lo[x]!]!;
    const home = this.destination(x, y);
    const constant = this.lo[y]!;
    this.release(x);
    const d = home >= 0 ? home : this.takeInt();
    if (d === from) this.asm.ri(wide ? Form.add64_mi : Form.add32_mi, d, constant);
    else this.asm.rm(wide ? Form.lea64_rm : Form.lea32_rm, d, from, NO_REG, 0, constant);
    this.result(wide ? Type.i64 : Type.i32, d, home >= 0);
  }

  protected multiply(wide: boolean): void {
    const { asm } = this;
    let x = this.height - 2;
    let y = x + 1;
    if (this.held[x] === Held.constant) [x, y] = [y, x];
    if (this.held[y] !== Held.constant || (wide && this.hi[y] !== this.lo[y]! >> 31)) return this.alu(wide ? Form.imul64_rm : Form.imul32_rm, 0, wide, true);
    this.pop(2);
    const constant = this.lo[y]!;
    const home = this.destination(x, y);
    const from = this.toReg(x);
    this.release(x);
    const d = home >= 0 ? home : this.takeInt();
    asm.rri(wide ? Form.imul64_rmi : Form.imul32_rmi, d, from, constant);
    this.result(wide ? Type.i64 : Type.i32, d, home >= 0);
  }

  /** @param vex the form that takes the count from any register, 0 for none. */
  protected shift(mi: number, mc: number, vex: number, wide: boolean): void {
    const { asm } = this;
    const x = this.pop(2);
    const y = x + 1;
    const type = wide ? Type.i64 : Type.i32;
    if (this.held[y] === Held.constant) {
      const home = this.destination(x, y);
      const d = home >= 0 ? this.into(home, x) : this.toOwn(x);
      asm.ri(mi, d, this.lo[y]! & (wide ? 63 : 31));
      return this.result(type, d, home >= 0);
    }
    if (vex !== 0 && this.options.features.has("bmi2")) {
      const count = this.toReg(y);
      const home = this.destination(x, y);
      const from = this.toReg(x);
      this.release(x);
      const d = home >= 0 ? home : this.takeInt();
      asm.vrvr(vex, d, count, from);
      this.release(y);
      return this.result(type, d, home >= 0);
    }
    this.toFixed(y, Reg.rcx, x);
    const d = this.toOwn(x);
    asm.r(mc, d);
    this.release(y);
    this.push(type, d);
  }

  /** Puts an entry of the operation into that very register. `other` is the operation's other entry, -1 for none. */
  protected toFixed(entry: number, reg: number, other: number): void {
    if (this.held[entry] === Held.register && this.lo[entry] === reg) return;
    if (other >= 0 && this.held[other] === Held.register && this.lo[other] === reg) {
      const spare = this.takeInt();
      this.asm.rr(Form.mov64_rm, spare, reg);
      this.own(other, spare);
    } else this.takeFixed(reg);
    this.copyTo(entry, reg);
    if (this.held[entry] === Held.register) this.free(this.lo[entry]!);
    this.own(entry, reg);
  }

  protected divide(mop: number, remainder: boolean, wide: boolean, offset: number): void {
    const x = this.pop(2);
    const y = x + 1;
    const type = wide ? Type.i64 : Type.i32;
    let divisor = this.toReg(y);
    if (divisor === Reg.rax || divisor === Reg.rdx) {
      this.asm.rr(Form.mov64_rm, scratch, divisor);
      divisor = scratch;
      this.release(y);
    }
    this.toFixed(x, Reg.rax, NO_REG);
    this.takeFixed(Reg.rdx);
    this.row(mop, 3, offset, Reg.rax, Reg.rdx, Reg.rax, divisor);
    if (divisor !== scratch) this.release(y);
    this.free(remainder ? Reg.rax : Reg.rdx);
    this.push(type, remainder ? Reg.rdx : Reg.rax);
  }

  protected countZeros(wide: boolean, leading: boolean): void {
    const { asm } = this;
    const { features } = this.options;
    const type = wide ? Type.i64 : Type.i32;
    if (features.has(leading ? "lzcnt" : "tzcnt")) {
      return this.intUnary(leading ? (wide ? Form.lzcnt64_rm : Form.lzcnt32_rm) : wide ? Form.tzcnt64_rm : Form.tzcnt32_rm, type);
    }
    const x = this.pop(1);
    const d = this.toOwn(x);
    const bits = wide ? 64 : 32;
    // The index of the highest bit is bits - 1 - result, which is its complement in so many bits.
    asm.movImm32(scratch, leading ? 2 * bits - 1 : bits);
    asm.rr(leading ? (wide ? Form.bsr64_rm : Form.bsr32_rm) : wide ? Form.bsf64_rm : Form.bsf32_rm, d, d);
    asm.rr((wide ? Form.cmov64_rm : Form.cmov32_rm) + Cond.e, d, scratch);
    if (leading) asm.ri(Form.xor32_mi, d, bits - 1);
    this.push(type, d);
  }

  /** `form d, x`, both integers. */
  protected intUnary(form: number, type: Type): void {
    const x = this.pop(1);
    const home = this.destination(x, NO_REG);
    const from = this.toReg(x);
    this.release(x);
    const d = home >= 0 ? home : this.takeInt();
    this.asm.rr(form, d, from);
    this.result(type, d, home >= 0);
  }

  protected wrap(): void {
    if (!this.retype(Type.i32)) this.intUnary(Form.mov32_rm, Type.i32);
  }
}
