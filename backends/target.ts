// A target: registers and ABI as data, a table of machine ops, and three functions: lower, emit, stubs.
//
// Everything else in `backends` (the lowering driver, the register allocator, the frame plan, the code buffer) is
// shared and knows a target only through this interface. The registry of targets is the one line in `pipeline`.
import type { Func } from "../ir/func.js";
import type { Module } from "../ir/module.js";
import type { VmLayout } from "../ir/layout.js";
import type { FuncCode, RuntimeStubs } from "../ir/code.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import type { BaselineCompiler } from "./baseline/compiler.js";

/** The register file: numbers 0-31 are integer registers, 32-63 float registers (see ir/machine/mfunc.ts). */
export interface RegisterFile {
  /** Printed name by number; undefined: no such register. */
  readonly names: readonly (string | undefined)[];
  /** Further names by number, of narrower parts: what a disassembly calls them. */
  readonly aliases?: readonly (readonly string[] | undefined)[];
  /** Registers the allocator may use, in order of preference where nothing else decides; caller-saved first. */
  readonly allocatableInts: readonly number[];
  readonly allocatableFloats: readonly number[];
  /** Masks over the class: bit n is register n, or register 32 + n. */
  readonly calleeSavedInts: number;
  readonly calleeSavedFloats: number;
  /** Never allocated; parallel moves and emission may use them. */
  readonly scratchInt: number;
  readonly scratchFloat: number;
  readonly argInts: readonly number[];
  readonly argFloats: readonly number[];
  readonly resultInts: readonly number[];
  readonly resultFloats: readonly number[];
}

/** One machine op, for printer, parser and verifier; a target's table adds columns of its own. */
export interface MopInfo {
  readonly name: string;
  /** Ends a block. */
  readonly terminator?: boolean;
  /** Sets or reads the flags register, so that inserted code must leave it alone in between. */
  readonly setsFlags?: boolean;
  readonly usesFlags?: boolean;
  readonly call?: boolean;
}

export interface CodegenOptions {
  /** 0: local allocator, little selection; 1, 2: all. */
  readonly level: 0 | 1 | 2;
  /** `guard`: out-of-bounds accesses and null function references fault; `explicit`: they are compared and branched on. */
  readonly bounds: "guard" | "explicit";
  /** CPU features that may be used, by the target's names. */
  readonly features: ReadonlySet<string>;
}

/** What lowering may know of the module. */
export interface CodegenModule {
  readonly module: Module;
  readonly layout: VmLayout;
}

export interface Target {
  readonly name: string;
  /** Names of the CPU features that change the code. */
  readonly features: readonly string[];
  readonly registers: RegisterFile;
  /** Indexed by machine op number; the shared ones (MOp) included. */
  readonly mops: readonly (MopInfo | undefined)[];
  /** SSA (critical edges split, block order final) => machine IR on virtual registers. */
  lower(fn: Func, module: CodegenModule, options: CodegenOptions): MFunc;
  /** Allocated machine IR => code. */
  emit(mfn: MFunc, options: CodegenOptions): FuncCode;
  /** Makes code straight from the instructions of a body, quickly; undefined where the CPU features are not enough. Left out: there is no such compiler. */
  baseline?(module: CodegenModule, options: CodegenOptions): BaselineCompiler | undefined;
  /** Writes the displacement of a relocation in `bytes` at `position`, to a function that starts at `target` in the same blob. */
  relocate(bytes: Uint8Array, position: number, kind: number, target: number): void;
  readonly stubs: RuntimeStubs;
  /** The byte between functions, 0 unless given: something that traps when run. */
  readonly padding?: number;
  /** What an instruction's immediates mean, in words, for dumps; empty where there is nothing to say. */
  describe?(mfn: MFunc, inst: number): string;
  /** Printed name of the register that holds the vm-context, for dumps. */
  readonly contextRegister?: string;
  /** For dumps; loads a package on demand. */
  loadDisassembler?(): Promise<Disassembler>;
}

/** One row an instruction; bytes that are none become rows of their own. */
export interface DisassembledInst {
  /** Position of the first byte in what was given. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export interface Disassembler {
  /** `code` from `start` to `end` (default: all). Direct branches show the target's position in `code`. */
  disassemble(code: Uint8Array, start?: number, end?: number): readonly DisassembledInst[];
  /** Frees its memory. */
  close(): void;
}
