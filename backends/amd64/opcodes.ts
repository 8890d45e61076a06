// The instruction forms of amd64 that we emit, as data: one number a form.
//
// A form is opcode byte, mandatory prefix, opcode map, width, /digit and immediate size packed into one integer, which
// encode.ts turns into bytes. Names: mnemonic, width, then which operand the ModRM byte puts where: `_rm` has the
// destination in the reg field and reads register or memory, `_mr` writes (or, for cmp and test, has as first operand)
// register or memory, `_mi` is register or memory with an immediate, `_m` register or memory alone. Condition codes are
// added: `Form.setcc + Cond.b`. Source: AMD64 Architecture Programmer's Manual volume 3 and 4, Intel SDM volume 2.

export const enum Bit {
  opcodeMask = 0xff,
  prefixShift = 8,
  p66 = 1 << 8,
  pF3 = 2 << 8,
  pF2 = 3 << 8,
  mapShift = 10,
  /** 0F, 0F 38, 0F 3A; in that order, as VEX numbers them. */
  m0F = 1 << 10,
  m0F38 = 2 << 10,
  m0F3A = 3 << 10,
  w = 1 << 12,
  /** The reg field names an 8-bit register (4-7 need a REX prefix to be spl..dil). */
  reg8 = 1 << 13,
  /** So does the r/m field, when it is a register. */
  rm8 = 1 << 14,
  digitShift = 16,
  immShift = 20,
  imm8 = 1 << 20,
  imm16 = 2 << 20,
  imm32 = 3 << 20,
  /** A sign-extended 8-bit immediate has opcode `| 2`. */
  short = 1 << 22,
  /** An immediate of 1 has opcode `| 0x10` and no immediate byte. */
  one = 1 << 23,
  /** With rax and a full immediate there is an opcode without ModRM. */
  acc = 1 << 24,
  /** 256-bit vectors (VEX only). */
  l256 = 1 << 25,
}

/** Condition codes, hardware numbers; `c ^ 1` is the opposite. */
export const enum Cond {
  o = 0,
  no = 1,
  b = 2,
  ae = 3,
  e = 4,
  ne = 5,
  be = 6,
  a = 7,
  s = 8,
  ns = 9,
  p = 10,
  np = 11,
  l = 12,
  ge = 13,
  le = 14,
  g = 15,
}

export const condNames = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"] as const;

/** Immediate of cmpss, cmpsd. */
export const enum CmpPredicate {
  eq = 0,
  lt = 1,
  le = 2,
  unord = 3,
  neq = 4,
  nlt = 5,
  nle = 6,
  ord = 7,
}

/** Immediate of roundss, roundsd: with the "inexact" exception suppressed. */
export const enum Rounding {
  nearest = 8,
  floor = 9,
  ceil = 10,
  trunc = 11,
}

type Width = 8 | 16 | 32 | 64;

function rows<K extends string>(entries: [string, number][]): Record<K, number> {
  return Object.fromEntries(entries) as Record<K, number>;
}

/** Opcode `op` for 8 bits, `op + 1` for the wider ones. */
function wide(op: number, width: Width): number {
  return width === 8 ? op : width === 16 ? Bit.p66 | (op + 1) : width === 32 ? op + 1 : Bit.w | (op + 1);
}

function digit(d: number): number {
  return d << Bit.digitShift;
}

function immOf(width: Width): number {
  return width === 8 ? Bit.imm8 : width === 16 ? Bit.imm16 : Bit.imm32;
}

const widths = [8, 16, 32, 64] as const;
const wides = [16, 32, 64] as const;
const both = (width: Width) => (width === 8 ? Bit.reg8 | Bit.rm8 : 0);
const rm8 = (width: Width) => (width === 8 ? Bit.rm8 : 0);

/** add or adc sbb and sub xor cmp: number `n` of the family. */
function alu<N extends string>(name: N, n: number): Record<`${N}${Width}_${"mr" | "rm" | "mi"}`, number> {
  return rows(
    widths.flatMap((w): [string, number][] => [
      [`${name}${w}_mr`, wide(n * 8, w) | both(w)],
      [`${name}${w}_rm`, wide(n * 8 + 2, w) | both(w)],
      [`${name}${w}_mi`, wide(0x80, w) | digit(n) | immOf(w) | rm8(w) | Bit.acc | (w === 8 ? 0 : Bit.short)],
    ]),
  );
}

