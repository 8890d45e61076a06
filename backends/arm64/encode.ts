// The assembler: arm64 instructions into a code buffer, one method an operand layout, one argument an operand.
//
// Registers are the shared numbers (see registers.ts); where the hardware's number 31 means the stack pointer the zero
// register is refused, and the other way round. What the architecture leaves unpredictable, immediates that do not fit
// and changes of the stack pointer that leave it misaligned throw. Conditional branches are emitted as a skip over an
// unconditional one and shrink where they reach (code-buffer.ts), so no branch in a function ever needs an island.
// Source: Arm Architecture Reference Manual for A-profile, chapters C4 and C6. Allocates nothing per instruction.
import { CodeBuffer, type CodeBufferTarget, type FixupKind } from "../code-buffer.js";
import { Bit, Form, Index, type Cond, type Extend, type Shift } from "./opcodes.js";
import { Reg } from "./registers.js";

export const enum Fixup {
  /** b, bl: 128 MiB. */
  branch = 0,
  /** b.cond, cbz, cbnz: 1 MiB; longer as a skip over b. */
  conditional = 1,
  /** tbz, tbnz: 32 KiB; longer as a skip over b. */
  testBit = 2,
  /** ldr from a label, also b.cond, cbz, cbnz known to reach: 1 MiB, multiples of 4. */
  literal = 3,
  /** adr: 1 MiB. */
  address = 4,
  /** A 32-bit field. */
  word = 5,
}

export const enum Reloc {
  /** The 26-bit field of a call or jump to a function. */
  call = 1,
}

export const INST_BYTES = 4;
/** How far conditional branches reach. */
export const NEAR_BYTES = 1 << 20;

function get32(code: Uint8Array, at: number): number {
  return code[at]! | (code[at + 1]! << 8) | (code[at + 2]! << 16) | (code[at + 3]! << 24);
}

function put32(code: Uint8Array, at: number, value: number): void {
  code[at] = value;
  code[at + 1] = value >> 8;
  code[at + 2] = value >> 16;
  code[at + 3] = value >> 24;
}

/** `distance` as a signed field of `bits` bits that counts instructions. */
function words(distance: number, bits: number, at: number): number {
  const n = distance / INST_BYTES;
  if (n !== Math.floor(n)) throw new Error(`branch at ${at} to the middle of an instruction, distance ${distance}`);
  if (n < -(2 ** (bits - 1)) || n >= 2 ** (bits - 1)) throw new Error(`distance ${distance} at ${at} exceeds ${bits} bits of instructions`);
  return n & (2 ** bits - 1);
}

const branchFixup: FixupKind = {
  name: "b",
  bytes: 4,
  write: (code, at, distance) => put32(code, at, (get32(code, at) & ~0x3ffffff) | words(distance, 26, at)),
};

/** Long: `skip` over b. The bit that inverts the condition is the lowest of b.cond's condition, bit 24 of the others. */
function conditional(name: string, bits: number, fieldMask: number): FixupKind {
  const reach = 2 ** (bits - 1) * INST_BYTES;
  return {
    name,
    bytes: 8,
    write(code, at, distance) {
      put32(code, at + 4, Form.b | words(distance - 4, 26, at));
    },
    short: {
      bytes: 4,
      min: -reach,
      max: reach - INST_BYTES,
      write(code, at, distance, long, longAt) {
        put32(code, at, inverted(get32(long, longAt) & ~fieldMask) | (words(distance, bits, at) << 5));
      },
    },
  };
}

/** The opposite condition of b.cond, cbz, tbz ... */
function inverted(word: number): number {
  return (word & 0xff000010) === Form.bcond ? word ^ 1 : word ^ (1 << 24);
}

const literalFixup: FixupKind = {
  name: "literal",
  bytes: 4,
  write: (code, at, distance) => put32(code, at, get32(code, at) | (words(distance, 19, at) << 5)),
};

const addressFixup: FixupKind = {
  name: "adr",
  bytes: 4,
  write(code, at, distance) {
    if (distance < -0x100000 || distance > 0xfffff) throw new Error(`adr at ${at} reaches 1 MiB, not ${distance}`);
    put32(code, at, get32(code, at) | ((distance & 3) << 29) | (((distance >> 2) & 0x7ffff) << 5));
  },
};

const wordFixup: FixupKind = {
  name: "word",
  bytes: 4,
  write: (code, at, distance) => put32(code, at, distance),
};

