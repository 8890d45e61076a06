// THE table of arm64 machine operations: number, name, operand order, what the immediates mean.
//
// Lowering makes these on virtual registers; emission turns each, after allocation, into one instruction or one fixed
// sequence (the comment beside the row says which). Flags never live from one machine op to the next: whatever reads
// flags is one op with what sets them (`cmp32.br`), so moves inserted by the allocator can clobber nothing. Only conditions joined by
// `and` and `or` are several, `cmp32.flags` before `ccmp32.br`, in one group; what the allocator inserts leaves flags alone.
//
// Columns of an instruction (`MFunc`):
//   imm    the op's own immediate (constant operand, shift, function index ...)
//   imm2   displacement of the memory operand, unsigned (signed of `Base.pointer`); high half of 64-bit constants
//   imm3   the shape word, see `Shape`: form, memory operand, condition, trap
//   offset Wasm byte offset
// Operands stand in this order: def, register uses, base register (only `Base.reg`, `Base.pointer`), index register (only `Shape.index`).
// Every operand is in a register. Sequences use x16, x17 and v31 freely. Relies on registers.ts and ir/machine/mfunc.ts.
import type { MopInfo } from "../target.js";

/** What the last operand of integer arithmetic and compares is; bits 0-2 of the shape word. */
export const enum Form {
  /** A register. */
  reg = 0,
  /** `imm`; of logical operations of 64 bits `imm` and `imm2`. */
  imm = 1,
  /** A register shifted: `imm` = Shift << 6 | amount. */
  shifted = 2,
  /** A register extended: `imm` = Extend << 6 | amount. */
  extended = 3,
}

/** Base of a memory operand. */
export const enum Base {
  /** x27, linear memory 0. */
  memory = 0,
  /** x28, the vm-context. */
  vmctx = 1,
  /** A register operand. */
  reg = 2,
  /** sp: the outgoing area of this frame (arguments of calls, then their stack results). */
  outgoing = 3,
  /** The caller's outgoing area: sp + frame. */
  incoming = 4,
  /** A register operand that points into linear memory; the displacement is signed, there is no index. */
  pointer = 5,
}

/** Layout of `imm3`. */
export const enum Shape {
  formMask = 7,
  baseShift = 3,
  baseMask = 7 << 3,
  /** Has an index register operand: its low 32 bits, zero-extended. */
  index = 1 << 6,
  /** log2 of the index's factor, 3 bits. */
  scaleShift = 7,
  scaleMask = 7 << 7,
  /** TrapKind of a fault of the memory operand at this pc, 4 bits; 0: it cannot fault. */
  faultShift = 10,
  faultMask = 15 << 10,
  /** `Cond`, 4 bits: ops of the compare families. */
  condShift = 14,
  condMask = 15 << 14,
  /** TrapKind when the condition holds, 4 bits: `.trap` ops. */
  trapShift = 18,
  trapMask = 15 << 18,
  /** `.trap` only: the last operand is an i32 that the out-of-line code stores to VmCtx.trapValue. */
  trapValue = 1 << 22,
  /** Stores: of the zero register, there is no value operand. */
  zero = 1 << 23,
  /** `ccmp` producers: the `Cond` of the flags before under which it compares, 4 bits; the flags N, Z, C, V it makes otherwise, 4 bits. */
  linkShift = 24,
  flagsShift = 28,
}

