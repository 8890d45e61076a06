// How each machine op is emitted: a group (one piece of code in emit-inst.ts) and the instruction forms it uses.
//
// Columns indexed by machine op number, built once from the rows below. What `second` and `third` are, the group says.
import { M } from "./mops.js";
import { Form as F } from "./opcodes.js";

export const enum Group {
  none = 0,
  iconst32,
  iconst64,
  fconst32,
  fconst64,
  fpool,
  stackArg,
  ctxLoad,
  memoryBase,
  pointer,
  mov,
  load,
  store,
  /** form: shifted register; second: immediate; third: extended. */
  sum,
  /** form: shifted register; second: immediate. */
  logical,
  /** One register operand, shifted; the first is the zero register. */
  fromZero,
  /** d, n, m. */
  rrr,
  /** d, n, m, zero register. */
  product,
  rrrr,
  bitfield,
  extract,
  /** d, n. */
  rr,
  popcnt,
  /** second: cbz; third: msub of remainders. */
  divide,
  copysign,
  /** second: fccmp. */
  trunc32,
  /** second: fcmp; third: fccmp. */
  trunc64,
  call,
  callImport,
  callRef,
  callRefOwn,
  callCtx,
  jmp,
  jumpTable,
  ret,
  trap,
}

/** Properties the groups ask for. */
export const enum Is {
  wide = 1,
  signed = 2,
  double = 4,
  /** Does not change the flags. */
  flagless = 8,
}

/** Groups whose code sets flags, or is not known not to. */
const flagging = new Set<Group>([
  Group.none, Group.divide, Group.trunc32, Group.trunc64, Group.call, Group.callImport, Group.callRef, Group.callRefOwn, Group.callCtx, Group.jmp, Group.jumpTable, Group.ret, Group.trap,
]);

type Row = readonly [op: M, group: Group, form?: number, second?: number, third?: number, is?: number];