export function fillNops(code: Uint8Array, from: number, to: number): void {
  for (let at = from; at + INST_BYTES <= to; at += INST_BYTES) put32(code, at, Form.nop);
}

/** Indexed by `Fixup`. */
export const codeBufferTarget: CodeBufferTarget = {
  fixups: [branchFixup, conditional("b.cond", 19, 0x7ffff << 5), conditional("tbz", 14, 0x3fff << 5), literalFixup, addressFixup, wordFixup],
  fillNops,
};

/** Writes the displacement of a relocation at `position` to code at `target`, both in `bytes`. */
export function relocate(bytes: Uint8Array, position: number, kind: number, target: number): void {
  if (kind !== Reloc.call) throw new Error(`unknown relocation kind ${kind} at ${position}`);
  branchFixup.write(bytes, position, target - position);
}

// ---------------------------------------------------------------- immediates

/** Whether an unsigned number is the immediate of add and sub: 12 bits, or 12 bits and 12 zeros. */
export function fitsAdd(imm: number): boolean {
  return (imm >= 0 && imm <= 0xfff) || (imm > 0 && imm <= 0xfff000 && (imm & 0xfff) === 0);
}

/** Whether a load or store of `1 << scale` bytes reaches the displacement, scaled or unscaled. */
export function fitsDisplacement(disp: number, scale: number): boolean {
  if (disp >= -256 && disp <= 255) return true;
  return disp > 0 && disp <= 0xfff << scale && (disp & ((1 << scale) - 1)) === 0;
}

/**
 * The 13 bits N:immr:imms of a logical immediate, -1 where there is none. Such a value is an element of 2, 4 .. 64 bits, repeated;
 * the element is a run of ones, rotated. For 32 bits give the word as both halves.
 */
export function logicalImmediate(lo: number, hi: number): number {
  lo |= 0;
  hi |= 0;
  if ((lo === 0 && hi === 0) || (lo === -1 && hi === -1)) return -1;
  let size = 64;
  // The smallest element that repeats.
  if (lo === hi) {
    size = 32;
    let element = lo >>> 0;
    while (size > 2) {
      const half = size >> 1;
      const mask = 2 ** half - 1;
      if ((element & mask) !== ((element >>> half) & mask)) break;
      element &= mask;
      size = half;
    }
    hi = 0;
    lo = size === 32 ? lo : element;
  }
  // Ones, and whether they form one run around the element's ends: exactly one place where a 0 is followed by a 1.
  let ones = 0;
  let starts = 0;
  let start = 0;
  let before = bit(lo, hi, size - 1);
  for (let i = 0; i < size; i++) {
    const now = bit(lo, hi, i);
    if (now === 1) {
      ones++;
      if (before === 0) {
        starts++;
        start = i;
      }
    }
    before = now;
  }
  if (starts !== 1) return -1;
  const n = size === 64 ? 1 : 0;
  const rotate = (size - start) & (size - 1);
  const sizeBits = size === 64 ? 0 : (0x3f & ~(size * 2 - 1));
  return (n << 12) | (rotate << 6) | sizeBits | (ones - 1);
}

function bit(lo: number, hi: number, i: number): number {
  return ((i < 32 ? lo : hi) >>> (i & 31)) & 1;
}

/** As `logicalImmediate`, for an operation of 32 bits. */
export function logicalImmediate32(imm: number): number {
  return logicalImmediate(imm, imm);
}

/** The 8 bits of fmov's immediate that give these bits of a double, -1 where none do: +-(16..31)/16 * 2^(-3..4). */
export function floatImmediate64(lo: number, hi: number): number {
  if (lo !== 0 || (hi & 0xffff) !== 0) return -1;
  const exponent = (hi >>> 22) & 0x1ff;
  // The inverted top bit of the exponent, repeated eight times.
  if (exponent !== 0x100 && exponent !== 0x0ff) return -1;
  return ((hi >>> 24) & 0x80) | (exponent === 0xff ? 0x40 : 0) | ((hi >>> 16) & 0x3f);
}

export function floatImmediate32(bits: number): number {
  if ((bits & 0x7ffff) !== 0) return -1;
  const exponent = (bits >>> 25) & 0x3f;
  if (exponent !== 0x20 && exponent !== 0x1f) return -1;
  return ((bits >>> 24) & 0x80) | (exponent === 0x1f ? 0x40 : 0) | ((bits >>> 19) & 0x3f);
}

