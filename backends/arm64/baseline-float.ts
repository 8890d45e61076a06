// The baseline compiler's operations of one instruction or one row on arm64: nearly all floats and conversions, by table.
//
//   f64.add => fadd d0, d0, d1;  i32.trunc_f64_s => the sequence of `truncs32_d`
// Relies on baseline-int.ts.
import { Op, opInfo } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { byOp } from "../baseline/by-op.js";
import { BaselineInt } from "./baseline-int.js";
import { M } from "./mops.js";
import { Form } from "./opcodes.js";

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

export abstract class BaselineFloat extends BaselineInt {
  /** @returns whether the operation is one of these, and done. */
  protected byTable(op: Op, offset: number): boolean {
    if (unaryForm[op] !== 0) this.unary(op);
    else if (binaryForm[op] !== 0) this.floatBinary(op);
    else if (rowOf[op] !== 0) this.rowUnary(op, offset);
    else return false;
    return true;
  }

  /** One instruction, integers and floats. */
  protected unary(op: Op): void {
    const type = opInfo[op]!.result as Type;
    const isReinterpretation = op >= Op.i32_reinterpret_f32 && op <= Op.f64_reinterpret_i64;
    if (isReinterpretation && this.retype(type)) return;
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    this.asm.rr(unaryForm[op]!, d, from);
    this.result(type, d);
  }

  protected floatBinary(op: Op): void {
    const type = opInfo[op]!.result as Type;
    const x = this.pop(2);
    const left = this.toReg(x);
    const right = this.floatRight(x + 1);
    const d = this.define(type, 2);
    this.asm.rrr(binaryForm[op]!, d, left, right);
    this.result(type, d);
  }

  protected rowUnary(op: Op, offset: number): void {
    const type = opInfo[op]!.result as Type;
    const from = this.toReg(this.pop(1));
    const d = this.define(type, 1);
    this.row(rowOf[op]!, 0, offset, d, from);
    this.result(type, d);
  }

  protected copysign(mop: number, type: Type): void {
    const x = this.pop(2);
    const sign = this.toReg(x + 1);
    const d = this.toOwn(x);
    this.row(mop, 0, 0, d, d, sign);
    this.release(x + 1);
    this.push(type, d);
  }
}
