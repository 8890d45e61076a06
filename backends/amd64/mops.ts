// THE table of amd64 machine operations: number, name, operand order, what the immediates mean.
//
// Lowering makes these on virtual registers; emission turns each, after allocation, into one instruction or one fixed
// sequence (the comment beside the row says which). Flags never live from one machine op to the next: whatever reads
// flags is one op with what sets them (`cmp32.br`), so moves inserted by the allocator can clobber nothing.
//
// Columns of an instruction (`MFunc`):
//   imm    the op's own immediate (constant operand, shift count, constant-pool entry, function index ...)
//   imm2   displacement of the memory operand (of `Base.pool`: the pool entry); high half of `iconst64`
//   imm3   the shape word, see `Shape`: form, memory operand, condition, trap
//   offset Wasm byte offset
// Operands stand in this order: def, register uses, base register (only `Base.reg`), index register (only `Shape.index`),
// other temporaries. `same`'s payload is the index of that operand in the
// instruction's own list. Operands with constraint
// `any` may be a slot after allocation: the emitter then uses a memory operand on the frame.
// Relies on registers.ts for the calling convention, on ir/machine/mfunc.ts for constraints.
import type { MopInfo } from "../target.js";

/** Which of the x86 operand forms an instruction has; bits 0-2 of the shape word. */
export const enum Form {
  /** Registers only. */
  rr = 0,
  /** Right operand is `imm`. */
  ri = 1,
  /** Right (or only) source is the memory operand. */
  rm = 2,
  /** Destination (or left operand) is the memory operand, source is the register use. */
  mr = 3,
  /** Destination (or left operand) is the memory operand, source is `imm`. */
  mi = 4,
  /** Right operand is the left operand: `x + x`, `test x, x`. */
  self = 5,
}

/** Base of a memory operand. */
export const enum Base {
  /** r14, linear memory 0. */
  memory = 0,
  /** r15, the vm-context. */
  vmctx = 1,
  /** A register operand. */
  reg = 2,
  /** rip-relative: constant-pool entry number imm2. No index. */
  pool = 3,
  /** rsp: the outgoing area of this frame (arguments of calls, then their stack results). */
  outgoing = 4,
  /** The caller's outgoing area: rsp + frame bytes + return address. */
  incoming = 5,
  /** No base: index and displacement alone (`lea`). */
  none = 6,
}

/** Layout of `imm3`. */
export const enum Shape {
  formMask = 7,
  baseShift = 3,
  baseMask = 7 << 3,
  /** Has an index register operand. */
  index = 1 << 6,
  /** log2 of the index's factor, 2 bits. */
  scaleShift = 7,
  scaleMask = 3 << 7,
  /** TrapKind of a fault of the memory operand at this pc, 4 bits; 0: it cannot fault. */
  faultShift = 9,
  faultMask = 15 << 9,
  /** `Cond`, 5 bits: ops of the compare families. */
  condShift = 13,
  condMask = 31 << 13,
  /** TrapKind when the condition holds, 4 bits: `.trap` ops. */
  trapShift = 18,
  trapMask = 15 << 18,
  /** `.trap` only: the last operand is an i32 that the out-of-line code stores to VmCtx.trapValue. */
  trapValue = 1 << 22,
  /** `.trap` only: the last operand is the f32/f64 under conversion: out of line, NaN traps as invalid_conversion, all else as `trap`. */
  nanCheck32 = 1 << 23,
  nanCheck64 = 1 << 24,
}

/** x86 condition codes in hardware order, then the two float conditions that need two flags. */
export const enum Cond {
  o = 0, no = 1, b = 2, ae = 3, e = 4, ne = 5, be = 6, a = 7, s = 8, ns = 9, p = 10, np = 11, l = 12, ge = 13, le = 14, g = 15,
  /** After ucomis: equal and ordered. `jp no; je yes`, `setnp/sete/and`. */
  feq = 16,
  /** After ucomis: different or unordered. `jp yes; jne yes`, `setp/setne/or`. */
  fne = 17,
}

/** The condition that holds exactly when `c` does not. */
export function invert(c: Cond): Cond {
  return c ^ 1;
}