/** How many instructions `movImm64` takes. */
export function movLength(lo: number, hi: number): number {
  if (logicalImmediate(lo, hi) >= 0) return 1;
  let zeros = 0;
  let ones = 0;
  for (let i = 0; i < 4; i++) {
    const part = ((i < 2 ? lo : hi) >>> ((i & 1) * 16)) & 0xffff;
    if (part === 0) zeros++;
    else if (part === 0xffff) ones++;
  }
  return Math.max(1, 4 - Math.max(zeros, ones));
}

// ---------------------------------------------------------------- the assembler

/** A register where the hardware's 31 is the zero register. */
function z(reg: number): number {
  if (reg === Reg.sp) throw new Error("the stack pointer is no operand here");
  return reg & 31;
}

/** A register where it is the stack pointer. */
function s(reg: number): number {
  if (reg === Reg.zr) throw new Error("the zero register is no operand here");
  return reg & 31;
}

function checkStackStep(bytes: number): void {
  if ((bytes & 15) !== 0) throw new Error(`the stack pointer must stay a multiple of 16, step ${bytes}`);
}

export class Assembler extends CodeBuffer {
  /** No code comes to `NEAR_BYTES`: b.cond, cbz and cbnz are emitted in their short form at once. */
  near = false;

  /** See CodeBuffer. */
  constructor(instructions?: number, branches?: number) {
    super(codeBufferTarget, instructions, branches);
  }

  /** An instruction without operands, or a word as it is. */
  word(word: number): void {
    this.u32(word);
  }

  // ---- integer registers ----

  /** d, n: clz, rbit, rev; also float forms of two registers. */
  rr(form: number, d: number, n: number): void {
    this.u32(form | (z(n) << 5) | z(d));
  }

  /** d, n, m. */
  rrr(form: number, d: number, n: number, m: number): void {
    this.u32(form | (z(m) << 16) | (z(n) << 5) | z(d));
  }

  /** d, n, m shifted by a constant. */
  rrrShift(form: number, d: number, n: number, m: number, shift: Shift, amount: number): void {
    if (amount < 0 || amount > (form & Bit.sf ? 63 : 31)) throw new Error(`shift by ${amount}`);
    if (shift === 3 && (form & 0x1f000000) === 0x0b000000) throw new Error("add and sub do not rotate");
    this.u32(form | (shift << 22) | (z(m) << 16) | (amount << 10) | (z(n) << 5) | z(d));
  }

  /** d, n, m extended and shifted left by 0..4; d (unless flags are set) and n may be the stack pointer. */
  rrrExtend(form: number, d: number, n: number, m: number, extend: Extend, amount: number): void {
    if (amount < 0 || amount > 4) throw new Error(`extended operand shifted by ${amount}`);
    const setsFlags = (form & 0x20000000) !== 0;
    if (d === Reg.sp) throw new Error("a register is added to the stack pointer");
    this.u32(form | (z(m) << 16) | (extend << 13) | (amount << 10) | (s(n) << 5) | (setsFlags ? z(d) : s(d)));
  }

  /** d, n, m, a: madd and its kin. */
  rrrr(form: number, d: number, n: number, m: number, a: number): void {
    this.u32(form | (z(m) << 16) | (z(a) << 10) | (z(n) << 5) | z(d));
  }

  /** add, sub: d (unless flags are set) and n may be the stack pointer. */
  addImm(form: number, d: number, n: number, imm: number): void {
    if (!fitsAdd(imm)) throw new Error(`add or sub of ${imm}`);
    const setsFlags = (form & 0x20000000) !== 0;
    if (d === Reg.sp && n === Reg.sp) checkStackStep(imm);
    const shifted = imm > 0xfff;
    this.u32(form | (shifted ? 1 << 22 : 0) | ((shifted ? imm >>> 12 : imm) << 10) | (s(n) << 5) | (setsFlags ? z(d) : s(d)));
  }

  /** and, orr, eor, ands with a bit mask; for 32-bit forms `hi` is not looked at. */
  logicalImm(form: number, d: number, n: number, lo: number, hi: number): void {
    const imm = form & Bit.sf ? logicalImmediate(lo, hi) : logicalImmediate32(lo);
    if (imm < 0) throw new Error(`no logical immediate: ${(hi >>> 0).toString(16)}:${(lo >>> 0).toString(16)}`);
    if (d === Reg.sp) throw new Error("a mask is no stack pointer");
    this.u32(form | (imm << 10) | (z(n) << 5) | z(d));
  }

