// Float arithmetic and conversions => machine ops.
//
// Nearly every operation of Wasm is one instruction here: min, max, the roundings and the saturating conversions mean the
// same. The machine ops come in pairs, f64 behind f32, as the SSA ops come in blocks.
import type { Value } from "../../ir/entity.js";
import { Op } from "../../ir/ops.js";
import { lowerExtendingLoad } from "./lower-memory.js";
import { M } from "./mops.js";
import { U, type Selection } from "./selection.js";

const F64 = Op.f64_abs - Op.f32_abs;

export function lowerFloat(s: Selection, v: Value, op: Op): void {
  const wide = op >= Op.f64_abs ? 1 : 0;
  switch ((wide ? op - F64 : op) as Op) {
    case Op.f32_add: return binary(s, v, M.fadd32 + wide);
    case Op.f32_sub: return binary(s, v, M.fsub32 + wide);
    case Op.f32_mul: return binary(s, v, M.fmul32 + wide);
    case Op.f32_div: return binary(s, v, M.fdiv32 + wide);
    case Op.f32_min: return binary(s, v, M.fmin32 + wide);
    case Op.f32_max: return binary(s, v, M.fmax32 + wide);
    case Op.f32_abs: return unary(s, v, M.fabs32 + wide);
    case Op.f32_neg: return unary(s, v, M.fneg32 + wide);
    case Op.f32_copysign: return copysign(s, v, M.copysign32 + wide);
    case Op.f32_sqrt: return unary(s, v, M.fsqrt32 + wide);
    case Op.f32_nearest: return unary(s, v, M.frintn32 + wide);
    case Op.f32_floor: return unary(s, v, M.frintm32 + wide);
    case Op.f32_ceil: return unary(s, v, M.frintp32 + wide);
    case Op.f32_trunc: return unary(s, v, M.frintz32 + wide);
    default: throw new Error(`v${v}: no float op`);
  }
}

function binary(s: Selection, v: Value, mop: number): void {
  s.binaryReg(mop, s.result(), s.low.reg(s.arg(v, 0)), s.low.reg(s.arg(v, 1)));
}

function unary(s: Selection, v: Value, mop: number): void {
  s.unary(mop, s.result(), s.low.reg(s.arg(v, 0)));
}

function copysign(s: Selection, v: Value, mop: number): void {
  const magnitude = s.low.reg(s.arg(v, 0));
  const sign = s.low.reg(s.arg(v, 1));
  s.inst(mop);
  s.addFixed(s.result(), U.defSame, 1);
  s.add(magnitude, U.reg);
  s.add(sign, U.regLate);
}

/** Plain conversions, one instruction each, from a register of 32 or 64 bits or a float one (0). */
const conversions = new Map<Op, readonly [M, 0 | 32 | 64]>([
  [Op.f64_promote_f32, [M.fcvt_ds, 0]], [Op.f32_demote_f64, [M.fcvt_sd, 0]],
  [Op.f32_convert_i32_s, [M.scvtf32_s, 32]], [Op.f64_convert_i32_s, [M.scvtf32_d, 32]],
  [Op.f32_convert_i64_s, [M.scvtf64_s, 64]], [Op.f64_convert_i64_s, [M.scvtf64_d, 64]],
  [Op.f32_convert_i32_u, [M.ucvtf32_s, 32]], [Op.f64_convert_i32_u, [M.ucvtf32_d, 32]],
  [Op.f32_convert_i64_u, [M.ucvtf64_s, 64]], [Op.f64_convert_i64_u, [M.ucvtf64_d, 64]],
  [Op.i32_trunc_f32_s, [M.truncs32_s, 0]], [Op.i32_trunc_f32_u, [M.truncu32_s, 0]],
  [Op.i32_trunc_f64_s, [M.truncs32_d, 0]], [Op.i32_trunc_f64_u, [M.truncu32_d, 0]],
  [Op.i64_trunc_f32_s, [M.truncs64_s, 0]], [Op.i64_trunc_f32_u, [M.truncu64_s, 0]],
  [Op.i64_trunc_f64_s, [M.truncs64_d, 0]], [Op.i64_trunc_f64_u, [M.truncu64_d, 0]],
  [Op.i32_trunc_sat_f32_s, [M.fcvtzs32_s, 0]], [Op.i32_trunc_sat_f32_u, [M.fcvtzu32_s, 0]],
  [Op.i32_trunc_sat_f64_s, [M.fcvtzs32_d, 0]], [Op.i32_trunc_sat_f64_u, [M.fcvtzu32_d, 0]],
  [Op.i64_trunc_sat_f32_s, [M.fcvtzs64_s, 0]], [Op.i64_trunc_sat_f32_u, [M.fcvtzu64_s, 0]],
  [Op.i64_trunc_sat_f64_s, [M.fcvtzs64_d, 0]], [Op.i64_trunc_sat_f64_u, [M.fcvtzu64_d, 0]],
]);

export function lowerConversion(s: Selection, v: Value, op: Op): void {
  const plain = conversions.get(op);
  if (plain) {
    const [mop, bits] = plain;
    const x = s.arg(v, 0);
    return s.unary(mop, s.result(), bits === 0 ? s.low.reg(x) : s.regOf(x, bits));
  }
  switch (op) {
    case Op.i32_wrap_i64: case Op.i64_extend_i32_u: return s.unary(M.mov32, s.result(), s.regOf(s.arg(v, 0), 32));
    case Op.i64_extend_i32_s: return extend(s, v, M.sbfm64, 31, Op.i32_load, M.ldr32s64);
    case Op.i32_extend8_s: return extend(s, v, M.sbfm32, 7, Op.i32_load8_u, M.ldr8s32);
    case Op.i32_extend16_s: return extend(s, v, M.sbfm32, 15, Op.i32_load16_u, M.ldr16s32);
    case Op.i64_extend8_s: return extend(s, v, M.sbfm64, 7, Op.i64_load8_u, M.ldr8s64);
    case Op.i64_extend16_s: return extend(s, v, M.sbfm64, 15, Op.i64_load16_u, M.ldr16s64);
    case Op.i64_extend32_s: return extend(s, v, M.sbfm64, 31, Op.i64_load32_u, M.ldr32s64);
    case Op.i32_reinterpret_f32: return reinterpret(s, v, M.fmov_ws, Op.f32_load, M.ldr32);
    case Op.i64_reinterpret_f64: return reinterpret(s, v, M.fmov_xd, Op.f64_load, M.ldr64);
    case Op.f32_reinterpret_i32: return reinterpret(s, v, M.fmov_sw, Op.i32_load, M.ldrs);
    case Op.f64_reinterpret_i64: return reinterpret(s, v, M.fmov_dx, Op.i64_load, M.ldrd);
    default: throw new Error(`v${v}: no conversion`);
  }
}

/** A sign extension of the bits up to `last`; of a load that is taken in: the sign-extending load. */
function extend(s: Selection, v: Value, mop: M, last: number, load: Op, loadMop: M): void {
  const d = s.result();
  const x = s.low32(s.wide(s.arg(v, 0)));
  if (s.fn.op[x] === load && s.low.canMerge(x)) return lowerExtendingLoad(s, x, loadMop, d);
  s.unary(mop, d, s.low.reg(x), 0, last);
}

function reinterpret(s: Selection, v: Value, mop: M, load: Op, loadMop: M): void {
  const d = s.result();
  const x = s.arg(v, 0);
  if (s.fn.op[x] === load && s.low.canMerge(x)) return lowerExtendingLoad(s, x, loadMop, d);
  s.unary(mop, d, s.low.reg(x));
}