/** Machine ops. 0-15 are the shared ones (MOp). The order is the order of the table below; of pairs the wider one is second. */
export const enum M {
  // ---- constants: def. No register uses, so all may rematerialize
  /** `imm`: movz, movn, orr or movz and movk. */
  iconst32 = 16,
  /** `imm` low, `imm2` high half: one to four instructions. */
  iconst64,
  /** Bits in `imm` (and `imm2`): movi 0, fmov, or a mov to x17 and fmov from there. */
  fconst32,
  fconst64,
  /** `imm` = pool entry: ldr from a label. */
  fpool32,
  fpool64,
  /** Loads an incoming stack argument: `imm` = byte offset in the caller's outgoing area, `imm2` = Type. */
  stack_arg,
  /** ldr x,[x28 + imm]. A field of the vm-context that never changes while the instance lives. */
  ctx_load,
  /** x27 + `imm`, signed, less than 2^24 away: one or two instructions. */
  memory_base,

  // ---- moves, loads, stores
  /** def, use. 32: zero-extends to 64. */
  mov32, mov64,
  /** Loads: def, mem. `u`: zero-extends to 64 bits; `s32`: sign-extends to 32, then zero-extends. */
  ldr8u, ldr8s32, ldr8s64, ldr16u, ldr16s32, ldr16s64, ldr32, ldr32s64, ldr64, ldrs, ldrd,
  /** Stores: use (unless Shape.zero), mem. */
  str8, str16, str32, str64, strs, strd,

  // ---- integer arithmetic: def, use, then Form. imm: add and sub 12 bits (or 12 and 12 zeros), others a logical immediate
  add32, add64, sub32, sub64, and32, and64, orr32, orr64, eor32, eor64,
  /** The right operand inverted: reg or shifted. */
  bic32, bic64, orn32, orn64, eon32, eon64,
  /** def, then Form reg or shifted. */
  neg32, neg64, mvn32, mvn64,
  /** def, use, use. */
  mul32, mul64, umull, smull, umulh, smulh,
  /** def, n, m, a: a + n*m, a - n*m. */
  madd32, madd64, msub32, msub64,
  /** def, use, count: by a register, modulo the width. */
  lsl32, lsl64, lsr32, lsr64, asr32, asr64, ror32, ror64,
  /** def, use; `imm` = immr, `imm2` = imms: all shifts by constants, extensions and extractions. */
  ubfm32, ubfm64, sbfm32, sbfm64,
  /** def, n, m; `imm` = lsb. */
  extr32, extr64,
  /** def, use. */
  clz32, clz64, rbit32, rbit64, rev32, rev64,
  /** def, use: an i32 index => its address in memory 0: add d,x27,n,uxtw. */
  pointer,
  /** def, use: fmov d31,x; cnt; addv; fmov. */
  popcnt32, popcnt64,
  /**
   * def, x, y. imm bit 0: `cbz y, trap`; bit 1 (sdiv): `cmn y,#1; ccmp x,#1,#0,eq; b.vs trap`.
   * Remainders: div x16,x,y; msub d,x16,y,x.
   */
  udiv32, udiv64, sdiv32, sdiv64, urem32, urem64, srem32, srem64,

  // ---- float arithmetic: def, use, use
  fadd32, fadd64, fsub32, fsub64, fmul32, fmul64, fdiv32, fdiv64, fmin32, fmin64, fmax32, fmax64,
  /** def, use. */
  fabs32, fabs64, fneg32, fneg64, fsqrt32, fsqrt64,
  frintn32, frintn64, frintp32, frintp64, frintm32, frintm64, frintz32, frintz64,
  /** def(same 1), magnitude, sign(late): the mask in v31, then bit. */
  copysign32, copysign64,

  // ---- conversions: def, use
  fcvt_ds, fcvt_sd,
  /** Integer width, then float. */
  scvtf32_s, scvtf32_d, scvtf64_s, scvtf64_d, ucvtf32_s, ucvtf32_d, ucvtf64_s, ucvtf64_d,
  /** Saturating, NaN to 0. */
  fcvtzs32_s, fcvtzs32_d, fcvtzs64_s, fcvtzs64_d, fcvtzu32_s, fcvtzu32_d, fcvtzu64_s, fcvtzu64_d,
  /** Trapping. 32: fcvtzs x17; cmp x17,w17,sxtw|uxtw; fccmp x,x,#0,eq; b.ne trap; mov. */
  truncs32_s, truncs32_d, truncu32_s, truncu32_d,
  /** fcmp x,2^63; fccmp x,-2^63,#8,mi; b.lt trap; fcvtzs.  u: fcmp x,2^64; fccmp x,-1,#8,mi; b.le trap; fcvtzu. */
  truncs64_s, truncs64_d, truncu64_s, truncu64_d,
  /** Bits between classes. */
  fmov_sw, fmov_dx, fmov_ws, fmov_xd,

  // ---- calls. Defs: results, fixed. Uses: arguments, fixed. All clobber the caller-saved registers
  /** bl to function `imm` of this module (relocation). */
  call,
  /** Through ImportedFunc at vm-context offset `imm`: x16 = [x28+imm]; x28 = [x28+imm+8]; x27 = its memory0Base; blr x16; x28 = frame slot; x27 from x28. */
  call_import,
  /** Through a FuncRef: the first use holds its address. x28 = [ref+ctx]; x16 = [ref+code]; x27; blr x16; then x28, x27 as above. */
  call_ref,
  /** The same without switching: the callee is known to be of this instance. */
  call_ref_own,
  /** x16 = [x28 + imm]; blr x16: builtin stub and C functions; x27 and x28 are kept by the callee. */
  call_ctx,

  // ---- terminators
  jmp,
  /** use index. `imm`: jump table; its last entry is the default: cmp i,n; b.hs default; adr x16,table; ldrsw x17,[x16,i,uxtw 2]; add x16,x16,x17; br x16; the table. */
  jump_table,
  /** Uses: results, fixed. */
  ret,
  /** `imm` = TrapKind: x16 = [x28+trapExit]; blr x16, here. */
  trap,

  // ---- compare families: what sets flags and what reads them as one op
  /** First of the families: number = compare_first + producer*6 + consumer, see `Producer`, `Consumer`. */
  compare_first,
}