  /** movz, movn, movk: 16 bits at `part` * 16. */
  movWide(form: number, d: number, imm16: number, part: number): void {
    if (imm16 < 0 || imm16 > 0xffff || part < 0 || part > (form & Bit.sf ? 3 : 1)) throw new Error(`mov of ${imm16} to part ${part}`);
    this.u32(form | (part << 21) | (imm16 << 5) | z(d));
  }

  /** A 32-bit constant; the upper half becomes 0. */
  movImm32(d: number, imm: number): void {
    const low = imm & 0xffff;
    const high = imm >>> 16;
    if (high === 0) return this.movWide(Form.movz32, d, low, 0);
    if (low === 0) return this.movWide(Form.movz32, d, high, 1);
    if (high === 0xffff) return this.movWide(Form.movn32, d, low ^ 0xffff, 0);
    if (low === 0xffff) return this.movWide(Form.movn32, d, high ^ 0xffff, 1);
    if (logicalImmediate32(imm) >= 0) return this.logicalImm(Form.orr32_i, d, Reg.zr, imm, 0);
    this.movWide(Form.movz32, d, low, 0);
    this.movWide(Form.movk32, d, high, 1);
  }

  /** A 64-bit constant in one to four instructions. */
  movImm64(d: number, lo: number, hi: number): void {
    if (hi === 0) return this.movImm32(d, lo);
    if (logicalImmediate(lo, hi) >= 0 && movLength(lo, hi) === 1 && !this.oneMov(lo, hi)) return this.logicalImm(Form.orr64_i, d, Reg.zr, lo, hi);
    let zeros = 0;
    let ones = 0;
    for (let i = 0; i < 4; i++) {
      const part = ((i < 2 ? lo : hi) >>> ((i & 1) * 16)) & 0xffff;
      if (part === 0) zeros++;
      else if (part === 0xffff) ones++;
    }
    // From all ones or all zeros, whichever more parts have already.
    const flip = ones > zeros ? 0xffff : 0;
    let first = true;
    for (let i = 0; i < 4; i++) {
      const part = ((i < 2 ? lo : hi) >>> ((i & 1) * 16)) & 0xffff;
      if (part === flip) continue;
      if (first) this.movWide(flip === 0 ? Form.movz64 : Form.movn64, d, part ^ flip, i);
      else this.movWide(Form.movk64, d, part, i);
      first = false;
    }
    if (first) this.movWide(flip === 0 ? Form.movz64 : Form.movn64, d, 0, 0);
  }

  /** Whether one movz or movn makes it. */
  private oneMov(lo: number, hi: number): boolean {
    let zeros = 0;
    let ones = 0;
    for (let i = 0; i < 4; i++) {
      const part = ((i < 2 ? lo : hi) >>> ((i & 1) * 16)) & 0xffff;
      if (part === 0) zeros++;
      else if (part === 0xffff) ones++;
    }
    return zeros >= 3 || ones >= 3;
  }

  /** Register to register, zero-extending where 32 bits. Neither is the stack pointer. */
  mov(bits: 32 | 64, d: number, n: number): void {
    this.rrr(bits === 64 ? Form.orr64_r : Form.orr32_r, d, Reg.zr, n);
  }

  /** sbfm, bfm, ubfm. */
  bitfield(form: number, d: number, n: number, immr: number, imms: number): void {
    const last = form & Bit.sf ? 63 : 31;
    if (immr < 0 || immr > last || imms < 0 || imms > last) throw new Error(`bitfield ${immr}, ${imms}`);
    this.u32(form | (immr << 16) | (imms << 10) | (z(n) << 5) | z(d));
  }

  /** The bits from `lsb` on of n:m. */
  extr(form: number, d: number, n: number, m: number, lsb: number): void {
    if (lsb < 0 || lsb > (form & Bit.sf ? 63 : 31)) throw new Error(`extr from ${lsb}`);
    this.u32(form | (z(m) << 16) | (lsb << 10) | (z(n) << 5) | z(d));
  }

  /** d = cond ? n : (m, m + 1, ~m, -m); also fcsel. */
  select(form: number, d: number, n: number, m: number, cond: Cond): void {
    this.u32(form | (z(m) << 16) | (cond << 12) | (z(n) << 5) | z(d));
  }

