// The baseline compiler's floats and conversions on amd64.
//
//   f64.add => vaddsd xmm0, xmm0, [rsp + 40];  i32.trunc_f64_s => cvttsd2si rax, xmm0; movsxd r11, eax; cmp rax, r11; jne trap
// NaNs come out as at every level: of two, the first one's payload. Without AVX an instruction writes over its left operand. Rounding is SSE4.1's.
// Relies on baseline-int.ts.
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Held } from "../baseline/state.js";
import { BaselineInt } from "./baseline-int.js";
import { fscratch, scratch } from "./emit-operands.js";
import { Cond, M } from "./mops.js";
import { Form, Rounding } from "./opcodes.js";

export abstract class BaselineFloat extends BaselineInt {
  protected float(op: Op, w: 0 | 1): void {
    switch (op) {
      case Op.f32_add: return this.floatBinary(w ? Form.addsd_rm : Form.addss_rm, w);
      case Op.f32_sub: return this.floatBinary(w ? Form.subsd_rm : Form.subss_rm, w);
      case Op.f32_mul: return this.floatBinary(w ? Form.mulsd_rm : Form.mulss_rm, w);
      case Op.f32_div: return this.floatBinary(w ? Form.divsd_rm : Form.divss_rm, w);
      case Op.f32_min: return this.minMax(M.fmin32 + w, w);
      case Op.f32_max: return this.minMax(M.fmax32 + w, w);
      case Op.f32_abs: return this.masked(Form.andps_rm, w, true);
      case Op.f32_neg: return this.masked(Form.xorps_rm, w, false);
      case Op.f32_copysign: return this.copysign(w);
      case Op.f32_sqrt: return this.floatUnary(w ? Form.sqrtsd_rm : Form.sqrtss_rm, typeOf(w), -1);
      case Op.f32_nearest: return this.floatUnary(w ? Form.roundsd_rmi : Form.roundss_rmi, typeOf(w), Rounding.nearest);
      case Op.f32_floor: return this.floatUnary(w ? Form.roundsd_rmi : Form.roundss_rmi, typeOf(w), Rounding.floor);
      case Op.f32_ceil: return this.floatUnary(w ? Form.roundsd_rmi : Form.roundss_rmi, typeOf(w), Rounding.ceil);
      case Op.f32_trunc: return this.floatUnary(w ? Form.roundsd_rmi : Form.roundss_rmi, typeOf(w), Rounding.trunc);
      default: throw new Error(`op ${op}: no float operation`);
    }
  }

  protected floatBinary(form: number, w: 0 | 1): void {
    const x = this.pop(2);
    const y = x + 1;
    const home = this.destination(x, y);
    let d: number;
    if (home >= 0) {
      d = home;
      if (this.avx) {
        this.withFloatEntry(form, d, this.toReg(x), y);
        this.release(x);
      } else this.withFloatEntry(form, d, this.into(d, x), y);
    } else {
      const left = this.toReg(x);
      d = this.held[x] === Held.register ? left : this.avx ? this.takeFloat() : this.toOwn(x);
      this.withFloatEntry(form, d, this.avx ? left : d, y);
      if (this.avx && this.held[x] === Held.local) this.release(x);
    }
    this.result(typeOf(w), d, home >= 0);
  }

  protected minMax(mop: number, w: 0 | 1): void {
    const x = this.pop(2);
    const y = x + 1;
    const right = this.toReg(y);
    const left = this.avx ? this.toReg(x) : this.toOwn(x);
    const d = this.avx ? this.takeFloat() : left;
    this.row(mop, 0, 0, d, left, right);
    if (this.avx) this.release(x);
    this.release(y);
    this.push(typeOf(w), d);
  }

  /** With the mask of the sign bit, or of all others. */
  protected masked(form: number, w: 0 | 1, others: boolean): void {
    const x = this.pop(1);
    const d = this.toOwn(x);
    this.signMask(w, others);
    this.f3(form, d, d, fscratch);
    this.push(typeOf(w), d);
  }

