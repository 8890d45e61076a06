// The amd64 assembler: instruction forms of opcodes.ts and operands as plain numbers in, bytes out.
//
// A method a shape of operands; the form says the rest. Registers are the shared numbers (integers 0-15, floats 32-47).
// A memory operand is four numbers, `base, index, shift, disp`: base and index registers or NO_REG, the index times
// 1 << shift; base LABEL makes it rip-relative to label number `disp`. The shortest encoding is chosen: displacement
// and immediate size, two-byte VEX. Methods starting with `v` encode the same form as VEX. Relies on opcodes.ts and
// CodeBuffer; allocates nothing per instruction.
import { CodeBuffer, type CodeBufferTarget, type FixupKind } from "../code-buffer.js";
import { Bit, Form } from "./opcodes.js";

export const NO_REG = -1;
/** As base of a memory operand: the displacement is a label, addressed relative to rip. */
export const LABEL = -2;

export const enum Fixup {
  /** jmp rel32, or rel8. */
  jmp = 0,
  jcc = 1,
  /** A 32-bit field relative to itself; what stands in it is added (the distance to the end of the instruction, negative). */
  rel32 = 2,
}

export const enum Reloc {
  /** rel32 of a call or jump to a function. */
  call = 1,
}

function get32(code: Uint8Array, at: number): number {
  return code[at]! | (code[at + 1]! << 8) | (code[at + 2]! << 16) | (code[at + 3]! << 24);
}

function put32(code: Uint8Array, at: number, value: number): void {
  if (value !== (value | 0)) throw new Error(`displacement ${value} at ${at} exceeds 32 bits`);
  code[at] = value;
  code[at + 1] = value >> 8;
  code[at + 2] = value >> 16;
  code[at + 3] = value >> 24;
}

const jmpFixup: FixupKind = {
  name: "jmp",
  bytes: 5,
  write: (code, at, distance) => put32(code, at + 1, distance - 5),
  short: {
    bytes: 2,
    min: -126,
    max: 129,
    write(code, at, distance) {
      code[at] = 0xeb;
      code[at + 1] = distance - 2;
    },
  },
};

const jccFixup: FixupKind = {
  name: "jcc",
  bytes: 6,
  write: (code, at, distance) => put32(code, at + 2, distance - 6),
  short: {
    bytes: 2,
    min: -126,
    max: 129,
    write(code, at, distance, long, longAt) {
      code[at] = 0x70 | (long[longAt + 1]! & 15);
      code[at + 1] = distance - 2;
    },
  },
};

const rel32Fixup: FixupKind = {
  name: "rel32",
  bytes: 4,
  write: (code, at, distance) => put32(code, at, distance + get32(code, at)),
};

/** The recommended no-ops of 1 to 9 bytes (AMD manual volume 3, NOP). */
const nops = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
] as const;

/** Fills `from` to `to` with as few no-ops as possible. */
export function fillNops(code: Uint8Array, from: number, to: number): void {
  while (from < to) {
    const n = Math.min(9, to - from);
    code.set(nops[n]!, from);
    from += n;
  }
}

/** Indexed by `Fixup`. */
export const codeBufferTarget: CodeBufferTarget = { fixups: [jmpFixup, jccFixup, rel32Fixup], fillNops };

/** Writes the displacement of a relocation at `position` to code at `target`, both in `bytes`. */
export function relocate(bytes: Uint8Array, position: number, kind: number, target: number): void {
  if (kind !== Reloc.call) throw new Error(`unknown relocation kind ${kind} at ${position}`);
  put32(bytes, position, target - (position + 4));
}

/** No instruction is longer. */
const MAX_BYTES = 16;

export class Assembler extends CodeBuffer {
  /** See CodeBuffer. */
  constructor(instructions?: number, branches?: number) {
    super(codeBufferTarget, instructions, branches);
  }

  // ---- without operands, opcode + register ----

  /** No operands: `ret`, `cqo`. */
  op0(form: number): void {
    const b = this.reserve(MAX_BYTES);
    this.length = head(b, this.length, form, 0);
  }

  /** The register in the opcode: push, pop, bswap. */
  o(form: number, reg: number): void {
    const b = this.reserve(MAX_BYTES);
    this.length = head(b, this.length, form + (reg & 7), (reg >> 3) & 1);
  }