  /** d = cond ? 1 : 0. */
  cset(d: number, cond: Cond): void {
    this.select(Form.csinc32, d, Reg.zr, Reg.zr, cond ^ 1);
  }

  /** Compares if the condition holds, else the flags become nzcv; also fccmp. */
  ccmp(form: number, n: number, m: number, nzcv: number, cond: Cond): void {
    this.u32(form | (z(m) << 16) | (cond << 12) | (z(n) << 5) | (nzcv & 15));
  }

  ccmpImm(form: number, n: number, imm: number, nzcv: number, cond: Cond): void {
    if (imm < 0 || imm > 31) throw new Error(`ccmp with ${imm}`);
    this.u32(form | (imm << 16) | (cond << 12) | (z(n) << 5) | (nzcv & 15));
  }

  // ---- memory ----

  /** [n + disp]: scaled where that fits, else unscaled. Throws if neither does, see `fitsDisplacement`. */
  mem(form: number, t: number, n: number, disp: number): void {
    const scale = accessScale(form);
    if (disp >= 0 && disp <= 0xfff << scale && (disp & ((1 << scale) - 1)) === 0) {
      this.u32(form | 0x01000000 | ((disp >>> scale) << 10) | (s(n) << 5) | z(t));
      return;
    }
    if (disp < -256 || disp > 255) throw new Error(`displacement ${disp}`);
    this.u32(form | ((disp & 0x1ff) << 12) | (s(n) << 5) | z(t));
  }

  /** [n + m extended], m shifted by the access's size if `shifted`. */
  memIndex(form: number, t: number, n: number, m: number, extend: Extend.uxtw | Extend.uxtx | Extend.sxtw | Extend.sxtx, shifted: boolean): void {
    this.u32(form | 0x00200800 | (z(m) << 16) | (extend << 13) | (shifted ? 1 << 12 : 0) | (s(n) << 5) | z(t));
  }

  /** One register with the base updated by -256..255 before or after. */
  memUpdate(form: number, t: number, n: number, disp: number, index: Index.pre | Index.post): void {
    if (disp < -256 || disp > 255) throw new Error(`displacement ${disp}`);
    if (n === Reg.sp) checkStackStep(disp);
    else if (t === n && (form & 0x04000000) === 0) throw new Error("a base updated and loaded or stored is unpredictable");
    this.u32(form | ((disp & 0x1ff) << 12) | (index === Index.pre ? 0xc00 : 0x400) | (s(n) << 5) | z(t));
  }

  /** Two registers at [n + disp]; disp is scaled, 7 bits signed. */
  pair(form: number, t: number, t2: number, n: number, disp: number, index: Index = Index.offset): void {
    const scale = pairScale(form);
    const units = disp / (1 << scale);
    if (units !== Math.floor(units) || units < -64 || units > 63) throw new Error(`displacement ${disp} of a pair`);
    const load = (form & Bit.loadPair) !== 0;
    const float = (form & 0x04000000) !== 0;
    if (load && t === t2) throw new Error("a pair loaded into one register is unpredictable");
    if (index !== Index.offset) {
      if (n === Reg.sp) checkStackStep(disp);
      else if (!float && (t === n || t2 === n)) throw new Error("a base updated and loaded or stored is unpredictable");
    }
    this.u32(form | (index << 23) | ((units & 0x7f) << 15) | (z(t2) << 10) | (s(n) << 5) | z(t));
  }

  /** ldr from a label within 1 MiB. */
  memLabel(form: number, t: number, label: number): void {
    this.fixup(Fixup.literal, label);
    this.u32(form | z(t));
  }

  adr(d: number, label: number): void {
    this.fixup(Fixup.address, label);
    this.u32(Form.adr | z(d));
  }

