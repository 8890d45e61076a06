// The arm64 register file and our calling convention, as data.
//
// Numbers are those of ir/machine/mfunc.ts: 0-30 are x0..x30, 31 the stack pointer, 32-63 are v0..v31, so that
// `number & 31` is the hardware number of any. The zero register has the stack pointer's hardware number and is -1 here,
// so that the assembler can tell them apart. x18 belongs to the platform and x29 to C's frames: neither is ever written.
// Arguments are where C has them, so calls of C functions need no shuffle. Relies on nothing.
import type { RegisterFile } from "../target.js";

export const enum Reg {
  /** Reads as 0, written to no effect. */
  zr = -1,
  x0 = 0,
  x1 = 1,
  x2 = 2,
  x3 = 3,
  x4 = 4,
  x5 = 5,
  x6 = 6,
  x7 = 7,
  x8 = 8,
  x9 = 9,
  x10 = 10,
  x11 = 11,
  x12 = 12,
  x13 = 13,
  x14 = 14,
  x15 = 15,
  x16 = 16,
  x17 = 17,
  x19 = 19,
  x20 = 20,
  x21 = 21,
  x22 = 22,
  x23 = 23,
  x24 = 24,
  x25 = 25,
  x26 = 26,
  x27 = 27,
  x28 = 28,
  x29 = 29,
  x30 = 30,
  sp = 31,
  v0 = 32,
  v8 = 40,
  v30 = 62,
  v31 = 63,
  /** Address of the running instance's vm-context, in all compiled code. */
  vmctx = x28,
  /** Base address of memory 0, in all compiled code of a module that has one. */
  memoryBase = x27,
  /** Return address. */
  link = x30,
  scratchInt = x16,
  scratchFloat = v31,
  /** Of the emitter alone: addresses that fit no addressing mode. Parallel moves never hold anything in it. */
  address = x17,
}

const numbered = (prefix: string, from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`);

/** Printed name by shared number. */
export const names: readonly string[] = [...numbered("x", 0, 30), "sp", ...numbered("v", 0, 31)];

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const calleeSaved = range(Reg.x19, Reg.x26);

export const registers: RegisterFile = {
  names,
  aliases: names.map((name) => {
    const number = name.slice(1);
    return name.startsWith("x") ? [`w${number}`] : name.startsWith("v") ? ["b", "h", "s", "d", "q"].map((width) => width + number) : undefined;
  }),
  allocatableInts: [...range(Reg.x0, Reg.x15), ...calleeSaved],
  allocatableFloats: range(Reg.v0, Reg.v30),
  calleeSavedInts: calleeSaved.reduce((mask, r) => mask | (1 << r), 0),
  calleeSavedFloats: 0,
  scratchInt: Reg.scratchInt,
  scratchFloat: Reg.scratchFloat,
  argInts: range(Reg.x0, Reg.x7),
  argFloats: range(Reg.v0, Reg.v0 + 7),
  resultInts: range(Reg.x0, Reg.x7),
  resultFloats: range(Reg.v0, Reg.v0 + 7),
};

/** What a C function's caller relies on, in pairs: saved by the stubs that C code calls. Of v8-v15 the low halves. */
export const cSavedInts: readonly number[] = [...range(Reg.x19, Reg.x28), Reg.x29, Reg.x30];
export const cSavedFloats: readonly number[] = range(Reg.v8, Reg.v8 + 7);