/** Shift and rotate, /digit `d`: `_mc` by cl, `_mi` by an immediate. */
function shift<N extends string>(name: N, d: number): Record<`${N}${Width}_${"mc" | "mi"}`, number> {
  return rows(
    widths.flatMap((w): [string, number][] => [
      [`${name}${w}_mc`, wide(0xd2, w) | digit(d) | rm8(w)],
      [`${name}${w}_mi`, wide(0xc0, w) | digit(d) | Bit.imm8 | Bit.one | rm8(w)],
    ]),
  );
}

/** One operand in r/m, /digit `d`. */
function unary<N extends string>(name: N, op: number, d: number): Record<`${N}${Width}_m`, number> {
  return rows(widths.map((w): [string, number] => [`${name}${w}_m`, wide(op, w) | digit(d) | rm8(w)]));
}

/** 0F map, 16/32/64 bits, `prefix` mandatory before the operand-size one. */
function twoByte<N extends string, S extends string>(name: N, suffix: S, op: number): Record<`${N}${16 | 32 | 64}_${S}`, number> {
  return rows(wides.map((w): [string, number] => [`${name}${w}_${suffix}`, Bit.m0F | op | (w === 16 ? Bit.p66 : w === 64 ? Bit.w : 0)]));
}

/** bt bts btr btc. */
function bitTest<N extends string>(name: N, op: number, d: number): Record<`${N}${32 | 64}_${"mr" | "mi"}`, number> {
  return rows(
    ([32, 64] as const).flatMap((w): [string, number][] => [
      [`${name}${w}_mr`, Bit.m0F | op | (w === 64 ? Bit.w : 0)],
      [`${name}${w}_mi`, Bit.m0F | 0xba | digit(d) | Bit.imm8 | (w === 64 ? Bit.w : 0)],
    ]),
  );
}

/** 32 and 64 bits by W. */
function byW<N extends string, S extends string>(name: N, suffix: S, form: number): Record<`${N}${32 | 64}_${S}`, number> {
  return rows([
    [`${name}32_${suffix}`, form],
    [`${name}64_${suffix}`, form | Bit.w],
  ]);
}

/** The four float forms: scalar single, scalar double, packed single, packed double. */
function float4<N extends string>(name: N, op: number, extra = 0): Record<`${N}${"ss" | "sd" | "ps" | "pd"}_rm`, number> {
  return rows([
    [`${name}ss_rm`, Bit.pF3 | Bit.m0F | op | extra],
    [`${name}sd_rm`, Bit.pF2 | Bit.m0F | op | extra],
    [`${name}ps_rm`, Bit.m0F | op | extra],
    [`${name}pd_rm`, Bit.p66 | Bit.m0F | op | extra],
  ]);
}

function float2<N extends string>(name: N, op: number, extra = 0): Record<`${N}${"ps" | "pd"}_rm`, number> {
  return rows([
    [`${name}ps_rm`, Bit.m0F | op | extra],
    [`${name}pd_rm`, Bit.p66 | Bit.m0F | op | extra],
  ]);
}

/**
 * Every form. The float ones hold for the legacy and the VEX encoding alike: the method of the assembler decides (`rr`
 * or `vrrr`); forms marked VEX exist only there.
 */