/** The condition for exchanged operands. Not for feq..: those are symmetric; not for o, s, p. */
export function exchanged(c: Cond): Cond {
  switch (c) {
    case Cond.b: return Cond.a;
    case Cond.a: return Cond.b;
    case Cond.ae: return Cond.be;
    case Cond.be: return Cond.ae;
    case Cond.l: return Cond.g;
    case Cond.g: return Cond.l;
    case Cond.ge: return Cond.le;
    case Cond.le: return Cond.ge;
    default: return c;
  }
}

/** Machine ops. 0-15 are the shared ones (MOp). The order is the order of the table below. */
export const enum M {
  // ---- constants: def. No register uses, so all may rematerialize
  /** `imm`: xor r,r or mov r32,imm32. */
  iconst32 = 16,
  /** `imm` low, `imm2` high half: xor, mov r32, mov simm32 or movabs. */
  iconst64,
  /** `imm` = pool entry of 4 bytes: movss x,[rip]. */
  fconst32,
  /** `imm` = pool entry of 8 bytes: movsd x,[rip]. */
  fconst64,
  /** xorps x,x. */
  fzero,
  /** Loads an incoming stack argument: `imm` = byte offset in the caller's outgoing area, `imm2` = Type. */
  stack_arg,
  /** mov r64,[r15 + imm]. A field of the vm-context that never changes while the instance lives. */
  ctx_load,

  // ---- moves, loads, stores, extensions. rr: def, use(any). rm: def, mem. mr: use, mem. mi: mem
  /** mr, mi (imm8). */
  mov8,
  /** mr, mi (imm16). */
  mov16,
  /** rr (zero-extends to 64), rm, mr, mi. */
  mov32,
  /** rr, rm, mr, mi (imm sign-extended). */
  mov64,
  /** rr, rm; 32-bit target, so zero-extended to 64. */
  movzx8,
  movzx16,
  /** rr, rm; the second number is the target's width; 32 zero-extends from there. */
  movsx8_32,
  movsx16_32,
  movsx8_64,
  movsx16_64,
  movsx32_64,
  /** rm, mr. */
  movss,
  movsd,

  // ---- integer arithmetic
  /**
   * Address arithmetic, three-address: def, base (Base.reg), index; displacement imm2. Base reg or none. The emitter shortens: base + disp into
   * itself is `add r,imm`; base + index without displacement into base or index is `add`; index*2^k into itself is `shl`; base alone `mov`.
   */
  lea32,
  lea64,
  /**
   * Two-address: def(same 1), use, then right operand. rr: use(any, late). ri: imm (64: sign-extended). rm: mem (registers late). self: nothing.
   * mr: use, mem - read, modify, write. mi: mem. Of `add mr` and the like the fault is at the read.
   */
  add32, add64, sub32, sub64, and32, and64, or32, or64, xor32, xor64,
  /** rr, rm, self as above (two-address); ri: three-address `imul def, use(any), imm`; mi: `imul def, mem, imm`. */
  imul32, imul64,
  /** rr: def(same 1), use. */
  neg32, neg64, not32, not64,
  /** ri: def(same 1), use; count `imm`. rr: def(same 1), use, count(fixed rcx, late). */
  shl32, shl64, shr32, shr64, sar32, sar64, rol32, rol64, ror32, ror64,
  /** BMI2. rr: def, use(any), count. rm: def, count, mem. */
  shlx32, shlx64, shrx32, shrx64, sarx32, sarx64,
  /** BMI2. ri: def, use(any), imm. */
  rorx32, rorx64,
  /** LZCNT, BMI1, POPCNT. rr: def, use(any). rm: def, mem. */
  lzcnt32, lzcnt64, tzcnt32, tzcnt64, popcnt32, popcnt64,
  /** def, use(reg): `mov r11d,imm; bsr def,use; cmovz def,r11`: `imm` for zero. */
  bsr32, bsr64, bsf32, bsf64,
  /** High half of the product: def(fixed rdx), def(fixed rax, the low half), use(fixed rax), use(any, late). */
  umulh64, smulh64,
  /**
   * All eight: def(fixed rax) quotient, def(fixed rdx) remainder, use(fixed rax) x, use(reg, late) y. imm bit 0: test for a zero divisor;
   * bit 1 (signed): test for overflow.
   *   [test y,y; jz zero]  unsigned: xor edx,edx; div y.  signed: [cmp y,-1; je ovf; back:] cdq|cqo; idiv y; done:
   *   zero: trap integer_divide_by_zero.  ovf of sdiv: cmp x,MIN; je (trap integer_overflow); jmp back.  ovf of srem: xor edx,edx; jmp done.
   */
  udiv32, udiv64, sdiv32, sdiv64, urem32, urem64, srem32, srem64,

  // ---- float arithmetic
  /**
   * With AVX three-address: def, use, right (early). Without: def(same 1), use, right (late). rr: use(reg); rm: mem; self: nothing.
   * min and max are the raw instructions: the right operand when unordered or both zero.
   */
  addss, addsd, subss, subsd, mulss, mulsd, divss, divsd, minss, minsd, maxss, maxsd,
  /** As above. rm: only 16-byte pool entries (must be aligned without AVX). andn: ~left & right. */
  andps, andnps, orps, xorps,
  /** As above, `imm` the predicate (0 eq, 1 lt, 2 le, 3 unord, 4 neq, 5 nlt, 6 nle, 7 ord): a mask. */
  cmpss, cmpsd,
  /** rr: def, use(reg). rm: def, mem. No false dependency: with AVX the source twice, with memory or without AVX xor the target first unless target = source. */
  sqrtss, sqrtsd,
  /** SSE4.1. The same; `imm` mode: 8 nearest, 9 floor, 10 ceil, 11 trunc. */
  roundss, roundsd,
  /**
   * Wasm's min and max. def(early where three-address), use, use(late): with AVX def(flip), use, use; without def(same 1), use, use(late).
   *   ucomis a,b; je out; min/max d,a,b; back:   out: jp nan; or (min) / and (max) d,a,b; jmp back; nan: adds d,a,b; jmp back
   */
  fmin32, fmin64, fmax32, fmax64,

  // ---- conversions. rr: def, use. rm: def, mem. Into float: the target xored first
  cvtss2sd, cvtsd2ss,
  /** Integer (32: any sign-extended i32; 64) to float. rr: use(any). */
  cvtsi2ss32, cvtsi2sd32, cvtsi2ss64, cvtsi2sd64,
  cvttss2si32, cvttsd2si32, cvttss2si64, cvttsd2si64,
  /** u64 to float: def(float), use(reg): test x; js slow; cvtsi2s; back:  slow: r11 = (x >> 1) | (x & 1) by `shr; jnc; or 1`; cvtsi2s d,r11; adds d,d; jmp back. */
  cvtu64_ss, cvtu64_sd,
  /**
   * Float to i64: def(early), use(reg). `imm` 1: saturate, 0: trap.
   *   cvttsd2si d,x; cmp d,1; jo slow; back:   slow, trapping: NaN invalid_conversion; x == -2^63 back; else integer_overflow.
   *   slow, saturating: NaN: 0; x < 0: MIN (what d holds); else MAX.
   */
  trunc_i64_ss, trunc_i64_sd,
  /**
   * Float to u64: def(early), use(reg). xmm15 for x - 2^63.
   *   cvttsd2si d,x; test d,d; js slow; back:   slow: cvttsd2si d,x - 2^63; test d,d; js bad; btc d,63; jmp back.
   *   bad, trapping: NaN invalid_conversion, else integer_overflow. Saturating: NaN or x < 0: 0; else all ones. (x in (-1, 0) took the fast path.)
   */
  trunc_u64_ss, trunc_u64_sd,
  /** Bits between classes: def, use(reg). */
  movd_to_float, movd_to_int, movq_to_float, movq_to_int,

  // ---- calls. Defs: results, fixed. Uses: arguments, fixed. All clobber the caller-saved registers
  /** rel32 to function `imm` of this module (relocation). */
  call,
  /** Through ImportedFunc at vm-context offset `imm`: r11 = [r15+imm]; r15 = [r15+imm+8]; r14 = its memory0Base; call r11; r15 = frame slot; r14 from r15. */
  call_import,
  /**
   * Through a FuncRef: the first use (reg) holds its address. `cmp r15,[ref+ctx]; jne other; call [ref+code]; back:`
   *   other: mov r15,[ref+ctx]; mov r14,[r15+memory0Base]; call [ref+code]; r15, r14 as above; jmp back
   */
  call_ref,
  /** The same without switching: the callee is known to be of this instance. `call [ref+code]`. */
  call_ref_own,
  /** call [r15 + imm]: builtin stub and C functions; r14 and r15 are kept by the callee. */
  call_ctx,

  // ---- terminators
  jmp,
  /** use(reg) index, temp(reg). `imm`: jump table; its last entry is the default: cmp i,n; jae default; lea r11,[rip+table]; movsxd t,[r11+i*4]; add t,r11; jmp t. */
  jump_table,
  /** Uses: results, fixed. */
  ret,
  /** `imm` = TrapKind: call [r15+trapExit], here. */
  trap,

  // ---- compare families: what sets flags and what reads them as one op
  /** First of the families: number = compare_first + producer*6 + consumer, see `Producer`, `Consumer`. */
  compare_first,
}

