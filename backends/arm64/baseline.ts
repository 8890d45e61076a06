// The baseline compiler's operations on arm64: one short sequence an instruction, operands from registers, the frame's by way of x16.
//
//   local.get 0; i32.const 4; i32.add; local.set 0    => add w19, w19, #4          where local 0 has a register
//   i32.eqz; br_if 1                                  => cbz w0, label
// All have three addresses, so an operand is read where it is and a result written where it goes. What takes long sequences (division,
// conversions that trap, population count) is emitted as a row of machine IR, by the code that emits it at every level.
// Relies on baseline-frame.ts. An i32 in a register is zero-extended, as in all code.
import type { GlobalIndex, FuncIndex, TableIndex } from "../../ir/entity.js";
import { MemoryHeader, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { MFunc } from "../../ir/machine/mfunc.js";
import { Op, opInfo } from "../../ir/ops.js";
import { RegClass, Type, regClass } from "../../ir/types.js";
import { accessBytes } from "../access.js";
import { byOp } from "../baseline/by-op.js";
import { Held } from "../baseline/state.js";
import { BaselineFrame, Zero } from "./baseline-frame.js";
import { access, address, reach, scratch } from "./emit-operands.js";
import { InstEmitter } from "./emit-inst.js";
import { fitsAdd, logicalImmediate } from "./encode.js";
import { M } from "./mops.js";
import { Cond, Extend, Form, Shift, exchanged } from "./opcodes.js";
import { Reg } from "./registers.js";

/** The i64 ops stand in the order of the i32 ones. */
const I64 = Op.i64_clz - Op.i32_clz;

/** Of compares of two integers, in the order of the ops from `eq` on. */
const intConditions = [Cond.eq, Cond.ne, Cond.lt, Cond.lo, Cond.gt, Cond.hi, Cond.le, Cond.ls, Cond.ge, Cond.hs] as const;
/** Of floats: false where unordered, but for `ne`. */
const floatConditions = [Cond.eq, Cond.ne, Cond.mi, Cond.gt, Cond.ls, Cond.ge] as const;

/** Loads and stores. */
const loadForm = byOp([
  [Op.i32_load, Form.ldr32], [Op.i64_load, Form.ldr64], [Op.f32_load, Form.ldr_s], [Op.f64_load, Form.ldr_d],
  [Op.i32_load8_s, Form.ldrsb32], [Op.i32_load8_u, Form.ldrb], [Op.i32_load16_s, Form.ldrsh32], [Op.i32_load16_u, Form.ldrh],
  [Op.i64_load8_s, Form.ldrsb64], [Op.i64_load8_u, Form.ldrb], [Op.i64_load16_s, Form.ldrsh64], [Op.i64_load16_u, Form.ldrh],
  [Op.i64_load32_s, Form.ldrsw], [Op.i64_load32_u, Form.ldr32],
]);
const storeForm = byOp([
  [Op.i32_store, Form.str32], [Op.i64_store, Form.str64], [Op.f32_store, Form.str_s], [Op.f64_store, Form.str_d], [Op.i32_store8, Form.strb],
  [Op.i32_store16, Form.strh], [Op.i64_store8, Form.strb], [Op.i64_store16, Form.strh], [Op.i64_store32, Form.str32],
]);
/** Operations of one instruction, of two operands and of one. */
const binaryForm = byOp([
  [Op.f32_add, Form.fadd_s], [Op.f64_add, Form.fadd_d], [Op.f32_sub, Form.fsub_s], [Op.f64_sub, Form.fsub_d],
  [Op.f32_mul, Form.fmul_s], [Op.f64_mul, Form.fmul_d], [Op.f32_div, Form.fdiv_s], [Op.f64_div, Form.fdiv_d],
  [Op.f32_min, Form.fmin_s], [Op.f64_min, Form.fmin_d], [Op.f32_max, Form.fmax_s], [Op.f64_max, Form.fmax_d],
]);
const unaryForm = byOp([
  [Op.i32_clz, Form.clz32], [Op.i64_clz, Form.clz64],
  [Op.f32_abs, Form.fabs_s], [Op.f64_abs, Form.fabs_d], [Op.f32_neg, Form.fneg_s], [Op.f64_neg, Form.fneg_d], [Op.f32_sqrt, Form.fsqrt_s], [Op.f64_sqrt, Form.fsqrt_d],
  [Op.f32_nearest, Form.frintn_s], [Op.f64_nearest, Form.frintn_d], [Op.f32_floor, Form.frintm_s], [Op.f64_floor, Form.frintm_d],
  [Op.f32_ceil, Form.frintp_s], [Op.f64_ceil, Form.frintp_d], [Op.f32_trunc, Form.frintz_s], [Op.f64_trunc, Form.frintz_d],
  [Op.f64_promote_f32, Form.fcvt_ds], [Op.f32_demote_f64, Form.fcvt_sd],
  [Op.f32_convert_i32_s, Form.scvtf32_s], [Op.f64_convert_i32_s, Form.scvtf32_d], [Op.f32_convert_i64_s, Form.scvtf64_s], [Op.f64_convert_i64_s, Form.scvtf64_d],
  [Op.f32_convert_i32_u, Form.ucvtf32_s], [Op.f64_convert_i32_u, Form.ucvtf32_d], [Op.f32_convert_i64_u, Form.ucvtf64_s], [Op.f64_convert_i64_u, Form.ucvtf64_d],
  [Op.i32_trunc_sat_f32_s, Form.fcvtzs32_s], [Op.i32_trunc_sat_f32_u, Form.fcvtzu32_s], [Op.i32_trunc_sat_f64_s, Form.fcvtzs32_d], [Op.i32_trunc_sat_f64_u, Form.fcvtzu32_d],
  [Op.i64_trunc_sat_f32_s, Form.fcvtzs64_s], [Op.i64_trunc_sat_f32_u, Form.fcvtzu64_s], [Op.i64_trunc_sat_f64_s, Form.fcvtzs64_d], [Op.i64_trunc_sat_f64_u, Form.fcvtzu64_d],
  [Op.i32_reinterpret_f32, Form.fmov_ws], [Op.i64_reinterpret_f64, Form.fmov_xd], [Op.f32_reinterpret_i32, Form.fmov_sw], [Op.f64_reinterpret_i64, Form.fmov_dx],
]);

/** Of one operand: the machine op whose sequence it is. */
const rowOf = byOp([
  [Op.i32_popcnt, M.popcnt32], [Op.i64_popcnt, M.popcnt64],
  [Op.i32_trunc_f32_s, M.truncs32_s], [Op.i32_trunc_f32_u, M.truncu32_s], [Op.i32_trunc_f64_s, M.truncs32_d], [Op.i32_trunc_f64_u, M.truncu32_d],
  [Op.i64_trunc_f32_s, M.truncs64_s], [Op.i64_trunc_f32_u, M.truncu64_s], [Op.i64_trunc_f64_s, M.truncs64_d], [Op.i64_trunc_f64_u, M.truncu64_d],
]);

const NO_REG = -1;

export class Baseline extends BaselineFrame {
  // The index (-1: none) and displacement of the access of memory 0 last made.
  private memIndex = NO_REG;
  private disp = 0;
  /** Rows of machine IR, and who emits them; none so far. */
  private rows: MFunc | undefined;
  private rowEmitter: InstEmitter | undefined;

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
  private define(type: Type, operands: number): number {
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
  private result(type: Type, reg: number): void {
    if (this.target >= 0 && this.localHome[this.target] === reg) this.target = NO_REG;
    else this.push(type, reg);
  }

  // ---------------------------------------------------------------- operators

  override operator(op: Op, offset: number): void {
    if (unaryForm[op] !== 0) return this.unary(op);
    if (binaryForm[op] !== 0) return this.floatBinary(op);
    if (rowOf[op] !== 0) return this.rowUnary(op, offset);
    if (op >= Op.i32_clz && op <= Op.i64_rotr) {
      const wide = op >= Op.i64_clz;
      return this.integer((wide ? op - I64 : op) as Op, wide, offset);
    }
    switch (op) {
      case Op.f32_copysign: return this.copysign(M.copysign32, Type.f32);
      case Op.f64_copysign: return this.copysign(M.copysign64, Type.f64);
      case Op.i32_wrap_i64: return this.wrap();
      case Op.i64_extend_i32_u: return this.zeroExtend();
      case Op.i64_extend_i32_s: case Op.i64_extend32_s: return this.bitfield(Form.sbfm64, Type.i64, 0, 31);
      case Op.i32_extend8_s: return this.bitfield(Form.sbfm32, Type.i32, 0, 7);
      case Op.i32_extend16_s: return this.bitfield(Form.sbfm32, Type.i32, 0, 15);
      case Op.i64_extend8_s: return this.bitfield(Form.sbfm64, Type.i64, 0, 7);
      case Op.i64_extend16_s: return this.bitfield(Form.sbfm64, Type.i64, 0, 15);
      default: throw new Error(`op ${op}: no operation`);
    }
  }

  /** One instruction, integers and floats. */
  private unary(op: Op): void {
    const type = opInfo[op]!.result as Type;
    const isReinterpretation = op >= Op.i32_reinterpret_f32 && op <= Op.f64_reinterpret_i64;
    // In the frame, and as a constant, bits are bits.
    if (isReinterpretation && (this.held[this.height - 1] === Held.constant || this.inFrame(this.height - 1))) {
      this.type[this.height - 1] = type;
      return;
    }
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    this.asm.rr(unaryForm[op]!, d, from);
    this.result(type, d);
  }

  private floatBinary(op: Op): void {
    const type = opInfo[op]!.result as Type;
    const x = this.pop(2);
    const left = this.toReg(x);
    const right = this.floatRight(x + 1);
    const d = this.define(type, 2);
    this.asm.rrr(binaryForm[op]!, d, left, right);
    this.result(type, d);
  }

  private rowUnary(op: Op, offset: number): void {
    const type = opInfo[op]!.result as Type;
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    this.row(rowOf[op]!, 0, offset, d, from);
    this.result(type, d);
  }

  private copysign(mop: number, type: Type): void {
    const x = this.pop(2);
    const sign = this.toReg(x + 1);
    const d = this.toOwn(x);
    this.row(mop, 0, 0, d, d, sign);
    this.release(x + 1);
    this.push(type, d);
  }

  /** A row of machine IR on these registers, emitted at once. */
  private row(mop: number, imm: number, offset: number, ...operands: number[]): void {
    const rows = (this.rows ??= new MFunc(this.index, this.sig));
    this.rowEmitter ??= new InstEmitter(this.asm, rows, { saved: [], slots: 0, context: NO_REG, localBytes: 0, bytes: 0, needsCheck: false }, false, NO_REG);
    rows.inst(mop, imm, 0, 0, offset);
    for (const reg of operands) rows.operand(reg, 0);
    this.rowEmitter.emit(rows.instCount - 1);
  }

  // ---------------------------------------------------------------- integers

  private integer(op: Op, wide: boolean, offset: number): void {
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
  private isSmall(entry: number, wide: boolean): boolean {
    return this.held[entry] === Held.constant && (!wide || this.hi[entry] === this.lo[entry]! >> 31);
  }

  /** The exponent of a constant that is a power of two, else -1. */
  private power(entry: number, wide: boolean): number {
    if (this.held[entry] !== Held.constant || (wide && this.hi[entry] !== 0)) return -1;
    const lo = this.lo[entry]!;
    return lo !== 0 && (lo & (lo - 1)) === 0 ? 31 - Math.clz32(lo) : -1;
  }

  private sum(subtract: boolean, wide: boolean): void {
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

  private logical(form: number, immediate: number, wide: boolean): void {
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

  private multiply(wide: boolean): void {
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

  private shift(kind: Shift, form: number, wide: boolean): void {
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
  private shiftBy(kind: Shift, d: number, n: number, k: number, wide: boolean): void {
    const { asm } = this;
    const bits = wide ? 64 : 32;
    if (k === 0) {
      if (d !== n) asm.mov(bits, d, n);
    } else if (kind === Shift.ror) asm.extr(wide ? Form.extr64 : Form.extr32, d, n, n, k);
    else if (kind === Shift.lsl) asm.bitfield(wide ? Form.ubfm64 : Form.ubfm32, d, n, bits - k, bits - 1 - k);
    else asm.bitfield(kind === Shift.lsr ? (wide ? Form.ubfm64 : Form.ubfm32) : wide ? Form.sbfm64 : Form.sbfm32, d, n, k, bits - 1);
  }

  /** To the right, by the opposite of the count. */
  private rotateLeft(wide: boolean): void {
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

  private trailingZeros(wide: boolean): void {
    const { asm } = this;
    const type = wide ? Type.i64 : Type.i32;
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    asm.rr(wide ? Form.rbit64 : Form.rbit32, d, from);
    asm.rr(wide ? Form.clz64 : Form.clz32, d, d);
    this.result(type, d);
  }

  private divide(mop: number, wide: boolean, offset: number): void {
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
  private bitfield(form: number, type: Type, first: number, last: number): void {
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    this.asm.bitfield(form, d, from, first, last);
    this.result(type, d);
  }

  private wrap(): void {
    const x = this.height - 1;
    // In the frame, and as a constant, the low half is there already.
    if (this.held[x] === Held.constant || this.inFrame(x)) {
      this.type[x] = Type.i32;
      return;
    }
    const from = this.toReg(this.pop(1));
    const d = this.define(Type.i32, 1);
    this.asm.mov(32, d, from);
    this.result(Type.i32, d);
  }

  private zeroExtend(): void {
    const x = this.height - 1;
    if (this.held[x] === Held.constant) this.hi[x] = 0;
    else if (this.inFrame(x)) this.toOwn(x);
    // An i32 in a register is zero-extended.
    this.type[x] = Type.i64;
  }

  // ---------------------------------------------------------------- conditions

  override compare(op: Op): void {
    if (op >= Op.f32_eq) return this.compareFloats(op >= Op.f64_eq ? op - Op.f64_eq : op - Op.f32_eq, op >= Op.f64_eq);
    if (op === Op.i32_eqz || op === Op.i64_eqz || op === Op.ref_is_null) return this.testZero(this.pop(1), op === Op.i32_eqz ? Zero.is32 : Zero.is64);
    const { asm } = this;
    const wide = op >= Op.i64_eq;
    let condition: Cond = intConditions[op - (wide ? Op.i64_eq : Op.i32_eq)]!;
    let x = this.pop(2);
    let y = x + 1;
    if (this.held[x] === Held.constant) {
      [x, y] = [y, x];
      condition = exchanged(condition);
    }
    const imm = this.lo[y]!;
    if (this.isSmall(y, wide)) {
      if (imm === 0 && condition <= Cond.ne) return this.testZero(x, (wide ? Zero.is64 : Zero.is32) + condition);
      if (fitsAdd(imm) || fitsAdd(-imm)) {
        const form = fitsAdd(imm) ? (wide ? Form.subs64_i : Form.subs32_i) : wide ? Form.adds64_i : Form.adds32_i;
        asm.addImm(form, Reg.zr, this.toReg(x), Math.abs(imm));
        this.release(x);
        this.condition = condition;
        return;
      }
    }
    const left = this.toReg(x);
    asm.rrr(wide ? Form.subs64_r : Form.subs32_r, Reg.zr, left, this.right(y));
    this.release(x);
    this.release(y);
    this.condition = condition;
  }

  /** Puts the test off: the register keeps its value until what uses the condition takes one. */
  private testZero(entry: number, condition: number): void {
    this.tested = this.toReg(entry);
    this.release(entry);
    this.condition = condition;
  }

  override test(): void {
    this.testZero(this.pop(1), Zero.not32);
  }

  private compareFloats(which: number, double: boolean): void {
    const { asm } = this;
    const x = this.pop(2);
    const y = x + 1;
    const left = this.toReg(x);
    if (this.held[y] === Held.constant && this.isZero(y)) asm.fcmp(double ? Form.fcmpz_d : Form.fcmpz_s, left, 0);
    else asm.fcmp(double ? Form.fcmp_d : Form.fcmp_s, left, this.floatRight(y));
    this.release(x);
    this.release(y);
    this.condition = floatConditions[which]!;
  }

  /** The condition as flags, before any register is taken. */
  private flags(): Cond {
    const { condition } = this;
    if (condition < Zero.is32) return condition;
    this.asm.addImm(condition >= Zero.is64 ? Form.subs64_i : Form.subs32_i, Reg.zr, this.tested, 0);
    return condition & 1 ? Cond.ne : Cond.eq;
  }

  override pushCondition(): void {
    const condition = this.flags();
    const d = this.takeInt();
    this.asm.cset(d, condition);
    this.push(Type.i32, d);
  }

  override select(): void {
    const condition = this.flags();
    const x = this.pop(2);
    const y = x + 1;
    const type: Type = this.type[x]!;
    const isInt = regClass(type) === RegClass.int;
    const ifTrue = isInt ? this.intOrZero(x) : this.toReg(x);
    const ifFalse = isInt ? this.intOrZero(y) : this.toReg(y);
    const d = this.define(type, 2);
    this.asm.select(isInt ? (type === Type.i32 ? Form.csel32 : Form.csel64) : Form.fcsel_d, d, ifTrue, ifFalse, condition);
    this.result(type, d);
  }

  // ---------------------------------------------------------------- memory

  override loadMemory(op: Op, displacement: number, offset: number): void {
    const type = opInfo[op]!.result as Type;
    this.address(this.pop(1), displacement, accessBytes[op]!, offset);
    const d = this.define(type, 1);
    access(this.asm, loadForm[op]!, d, Reg.memoryBase, this.memIndex, 0, this.disp, this.fault(), offset);
    this.result(type, d);
  }

  override storeMemory(op: Op, displacement: number, offset: number): void {
    const x = this.pop(2);
    const y = x + 1;
    const isZero = this.held[y] === Held.constant && this.isZero(y);
    const from = isZero ? Reg.zr : this.toReg(y);
    const form = isZero && op === Op.f32_store ? Form.str32 : isZero && op === Op.f64_store ? Form.str64 : storeForm[op]!;
    this.address(x, displacement, accessBytes[op]!, offset);
    access(this.asm, form, from, Reg.memoryBase, this.memIndex, 0, this.disp, this.fault(), offset);
    this.release(x);
    this.release(y);
  }

  private fault(): TrapKind {
    return this.explicitBounds ? TrapKind.none : TrapKind.out_of_bounds_memory;
  }

  /** Makes the memory operand of an access of memory 0 at that entry, with its bounds check where checks are explicit. Changes x16 and x17. */
  private address(entry: number, displacement: number, bytes: number, offset: number): void {
    const { asm } = this;
    const isConstant = this.held[entry] === Held.constant;
    this.memIndex = isConstant ? NO_REG : this.toReg(entry);
    this.disp = displacement + (isConstant ? this.lo[entry]! >>> 0 : 0);
    if (!this.explicitBounds) return;
    const end = this.disp + bytes;
    if (isConstant || !fitsAdd(end)) {
      asm.movImm64(scratch, end | 0, Math.floor(end / 4294967296));
      if (!isConstant) asm.rrr(Form.add64_r, scratch, scratch, this.memIndex);
    } else asm.addImm(Form.add64_i, scratch, this.memIndex, end);
    this.trapBehindMemory(offset);
  }

  /** Traps where the scratch register is more than the length of memory 0. Changes x17. */
  private trapBehindMemory(offset: number): void {
    const { asm } = this;
    this.memoryLength(address);
    asm.rrr(Form.subs64_r, Reg.zr, scratch, address);
    this.trapIf(Cond.hi, TrapKind.out_of_bounds_memory, offset);
  }

  /** In bytes. */
  private memoryLength(d: number): void {
    reach(this.asm, Form.ldr64, d, Reg.vmctx, this.module.layout.memory(0 as never));
    this.asm.mem(Form.ldr64, d, d, MemoryHeader.length);
  }

  override memorySize(): void {
    const d = this.takeInt();
    this.memoryLength(d);
    this.shiftBy(Shift.lsr, d, d, 16, true);
    this.push(Type.i32, d);
  }

  override memoryFill(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.x0, offset);
    this.asm.rrr(Form.add64_r, Reg.x0, Reg.x0, Reg.memoryBase);
    this.callContext(VmCtx.memset, offset);
  }

  override memoryCopy(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.x0, offset);
    this.checkArea(Reg.x1, offset);
    this.asm.rrr(Form.add64_r, Reg.x0, Reg.x0, Reg.memoryBase);
    this.asm.rrr(Form.add64_r, Reg.x1, Reg.x1, Reg.memoryBase);
    this.callContext(VmCtx.memmove, offset);
  }

  /** Traps unless as many bytes as x2 says lie in memory 0 from there on. */
  private checkArea(start: number, offset: number): void {
    this.asm.rrr(Form.add64_r, scratch, start, Reg.x2);
    this.trapBehindMemory(offset);
  }

  // ---------------------------------------------------------------- globals, tables, references

  override globalGet(index: GlobalIndex): void {
    const { module, layout } = this.module;
    const { type, imported } = module.globals[index]!;
    const d = this.define(type, 0);
    if (imported) reach(this.asm, Form.ldr64, address, Reg.vmctx, layout.global(index));
    this.loadFrom(type, d, imported ? address : Reg.vmctx, imported ? 0 : layout.global(index));
    this.result(type, d);
  }

  override globalSet(index: GlobalIndex): void {
    const { module, layout } = this.module;
    const { type, imported } = module.globals[index]!;
    const x = this.pop(1);
    const from = this.held[x] === Held.constant && this.isZero(x) ? Reg.zr : this.toReg(x);
    if (imported) reach(this.asm, Form.ldr64, address, Reg.vmctx, layout.global(index));
    this.storeTo(type, from, imported ? address : Reg.vmctx, imported ? 0 : layout.global(index));
    this.release(x);
  }

  /** The elements of a table in the register, or a trap where it has none of that index. */
  private elements(table: number, index: number, into: number, offset: number): void {
    const { asm } = this;
    reach(asm, Form.ldr64, into, Reg.vmctx, this.module.layout.table(table as TableIndex));
    asm.mem(Form.ldr32, scratch, into, TableHeader.length);
    asm.rrr(Form.subs32_r, Reg.zr, index, scratch);
    this.trapIf(Cond.hs, TrapKind.out_of_bounds_table, offset);
    asm.mem(Form.ldr64, into, into, TableHeader.base);
  }

  override tableGet(table: number, offset: number): void {
    const x = this.pop(1);
    const index = this.toReg(x);
    const d = this.takeInt();
    this.elements(table, index, d, offset);
    this.asm.memIndex(Form.ldr64, d, d, index, Extend.uxtw, true);
    this.release(x);
    this.push(this.module.module.tables[table]!.elem, d);
  }

  override tableSet(table: number, offset: number): void {
    const x = this.pop(2);
    const index = this.toReg(x);
    const value = this.intOrZero(x + 1);
    this.elements(table, index, address, offset);
    this.asm.memIndex(Form.str64, value, address, index, Extend.uxtw, true);
    this.release(x);
    this.release(x + 1);
  }

  override tableSize(table: number): void {
    const d = this.takeInt();
    reach(this.asm, Form.ldr64, d, Reg.vmctx, this.module.layout.table(table as TableIndex));
    this.asm.mem(Form.ldr32, d, d, TableHeader.length);
    this.push(Type.i32, d);
  }

  override refFunc(index: FuncIndex): void {
    const d = this.takeInt();
    reach(this.asm, Form.ldr64, d, Reg.vmctx, this.module.layout.ref(index));
    this.push(Type.funcref, d);
  }

  protected override callBuiltinStub(offset: number): void {
    this.callContext(VmCtx.builtin, offset);
  }
}
