// The table of SIMD instructions: opcode behind 0xfd, name, types, immediate (spec 5.4.8). Only validation uses it.
import { Type } from "../../ir/types.js";
import { shapeOf } from "./opcodes.js";

export const enum SimdImm {
  none = 0,
  memarg = 1,
  lane = 2,
  memarg_lane = 3,
  /** 16 bytes: a constant. */
  bytes = 4,
  /** 16 lane indices below 32. */
  shuffle = 5,
}

export interface SimdOp {
  readonly opcode: number;
  readonly name: string;
  /** Operand and result types, packed as in opcodes.ts. */
  readonly shape: number;
  readonly imm: SimdImm;
  /** Largest alignment exponent of an access. */
  readonly align: number;
  /** Lane indices must be below this. */
  readonly lanes: number;
}

const types: Readonly<Record<string, Type>> = { v: Type.v128, i: Type.i32, l: Type.i64, f: Type.f32, d: Type.f64 };

/** `sig`: operands, a space, the result; a letter each: v v128, i i32, l i64, f f32, d f64. */
function row(opcode: number, name: string, sig: string, imm: SimdImm = SimdImm.none, align = 0, lanes = 0): SimdOp {
  const [args, result] = sig.split(" ");
  const shape = shapeOf([...args!].map((c) => types[c]!), result ? types[result]! : Type.none);
  return { opcode, name, shape, imm, align, lanes };
}

/** Consecutive opcodes of one signature. */
function run(first: number, sig: string, names: string): SimdOp[] {
  return names.trim().split(/\s+/).map((name, i) => row(first + i, name, sig));
}