/** What sets the flags. Operands: rr: use(reg), use(any). ri: use(any) and imm. rm: use(reg), mem. mi: mem and imm. */
export const enum Producer {
  /** mi only: byte in memory against imm8. */
  cmp8 = 0,
  /** rr, ri, rm, mi. ri with 0 is emitted as `test r,r`. */
  cmp32 = 1,
  cmp64 = 2,
  /** mi only: byte in memory. */
  test8 = 3,
  /** rr, ri (byte form if the mask fits), rm, mi. */
  test32 = 4,
  test64 = 5,
  /** rr, ri (use(reg)): carry = the bit. Conditions b, ae. */
  bt32 = 6,
  bt64 = 7,
  /** rr: use(reg), use(reg). rm. Conditions a, ae, b, be, feq, fne, p, np. */
  ucomiss = 8,
  ucomisd = 9,
  count = 10,
}

/** What reads them. */
export const enum Consumer {
  /** Terminator: to the first successor if the condition holds, else to the second. Operands: the producer's. */
  br = 0,
  /** def, then the producer's operands: setcc; movzx. (def is written late: no xor first unless it is none of the operands.) */
  set = 1,
  /** def(same 2), use if true (any, late), use if false, then the producer's operands (all late): cmov. Also where one of the values is a slot. */
  sel32 = 2,
  sel64 = 3,
  /** The same for floats (reg): jcc over `movaps def,iftrue`, so: emitted as j(!cc) over; movaps; over. */
  self = 4,
  /** jcc to out-of-line trap, kind in the shape word. Producer's operands, then the value (see Shape). */
  trap = 5,
  count = 6,
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
  iconst32 iconst64 fconst32 fconst64 fzero stack_arg ctx_load
  mov8 mov16 mov32 mov64 movzx8 movzx16 movsx8_32 movsx16_32 movsx8_64 movsx16_64 movsx32_64 movss movsd
  lea32 lea64 add32 add64 sub32 sub64 and32 and64 or32 or64 xor32 xor64 imul32 imul64 neg32 neg64 not32 not64
  shl32 shl64 shr32 shr64 sar32 sar64 rol32 rol64 ror32 ror64 shlx32 shlx64 shrx32 shrx64 sarx32 sarx64 rorx32 rorx64
  lzcnt32 lzcnt64 tzcnt32 tzcnt64 popcnt32 popcnt64 bsr32 bsr64 bsf32 bsf64 umulh64 smulh64
  udiv32 udiv64 sdiv32 sdiv64 urem32 urem64 srem32 srem64
  addss addsd subss subsd mulss mulsd divss divsd minss minsd maxss maxsd andps andnps orps xorps cmpss cmpsd
  sqrtss sqrtsd roundss roundsd fmin32 fmin64 fmax32 fmax64
  cvtss2sd cvtsd2ss cvtsi2ss32 cvtsi2sd32 cvtsi2ss64 cvtsi2sd64 cvttss2si32 cvttsd2si32 cvttss2si64 cvttsd2si64
  cvtu64_ss cvtu64_sd trunc_i64_ss trunc_i64_sd trunc_u64_ss trunc_u64_sd movd_to_float movd_to_int movq_to_float movq_to_int
  call call_import call_ref call_ref_own call_ctx jmp jump_table ret trap
`.trim().split(/\s+/);

const producers = ["cmp8", "cmp32", "cmp64", "test8", "test32", "test64", "bt32", "bt64", "ucomiss", "ucomisd"];
const consumers = ["br", "set", "sel32", "sel64", "self", "trap"];

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