/** What sets the flags. Operands: use, then Form. Conditions: `Cond` of opcodes.ts. */
export const enum Producer {
  /** imm: one that add or sub takes, or its negative. */
  cmp32 = 0,
  cmp64 = 1,
  /** imm: a logical immediate. Conditions eq, ne, mi, pl. */
  tst32 = 2,
  tst64 = 3,
  /** imm: with 0. Less is mi, less or equal ls. */
  fcmp32 = 4,
  fcmp64 = 5,
  /** Compares only if the flags before allow it. imm: -31 to 31. Operands: use, then Form reg or imm. */
  ccmp32 = 6,
  ccmp64 = 7,
  /** Form reg only. */
  fccmp32 = 8,
  fccmp64 = 9,
  count = 10,
}

/** What reads them. */
export const enum Consumer {
  /** Terminator: to the first successor if the condition holds, else to the second. Also as cbz, cbnz, tbz, tbnz. */
  br = 0,
  /** def, then the producer's operands: cset. */
  set = 1,
  /** def, use if true, use if false, then the producer's operands: csel. */
  sel32 = 2,
  sel64 = 3,
  /** The same for floats: fcsel. */
  self = 4,
  /** Branch to an out-of-line trap, kind in the shape word. Producer's operands, then the value (see Shape). */
  trap = 5,
  /** Nothing: a `ccmp` follows. */
  flags = 6,
  /** def, use if true, and what is used incremented, inverted or negated if false; then the producer's operands: csinc, csinv, csneg. */
  inc32 = 7,
  inc64 = 8,
  inv32 = 9,
  inv64 = 10,
  neg32 = 11,
  neg64 = 12,
  count = 13,
}

export function compareOp(producer: Producer, consumer: Consumer): number {
  return M.compare_first + producer * Consumer.count + consumer;
}
export function producerOf(op: number): Producer {
  return ((op - M.compare_first) / Consumer.count) | 0;
}
export function consumerOf(op: number): Consumer {
  return (op - M.compare_first) % Consumer.count;
}

const names = `
  iconst32 iconst64 fconst32 fconst64 fpool32 fpool64 stack_arg ctx_load memory_base
  mov32 mov64 ldr8u ldr8s32 ldr8s64 ldr16u ldr16s32 ldr16s64 ldr32 ldr32s64 ldr64 ldrs ldrd str8 str16 str32 str64 strs strd
  add32 add64 sub32 sub64 and32 and64 orr32 orr64 eor32 eor64 bic32 bic64 orn32 orn64 eon32 eon64 neg32 neg64 mvn32 mvn64
  mul32 mul64 umull smull umulh smulh madd32 madd64 msub32 msub64
  lsl32 lsl64 lsr32 lsr64 asr32 asr64 ror32 ror64 ubfm32 ubfm64 sbfm32 sbfm64 extr32 extr64 clz32 clz64 rbit32 rbit64 rev32 rev64 pointer popcnt32 popcnt64
  udiv32 udiv64 sdiv32 sdiv64 urem32 urem64 srem32 srem64
  fadd32 fadd64 fsub32 fsub64 fmul32 fmul64 fdiv32 fdiv64 fmin32 fmin64 fmax32 fmax64 fabs32 fabs64 fneg32 fneg64 fsqrt32 fsqrt64
  frintn32 frintn64 frintp32 frintp64 frintm32 frintm64 frintz32 frintz64 copysign32 copysign64
  fcvt_ds fcvt_sd scvtf32_s scvtf32_d scvtf64_s scvtf64_d ucvtf32_s ucvtf32_d ucvtf64_s ucvtf64_d
  fcvtzs32_s fcvtzs32_d fcvtzs64_s fcvtzs64_d fcvtzu32_s fcvtzu32_d fcvtzu64_s fcvtzu64_d
  truncs32_s truncs32_d truncu32_s truncu32_d truncs64_s truncs64_d truncu64_s truncu64_d fmov_sw fmov_dx fmov_ws fmov_xd
  call call_import call_ref call_ref_own call_ctx jmp jump_table ret trap
`.trim().split(/\s+/);

const producers = ["cmp32", "cmp64", "tst32", "tst64", "fcmp32", "fcmp64", "ccmp32", "ccmp64", "fccmp32", "fccmp64"];
const consumers = ["br", "set", "sel32", "sel64", "self", "trap", "flags", "inc32", "inc64", "inv32", "inv64", "neg32", "neg64"];

function table(): (MopInfo | undefined)[] {
  const rows: (MopInfo | undefined)[] = [{ name: "nop" }, { name: "move" }, { name: "swap" }, { name: "args" }];
  while (rows.length < M.iconst32) rows.push(undefined);
  const terminators = new Set(["jmp", "jump_table", "ret", "trap"]);
  for (const name of names) {
    const row: { name: string; terminator?: boolean; call?: boolean } = { name };
    if (terminators.has(name)) row.terminator = true;
    if (name.startsWith("call")) row.call = true;
    rows.push(row);
  }
  for (const producer of producers) {
    for (const consumer of consumers) rows.push(consumer === "br" ? { name: `${producer}.br`, terminator: true } : { name: `${producer}.${consumer}` });
  }
  return rows;
}

/** Indexed by machine op number. */
export const mops: readonly (MopInfo | undefined)[] = table();