  /** mov r32, imm32: zero-extends. Leaves the flags alone. */
  movImm32(reg: number, imm: number): void {
    const b = this.reserve(MAX_BYTES);
    let p = this.length;
    if (reg & 8) b[p++] = 0x41;
    b[p++] = 0xb8 | (reg & 7);
    this.length = imm32(b, p, imm);
  }

  /** A 64-bit constant by the shortest mov. Leaves the flags alone. */
  movImm64(reg: number, lo: number, hi: number): void {
    if (hi === 0) return this.movImm32(reg, lo);
    if (hi === -1 && lo < 0) return this.ri(Form.mov64_mi, reg, lo);
    const b = this.reserve(MAX_BYTES);
    let p = this.length;
    b[p++] = 0x48 | ((reg >> 3) & 1);
    b[p++] = 0xb8 | (reg & 7);
    p = imm32(b, p, lo);
    this.length = imm32(b, p, hi);
  }

  // ---- one operand: register or memory, and immediate ----

  r(form: number, rm: number): void {
    this.rr(form, (form >> Bit.digitShift) & 7, rm);
  }

  m(form: number, base: number, index: number, shift: number, disp: number): void {
    this.legacyMem(form, (form >> Bit.digitShift) & 7, base, index, shift, disp, 0);
  }