  /** Pages of 4096 bytes. */
  adrp(d: number, pages: number): void {
    if (pages < -0x100000 || pages > 0xfffff) throw new Error(`adrp by ${pages} pages`);
    this.u32(Form.adrp | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5) | z(d));
  }

  // ---- control ----

  b(label: number): void {
    this.fixup(Fixup.branch, label);
    this.u32(Form.b);
  }

  bl(label: number): void {
    this.fixup(Fixup.branch, label);
    this.u32(Form.bl);
  }

  bcond(cond: Cond, label: number): void {
    this.conditional(Fixup.conditional, Form.bcond | cond, label);
  }

  /** `form`: cbz32 .. cbnz64. */
  cbz(form: number, t: number, label: number): void {
    this.conditional(Fixup.conditional, form | z(t), label);
  }

  /** `form`: tbz or tbnz. */
  tbz(form: number, t: number, bitNumber: number, label: number): void {
    if (bitNumber < 0 || bitNumber > 63) throw new Error(`bit ${bitNumber}`);
    this.conditional(Fixup.testBit, form | ((bitNumber >> 5) << 31) | ((bitNumber & 31) << 19) | z(t), label);
  }

  private conditional(kind: Fixup, word: number, label: number): void {
    if (this.near && kind === Fixup.conditional) {
      this.fixup(Fixup.literal, label);
      return this.u32(word);
    }
    this.fixup(kind, label);
    // Over the b that follows: 2 instructions on.
    this.u32(inverted(word) | (2 << 5));
    this.u32(Form.b);
  }

  /** br, blr, ret. */
  r(form: number, n: number): void {
    this.u32(form | (z(n) << 5));
  }

  /** Call of function `func`, resolved by the linker. */
  callFunc(func: number): void {
    this.reloc(Reloc.call, func);
    this.u32(Form.bl);
  }

  /** Tail jump to function `func`, resolved by the linker. */
  jmpFunc(func: number): void {
    this.reloc(Reloc.call, func);
    this.u32(Form.b);
  }

  /** A jump table's entry: the 32-bit distance from `anchor` to `label`. */
  tableEntry(label: number, anchor: number): void {
    this.field(Fixup.word, label, anchor);
    this.u32(0);
  }

  /** brk, svc, udf. */
  exception(form: number, imm16: number): void {
    if (imm16 < 0 || imm16 > 0xffff) throw new Error(`exception number ${imm16}`);
    this.u32(form === Form.udf ? imm16 : form | (imm16 << 5));
  }

  /** dc, ic, mrs: one register. */
  system(form: number, t: number): void {
    this.u32(form | z(t));
  }

  // ---- float ----

  /** n, m: fcmp; m is not looked at by fcmpz. */
  fcmp(form: number, n: number, m: number): void {
    this.u32(form | ((form & 8) !== 0 ? 0 : (m & 31) << 16) | ((n & 31) << 5));
  }

  /** See `floatImmediate32` and `64`. */
  fmovImm(form: number, d: number, imm8: number): void {
    if (imm8 < 0 || imm8 > 255) throw new Error(`float immediate ${imm8}`);
    this.u32(form | (imm8 << 13) | (d & 31));
  }

  /** A constant of 32 bits; by way of an integer register where neither zero nor an immediate makes it. */
  fmov32(d: number, bits: number, via: number): void {
    if (bits === 0) return this.movi(Form.movi_d, d, 0, 0);
    const imm = floatImmediate32(bits);
    if (imm >= 0) return this.fmovImm(Form.fmovi_s, d, imm);
    this.movImm32(via, bits);
    this.rr(Form.fmov_sw, d, via);
  }

  /** The same of 64 bits. */
  fmov64(d: number, lo: number, hi: number, via: number): void {
    if (lo === 0 && hi === 0) return this.movi(Form.movi_d, d, 0, 0);
    const imm = floatImmediate64(lo, hi);
    if (imm >= 0) return this.fmovImm(Form.fmovi_d, d, imm);
    this.movImm64(via, lo, hi);
    this.rr(Form.fmov_dx, d, via);
  }

  /** movi_d; movi_2s and mvni_2s with a left shift of 0, 8, 16, 24. */
  movi(form: number, d: number, imm8: number, shift: number): void {
    if (imm8 < 0 || imm8 > 255 || (shift & ~24) !== 0) throw new Error(`vector immediate ${imm8} << ${shift}`);
    this.u32(form | (shift << 10) | ((imm8 >> 5) << 16) | ((imm8 & 31) << 5) | (d & 31));
  }
}

/** log2 of the bytes a load or store form touches. */
export function accessScale(form: number): number {
  return (form & 0x04800000) === 0x04800000 ? 4 : form >>> 30;
}

function pairScale(form: number): number {
  if ((form & 0x04000000) !== 0) return 2 + (form >>> 30);
  return (form & Bit.sf) !== 0 ? 3 : 2;
}
