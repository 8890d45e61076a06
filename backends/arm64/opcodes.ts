// The instruction forms of arm64 that we emit, as data: one word a form, its operand fields zero.
//
// Names: mnemonic, width of the integer registers (or `s`, `d`, `q` of the float ones), and where one mnemonic has several
// encodings what the last operand is: `_r` a register (shifted), `_x` an extended register, `_i` an immediate. Fields are
// filled in by encode.ts. Source: Arm Architecture Reference Manual for A-profile, chapter C4 "A64 instruction set encoding".

/** Condition codes, hardware numbers; `c ^ 1` is the opposite. */
export const enum Cond {
  eq = 0,
  ne = 1,
  hs = 2,
  lo = 3,
  mi = 4,
  pl = 5,
  vs = 6,
  vc = 7,
  hi = 8,
  ls = 9,
  ge = 10,
  lt = 11,
  gt = 12,
  le = 13,
  al = 14,
}

/** The condition for exchanged operands, of integers. */
export function exchanged(c: Cond): Cond {
  switch (c) {
    case Cond.lo: return Cond.hi;
    case Cond.hi: return Cond.lo;
    case Cond.hs: return Cond.ls;
    case Cond.ls: return Cond.hs;
    case Cond.lt: return Cond.gt;
    case Cond.gt: return Cond.lt;
    case Cond.ge: return Cond.le;
    case Cond.le: return Cond.ge;
    default: return c;
  }
}

export const condNames = ["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al"] as const;

export const enum Shift {
  lsl = 0,
  lsr = 1,
  asr = 2,
  ror = 3,
}

export const shiftNames = ["lsl", "lsr", "asr", "ror"] as const;

export const enum Extend {
  uxtb = 0,
  uxth = 1,
  uxtw = 2,
  /** The whole register: `lsl` in addresses. */
  uxtx = 3,
  sxtb = 4,
  sxth = 5,
  sxtw = 6,
  sxtx = 7,
}

export const extendNames = ["uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"] as const;

/** Addressing of a pair, and of a single register with an updated base. */
export const enum Index {
  post = 1,
  offset = 2,
  pre = 3,
}

export const enum Bit {
  /** 64-bit integer operation. */
  sf = 0x80000000,
  /** Part of the 64-bit forms of bitfields. */
  n = 1 << 22,
  /** The first operand of `smaddl` and such; also: form loads (pairs). */
  loadPair = 1 << 22,
}

/** 32 and 64 bits by the top bit. */
function two<N extends string, S extends string>(name: N, suffix: S, word: number): Record<`${N}${32 | 64}${S}`, number> {
  return { [`${name}32${suffix}`]: word, [`${name}64${suffix}`]: word | Bit.sf } as Record<`${N}${32 | 64}${S}`, number>;
}

/** The same where the 64-bit form has N set, too. */
function twoN<N extends string>(name: N, word: number): Record<`${N}${32 | 64}`, number> {
  return { [`${name}32`]: word, [`${name}64`]: word | Bit.sf | Bit.n } as Record<`${N}${32 | 64}`, number>;
}

/** add adds sub subs: shifted register, extended register, immediate. */
function sum<N extends string>(name: N, op: number): Record<`${N}${32 | 64}${"_r" | "_x" | "_i"}`, number> {
  return { ...two(name, "_r", op | 0x0b000000), ...two(name, "_x", op | 0x0b200000), ...two(name, "_i", op | 0x11000000) } as ReturnType<typeof sum<N>>;
}

/** Logical operations: shifted register, immediate. */
function logical<N extends string>(name: N, op: number): Record<`${N}${32 | 64}${"_r" | "_i"}`, number> {
  return { ...two(name, "_r", op | 0x0a000000), ...two(name, "_i", op | 0x12000000) } as ReturnType<typeof logical<N>>;
}