  ri(form: number, rm: number, imm: number): void {
    if (form & Bit.one && imm === 1) return this.r((form | 0x10) & ~Bit.one, rm);
    if (form & Bit.short && imm === (imm << 24) >> 24) form = (form & ~(Bit.short | (3 << Bit.immShift))) | 2 | Bit.imm8;
    else if (form & Bit.acc && rm === 0) {
      // add..cmp: the /digit is the operation's number; otherwise test.
      const opcode = (form & Bit.opcodeMask) < 0x84 ? ((form >> Bit.digitShift) & 7) * 8 + 4 : 0xa8;
      this.op0((form & ~Bit.opcodeMask) | opcode | (form & 1));
      this.length = immediate(this.bytes, this.length, form, imm);
      return;
    }
    this.r(form, rm);
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  mi(form: number, base: number, index: number, shift: number, disp: number, imm: number): void {
    if (form & Bit.one && imm === 1) return this.m((form | 0x10) & ~Bit.one, base, index, shift, disp);
    if (form & Bit.short && imm === (imm << 24) >> 24) form = (form & ~(Bit.short | (3 << Bit.immShift))) | 2 | Bit.imm8;
    this.legacyMem(form, (form >> Bit.digitShift) & 7, base, index, shift, disp, immBytes(form));
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  // ---- two operands ----

  /** Register and register: `reg` in the reg field, `rm` in the r/m field, whichever of them the form writes. */
  rr(form: number, reg: number, rm: number): void {
    const b = this.reserve(MAX_BYTES);
    let rex = ((reg >> 1) & 4) | ((rm >> 3) & 1);
    // spl..dil instead of ah..bh.
    if ((form & Bit.reg8 && (reg & 12) === 4) || (form & Bit.rm8 && (rm & 12) === 4)) rex |= 0x40;
    const p = head(b, this.length, form, rex);
    b[p] = 0xc0 | ((reg & 7) << 3) | (rm & 7);
    this.length = p + 1;
  }

  rm(form: number, reg: number, base: number, index: number, shift: number, disp: number): void {
    this.legacyMem(form, reg, base, index, shift, disp, 0);
  }

  rri(form: number, reg: number, rm: number, imm: number): void {
    if (form & Bit.short && imm === (imm << 24) >> 24) form = (form & ~(Bit.short | (3 << Bit.immShift))) | 2 | Bit.imm8;
    this.rr(form, reg, rm);
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  rmi(form: number, reg: number, base: number, index: number, shift: number, disp: number, imm: number): void {
    if (form & Bit.short && imm === (imm << 24) >> 24) form = (form & ~(Bit.short | (3 << Bit.immShift))) | 2 | Bit.imm8;
    this.legacyMem(form, reg, base, index, shift, disp, immBytes(form));
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  // ---- VEX: `v` is the register in the VEX prefix, NO_REG if the form has none ----

  v0(form: number): void {
    const b = this.reserve(MAX_BYTES);
    this.length = vexHead(b, this.length, form, 0, NO_REG);
  }

  /** /digit forms: `v` is the destination. */
  vvr(form: number, v: number, rm: number): void {
    this.vrvr(form, (form >> Bit.digitShift) & 7, v, rm);
  }

  vvm(form: number, v: number, base: number, index: number, shift: number, disp: number): void {
    this.vexMem(form, (form >> Bit.digitShift) & 7, v, base, index, shift, disp, 0);
  }

  vvri(form: number, v: number, rm: number, imm: number): void {
    this.vvr(form, v, rm);
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  vrr(form: number, reg: number, rm: number): void {
    this.vrvr(form, reg, NO_REG, rm);
  }

  vrm(form: number, reg: number, base: number, index: number, shift: number, disp: number): void {
    this.vexMem(form, reg, NO_REG, base, index, shift, disp, 0);
  }

  vrri(form: number, reg: number, rm: number, imm: number): void {
    this.vrvr(form, reg, NO_REG, rm);
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  vrmi(form: number, reg: number, base: number, index: number, shift: number, disp: number, imm: number): void {
    this.vexMem(form, reg, NO_REG, base, index, shift, disp, 1);
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  /** Three registers. For the `_rmv` forms (shlx) `v` is the last operand of the assembler's notation. */
  vrvr(form: number, reg: number, v: number, rm: number): void {
    const b = this.reserve(MAX_BYTES);
    const p = vexHead(b, this.length, form, ((reg >> 1) & 4) | ((rm >> 3) & 1), v);
    b[p] = 0xc0 | ((reg & 7) << 3) | (rm & 7);
    this.length = p + 1;
  }

  vrvm(form: number, reg: number, v: number, base: number, index: number, shift: number, disp: number): void {
    this.vexMem(form, reg, v, base, index, shift, disp, 0);
  }

  vrvri(form: number, reg: number, v: number, rm: number, imm: number): void {
    this.vrvr(form, reg, v, rm);
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  vrvmi(form: number, reg: number, v: number, base: number, index: number, shift: number, disp: number, imm: number): void {
    this.vexMem(form, reg, v, base, index, shift, disp, 1);
    this.length = immediate(this.bytes, this.length, form, imm);
  }

  /** Four registers, the last in the immediate byte: vblendvps, vblendvpd. */
  vrvrr(form: number, reg: number, v: number, rm: number, mask: number): void {
    this.vrvri(form, reg, v, rm, (mask & 15) << 4);
  }

  // ---- branches ----

  jmp(label: number): void {
    this.fixup(Fixup.jmp, label);
    const b = this.reserve(MAX_BYTES);
    b[this.length] = 0xe9;
    this.length = imm32(b, this.length + 1, 0);
  }

  jcc(cond: number, label: number): void {
    this.fixup(Fixup.jcc, label);
    const b = this.reserve(MAX_BYTES);
    b[this.length] = 0x0f;
    b[this.length + 1] = 0x80 | cond;
    this.length = imm32(b, this.length + 2, 0);
  }

  call(label: number): void {
    this.u8(0xe8);
    this.fixup(Fixup.rel32, label);
    this.u32(-4);
  }

  /** Call of function `func`, resolved by the linker. */
  callFunc(func: number): void {
    this.u8(0xe8);
    this.reloc(Reloc.call, func);
    this.u32(0);
  }

  /** Tail jump to function `func`, resolved by the linker. */
  jmpFunc(func: number): void {
    this.u8(0xe9);
    this.reloc(Reloc.call, func);
    this.u32(0);
  }

  /** A jump table's entry: the 32-bit distance from `anchor` to `label`. */
  tableEntry(label: number, anchor: number): void {
    this.field(Fixup.rel32, label, anchor);
    this.u32(0);
  }

  // ---- memory operands ----

  private legacyMem(form: number, reg: number, base: number, index: number, shift: number, disp: number, after: number): void {
    const b = this.reserve(MAX_BYTES);
    let rex = (reg >> 1) & 4;
    if (base >= 0) rex |= (base >> 3) & 1;
    if (index >= 0) rex |= (index >> 2) & 2;
    if (form & Bit.reg8 && (reg & 12) === 4) rex |= 0x40;
    const p = head(b, this.length, form, rex);
    this.modrm(b, p, reg, base, index, shift, disp, after);
  }

  private vexMem(form: number, reg: number, v: number, base: number, index: number, shift: number, disp: number, after: number): void {
    const b = this.reserve(MAX_BYTES);
    let rxb = (reg >> 1) & 4;
    if (base >= 0) rxb |= (base >> 3) & 1;
    if (index >= 0) rxb |= (index >> 2) & 2;
    const p = vexHead(b, this.length, form, rxb, v);
    this.modrm(b, p, reg, base, index, shift, disp, after);
  }

  /** ModRM, SIB, displacement; `after` bytes of immediate follow (rip counts from the instruction's end). */
  private modrm(b: Uint8Array, p: number, reg: number, base: number, index: number, shift: number, disp: number, after: number): void {
    const middle = (reg & 7) << 3;
    if (base >= 0) {
      const low = base & 7;
      // rbp and r13 as base have no form without displacement.
      const mod = disp === 0 && low !== 5 ? 0 : disp === (disp << 24) >> 24 ? 0x40 : 0x80;
      if (index >= 0) {
        if (index === 4) throw new Error("rsp cannot be an index register");
        b[p++] = mod | middle | 4;
        b[p++] = (shift << 6) | ((index & 7) << 3) | low;
      } else {
        b[p++] = mod | middle | low;
        // rsp and r12 as base need a SIB byte.
        if (low === 4) b[p++] = 0x24;
      }
      if (mod === 0x40) b[p++] = disp;
      else if (mod === 0x80) p = imm32(b, p, disp);
      this.length = p;
    } else if (base === LABEL) {
      b[p++] = middle | 5;
      this.fixup(Fixup.rel32, disp, p);
      this.length = imm32(b, p, -4 - after);
    } else {
      if (index === 4) throw new Error("rsp cannot be an index register");
      b[p++] = middle | 4;
      b[p++] = index >= 0 ? (shift << 6) | ((index & 7) << 3) | 5 : 0x25;
      this.length = imm32(b, p, disp);
    }
  }
}

/** Prefixes and opcode; `rex` holds R, X, B and 0x40 where a REX prefix must be there. Returns the position behind. */
function head(b: Uint8Array, p: number, form: number, rex: number): number {
  const prefix = (form >> Bit.prefixShift) & 3;
  if (prefix !== 0) b[p++] = prefix === 1 ? 0x66 : prefix === 2 ? 0xf3 : 0xf2;
  if (form & Bit.w) rex |= 0x48;
  if (rex !== 0) b[p++] = 0x40 | rex;
  const map = (form >> Bit.mapShift) & 3;
  if (map !== 0) {
    b[p++] = 0x0f;
    if (map === 2) b[p++] = 0x38;
    else if (map === 3) b[p++] = 0x3a;
  }
  b[p++] = form;
  return p;
}

/** VEX prefix and opcode; `rxb` as in REX, `v` a register or NO_REG. */
function vexHead(b: Uint8Array, p: number, form: number, rxb: number, v: number): number {
  const pp = (form >> Bit.prefixShift) & 3;
  const map = (form >> Bit.mapShift) & 3;
  const vvvv = v < 0 ? 0x78 : (~v & 15) << 3;
  const low = vvvv | (form & Bit.l256 ? 4 : 0) | pp;
  if (map === 1 && (rxb & 3) === 0 && (form & Bit.w) === 0) {
    b[p++] = 0xc5;
    b[p++] = (rxb & 4 ? 0 : 0x80) | low;
  } else {
    b[p++] = 0xc4;
    b[p++] = ((~rxb & 7) << 5) | map;
    b[p++] = (form & Bit.w ? 0x80 : 0) | low;
  }
  b[p++] = form;
  return p;
}

function immBytes(form: number): number {
  const size = (form >> Bit.immShift) & 3;
  return size === 3 ? 4 : size;
}

function immediate(b: Uint8Array, p: number, form: number, imm: number): number {
  const size = (form >> Bit.immShift) & 3;
  if (size === 3) return imm32(b, p, imm);
  b[p++] = imm;
  if (size === 2) b[p++] = imm >> 8;
  return p;
}

function imm32(b: Uint8Array, p: number, imm: number): number {
  b[p] = imm;
  b[p + 1] = imm >> 8;
  b[p + 2] = imm >> 16;
  b[p + 3] = imm >> 24;
  return p + 4;
}
