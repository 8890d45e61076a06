// The baseline compiler of amd64: which operation is whose, and conditions.
//
//   i32.lt_u; br_if 1 => cmp eax, ecx; jb label
// Needs SSE4.1 and POPCNT, which every amd64 CPU since 2008 has. Relies on the files baseline-*.ts, each of which adds its operations to the
// one before: frame, int, float, memory.
import { Op } from "../../ir/ops.js";
import { RegClass, Type, regClass } from "../../ir/types.js";
import { Held } from "../baseline/state.js";
import type { CodegenModule, CodegenOptions } from "../target.js";
import { BaselineMemory } from "./baseline-memory.js";
import { scratch } from "./emit-operands.js";
import { Cond, exchanged } from "./mops.js";
import { Form } from "./opcodes.js";

/** The i64 ops stand in the order of the i32 ones, f64 in that of f32. */
const I64 = Op.i64_clz - Op.i32_clz;
const F64 = Op.f64_abs - Op.f32_abs;

/** Of compares of two integers, in the order of the ops from `eq` on. */
const intConditions = [Cond.e, Cond.ne, Cond.l, Cond.b, Cond.g, Cond.a, Cond.le, Cond.be, Cond.ge, Cond.ae] as const;

export class Baseline extends BaselineMemory {
  /** @returns undefined where the CPU lacks what it needs. */
  static create(module: CodegenModule, options: CodegenOptions): Baseline | undefined {
    return options.features.has("sse41") && options.features.has("popcnt") ? new Baseline(module, options) : undefined;
  }

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
}