const rows: readonly Row[] = [
  [M.iconst32, Group.iconst32],
  [M.iconst64, Group.iconst64],
  [M.fconst32, Group.fconst32],
  [M.fconst64, Group.fconst64],
  [M.fpool32, Group.fpool, F.ldrl_s],
  [M.fpool64, Group.fpool, F.ldrl_d],
  [M.stack_arg, Group.stackArg],
  [M.ctx_load, Group.ctxLoad],
  [M.memory_base, Group.memoryBase],
  [M.pointer, Group.pointer, F.add64_x],
  [M.mov32, Group.mov],
  [M.mov64, Group.mov, 0, 0, 0, Is.wide],
  [M.ldr8u, Group.load, F.ldrb],
  [M.ldr8s32, Group.load, F.ldrsb32],
  [M.ldr8s64, Group.load, F.ldrsb64],
  [M.ldr16u, Group.load, F.ldrh],
  [M.ldr16s32, Group.load, F.ldrsh32],
  [M.ldr16s64, Group.load, F.ldrsh64],
  [M.ldr32, Group.load, F.ldr32],
  [M.ldr32s64, Group.load, F.ldrsw],
  [M.ldr64, Group.load, F.ldr64],
  [M.ldrs, Group.load, F.ldr_s],
  [M.ldrd, Group.load, F.ldr_d],
  [M.str8, Group.store, F.strb],
  [M.str16, Group.store, F.strh],
  [M.str32, Group.store, F.str32],
  [M.str64, Group.store, F.str64],
  [M.strs, Group.store, F.str_s],
  [M.strd, Group.store, F.str_d],

  [M.add32, Group.sum, F.add32_r, F.add32_i, F.add32_x],
  [M.add64, Group.sum, F.add64_r, F.add64_i, F.add64_x],
  [M.sub32, Group.sum, F.sub32_r, F.sub32_i, F.sub32_x],
  [M.sub64, Group.sum, F.sub64_r, F.sub64_i, F.sub64_x],
  [M.and32, Group.logical, F.and32_r, F.and32_i],
  [M.and64, Group.logical, F.and64_r, F.and64_i],
  [M.orr32, Group.logical, F.orr32_r, F.orr32_i],
  [M.orr64, Group.logical, F.orr64_r, F.orr64_i],
  [M.eor32, Group.logical, F.eor32_r, F.eor32_i],
  [M.eor64, Group.logical, F.eor64_r, F.eor64_i],
  [M.bic32, Group.logical, F.bic32_r],
  [M.bic64, Group.logical, F.bic64_r],
  [M.orn32, Group.logical, F.orn32_r],
  [M.orn64, Group.logical, F.orn64_r],
  [M.eon32, Group.logical, F.eon32_r],
  [M.eon64, Group.logical, F.eon64_r],
  [M.neg32, Group.fromZero, F.sub32_r],
  [M.neg64, Group.fromZero, F.sub64_r],
  [M.mvn32, Group.fromZero, F.orn32_r],
  [M.mvn64, Group.fromZero, F.orn64_r],
  [M.mul32, Group.product, F.madd32],
  [M.mul64, Group.product, F.madd64],
  [M.umull, Group.product, F.umaddl],
  [M.smull, Group.product, F.smaddl],
  [M.umulh, Group.rrr, F.umulh],
  [M.smulh, Group.rrr, F.smulh],
  [M.madd32, Group.rrrr, F.madd32],
  [M.madd64, Group.rrrr, F.madd64],
  [M.msub32, Group.rrrr, F.msub32],
  [M.msub64, Group.rrrr, F.msub64],
  [M.lsl32, Group.rrr, F.lslv32],
  [M.lsl64, Group.rrr, F.lslv64],
  [M.lsr32, Group.rrr, F.lsrv32],
  [M.lsr64, Group.rrr, F.lsrv64],
  [M.asr32, Group.rrr, F.asrv32],
  [M.asr64, Group.rrr, F.asrv64],
  [M.ror32, Group.rrr, F.rorv32],
  [M.ror64, Group.rrr, F.rorv64],
  [M.ubfm32, Group.bitfield, F.ubfm32],
  [M.ubfm64, Group.bitfield, F.ubfm64],
  [M.sbfm32, Group.bitfield, F.sbfm32],
  [M.sbfm64, Group.bitfield, F.sbfm64],
  [M.extr32, Group.extract, F.extr32],
  [M.extr64, Group.extract, F.extr64],
  [M.clz32, Group.rr, F.clz32],
  [M.clz64, Group.rr, F.clz64],
  [M.rbit32, Group.rr, F.rbit32],
  [M.rbit64, Group.rr, F.rbit64],
  [M.rev32, Group.rr, F.rev32],
  [M.rev64, Group.rr, F.rev64],
  [M.popcnt32, Group.popcnt, F.fmov_sw],
  [M.popcnt64, Group.popcnt, F.fmov_dx],
  [M.udiv32, Group.divide, F.udiv32, F.cbz32],
  [M.udiv64, Group.divide, F.udiv64, F.cbz64, 0, Is.wide],
  [M.sdiv32, Group.divide, F.sdiv32, F.cbz32, 0, Is.signed],
  [M.sdiv64, Group.divide, F.sdiv64, F.cbz64, 0, Is.signed | Is.wide],
  [M.urem32, Group.divide, F.udiv32, F.cbz32, F.msub32],
  [M.urem64, Group.divide, F.udiv64, F.cbz64, F.msub64, Is.wide],
  [M.srem32, Group.divide, F.sdiv32, F.cbz32, F.msub32, Is.signed],
  [M.srem64, Group.divide, F.sdiv64, F.cbz64, F.msub64, Is.signed | Is.wide],

  [M.fadd32, Group.rrr, F.fadd_s],
  [M.fadd64, Group.rrr, F.fadd_d],
  [M.fsub32, Group.rrr, F.fsub_s],
  [M.fsub64, Group.rrr, F.fsub_d],
  [M.fmul32, Group.rrr, F.fmul_s],
  [M.fmul64, Group.rrr, F.fmul_d],
  [M.fdiv32, Group.rrr, F.fdiv_s],
  [M.fdiv64, Group.rrr, F.fdiv_d],
  [M.fmin32, Group.rrr, F.fmin_s],
  [M.fmin64, Group.rrr, F.fmin_d],
  [M.fmax32, Group.rrr, F.fmax_s],
  [M.fmax64, Group.rrr, F.fmax_d],
  [M.fabs32, Group.rr, F.fabs_s],
  [M.fabs64, Group.rr, F.fabs_d],
  [M.fneg32, Group.rr, F.fneg_s],
  [M.fneg64, Group.rr, F.fneg_d],
  [M.fsqrt32, Group.rr, F.fsqrt_s],
  [M.fsqrt64, Group.rr, F.fsqrt_d],
  [M.frintn32, Group.rr, F.frintn_s],
  [M.frintn64, Group.rr, F.frintn_d],
  [M.frintp32, Group.rr, F.frintp_s],
  [M.frintp64, Group.rr, F.frintp_d],
  [M.frintm32, Group.rr, F.frintm_s],
  [M.frintm64, Group.rr, F.frintm_d],
  [M.frintz32, Group.rr, F.frintz_s],
  [M.frintz64, Group.rr, F.frintz_d],
  [M.copysign32, Group.copysign],
  [M.copysign64, Group.copysign, 0, 0, 0, Is.double],

  [M.fcvt_ds, Group.rr, F.fcvt_ds],
  [M.fcvt_sd, Group.rr, F.fcvt_sd],
  [M.scvtf32_s, Group.rr, F.scvtf32_s],
  [M.scvtf32_d, Group.rr, F.scvtf32_d],
  [M.scvtf64_s, Group.rr, F.scvtf64_s],
  [M.scvtf64_d, Group.rr, F.scvtf64_d],
  [M.ucvtf32_s, Group.rr, F.ucvtf32_s],
  [M.ucvtf32_d, Group.rr, F.ucvtf32_d],
  [M.ucvtf64_s, Group.rr, F.ucvtf64_s],
  [M.ucvtf64_d, Group.rr, F.ucvtf64_d],
  [M.fcvtzs32_s, Group.rr, F.fcvtzs32_s],
  [M.fcvtzs32_d, Group.rr, F.fcvtzs32_d],
  [M.fcvtzs64_s, Group.rr, F.fcvtzs64_s],
  [M.fcvtzs64_d, Group.rr, F.fcvtzs64_d],
  [M.fcvtzu32_s, Group.rr, F.fcvtzu32_s],
  [M.fcvtzu32_d, Group.rr, F.fcvtzu32_d],
  [M.fcvtzu64_s, Group.rr, F.fcvtzu64_s],
  [M.fcvtzu64_d, Group.rr, F.fcvtzu64_d],
  [M.truncs32_s, Group.trunc32, F.fcvtzs64_s, F.fccmp_s, 0, Is.signed],
  [M.truncs32_d, Group.trunc32, F.fcvtzs64_d, F.fccmp_d, 0, Is.signed | Is.double],
  [M.truncu32_s, Group.trunc32, F.fcvtzs64_s, F.fccmp_s],
  [M.truncu32_d, Group.trunc32, F.fcvtzs64_d, F.fccmp_d, 0, Is.double],
  [M.truncs64_s, Group.trunc64, F.fcvtzs64_s, F.fcmp_s, F.fccmp_s, Is.signed],
  [M.truncs64_d, Group.trunc64, F.fcvtzs64_d, F.fcmp_d, F.fccmp_d, Is.signed | Is.double],
  [M.truncu64_s, Group.trunc64, F.fcvtzu64_s, F.fcmp_s, F.fccmp_s],
  [M.truncu64_d, Group.trunc64, F.fcvtzu64_d, F.fcmp_d, F.fccmp_d, Is.double],
  [M.fmov_sw, Group.rr, F.fmov_sw],
  [M.fmov_dx, Group.rr, F.fmov_dx],
  [M.fmov_ws, Group.rr, F.fmov_ws],
  [M.fmov_xd, Group.rr, F.fmov_xd],

  [M.call, Group.call],
  [M.call_import, Group.callImport],
  [M.call_ref, Group.callRef],
  [M.call_ref_own, Group.callRefOwn],
  [M.call_ctx, Group.callCtx],
  [M.jmp, Group.jmp],
  [M.jump_table, Group.jumpTable],
  [M.ret, Group.ret],
  [M.trap, Group.trap],
];