export const Form = {
  // ---- integer moves ----
  mov8_mr: 0x88 | Bit.reg8 | Bit.rm8,
  mov16_mr: Bit.p66 | 0x89,
  mov32_mr: 0x89,
  mov64_mr: Bit.w | 0x89,
  mov8_rm: 0x8a | Bit.reg8 | Bit.rm8,
  mov16_rm: Bit.p66 | 0x8b,
  mov32_rm: 0x8b,
  mov64_rm: Bit.w | 0x8b,
  mov8_mi: 0xc6 | Bit.imm8 | Bit.rm8,
  mov16_mi: Bit.p66 | 0xc7 | Bit.imm16,
  mov32_mi: 0xc7 | Bit.imm32,
  /** The immediate is sign-extended. */
  mov64_mi: Bit.w | 0xc7 | Bit.imm32,
  /** Zero-extending to 64 bits. */
  movzx8_rm: Bit.m0F | 0xb6 | Bit.rm8,
  movzx16_rm: Bit.m0F | 0xb7,
  movsx8_32_rm: Bit.m0F | 0xbe | Bit.rm8,
  movsx16_32_rm: Bit.m0F | 0xbf,
  movsx8_64_rm: Bit.w | Bit.m0F | 0xbe | Bit.rm8,
  movsx16_64_rm: Bit.w | Bit.m0F | 0xbf,
  movsx32_64_rm: Bit.w | 0x63,
  lea32_rm: 0x8d,
  lea64_rm: Bit.w | 0x8d,
  xchg8_mr: 0x86 | Bit.reg8 | Bit.rm8,
  xchg32_mr: 0x87,
  xchg64_mr: Bit.w | 0x87,
  /** Opcode + register. */
  push: 0x50,
  pop: 0x58,
  bswap32: Bit.m0F | 0xc8,
  bswap64: Bit.w | Bit.m0F | 0xc8,
  push_m: 0xff | (6 << Bit.digitShift),
  pop_m: 0x8f,

  // ---- integer arithmetic ----
  ...alu("add", 0),
  ...alu("or", 1),
  ...alu("adc", 2),
  ...alu("sbb", 3),
  ...alu("and", 4),
  ...alu("sub", 5),
  ...alu("xor", 6),
  ...alu("cmp", 7),
  test8_mr: 0x84 | Bit.reg8 | Bit.rm8,
  test16_mr: Bit.p66 | 0x85,
  test32_mr: 0x85,
  test64_mr: Bit.w | 0x85,
  test8_mi: 0xf6 | Bit.imm8 | Bit.rm8 | Bit.acc,
  test16_mi: Bit.p66 | 0xf7 | Bit.imm16 | Bit.acc,
  test32_mi: 0xf7 | Bit.imm32 | Bit.acc,
  test64_mi: Bit.w | 0xf7 | Bit.imm32 | Bit.acc,
  ...unary("not", 0xf6, 2),
  ...unary("neg", 0xf6, 3),
  ...unary("mul", 0xf6, 4),
  ...unary("imul", 0xf6, 5),
  ...unary("div", 0xf6, 6),
  ...unary("idiv", 0xf6, 7),
  ...unary("inc", 0xfe, 0),
  ...unary("dec", 0xfe, 1),
  ...twoByte("imul", "rm", 0xaf),
  imul32_rmi: 0x69 | Bit.imm32 | Bit.short,
  imul64_rmi: Bit.w | 0x69 | Bit.imm32 | Bit.short,
  cdq: 0x99,
  cqo: Bit.w | 0x99,
  ...shift("rol", 0),
  ...shift("ror", 1),
  ...shift("rcl", 2),
  ...shift("rcr", 3),
  ...shift("shl", 4),
  ...shift("shr", 5),
  ...shift("sar", 7),
  ...byW("shld", "mri", Bit.m0F | 0xa4 | Bit.imm8),
  ...byW("shld", "mrc", Bit.m0F | 0xa5),
  ...byW("shrd", "mri", Bit.m0F | 0xac | Bit.imm8),
  ...byW("shrd", "mrc", Bit.m0F | 0xad),
  ...bitTest("bt", 0xa3, 4),
  ...bitTest("bts", 0xab, 5),
  ...bitTest("btr", 0xb3, 6),
  ...bitTest("btc", 0xbb, 7),
  ...byW("bsf", "rm", Bit.m0F | 0xbc),
  ...byW("bsr", "rm", Bit.m0F | 0xbd),
  ...byW("tzcnt", "rm", Bit.pF3 | Bit.m0F | 0xbc),
  ...byW("lzcnt", "rm", Bit.pF3 | Bit.m0F | 0xbd),
  ...byW("popcnt", "rm", Bit.pF3 | Bit.m0F | 0xb8),
  // BMI1, BMI2 (VEX): `_rvm` is destination, second, third operand; `_rmv` has the r/m operand before the VEX one.
  ...byW("andn", "rvm", Bit.m0F38 | 0xf2),
  ...byW("blsr", "vm", Bit.m0F38 | 0xf3 | (1 << Bit.digitShift)),
  ...byW("blsmsk", "vm", Bit.m0F38 | 0xf3 | (2 << Bit.digitShift)),
  ...byW("blsi", "vm", Bit.m0F38 | 0xf3 | (3 << Bit.digitShift)),
  ...byW("bextr", "rmv", Bit.m0F38 | 0xf7),
  ...byW("shlx", "rmv", Bit.p66 | Bit.m0F38 | 0xf7),
  ...byW("sarx", "rmv", Bit.pF3 | Bit.m0F38 | 0xf7),
  ...byW("shrx", "rmv", Bit.pF2 | Bit.m0F38 | 0xf7),
  ...byW("mulx", "rvm", Bit.pF2 | Bit.m0F38 | 0xf6),
  ...byW("rorx", "rmi", Bit.pF2 | Bit.m0F3A | 0xf0 | Bit.imm8),
  // Condition codes are added.
  setcc: Bit.m0F | 0x90 | Bit.rm8,
  ...byW("cmov", "rm", Bit.m0F | 0x40),

  // ---- control and system ----
  ret: 0xc3,
  ud2: Bit.m0F | 0x0b,
  int3: 0xcc,
  call_m: 0xff | (2 << Bit.digitShift),
  jmp_m: 0xff | (4 << Bit.digitShift),
  cpuid: Bit.m0F | 0xa2,
  /** Written as /2 with register 0. */
  xgetbv: Bit.m0F | 0x01 | (2 << Bit.digitShift),
  syscall: Bit.m0F | 0x05,
  cld: 0xfc,
  pushf: 0x9c,
  popf: 0x9d,
  rep_movsb: Bit.pF3 | 0xa4,
  rep_movsq: Bit.pF3 | Bit.w | 0xa5,
  rep_stosb: Bit.pF3 | 0xaa,
  rep_stosq: Bit.pF3 | Bit.w | 0xab,
  /** VEX */
  vzeroupper: Bit.m0F | 0x77,
  ldmxcsr_m: Bit.m0F | 0xae | (2 << Bit.digitShift),
  stmxcsr_m: Bit.m0F | 0xae | (3 << Bit.digitShift),

  // ---- float moves. VEX movss/movsd between registers take three operands ----
  movss_rm: Bit.pF3 | Bit.m0F | 0x10,
  movss_mr: Bit.pF3 | Bit.m0F | 0x11,
  movsd_rm: Bit.pF2 | Bit.m0F | 0x10,
  movsd_mr: Bit.pF2 | Bit.m0F | 0x11,
  movups_rm: Bit.m0F | 0x10,
  movups_mr: Bit.m0F | 0x11,
  movupd_rm: Bit.p66 | Bit.m0F | 0x10,
  movupd_mr: Bit.p66 | Bit.m0F | 0x11,
  movaps_rm: Bit.m0F | 0x28,
  movaps_mr: Bit.m0F | 0x29,
  movapd_rm: Bit.p66 | Bit.m0F | 0x28,
  movapd_mr: Bit.p66 | Bit.m0F | 0x29,
  movdqa_rm: Bit.p66 | Bit.m0F | 0x6f,
  movdqa_mr: Bit.p66 | Bit.m0F | 0x7f,
  movdqu_rm: Bit.pF3 | Bit.m0F | 0x6f,
  movdqu_mr: Bit.pF3 | Bit.m0F | 0x7f,
  /** Integer register or memory to float register, and back. */
  movd_rm: Bit.p66 | Bit.m0F | 0x6e,
  movd_mr: Bit.p66 | Bit.m0F | 0x7e,
  movq_rm: Bit.p66 | Bit.w | Bit.m0F | 0x6e,
  movq_mr: Bit.p66 | Bit.w | Bit.m0F | 0x7e,
  /** The low 64 bits, float register to float register. */
  movqx_rm: Bit.pF3 | Bit.m0F | 0x7e,
  movmskps_rm: Bit.m0F | 0x50,
  movmskpd_rm: Bit.p66 | Bit.m0F | 0x50,

  // ---- float arithmetic ----
  ...float4("sqrt", 0x51),
  ...float4("add", 0x58),
  ...float4("mul", 0x59),
  ...float4("sub", 0x5c),
  ...float4("min", 0x5d),
  ...float4("div", 0x5e),
  ...float4("max", 0x5f),
  ...float4("cmp", 0xc2, Bit.imm8),
  ...float2("and", 0x54),
  ...float2("andn", 0x55),
  ...float2("or", 0x56),
  ...float2("xor", 0x57),
  ...float2("unpckl", 0x14),
  ...float2("unpckh", 0x15),
  ...float2("shuf", 0xc6, Bit.imm8),
  ucomiss_rm: Bit.m0F | 0x2e,
  ucomisd_rm: Bit.p66 | Bit.m0F | 0x2e,
  roundps_rmi: Bit.p66 | Bit.m0F3A | 0x08 | Bit.imm8,
  roundpd_rmi: Bit.p66 | Bit.m0F3A | 0x09 | Bit.imm8,
  roundss_rmi: Bit.p66 | Bit.m0F3A | 0x0a | Bit.imm8,
  roundsd_rmi: Bit.p66 | Bit.m0F3A | 0x0b | Bit.imm8,
  /** Mask in xmm0. */
  blendvps_rm: Bit.p66 | Bit.m0F38 | 0x14,
  blendvpd_rm: Bit.p66 | Bit.m0F38 | 0x15,
  /** VEX; mask register in the immediate's upper half. */
  vblendvps_rvmr: Bit.p66 | Bit.m0F3A | 0x4a | Bit.imm8,
  vblendvpd_rvmr: Bit.p66 | Bit.m0F3A | 0x4b | Bit.imm8,

  // ---- conversions ----
  cvtsi2ss32_rm: Bit.pF3 | Bit.m0F | 0x2a,
  cvtsi2ss64_rm: Bit.pF3 | Bit.w | Bit.m0F | 0x2a,
  cvtsi2sd32_rm: Bit.pF2 | Bit.m0F | 0x2a,
  cvtsi2sd64_rm: Bit.pF2 | Bit.w | Bit.m0F | 0x2a,
  cvttss2si32_rm: Bit.pF3 | Bit.m0F | 0x2c,
  cvttss2si64_rm: Bit.pF3 | Bit.w | Bit.m0F | 0x2c,
  cvttsd2si32_rm: Bit.pF2 | Bit.m0F | 0x2c,
  cvttsd2si64_rm: Bit.pF2 | Bit.w | Bit.m0F | 0x2c,
  cvtss2sd_rm: Bit.pF3 | Bit.m0F | 0x5a,
  cvtsd2ss_rm: Bit.pF2 | Bit.m0F | 0x5a,
  cvtps2pd_rm: Bit.m0F | 0x5a,
  cvtpd2ps_rm: Bit.p66 | Bit.m0F | 0x5a,
  cvtdq2ps_rm: Bit.m0F | 0x5b,
  cvttps2dq_rm: Bit.pF3 | Bit.m0F | 0x5b,
  cvtdq2pd_rm: Bit.pF3 | Bit.m0F | 0xe6,
  cvttpd2dq_rm: Bit.p66 | Bit.m0F | 0xe6,

  // ---- integer operations on float registers, as far as the scalar ops need them ----
  pand_rm: Bit.p66 | Bit.m0F | 0xdb,
  pandn_rm: Bit.p66 | Bit.m0F | 0xdf,
  por_rm: Bit.p66 | Bit.m0F | 0xeb,
  pxor_rm: Bit.p66 | Bit.m0F | 0xef,
  paddd_rm: Bit.p66 | Bit.m0F | 0xfe,
  paddq_rm: Bit.p66 | Bit.m0F | 0xd4,
  psubd_rm: Bit.p66 | Bit.m0F | 0xfa,
  psubq_rm: Bit.p66 | Bit.m0F | 0xfb,
  pcmpeqd_rm: Bit.p66 | Bit.m0F | 0x76,
  punpckldq_rm: Bit.p66 | Bit.m0F | 0x62,
  punpcklqdq_rm: Bit.p66 | Bit.m0F | 0x6c,
  pshufd_rmi: Bit.p66 | Bit.m0F | 0x70 | Bit.imm8,
  pextrd_mri: Bit.p66 | Bit.m0F3A | 0x16 | Bit.imm8,
  pextrq_mri: Bit.p66 | Bit.w | Bit.m0F3A | 0x16 | Bit.imm8,
  pinsrd_rmi: Bit.p66 | Bit.m0F3A | 0x22 | Bit.imm8,
  pinsrq_rmi: Bit.p66 | Bit.w | Bit.m0F3A | 0x22 | Bit.imm8,
  // r/m is the register shifted; VEX puts the destination in its own field.
  psrld_mi: Bit.p66 | Bit.m0F | 0x72 | (2 << Bit.digitShift) | Bit.imm8,
  psrad_mi: Bit.p66 | Bit.m0F | 0x72 | (4 << Bit.digitShift) | Bit.imm8,
  pslld_mi: Bit.p66 | Bit.m0F | 0x72 | (6 << Bit.digitShift) | Bit.imm8,
  psrlq_mi: Bit.p66 | Bit.m0F | 0x73 | (2 << Bit.digitShift) | Bit.imm8,
  psllq_mi: Bit.p66 | Bit.m0F | 0x73 | (6 << Bit.digitShift) | Bit.imm8,
} as const;

export type FormName = keyof typeof Form;