// prettier-ignore
const rows: readonly SimdOp[] = [
  row(0, "v128.load", "i v", SimdImm.memarg, 4),
  ...["8x8_s", "8x8_u", "16x4_s", "16x4_u", "32x2_s", "32x2_u"].map((n, i) => row(1 + i, `v128.load${n}`, "i v", SimdImm.memarg, 3)),
  ...[8, 16, 32, 64].map((bits, i) => row(7 + i, `v128.load${bits}_splat`, "i v", SimdImm.memarg, i)),
  row(11, "v128.store", "iv", SimdImm.memarg, 4),
  row(12, "v128.const", " v", SimdImm.bytes),
  row(13, "i8x16.shuffle", "vv v", SimdImm.shuffle),
  row(14, "i8x16.swizzle", "vv v"),
  row(15, "i8x16.splat", "i v"), row(16, "i16x8.splat", "i v"), row(17, "i32x4.splat", "i v"),
  row(18, "i64x2.splat", "l v"), row(19, "f32x4.splat", "f v"), row(20, "f64x2.splat", "d v"),
  row(21, "i8x16.extract_lane_s", "v i", SimdImm.lane, 0, 16),
  row(22, "i8x16.extract_lane_u", "v i", SimdImm.lane, 0, 16),
  row(23, "i8x16.replace_lane", "vi v", SimdImm.lane, 0, 16),
  row(24, "i16x8.extract_lane_s", "v i", SimdImm.lane, 0, 8),
  row(25, "i16x8.extract_lane_u", "v i", SimdImm.lane, 0, 8),
  row(26, "i16x8.replace_lane", "vi v", SimdImm.lane, 0, 8),
  row(27, "i32x4.extract_lane", "v i", SimdImm.lane, 0, 4),
  row(28, "i32x4.replace_lane", "vi v", SimdImm.lane, 0, 4),
  row(29, "i64x2.extract_lane", "v l", SimdImm.lane, 0, 2),
  row(30, "i64x2.replace_lane", "vl v", SimdImm.lane, 0, 2),
  row(31, "f32x4.extract_lane", "v f", SimdImm.lane, 0, 4),
  row(32, "f32x4.replace_lane", "vf v", SimdImm.lane, 0, 4),
  row(33, "f64x2.extract_lane", "v d", SimdImm.lane, 0, 2),
  row(34, "f64x2.replace_lane", "vd v", SimdImm.lane, 0, 2),
  ...["i8x16", "i16x8", "i32x4"].flatMap((shape, i) => run(35 + 10 * i, "vv v",
    ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"].map((op) => `${shape}.${op}`).join(" "))),
  ...["f32x4", "f64x2"].flatMap((shape, i) => run(65 + 6 * i, "vv v",
    ["eq", "ne", "lt", "gt", "le", "ge"].map((op) => `${shape}.${op}`).join(" "))),
  row(77, "v128.not", "v v"),
  ...run(78, "vv v", "v128.and v128.andnot v128.or v128.xor"),
  row(82, "v128.bitselect", "vvv v"),
  row(83, "v128.any_true", "v i"),
  ...[8, 16, 32, 64].map((bits, i) => row(84 + i, `v128.load${bits}_lane`, "iv v", SimdImm.memarg_lane, i, 128 / bits)),
  ...[8, 16, 32, 64].map((bits, i) => row(88 + i, `v128.store${bits}_lane`, "iv", SimdImm.memarg_lane, i, 128 / bits)),
  row(92, "v128.load32_zero", "i v", SimdImm.memarg, 2),
  row(93, "v128.load64_zero", "i v", SimdImm.memarg, 3),
  ...run(94, "v v", "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4 i8x16.abs i8x16.neg i8x16.popcnt"),
  row(99, "i8x16.all_true", "v i"), row(100, "i8x16.bitmask", "v i"),
  ...run(101, "vv v", "i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u"),
  ...run(103, "v v", "f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest"),
  ...run(107, "vi v", "i8x16.shl i8x16.shr_s i8x16.shr_u"),
  ...run(110, "vv v", "i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u"),
  ...run(116, "v v", "f64x2.ceil f64x2.floor"),
  ...run(118, "vv v", "i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u"),
  row(122, "f64x2.trunc", "v v"),
  row(123, "i8x16.avgr_u", "vv v"),
  ...run(124, "v v", `i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s
    i32x4.extadd_pairwise_i16x8_u i16x8.abs i16x8.neg`),
  row(130, "i16x8.q15mulr_sat_s", "vv v"),
  row(131, "i16x8.all_true", "v i"), row(132, "i16x8.bitmask", "v i"),
  ...run(133, "vv v", "i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u"),
  ...run(135, "v v", "i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u"),
  ...run(139, "vi v", "i16x8.shl i16x8.shr_s i16x8.shr_u"),
  ...run(142, "vv v", "i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u"),
  row(148, "f64x2.nearest", "v v"),
  ...run(149, "vv v", "i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u"),
  row(155, "i16x8.avgr_u", "vv v"),
  ...run(156, "vv v", "i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u"),
  ...run(160, "v v", "i32x4.abs i32x4.neg"),
  row(163, "i32x4.all_true", "v i"), row(164, "i32x4.bitmask", "v i"),
  ...run(167, "v v", "i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u"),
  ...run(171, "vi v", "i32x4.shl i32x4.shr_s i32x4.shr_u"),
  row(174, "i32x4.add", "vv v"), row(177, "i32x4.sub", "vv v"),
  ...run(181, "vv v", "i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s"),
  ...run(188, "vv v", "i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u"),
  ...run(192, "v v", "i64x2.abs i64x2.neg"),
  row(195, "i64x2.all_true", "v i"), row(196, "i64x2.bitmask", "v i"),
  ...run(199, "v v", "i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u"),
  ...run(203, "vi v", "i64x2.shl i64x2.shr_s i64x2.shr_u"),
  row(206, "i64x2.add", "vv v"), row(209, "i64x2.sub", "vv v"), row(213, "i64x2.mul", "vv v"),
  ...run(214, "vv v", `i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s
    i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u`),
  ...run(224, "v v", "f32x4.abs f32x4.neg"), row(227, "f32x4.sqrt", "v v"),
  ...run(228, "vv v", "f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax"),
  ...run(236, "v v", "f64x2.abs f64x2.neg"), row(239, "f64x2.sqrt", "v v"),
  ...run(240, "vv v", "f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax"),
  ...run(248, "v v", `i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u
    i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u`),
];

/** By opcode; undefined where there is no instruction. */
export const simdOps: readonly (SimdOp | undefined)[] = byOpcode(rows);

function byOpcode(rows: readonly SimdOp[]): (SimdOp | undefined)[] {
  const table = new Array<SimdOp | undefined>(256);
  for (const each of rows) table[each.opcode] = each;
  return table;
}