function column(cell: (row: Row) => number): Int32Array {
  const values = new Int32Array(M.compare_first);
  rows.forEach((row) => (values[row[0]] = cell(row)));
  return values;
}

export const opGroup: Int32Array = column((row) => row[1]);
export const opForm: Int32Array = column((row) => row[2] ?? 0);
export const opSecond: Int32Array = column((row) => row[3] ?? 0);
export const opThird: Int32Array = column((row) => row[4] ?? 0);
export const opIs: Int32Array = column((row) => (row[5] ?? 0) | (flagging.has(row[1]) ? 0 : Is.flagless));

/** Forms of the compare families, indexed by `Producer`: with a (shifted) register, extended register, immediate, negated immediate. */
export const producerReg: readonly number[] = [F.subs32_r, F.subs64_r, F.ands32_r, F.ands64_r, F.fcmp_s, F.fcmp_d, F.ccmp32_r, F.ccmp64_r, F.fccmp_s, F.fccmp_d];
export const producerExtended: readonly number[] = [F.subs32_x, F.subs64_x];
export const producerImm: readonly number[] = [F.subs32_i, F.subs64_i, F.ands32_i, F.ands64_i, F.fcmpz_s, F.fcmpz_d, F.ccmp32_i, F.ccmp64_i];
export const producerNegated: readonly number[] = [F.adds32_i, F.adds64_i, 0, 0, 0, 0, F.ccmn32_i, F.ccmn64_i];

/** Forms of the selecting consumers, indexed by `Consumer`; 0 for the others. */
export const consumerSelect: readonly number[] = [0, 0, F.csel32, F.csel64, F.fcsel_d, 0, 0, F.csinc32, F.csinc64, F.csinv32, F.csinv64, F.csneg32, F.csneg64];
