// The baseline compiler's operations on amd64: one short sequence an instruction, operands from registers or the frame.
//
//   local.get 0; i32.const 4; i32.add; local.set 0    => add ebx, 4             where local 0 has a register
//   i32.lt_u; br_if 1                                 => cmp eax, ecx; jb label
// What takes long sequences (division, conversions from float to 64 bits, minimum and maximum) is emitted as a row of machine IR, by
// the code that emits it at every level. NaNs come out as at every level: of two, the first one's payload.
// Relies on baseline-frame.ts; needs SSE4.1 and POPCNT, which every amd64 CPU since 2008 has.
import type { FuncIndex, GlobalIndex, TableIndex } from "../../ir/entity.js";
import { MemoryHeader, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { FIRST_FLOAT_REG, MFunc } from "../../ir/machine/mfunc.js";
import { Op } from "../../ir/ops.js";
import { RegClass, Type, regClass } from "../../ir/types.js";
import { accessBytes } from "../access.js";
import { byOp } from "../baseline/by-op.js";
import { Held } from "../baseline/state.js";
import type { CodegenModule, CodegenOptions } from "../target.js";
import { BaselineFrame } from "./baseline-frame.js";
import { NO_REG } from "./encode.js";
import { fscratch, scratch } from "./emit-operands.js";
import { InstEmitter } from "./emit-inst.js";
import { Cond, M, exchanged } from "./mops.js";
import { Form, Rounding } from "./opcodes.js";
import { Reg } from "./registers.js";

/** The i64 ops stand in the order of the i32 ones, f64 in that of f32. */
const I64 = Op.i64_clz - Op.i32_clz;
const F64 = Op.f64_abs - Op.f32_abs;

/** Of compares of two integers, in the order of the ops from `eq` on. */
const intConditions = [Cond.e, Cond.ne, Cond.l, Cond.b, Cond.g, Cond.a, Cond.le, Cond.be, Cond.ge, Cond.ae] as const;

/** By SSA op of a load: its form. */
const loadForm = byOp([
  [Op.i32_load, Form.mov32_rm], [Op.i64_load, Form.mov64_rm], [Op.f32_load, Form.movss_rm], [Op.f64_load, Form.movsd_rm],
  [Op.i32_load8_s, Form.movsx8_32_rm], [Op.i32_load8_u, Form.movzx8_rm], [Op.i32_load16_s, Form.movsx16_32_rm], [Op.i32_load16_u, Form.movzx16_rm],
  [Op.i64_load8_s, Form.movsx8_64_rm], [Op.i64_load8_u, Form.movzx8_rm], [Op.i64_load16_s, Form.movsx16_64_rm], [Op.i64_load16_u, Form.movzx16_rm],
  [Op.i64_load32_s, Form.movsx32_64_rm], [Op.i64_load32_u, Form.mov32_rm],
]);
/** By SSA op of a store: its form for a register, and for a constant. */
const storeForm = byOp([
  [Op.i32_store, Form.mov32_mr], [Op.i64_store, Form.mov64_mr], [Op.f32_store, Form.movss_mr], [Op.f64_store, Form.movsd_mr],
  [Op.i32_store8, Form.mov8_mr], [Op.i32_store16, Form.mov16_mr], [Op.i64_store8, Form.mov8_mr], [Op.i64_store16, Form.mov16_mr], [Op.i64_store32, Form.mov32_mr],
]);
const storeImmForm = byOp([
  [Op.i32_store, Form.mov32_mi], [Op.i64_store, Form.mov64_mi], [Op.f32_store, Form.mov32_mi], [Op.f64_store, Form.mov64_mi],
  [Op.i32_store8, Form.mov8_mi], [Op.i32_store16, Form.mov16_mi], [Op.i64_store8, Form.mov8_mi], [Op.i64_store16, Form.mov16_mi], [Op.i64_store32, Form.mov32_mi],
]);

export class Baseline extends BaselineFrame {
  // The memory operand last made.
  private base = NO_REG;
  private memIndex = NO_REG;
  private disp = 0;
  /** Rows of machine IR, and who emits them; none so far. */
  private rows: MFunc | undefined;
  private rowEmitter: InstEmitter | undefined;

  /** @returns undefined where the CPU lacks what it needs. */
  static create(module: CodegenModule, options: CodegenOptions): Baseline | undefined {
    return options.features.has("sse41") && options.features.has("popcnt") ? new Baseline(module, options) : undefined;
  }

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
  private destination(x: number, y: number): number {
    const local = this.target;
    if (local < 0) return NO_REG;
    const home = this.localHome[local]!;
    if (home < 0) return NO_REG;
    if (y >= 0 && this.held[y] === Held.local && this.lo[y] === local) return NO_REG;
    const own = x >= 0 && this.held[x] === Held.local && this.lo[x] === local ? 1 : 0;
    return this.standingFor(local) === own ? home : NO_REG;
  }

  /** The result is in a register: that of the target, or one that was taken. */
  private result(type: Type, reg: number, isTarget: boolean): void {
    if (isTarget) this.target = NO_REG;
    else this.push(type, reg);
  }

  // ---------------------------------------------------------------- integers

  override operator(op: Op, offset: number): void {
    if (op >= Op.i32_clz && op <= Op.i64_rotr) {
      const wide = op >= Op.i64_clz;
      return this.integer((wide ? op - I64 : op) as Op, wide, offset);
    }
    if (op >= Op.f32_abs && op <= Op.f64_copysign) {
      const wide = op >= Op.f64_abs;
      return this.float((wide ? op - F64 : op) as Op, wide ? 1 : 0);
    }
    this.conversion(op, offset);
  }

  private integer(op: Op, wide: boolean, offset: number): void {
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

  private alu(rm: number, mi: number, wide: boolean, commutative: boolean): void {
    let x = this.pop(2);
    let y = x + 1;
    if (commutative && this.isBetterLeft(y, x)) [x, y] = [y, x];
    const home = this.destination(x, y);
    const d = home >= 0 ? this.into(home, x) : this.toOwn(x);
    this.withEntry(rm, mi, d, y, wide);
    this.result(wide ? Type.i64 : Type.i32, d, home >= 0);
  }

  /** Whether the right operand of a commutative operation should be the one that is written over: the target itself, else what is in a register of its own. */
  private isBetterLeft(y: number, x: number): boolean {
    if (this.held[x] === Held.local && this.lo[x] === this.target) return false;
    if (this.held[y] === Held.local && this.lo[y] === this.target) return true;
    return this.held[x] === Held.constant || (this.held[y] === Held.register && this.held[x] !== Held.register);
  }

  /** Copies an entry to the register of the target, and releases it. */
  private into(home: number, entry: number): number {
    if (this.held[entry] !== Held.local || this.localHome[this.lo[entry]!] !== home) this.copyTo(entry, home);
    this.release(entry);
    return home;
  }

  private add(wide: boolean): void {
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

  private multiply(wide: boolean): void {
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
  private shift(mi: number, mc: number, vex: number, wide: boolean): void {
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
  private toFixed(entry: number, reg: number, other: number): void {
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

  private divide(mop: number, remainder: boolean, wide: boolean, offset: number): void {
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
    const emitter = this.row(mop, 3, offset);
    this.operands(Reg.rax, Reg.rdx, Reg.rax, divisor);
    this.emitRow(emitter);
    if (divisor !== scratch) this.release(y);
    this.free(remainder ? Reg.rax : Reg.rdx);
    this.push(type, remainder ? Reg.rdx : Reg.rax);
  }

  private countZeros(wide: boolean, leading: boolean): void {
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
  private intUnary(form: number, type: Type): void {
    const x = this.pop(1);
    const home = this.destination(x, NO_REG);
    const from = this.toReg(x);
    this.release(x);
    const d = home >= 0 ? home : this.takeInt();
    this.asm.rr(form, d, from);
    this.result(type, d, home >= 0);
  }

  // ---------------------------------------------------------------- floats

  private float(op: Op, w: 0 | 1): void {
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

  private floatBinary(form: number, w: 0 | 1): void {
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

  private minMax(mop: number, w: 0 | 1): void {
    const x = this.pop(2);
    const y = x + 1;
    const right = this.toReg(y);
    const left = this.avx ? this.toReg(x) : this.toOwn(x);
    const d = this.avx ? this.takeFloat() : left;
    const emitter = this.row(mop, 0, 0);
    this.operands(d, left, right);
    this.emitRow(emitter);
    if (this.avx) this.release(x);
    this.release(y);
    this.push(typeOf(w), d);
  }

  /** With the mask of the sign bit, or of all others. */
  private masked(form: number, w: 0 | 1, others: boolean): void {
    const x = this.pop(1);
    const d = this.toOwn(x);
    this.signMask(w, others);
    this.f3(form, d, d, fscratch);
    this.push(typeOf(w), d);
  }

  private copysign(w: 0 | 1): void {
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
  private signMask(w: 0 | 1, others: boolean): void {
    const high = others ? 0x7fffffff : -0x80000000;
    this.asm.movImm64(scratch, w ? (others ? -1 : 0) : high, w ? high : 0);
    this.f2(w ? Form.movq_rm : Form.movd_rm, fscratch, scratch);
  }

  /** @param rounding -1 where the form has no immediate. */
  private floatUnary(form: number, type: Type, rounding: number): void {
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

  private conversion(op: Op, offset: number): void {
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

  private wrap(): void {
    const x = this.height - 1;
    const kind = this.held[x]!;
    // In memory, and as a constant, the low half is there already.
    if (kind === Held.slot || kind === Held.constant || (kind === Held.local && this.localHome[this.lo[x]!]! < 0)) {
      this.type[x] = Type.i32;
      return;
    }
    this.intUnary(Form.mov32_rm, Type.i32);
  }

  private zeroExtend(): void {
    const x = this.height - 1;
    const kind = this.held[x]!;
    if (kind === Held.constant) this.hi[x] = 0;
    else if (kind === Held.slot || (kind === Held.local && this.localHome[this.lo[x]!]! < 0)) this.toOwn(x);
    // An i32 in a register is zero-extended.
    this.type[x] = Type.i64;
  }

  private fromInt(form: number, type: Type): void {
    const x = this.pop(1);
    const from = this.toReg(x);
    const d = this.takeFloat();
    this.f3(Form.xorps_rm, d, d, d);
    this.f3(form, d, d, from);
    this.release(x);
    this.push(type, d);
  }

  private reinterpret(form: number, type: Type): void {
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
  private truncToI32(double: boolean, signed: boolean, offset: number): void {
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
  private saturateToI32(mop: number, signed: boolean, offset: number): void {
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

  // ---------------------------------------------------------------- rows of machine IR

  /** def, use. */
  private rowUnary(mop: number, imm: number, type: Type, offset: number): void {
    const x = this.pop(1);
    const from = this.toReg(x);
    const d = this.take(type);
    const emitter = this.row(mop, imm, offset);
    this.operands(d, from);
    this.emitRow(emitter);
    this.release(x);
    this.push(type, d);
  }

  private row(mop: number, imm: number, offset: number): InstEmitter {
    this.rows ??= new MFunc(this.index, this.sig);
    this.rowEmitter ??= new InstEmitter(this.asm, this.rows, { saved: [], slots: 0, context: NO_REG, localBytes: 0, bytes: 0, needsCheck: false }, this.avx, NO_REG);
    this.rows.inst(mop, imm, 0, 0, offset);
    return this.rowEmitter;
  }

  private operands(...registers: number[]): void {
    for (const reg of registers) this.rows!.operand(reg, 0);
  }

  private emitRow(emitter: InstEmitter): void {
    emitter.emit(this.rows!.instCount - 1);
  }

  // ---------------------------------------------------------------- conditions

  override compare(op: Op): void {
    if (op >= Op.f32_eq) return this.compareFloats(op >= Op.f64_eq ? ((op - (Op.f64_eq - Op.f32_eq)) as Op) : op, op >= Op.f64_eq);
    if (op === Op.i32_eqz || op === Op.i64_eqz || op === Op.ref_is_null) return this.compareWithZero(op !== Op.i32_eqz);
    const wide = op >= Op.i64_eq;
    this.condition = intConditions[op - (wide ? Op.i64_eq : Op.i32_eq)]!;
    let x = this.pop(2);
    let y = x + 1;
    if (this.held[x] === Held.constant) {
      [x, y] = [y, x];
      this.condition = exchanged(this.condition);
    }
    const left = this.toReg(x);
    if (this.held[y] === Held.constant && this.lo[y] === 0 && (!wide || this.hi[y] === 0)) this.asm.rr(wide ? Form.test64_mr : Form.test32_mr, left, left);
    else this.withEntry(wide ? Form.cmp64_rm : Form.cmp32_rm, wide ? Form.cmp64_mi : Form.cmp32_mi, left, y, wide);
    this.release(x);
  }

  private compareWithZero(wide: boolean): void {
    const x = this.pop(1);
    const reg = this.toReg(x);
    this.asm.rr(wide ? Form.test64_mr : Form.test32_mr, reg, reg);
    this.release(x);
    this.condition = Cond.e;
  }

  override test(): void {
    this.compareWithZero(false);
    this.condition = Cond.ne;
  }

  /** "Greater" by the carry flag is false for NaN, so "less" exchanges its operands. */
  private compareFloats(op: Op, double: boolean): void {
    let x = this.pop(2);
    let y = x + 1;
    if (op === Op.f32_lt || op === Op.f32_le) [x, y] = [y, x];
    this.f2(double ? Form.ucomisd_rm : Form.ucomiss_rm, this.toReg(x), this.toReg(y));
    this.release(x);
    this.release(y);
    this.condition = op === Op.f32_eq ? Cond.feq : op === Op.f32_ne ? Cond.fne : op === Op.f32_lt || op === Op.f32_gt ? Cond.a : Cond.ae;
  }

  override pushCondition(): void {
    const { asm, condition } = this;
    const d = this.takeInt();
    if (condition === Cond.feq || condition === Cond.fne) {
      const equal = condition === Cond.feq;
      asm.r(Form.setcc + (equal ? Cond.np : Cond.p), scratch);
      asm.r(Form.setcc + (equal ? Cond.e : Cond.ne), d);
      asm.rr(equal ? Form.and8_rm : Form.or8_rm, d, scratch);
    } else asm.r(Form.setcc + condition, d);
    asm.rr(Form.movzx8_rm, d, d);
    this.push(Type.i32, d);
  }

  override select(): void {
    const { asm, condition } = this;
    const x = this.pop(2);
    const y = x + 1;
    const type: Type = this.type[x]!;
    const d = this.toOwn(y);
    if (regClass(type) === RegClass.int && condition < Cond.feq) {
      asm.rr((type === Type.i32 ? Form.cmov32_rm : Form.cmov64_rm) + condition, d, this.toReg(x));
    } else {
      const over = asm.newLabel();
      this.jumpIf(this.invert(condition), over);
      this.copyTo(x, d);
      asm.bind(over);
    }
    this.release(x);
    this.push(type, d);
  }

  // ---------------------------------------------------------------- memory

  override loadMemory(op: Op, displacement: number, offset: number): void {
    const { asm } = this;
    const x = this.pop(1);
    this.address(x, displacement, accessBytes[op]!, offset);
    const home = this.destination(x, NO_REG);
    this.release(x);
    const type: Type = op === Op.f32_load ? Type.f32 : op === Op.f64_load ? Type.f64 : op === Op.i64_load || op >= Op.i64_load8_s ? Type.i64 : Type.i32;
    const d = home >= 0 ? home : this.take(type);
    if (!this.explicitBounds) asm.trap(TrapKind.out_of_bounds_memory, offset);
    if (d >= FIRST_FLOAT_REG && this.avx) asm.vrm(loadForm[op]!, d, this.base, this.memIndex, 0, this.disp);
    else asm.rm(loadForm[op]!, d, this.base, this.memIndex, 0, this.disp);
    this.result(type, d, home >= 0);
  }

  override storeMemory(op: Op, displacement: number, offset: number): void {
    const { asm } = this;
    const x = this.pop(2);
    const y = x + 1;
    const bytes = accessBytes[op]!;
    const lo = this.lo[y]!;
    const isImm = this.held[y] === Held.constant && (bytes < 8 || this.hi[y] === lo >> 31);
    const from = isImm ? NO_REG : this.toReg(y);
    this.address(x, displacement, bytes, offset);
    if (!this.explicitBounds) asm.trap(TrapKind.out_of_bounds_memory, offset);
    if (isImm) asm.mi(storeImmForm[op]!, this.base, this.memIndex, 0, this.disp, bytes === 1 ? (lo << 24) >> 24 : bytes === 2 ? (lo << 16) >> 16 : lo);
    else if (from >= FIRST_FLOAT_REG && this.avx) asm.vrm(storeForm[op]!, from, this.base, this.memIndex, 0, this.disp);
    else asm.rm(storeForm[op]!, from, this.base, this.memIndex, 0, this.disp);
    this.release(x);
    this.release(y);
  }

  /** Makes the memory operand of an access of memory 0 at that entry, with its bounds check where checks are explicit. Uses the scratch register. */
  private address(entry: number, displacement: number, bytes: number, offset: number): void {
    const { asm } = this;
    this.base = Reg.memoryBase;
    if (this.held[entry] === Held.constant && (this.lo[entry]! >>> 0) + displacement < 0x7fffff00) {
      this.memIndex = NO_REG;
      this.disp = (this.lo[entry]! >>> 0) + displacement;
    } else {
      this.memIndex = this.toReg(entry);
      this.disp = displacement;
    }
    const isFar = displacement >= 0x7fffff00;
    if (this.explicitBounds) {
      // The end of the access, compared with the length.
      const end = this.disp + bytes;
      if (isFar || this.memIndex === NO_REG) {
        asm.movImm64(scratch, end | 0, Math.floor(end / 4294967296));
        if (this.memIndex !== NO_REG) asm.rr(Form.add64_rm, scratch, this.memIndex);
      } else asm.rm(Form.lea64_rm, scratch, this.memIndex, NO_REG, 0, end);
      const header = this.takeInt();
      this.loadFrom(Type.i64, header, Reg.vmctx, this.module.layout.memory(0 as never));
      asm.rm(Form.cmp64_rm, scratch, header, NO_REG, 0, MemoryHeader.length);
      this.free(header);
      this.trapIf(Cond.a, TrapKind.out_of_bounds_memory, offset);
    }
    if (!isFar) return;
    asm.movImm64(scratch, this.disp | 0, 0);
    asm.rr(Form.add64_rm, scratch, this.memIndex);
    this.memIndex = scratch;
    this.disp = 0;
  }

  override memorySize(): void {
    const d = this.takeInt();
    this.loadFrom(Type.i64, d, Reg.vmctx, this.module.layout.memory(0 as never));
    this.loadFrom(Type.i64, d, d, MemoryHeader.length);
    this.asm.ri(Form.shr64_mi, d, 16);
    this.push(Type.i32, d);
  }

  override memoryFill(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.rdi, Reg.rdx, offset);
    this.asm.rr(Form.add64_rm, Reg.rdi, Reg.memoryBase);
    this.callContext(VmCtx.memset, offset);
  }

  override memoryCopy(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.rdi, Reg.rdx, offset);
    this.checkArea(Reg.rsi, Reg.rdx, offset);
    this.asm.rr(Form.add64_rm, Reg.rdi, Reg.memoryBase);
    this.asm.rr(Form.add64_rm, Reg.rsi, Reg.memoryBase);
    this.callContext(VmCtx.memmove, offset);
  }

  /** Traps unless so many bytes from there lie in memory 0. All registers but those of the arguments are free. */
  private checkArea(start: number, length: number, offset: number): void {
    const { asm } = this;
    asm.rm(Form.lea64_rm, scratch, start, length, 0, 0);
    this.loadFrom(Type.i64, Reg.rax, Reg.vmctx, this.module.layout.memory(0 as never));
    asm.rm(Form.cmp64_rm, scratch, Reg.rax, NO_REG, 0, MemoryHeader.length);
    this.trapIf(Cond.a, TrapKind.out_of_bounds_memory, offset);
  }

  // ---------------------------------------------------------------- globals, tables, references

  /** Sets `base` and `disp` to a global's cell; `temp` is for the address of an imported one. */
  private globalCell(index: GlobalIndex, temp: number): void {
    const { module, layout } = this.module;
    this.base = Reg.vmctx;
    this.disp = layout.global(index);
    if (!module.globals[index]!.imported) return;
    this.loadFrom(Type.i64, temp, Reg.vmctx, this.disp);
    this.base = temp;
    this.disp = 0;
  }

  override globalGet(index: GlobalIndex): void {
    const type = this.module.module.globals[index]!.type;
    const home = this.destination(NO_REG, NO_REG);
    const d = home >= 0 ? home : this.take(type);
    this.globalCell(index, scratch);
    this.loadFrom(type, d, this.base, this.disp);
    this.result(type, d, home >= 0);
  }

  override globalSet(index: GlobalIndex): void {
    const type = this.module.module.globals[index]!.type;
    const x = this.pop(1);
    const from = this.toReg(x);
    this.globalCell(index, scratch);
    this.storeTo(type, from, this.base, this.disp);
    this.release(x);
  }

  /** The element of a table, or a trap: sets the memory operand. @returns a register that was taken for it. */
  private element(table: number, index: number, offset: number): number {
    const { asm } = this;
    const temp = this.takeInt();
    this.loadFrom(Type.i64, temp, Reg.vmctx, this.module.layout.table(table as TableIndex));
    asm.rm(Form.cmp32_rm, index, temp, NO_REG, 0, TableHeader.length);
    this.trapIf(Cond.ae, TrapKind.out_of_bounds_table, offset);
    this.loadFrom(Type.i64, temp, temp, TableHeader.base);
    return temp;
  }

  override tableGet(table: number, offset: number): void {
    const x = this.pop(1);
    const index = this.toReg(x);
    const temp = this.element(table, index, offset);
    this.asm.rm(Form.mov64_rm, temp, temp, index, 3, 0);
    this.release(x);
    this.push(this.module.module.tables[table]!.elem, temp);
  }

  override tableSet(table: number, offset: number): void {
    const x = this.pop(2);
    const index = this.toReg(x);
    const value = this.toReg(x + 1);
    const temp = this.element(table, index, offset);
    this.asm.rm(Form.mov64_mr, value, temp, index, 3, 0);
    this.free(temp);
    this.release(x);
    this.release(x + 1);
  }

  override tableSize(table: number): void {
    const d = this.takeInt();
    this.loadFrom(Type.i64, d, Reg.vmctx, this.module.layout.table(table as TableIndex));
    this.loadFrom(Type.i32, d, d, TableHeader.length);
    this.push(Type.i32, d);
  }

  override refFunc(index: FuncIndex): void {
    const d = this.takeInt();
    this.loadFrom(Type.i64, d, Reg.vmctx, this.module.layout.ref(index));
    this.push(Type.funcref, d);
  }

  protected override callBuiltinStub(offset: number): void {
    this.callContext(VmCtx.builtin, offset);
  }
}

const typeOf = (w: 0 | 1): Type => (w ? Type.f64 : Type.f32);
