// How each machine op is emitted: a group (one piece of code in the emit-*.ts files) and the instruction forms it uses.
//
// Columns indexed by machine op number, built once from the rows below. `rm` is the form with the destination in the
// reg field, `mr` the one that writes memory, `mi` the one with an immediate; what `extra` is, the group says.
import { M } from "./mops.js";
import { Form as F } from "./opcodes.js";

export const enum Group {
  none = 0,
  iconst32,
  iconst64,
  fconst,
  fzero,
  stackArg,
  ctxLoad,
  mov,
  lea,
  alu,
  imul,
  unary,
  shift,
  shiftx,
  rorx,
  count,
  bitScan,
  mulHigh,
  div,
  rem,
  float,
  floatCmp,
  sqrt,
  round,
  minMax,
  cvtFloat,
  cvtFromInt,
  cvtToInt,
  cvtU64,
  truncI64,
  truncU64,
  toFloat,
  toInt,
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
}

type Row = readonly [op: M, group: Group, rm?: number, mr?: number, mi?: number, is?: number, extra?: number];

const rows: readonly Row[] = [
  [M.iconst32, Group.iconst32],
  [M.iconst64, Group.iconst64],
  [M.fconst32, Group.fconst, F.movss_rm],
  [M.fconst64, Group.fconst, F.movsd_rm],
  [M.fzero, Group.fzero],
  [M.stack_arg, Group.stackArg],
  [M.ctx_load, Group.ctxLoad],

  [M.mov8, Group.mov, F.mov8_rm, F.mov8_mr, F.mov8_mi],
  [M.mov16, Group.mov, F.mov16_rm, F.mov16_mr, F.mov16_mi],
  [M.mov32, Group.mov, F.mov32_rm, F.mov32_mr, F.mov32_mi],
  [M.mov64, Group.mov, F.mov64_rm, F.mov64_mr, F.mov64_mi, Is.wide],
  [M.movzx8, Group.mov, F.movzx8_rm],
  [M.movzx16, Group.mov, F.movzx16_rm],
  [M.movsx8_32, Group.mov, F.movsx8_32_rm],
  [M.movsx16_32, Group.mov, F.movsx16_32_rm],
  [M.movsx8_64, Group.mov, F.movsx8_64_rm],
  [M.movsx16_64, Group.mov, F.movsx16_64_rm],
  [M.movsx32_64, Group.mov, F.movsx32_64_rm],
  [M.movss, Group.mov, F.movss_rm, F.movss_mr, 0, Is.double],
  [M.movsd, Group.mov, F.movsd_rm, F.movsd_mr, 0, Is.double],

  // mr: the register move; mi: the addition of an immediate.
  [M.lea32, Group.lea, F.lea32_rm, F.mov32_rm, F.add32_mi],
  [M.lea64, Group.lea, F.lea64_rm, F.mov64_rm, F.add64_mi, Is.wide],
  [M.add32, Group.alu, F.add32_rm, F.add32_mr, F.add32_mi],
  [M.add64, Group.alu, F.add64_rm, F.add64_mr, F.add64_mi, Is.wide],
  [M.sub32, Group.alu, F.sub32_rm, F.sub32_mr, F.sub32_mi],
  [M.sub64, Group.alu, F.sub64_rm, F.sub64_mr, F.sub64_mi, Is.wide],
  [M.and32, Group.alu, F.and32_rm, F.and32_mr, F.and32_mi],
  [M.and64, Group.alu, F.and64_rm, F.and64_mr, F.and64_mi, Is.wide],
  [M.or32, Group.alu, F.or32_rm, F.or32_mr, F.or32_mi],
  [M.or64, Group.alu, F.or64_rm, F.or64_mr, F.or64_mi, Is.wide],
  [M.xor32, Group.alu, F.xor32_rm, F.xor32_mr, F.xor32_mi],
  [M.xor64, Group.alu, F.xor64_rm, F.xor64_mr, F.xor64_mi, Is.wide],
  [M.imul32, Group.imul, F.imul32_rm, 0, F.imul32_rmi],
  [M.imul64, Group.imul, F.imul64_rm, 0, F.imul64_rmi],
  [M.neg32, Group.unary, F.neg32_m],
  [M.neg64, Group.unary, F.neg64_m],
  [M.not32, Group.unary, F.not32_m],
  [M.not64, Group.unary, F.not64_m],
  // rm: by cl.
  [M.shl32, Group.shift, F.shl32_mc, 0, F.shl32_mi],
  [M.shl64, Group.shift, F.shl64_mc, 0, F.shl64_mi],
  [M.shr32, Group.shift, F.shr32_mc, 0, F.shr32_mi],
  [M.shr64, Group.shift, F.shr64_mc, 0, F.shr64_mi],
  [M.sar32, Group.shift, F.sar32_mc, 0, F.sar32_mi],
  [M.sar64, Group.shift, F.sar64_mc, 0, F.sar64_mi],
  [M.rol32, Group.shift, F.rol32_mc, 0, F.rol32_mi],
  [M.rol64, Group.shift, F.rol64_mc, 0, F.rol64_mi],
  [M.ror32, Group.shift, F.ror32_mc, 0, F.ror32_mi],
  [M.ror64, Group.shift, F.ror64_mc, 0, F.ror64_mi],
  [M.shlx32, Group.shiftx, F.shlx32_rmv],
  [M.shlx64, Group.shiftx, F.shlx64_rmv],
  [M.shrx32, Group.shiftx, F.shrx32_rmv],
  [M.shrx64, Group.shiftx, F.shrx64_rmv],
  [M.sarx32, Group.shiftx, F.sarx32_rmv],
  [M.sarx64, Group.shiftx, F.sarx64_rmv],
  [M.rorx32, Group.rorx, F.rorx32_rmi],
  [M.rorx64, Group.rorx, F.rorx64_rmi],
  [M.lzcnt32, Group.count, F.lzcnt32_rm],
  [M.lzcnt64, Group.count, F.lzcnt64_rm],
  [M.tzcnt32, Group.count, F.tzcnt32_rm],
  [M.tzcnt64, Group.count, F.tzcnt64_rm],
  [M.popcnt32, Group.count, F.popcnt32_rm],
  [M.popcnt64, Group.count, F.popcnt64_rm],
  // mr: the conditional move for a zero input, without its condition.
  [M.bsr32, Group.bitScan, F.bsr32_rm, F.cmov32_rm],
  [M.bsr64, Group.bitScan, F.bsr64_rm, F.cmov64_rm],
  [M.bsf32, Group.bitScan, F.bsf32_rm, F.cmov32_rm],
  [M.bsf64, Group.bitScan, F.bsf64_rm, F.cmov64_rm],
  [M.umulh64, Group.mulHigh, F.mul64_m],
  [M.smulh64, Group.mulHigh, F.imul64_m],
  [M.udiv32, Group.div, F.div32_m, F.test32_mr, F.cmp32_mi],
  [M.udiv64, Group.div, F.div64_m, F.test64_mr, F.cmp64_mi, Is.wide],
  [M.sdiv32, Group.div, F.idiv32_m, F.test32_mr, F.cmp32_mi, Is.signed],
  [M.sdiv64, Group.div, F.idiv64_m, F.test64_mr, F.cmp64_mi, Is.signed | Is.wide],
  [M.urem32, Group.rem, F.div32_m, F.test32_mr, F.cmp32_mi],
  [M.urem64, Group.rem, F.div64_m, F.test64_mr, F.cmp64_mi, Is.wide],
  [M.srem32, Group.rem, F.idiv32_m, F.test32_mr, F.cmp32_mi, Is.signed],
  [M.srem64, Group.rem, F.idiv64_m, F.test64_mr, F.cmp64_mi, Is.signed | Is.wide],

  [M.addss, Group.float, F.addss_rm],
  [M.addsd, Group.float, F.addsd_rm],
  [M.subss, Group.float, F.subss_rm],
  [M.subsd, Group.float, F.subsd_rm],
  [M.mulss, Group.float, F.mulss_rm],
  [M.mulsd, Group.float, F.mulsd_rm],
  [M.divss, Group.float, F.divss_rm],
  [M.divsd, Group.float, F.divsd_rm],
  [M.minss, Group.float, F.minss_rm],
  [M.minsd, Group.float, F.minsd_rm],
  [M.maxss, Group.float, F.maxss_rm],
  [M.maxsd, Group.float, F.maxsd_rm],
  [M.andps, Group.float, F.andps_rm],
  [M.andnps, Group.float, F.andnps_rm],
  [M.orps, Group.float, F.orps_rm],
  [M.xorps, Group.float, F.xorps_rm],
  [M.cmpss, Group.floatCmp, F.cmpss_rm],
  [M.cmpsd, Group.floatCmp, F.cmpsd_rm],
  [M.sqrtss, Group.sqrt, F.sqrtss_rm],
  [M.sqrtsd, Group.sqrt, F.sqrtsd_rm],
  [M.roundss, Group.round, F.roundss_rmi],
  [M.roundsd, Group.round, F.roundsd_rmi],
  // mr: ucomis; mi: what equal operands are combined with; extra: the addition that quiets a NaN.
  [M.fmin32, Group.minMax, F.minss_rm, F.ucomiss_rm, F.orps_rm, 0, F.addss_rm],
  [M.fmin64, Group.minMax, F.minsd_rm, F.ucomisd_rm, F.orps_rm, 0, F.addsd_rm],
  [M.fmax32, Group.minMax, F.maxss_rm, F.ucomiss_rm, F.andps_rm, 0, F.addss_rm],
  [M.fmax64, Group.minMax, F.maxsd_rm, F.ucomisd_rm, F.andps_rm, 0, F.addsd_rm],

  [M.cvtss2sd, Group.cvtFloat, F.cvtss2sd_rm],
  [M.cvtsd2ss, Group.cvtFloat, F.cvtsd2ss_rm],
  [M.cvtsi2ss32, Group.cvtFromInt, F.cvtsi2ss32_rm],
  [M.cvtsi2sd32, Group.cvtFromInt, F.cvtsi2sd32_rm],
  [M.cvtsi2ss64, Group.cvtFromInt, F.cvtsi2ss64_rm],
  [M.cvtsi2sd64, Group.cvtFromInt, F.cvtsi2sd64_rm],
  [M.cvttss2si32, Group.cvtToInt, F.cvttss2si32_rm],
  [M.cvttsd2si32, Group.cvtToInt, F.cvttsd2si32_rm],
  [M.cvttss2si64, Group.cvtToInt, F.cvttss2si64_rm],
  [M.cvttsd2si64, Group.cvtToInt, F.cvttsd2si64_rm],
  // mr: the addition.
  [M.cvtu64_ss, Group.cvtU64, F.cvtsi2ss64_rm, F.addss_rm],
  [M.cvtu64_sd, Group.cvtU64, F.cvtsi2sd64_rm, F.addsd_rm],
  // mr: ucomis; extra: addition.
  [M.trunc_i64_ss, Group.truncI64, F.cvttss2si64_rm, F.ucomiss_rm, 0, 0, F.addss_rm],
  [M.trunc_i64_sd, Group.truncI64, F.cvttsd2si64_rm, F.ucomisd_rm, 0, Is.double, F.addsd_rm],
  [M.trunc_u64_ss, Group.truncU64, F.cvttss2si64_rm, F.ucomiss_rm, 0, 0, F.addss_rm],
  [M.trunc_u64_sd, Group.truncU64, F.cvttsd2si64_rm, F.ucomisd_rm, 0, Is.double, F.addsd_rm],
  // mr: the load, or store, where the integer is in a slot.
  [M.movd_to_float, Group.toFloat, F.movd_rm, F.movss_rm],
  [M.movq_to_float, Group.toFloat, F.movq_rm, F.movsd_rm],
  [M.movd_to_int, Group.toInt, F.movd_mr, F.mov32_rm],
  [M.movq_to_int, Group.toInt, F.movq_mr, F.mov64_rm],

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

function column<T extends Int32Array | Uint8Array>(to: T, of: (row: Row) => number | undefined): T {
  for (const row of rows) to[row[0]] = of(row) ?? 0;
  return to;
}

export const opGroup = column(new Uint8Array(M.compare_first), (row) => row[1]);
export const opRm = column(new Int32Array(M.compare_first), (row) => row[2]);
export const opMr = column(new Int32Array(M.compare_first), (row) => row[3]);
export const opMi = column(new Int32Array(M.compare_first), (row) => row[4]);
export const opIs = column(new Uint8Array(M.compare_first), (row) => row[5]);
export const opExtra = column(new Int32Array(M.compare_first), (row) => row[6]);

/** Forms of the compare families, indexed by `Producer`: `_rm` compares register with r/m, `_mr` r/m with register. */
export const producerRm: readonly number[] = [0, F.cmp32_rm, F.cmp64_rm, 0, F.test32_mr, F.test64_mr, F.bt32_mr, F.bt64_mr, F.ucomiss_rm, F.ucomisd_rm];
export const producerMi: readonly number[] = [F.cmp8_mi, F.cmp32_mi, F.cmp64_mi, F.test8_mi, F.test32_mi, F.test64_mi, F.bt32_mi, F.bt64_mi, 0, 0];
