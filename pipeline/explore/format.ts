// What an explorer page is made from: the same for a file that holds everything and for a page that asks a server.
//
// A page holds the module's bytes, and of every function the SSA behind each pass that changed it. Wasm text, machine IR, registers
// and code are made in the page, by the compiler's own lowering, allocator and emitter: compilation is deterministic, and `codeHash`
// proves it function by function. Only the disassembly is written out, because the disassembler is larger than most modules.
import type { FuncIndex } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import type { Module } from "../../ir/module.js";
import type { ModuleStage } from "../state.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import { readMFunc, writeMFunc } from "./machine-record.js";
import { readFunc, writeFunc } from "./ssa-record.js";

export interface StepMeta {
  readonly name: string;
  readonly stage: ModuleStage;
  /** Functions it changed, of those compiled. */
  readonly changed: number;
  /** Milliseconds, over all functions. */
  readonly ms: number;
  readonly summary: string;
  /** What the pass counted. */
  readonly counts: Readonly<Record<string, number>>;
  /** Place of the declarations behind it in `decls`, -1 for those of the step before. */
  readonly decls: number;
}

export interface FuncMeta {
  readonly index: number;
  readonly name: string | undefined;
  /** Names it is exported under. */
  readonly exports: readonly string[];
  readonly wasmBytes: number;
  /** 0 where it is not in the page. */
  readonly codeBytes: number;
  readonly codeHash: number;
  /** Chunk and position of its record, -1 where it is not in the page. */
  readonly chunk: number;
  readonly at: number;
}

export interface PageMeta {
  /** Name of the file. */
  readonly file: string;
  /** What the module's data is: the binary, or for a module that came as IR its declarations as text. */
  readonly source: "wasm" | "text";
  readonly target: string;
  readonly level: 0 | 1 | 2;
  readonly bounds: "guard" | "explicit";
  readonly features: readonly string[];
  readonly moduleBytes: number;
  readonly codeBytes: number;
  readonly steps: readonly StepMeta[];
  readonly funcs: readonly FuncMeta[];
  /** Imported functions: index, name, where from. */
  readonly imports: readonly { readonly index: number; readonly name: string }[];
  /** What is recorded, in a sentence. */
  readonly recorded: string;
  /** Whether passes of the machine stage ran: then records hold machine IR. */
  readonly machinePasses: boolean;
}

/** A function in a page. */
export interface FuncRecord {
  /** Behind each step that changed it; the first is translation, or the pass that added it. */
  readonly ssa: readonly { readonly step: number; readonly fn: Func }[];
  /** On virtual registers, behind `lower` and each machine pass that changed it; empty where the page makes it. */
  readonly machine: readonly { readonly step: number; readonly mfn: MFunc }[];
  /** The code's instructions: text and length in bytes. */
  readonly rows: readonly { readonly text: string; readonly length: number }[];
}

export function writeRecord(out: ByteWriter, { ssa, machine, rows }: FuncRecord): void {
  out.count(ssa.length);
  ssa.forEach(({ step, fn }, i) => {
    out.count(step);
    writeFunc(out, fn, ssa[i - 1]?.fn);
  });
  out.count(machine.length);
  for (const { step, mfn } of machine) {
    out.count(step);
    writeMFunc(out, mfn);
  }
  out.count(rows.length);
  for (const { length } of rows) out.count(length);
  out.text(rows.map((row) => row.text).join("\n"));
}

/** @param declsBehind the declarations behind a step. */
export function readRecord(input: ByteReader, index: FuncIndex, declsBehind: (step: number) => Module): FuncRecord {
  const ssa: { step: number; fn: Func }[] = [];
  for (let n = input.count(); n > 0; n--) {
    const step = input.count();
    ssa.push({ step, fn: readFunc(input, index, declsBehind(step), ssa.at(-1)?.fn) });
  }
  const { sig, name } = ssa.at(-1)!.fn;
  const machine: { step: number; mfn: MFunc }[] = [];
  for (let n = input.count(); n > 0; n--) machine.push({ step: input.count(), mfn: readMFunc(input, index, sig, name) });
  const lengths = Array.from({ length: input.count() }, () => input.count());
  const texts = input.text().split("\n");
  return { ssa, machine, rows: lengths.map((length, i) => ({ length, text: texts[i]! })) };
}

/** FNV-1a over bytes, 32 bits. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