  protected copysign(w: 0 | 1): void {
    const x = this.pop(2);
    const y = x + 1;
    const d = this.toOwn(x);
    const sign = this.toReg(y);
    this.signMask(w, true);
    this.f3(Form.andps_rm, d, d, fscratch);
    this.signMask(w, false);
    this.f3(Form.andps_rm, fscratch, fscratch, sign);
    this.f3(Form.orps_rm, d, d, fscratch);
    this.release(y);
    this.push(typeOf(w), d);
  }

  /** The float scratch register becomes the sign bit, or all others. */
  protected signMask(w: 0 | 1, others: boolean): void {
    const high = others ? 0x7fffffff : -0x80000000;
    this.asm.movImm64(scratch, w ? (others ? -1 : 0) : high, w ? high : 0);
    this.f2(w ? Form.movq_rm : Form.movd_rm, fscratch, scratch);
  }

  /** @param rounding -1 where the form has no immediate. */
  protected floatUnary(form: number, type: Type, rounding: number): void {
    const x = this.pop(1);
    const from = this.toReg(x);
    const d = this.held[x] === Held.register ? from : this.takeFloat();
    if (this.held[x] !== Held.register) this.release(x);
    // These leave the target's upper part, hence would wait for its old value.
    if (!this.avx && d !== from) this.f3(Form.xorps_rm, d, d, d);
    this.f3(form, d, from, from);
    if (rounding >= 0) this.asm.u8(rounding);
    this.push(type, d);
  }

  // ---------------------------------------------------------------- conversions

  protected conversion(op: Op, offset: number): void {
    switch (op) {
      case Op.i32_wrap_i64: return this.wrap();
      case Op.i64_extend_i32_u: return this.zeroExtend();
      case Op.i64_extend_i32_s: return this.intUnary(Form.movsx32_64_rm, Type.i64);
      case Op.i32_extend8_s: return this.intUnary(Form.movsx8_32_rm, Type.i32);
      case Op.i32_extend16_s: return this.intUnary(Form.movsx16_32_rm, Type.i32);
      case Op.i64_extend8_s: return this.intUnary(Form.movsx8_64_rm, Type.i64);
      case Op.i64_extend16_s: return this.intUnary(Form.movsx16_64_rm, Type.i64);
      case Op.i64_extend32_s: return this.intUnary(Form.movsx32_64_rm, Type.i64);
      case Op.f64_promote_f32: return this.floatUnary(Form.cvtss2sd_rm, Type.f64, -1);
      case Op.f32_demote_f64: return this.floatUnary(Form.cvtsd2ss_rm, Type.f32, -1);
      case Op.f32_convert_i32_s: return this.fromInt(Form.cvtsi2ss32_rm, Type.f32);
      case Op.f64_convert_i32_s: return this.fromInt(Form.cvtsi2sd32_rm, Type.f64);
      // A zero-extended i32 is a non-negative i64.
      case Op.f32_convert_i32_u: case Op.f32_convert_i64_s: return this.fromInt(Form.cvtsi2ss64_rm, Type.f32);
      case Op.f64_convert_i32_u: case Op.f64_convert_i64_s: return this.fromInt(Form.cvtsi2sd64_rm, Type.f64);
      case Op.f32_convert_i64_u: return this.rowUnary(M.cvtu64_ss, 0, Type.f32, offset);
      case Op.f64_convert_i64_u: return this.rowUnary(M.cvtu64_sd, 0, Type.f64, offset);
      case Op.i32_reinterpret_f32: return this.reinterpret(Form.movd_mr, Type.i32);
      case Op.i64_reinterpret_f64: return this.reinterpret(Form.movq_mr, Type.i64);
      case Op.f32_reinterpret_i32: return this.reinterpret(Form.movd_rm, Type.f32);
      case Op.f64_reinterpret_i64: return this.reinterpret(Form.movq_rm, Type.f64);
      case Op.i32_trunc_f32_s: return this.truncToI32(false, true, offset);
      case Op.i32_trunc_f32_u: return this.truncToI32(false, false, offset);
      case Op.i32_trunc_f64_s: return this.truncToI32(true, true, offset);
      case Op.i32_trunc_f64_u: return this.truncToI32(true, false, offset);
      case Op.i64_trunc_f32_s: return this.rowUnary(M.trunc_i64_ss, 0, Type.i64, offset);
      case Op.i64_trunc_f32_u: return this.rowUnary(M.trunc_u64_ss, 0, Type.i64, offset);
      case Op.i64_trunc_f64_s: return this.rowUnary(M.trunc_i64_sd, 0, Type.i64, offset);
      case Op.i64_trunc_f64_u: return this.rowUnary(M.trunc_u64_sd, 0, Type.i64, offset);
      case Op.i32_trunc_sat_f32_s: return this.saturateToI32(M.trunc_i64_ss, true, offset);
      case Op.i32_trunc_sat_f32_u: return this.saturateToI32(M.trunc_i64_ss, false, offset);
      case Op.i32_trunc_sat_f64_s: return this.saturateToI32(M.trunc_i64_sd, true, offset);
      case Op.i32_trunc_sat_f64_u: return this.saturateToI32(M.trunc_i64_sd, false, offset);
      case Op.i64_trunc_sat_f32_s: return this.rowUnary(M.trunc_i64_ss, 1, Type.i64, offset);
      case Op.i64_trunc_sat_f32_u: return this.rowUnary(M.trunc_u64_ss, 1, Type.i64, offset);
      case Op.i64_trunc_sat_f64_s: return this.rowUnary(M.trunc_i64_sd, 1, Type.i64, offset);
      case Op.i64_trunc_sat_f64_u: return this.rowUnary(M.trunc_u64_sd, 1, Type.i64, offset);
      default: throw new Error(`op ${op}: no operation`);
    }
  }

