// The baseline compiler of arm64: which operation is whose, and conditions.
//
//   i32.eqz; br_if 1 => cbz w0, label
// Relies on the files baseline-*.ts, each of which adds its operations to the one before: frame, int, float, memory.
import { Op } from "../../ir/ops.js";
import { RegClass, Type, regClass } from "../../ir/types.js";
import { Held } from "../baseline/state.js";
import { Zero } from "./baseline-frame.js";
import { BaselineMemory } from "./baseline-memory.js";
import { fitsAdd } from "./encode.js";
import { M } from "./mops.js";
import { Cond, Form, exchanged } from "./opcodes.js";
import { Reg } from "./registers.js";

/** The i64 ops stand in the order of the i32 ones. */
const I64 = Op.i64_clz - Op.i32_clz;

/** Of compares of two integers, in the order of the ops from `eq` on. */
const intConditions = [Cond.eq, Cond.ne, Cond.lt, Cond.lo, Cond.gt, Cond.hi, Cond.le, Cond.ls, Cond.ge, Cond.hs] as const;
/** Of floats: false where unordered, but for `ne`. */
const floatConditions = [Cond.eq, Cond.ne, Cond.mi, Cond.gt, Cond.ls, Cond.ge] as const;

export class Baseline extends BaselineMemory {
  override operator(op: Op, offset: number): void {
    if (this.byTable(op, offset)) return;
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
}