/** Single and double precision. */
function float<N extends string>(name: N, word: number): Record<`${N}_${"s" | "d"}`, number> {
  return { [`${name}_s`]: word, [`${name}_d`]: word | 0x00400000 } as Record<`${N}_${"s" | "d"}`, number>;
}

/** Between integer and float registers: w or x, s or d. */
function convert<N extends string>(name: N, word: number): Record<`${N}${32 | 64}_${"s" | "d"}`, number> {
  return {
    [`${name}32_s`]: word,
    [`${name}32_d`]: word | 0x00400000,
    [`${name}64_s`]: word | Bit.sf,
    [`${name}64_d`]: word | Bit.sf | 0x00400000,
  } as Record<`${N}${32 | 64}_${"s" | "d"}`, number>;
}

export const Form = {
  // ---- integer arithmetic ----
  ...sum("add", 0),
  ...sum("adds", 0x20000000),
  ...sum("sub", 0x40000000),
  ...sum("subs", 0x60000000),
  ...logical("and", 0),
  ...logical("orr", 0x20000000),
  ...logical("eor", 0x40000000),
  ...logical("ands", 0x60000000),
  ...two("bic", "_r", 0x0a200000),
  ...two("orn", "_r", 0x2a200000),
  ...two("eon", "_r", 0x4a200000),
  ...two("bics", "_r", 0x6a200000),
  ...two("movn", "", 0x12800000),
  ...two("movz", "", 0x52800000),
  ...two("movk", "", 0x72800000),
  ...twoN("sbfm", 0x13000000),
  ...twoN("bfm", 0x33000000),
  ...twoN("ubfm", 0x53000000),
  ...twoN("extr", 0x13800000),
  ...two("udiv", "", 0x1ac00800),
  ...two("sdiv", "", 0x1ac00c00),
  ...two("lslv", "", 0x1ac02000),
  ...two("lsrv", "", 0x1ac02400),
  ...two("asrv", "", 0x1ac02800),
  ...two("rorv", "", 0x1ac02c00),
  ...two("rbit", "", 0x5ac00000),
  ...two("rev16", "", 0x5ac00400),
  rev32: 0x5ac00800,
  rev64: 0xdac00c00,
  ...two("clz", "", 0x5ac01000),
  ...two("cls", "", 0x5ac01400),
  ...two("madd", "", 0x1b000000),
  ...two("msub", "", 0x1b008000),
  smaddl: 0x9b200000,
  smsubl: 0x9b208000,
  umaddl: 0x9ba00000,
  umsubl: 0x9ba08000,
  smulh: 0x9b407c00,
  umulh: 0x9bc07c00,
  ...two("csel", "", 0x1a800000),
  ...two("csinc", "", 0x1a800400),
  ...two("csinv", "", 0x5a800000),
  ...two("csneg", "", 0x5a800400),
  ...two("ccmn", "_r", 0x3a400000),
  ...two("ccmn", "_i", 0x3a400800),
  ...two("ccmp", "_r", 0x7a400000),
  ...two("ccmp", "_i", 0x7a400800),

  // ---- loads and stores: the unscaled form; addressing modes are added ----
  strb: 0x38000000,
  ldrb: 0x38400000,
  ldrsb64: 0x38800000,
  ldrsb32: 0x38c00000,
  strh: 0x78000000,
  ldrh: 0x78400000,
  ldrsh64: 0x78800000,
  ldrsh32: 0x78c00000,
  str32: 0xb8000000,
  ldr32: 0xb8400000,
  ldrsw: 0xb8800000,
  str64: 0xf8000000,
  ldr64: 0xf8400000,
  str_s: 0xbc000000,
  ldr_s: 0xbc400000,
  str_d: 0xfc000000,
  ldr_d: 0xfc400000,
  str_q: 0x3c800000,
  ldr_q: 0x3cc00000,
  stp32: 0x28000000,
  ldp32: 0x28400000,
  ldpsw: 0x68400000,
  stp64: 0xa8000000,
  ldp64: 0xa8400000,
  stp_s: 0x2c000000,
  ldp_s: 0x2c400000,
  stp_d: 0x6c000000,
  ldp_d: 0x6c400000,
  stp_q: 0xac000000,
  ldp_q: 0xac400000,
  /** From a label. */
  ldrl32: 0x18000000,
  ldrl64: 0x58000000,
  ldrl_s: 0x1c000000,
  ldrl_d: 0x5c000000,
  ldrl_q: 0x9c000000,
  adr: 0x10000000,
  adrp: 0x90000000,

  // ---- control and system ----
  b: 0x14000000,
  bl: 0x94000000,
  /** The condition is added. */
  bcond: 0x54000000,
  ...two("cbz", "", 0x34000000),
  ...two("cbnz", "", 0x35000000),
  tbz: 0x36000000,
  tbnz: 0x37000000,
  br: 0xd61f0000,
  blr: 0xd63f0000,
  ret: 0xd65f0000,
  nop: 0xd503201f,
  udf: 0x00000000,
  brk: 0xd4200000,
  svc: 0xd4000001,
  dmb_ish: 0xd5033bbf,
  dsb_ish: 0xd5033b9f,
  isb: 0xd5033fdf,
  dc_cvau: 0xd50b7b20,
  ic_ivau: 0xd50b7520,
  mrs_ctr_el0: 0xd53b0020,

  // ---- float ----
  ...float("fmul", 0x1e200800),
  ...float("fdiv", 0x1e201800),
  ...float("fadd", 0x1e202800),
  ...float("fsub", 0x1e203800),
  ...float("fmax", 0x1e204800),
  ...float("fmin", 0x1e205800),
  ...float("fnmul", 0x1e208800),
  ...float("fmov", 0x1e204000),
  ...float("fabs", 0x1e20c000),
  ...float("fneg", 0x1e214000),
  ...float("fsqrt", 0x1e21c000),
  ...float("frintn", 0x1e244000),
  ...float("frintp", 0x1e24c000),
  ...float("frintm", 0x1e254000),
  ...float("frintz", 0x1e25c000),
  fcvt_ds: 0x1e22c000,
  fcvt_sd: 0x1e624000,
  ...float("fcmp", 0x1e202000),
  /** With 0. */
  ...float("fcmpz", 0x1e202008),
  ...float("fccmp", 0x1e200400),
  ...float("fcsel", 0x1e200c00),
  /** With an 8-bit immediate. */
  ...float("fmovi", 0x1e201000),
  ...convert("fcvtzs", 0x1e380000),
  ...convert("fcvtzu", 0x1e390000),
  ...convert("scvtf", 0x1e220000),
  ...convert("ucvtf", 0x1e230000),
  /** Bits, integer to float and back. */
  fmov_sw: 0x1e270000,
  fmov_ws: 0x1e260000,
  fmov_dx: 0x9e670000,
  fmov_xd: 0x9e660000,

  // ---- vectors of 8 or 16 bytes ----
  cnt_8b: 0x0e205800,
  cnt_16b: 0x4e205800,
  addv_8b: 0x0e31b800,
  addv_16b: 0x4e31b800,
  and_8b: 0x0e201c00,
  orr_8b: 0x0ea01c00,
  orr_16b: 0x4ea01c00,
  eor_8b: 0x2e201c00,
  bsl_8b: 0x2e601c00,
  bit_8b: 0x2ea01c00,
  bif_8b: 0x2ee01c00,
  /** Each bit of the immediate is a byte of 64. */
  movi_d: 0x2f00e400,
  /** An 8-bit immediate shifted left by 0, 8, 16 or 24, in each 32 bits. */
  movi_2s: 0x0f000400,
  mvni_2s: 0x2f000400,
  fneg_2d: 0x6ee0f800,
} as const;

export type FormName = keyof typeof Form;