  protected fromInt(form: number, type: Type): void {
    const x = this.pop(1);
    const from = this.toReg(x);
    const d = this.takeFloat();
    this.f3(Form.xorps_rm, d, d, d);
    this.f3(form, d, d, from);
    this.release(x);
    this.push(type, d);
  }

  protected reinterpret(form: number, type: Type): void {
    if (this.retype(type)) return;
    const x = this.pop(1);
    const from = this.toReg(x);
    const d = this.take(type);
    // The form that writes r/m has the float register in the reg field.
    if (d < FIRST_FLOAT_REG) this.f2(form, from, d);
    else this.f2(form, d, from);
    this.release(x);
    this.push(type, d);
  }

  /** In 64 bits, then: is it the extension of its low half? NaN and all that is out of range gives -2^63, which is not. */
  protected truncToI32(double: boolean, signed: boolean, offset: number): void {
    const { asm } = this;
    const x = this.pop(1);
    const from = this.toReg(x);
    const d = this.takeInt();
    this.f2(double ? Form.cvttsd2si64_rm : Form.cvttss2si64_rm, d, from);
    asm.rr(signed ? Form.movsx32_64_rm : Form.mov32_rm, scratch, d);
    asm.rr(Form.cmp64_rm, d, scratch);
    this.trapFloatIf(Cond.ne, from, double, offset);
    if (signed) asm.rr(Form.mov32_rm, d, d);
    this.release(x);
    this.push(Type.i32, d);
  }

  /** To 64 bits, then to the nearest that 32 have. */
  protected saturateToI32(mop: number, signed: boolean, offset: number): void {
    const { asm } = this;
    this.rowUnary(mop, 1, Type.i64, offset);
    const d = this.toOwn(this.pop(1));
    asm.movImm64(scratch, signed ? 0x7fffffff : -1, 0);
    asm.rr(Form.cmp64_rm, d, scratch);
    asm.rr(Form.cmov64_rm + Cond.g, d, scratch);
    asm.movImm64(scratch, signed ? -0x80000000 : 0, signed ? -1 : 0);
    asm.rr(Form.cmp64_rm, d, scratch);
    asm.rr(Form.cmov64_rm + Cond.l, d, scratch);
    if (signed) asm.rr(Form.mov32_rm, d, d);
    this.push(Type.i32, d);
  }

  /** def, use. */
  protected rowUnary(mop: number, imm: number, type: Type, offset: number): void {
    const x = this.pop(1);
    const from = this.toReg(x);
    const d = this.take(type);
    this.row(mop, imm, offset, d, from);
    this.release(x);
    this.push(type, d);
  }
}

const typeOf = (w: 0 | 1): Type => (w ? Type.f64 : Type.f32);
