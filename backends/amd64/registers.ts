// The amd64 register file and our calling convention, as data.
//
// Numbers are those of ir/machine/mfunc.ts: 0-15 are rax..r15 in hardware order, 32-47 are xmm0..xmm15, so that
// `number & 15` is the hardware number of either. The first six integer arguments are those of the C convention, so
// calls of C functions need no shuffle. Relies on nothing.
import type { RegisterFile } from "../target.js";

export const enum Reg {
  rax = 0,
  rcx = 1,
  rdx = 2,
  rbx = 3,
  rsp = 4,
  rbp = 5,
  rsi = 6,
  rdi = 7,
  r8 = 8,
  r9 = 9,
  r10 = 10,
  r11 = 11,
  r12 = 12,
  r13 = 13,
  r14 = 14,
  r15 = 15,
  xmm0 = 32,
  xmm1 = 33,
  xmm2 = 34,
  xmm3 = 35,
  xmm4 = 36,
  xmm5 = 37,
  xmm6 = 38,
  xmm7 = 39,
  xmm8 = 40,
  xmm9 = 41,
  xmm10 = 42,
  xmm11 = 43,
  xmm12 = 44,
  xmm13 = 45,
  xmm14 = 46,
  xmm15 = 47,
  /** Address of the running instance's vm-context, in all compiled code. */
  vmctx = r15,
  /** Base address of memory 0, in all compiled code of a module that has one. */
  memoryBase = r14,
  scratchInt = r11,
  scratchFloat = xmm15,
}

export const names8 = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"] as const;
export const names16 = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"] as const;
export const names32 = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"] as const;
export const names64 = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"] as const;
export const namesXmm = ["xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"] as const;

const none = new Array<undefined>(16).fill(undefined);
const names: readonly (string | undefined)[] = [...names64, ...none, ...namesXmm];

const calleeSaved = [Reg.rbx, Reg.rbp, Reg.r12, Reg.r13] as const;

export const registers: RegisterFile = {
  names,
  aliases: names64.map((_, i) => [names32[i]!, names16[i]!, names8[i]!]),
  // Caller-saved first; among those, the ones that need no REX prefix.
  allocatableInts: [Reg.rax, Reg.rcx, Reg.rdx, Reg.rsi, Reg.rdi, Reg.r8, Reg.r9, Reg.r10, ...calleeSaved],
  allocatableFloats: [
    Reg.xmm0, Reg.xmm1, Reg.xmm2, Reg.xmm3, Reg.xmm4, Reg.xmm5, Reg.xmm6, Reg.xmm7,
    Reg.xmm8, Reg.xmm9, Reg.xmm10, Reg.xmm11, Reg.xmm12, Reg.xmm13, Reg.xmm14,
  ],
  calleeSavedInts: calleeSaved.reduce((mask: number, r) => mask | (1 << r), 0),
  calleeSavedFloats: 0,
  scratchInt: Reg.scratchInt,
  scratchFloat: Reg.scratchFloat,
  argInts: [Reg.rdi, Reg.rsi, Reg.rdx, Reg.rcx, Reg.r8, Reg.r9, Reg.r10, Reg.rax],
  argFloats: [Reg.xmm0, Reg.xmm1, Reg.xmm2, Reg.xmm3, Reg.xmm4, Reg.xmm5, Reg.xmm6, Reg.xmm7],
  resultInts: [Reg.rax, Reg.rdx, Reg.rcx, Reg.rsi, Reg.rdi, Reg.r8],
  resultFloats: [Reg.xmm0, Reg.xmm1, Reg.xmm2, Reg.xmm3, Reg.xmm4, Reg.xmm5, Reg.xmm6, Reg.xmm7],
};

/** What a C function may change, besides flags: for calls of C functions from stubs. */
export const cClobberedInts = [Reg.rax, Reg.rcx, Reg.rdx, Reg.rsi, Reg.rdi, Reg.r8, Reg.r9, Reg.r10, Reg.r11] as const;
/** What a C function's caller relies on: saved by the stubs that C code calls. */
export const cSavedInts = [Reg.rbx, Reg.rbp, Reg.r12, Reg.r13, Reg.r14, Reg.r15] as const;
/** C's convention for arguments and the one result, as far as it differs from ours. */
export const cRegisters: RegisterFile = { ...registers, argInts: registers.argInts.slice(0, 6), resultInts: [Reg.rax], resultFloats: [Reg.xmm0] };
