// `lathe dump`: functions at the stages of their compilation, or what one pass did to them.
import type { FuncIndex } from "../../ir/entity.js";
import { printDecls } from "../../ir/print-decls.js";
import { loadDisassembler } from "../dump/asm.js";
import { dumpPassEffect } from "../dump/pass-effect.js";
import { dumpStage, isRecorded, stages, type StageName } from "../dump/stages.js";
import { printWasm } from "../dump/wasm.js";
import { decodeModule } from "../frontend/decode.js";
import { toBytes } from "../frontend/wat.js";
import { compile } from "../index.js";
import { compileOptions } from "./compile-options.js";
import { findFunc, readInput, type CompilerFlags } from "./input.js";
import { heading, print, printCode, UsageError } from "./terminal.js";

export interface DumpFlags extends CompilerFlags {
  func?: string;
  stage: string;
  after?: string;
}

const titles: Readonly<Record<StageName, string>> = {
  wasm: "Wasm",
  ssa: "SSA, behind all passes",
  mir: "machine IR, on virtual registers",
  alloc: "machine IR, on registers and slots",
  asm: "machine code",
};

export async function dump(file: string, flags: DumpFlags): Promise<void> {
  const chosen = flags.stage === "all" ? stages : stages.filter((stage) => stage === flags.stage);
  if (chosen.length === 0) throw new UsageError(`--stage wants one of ${stages.join(", ")}, all; not "${flags.stage}"`);
  const bytes = await toBytes(readInput(file));
  const module = decodeModule(bytes);
  const first = module.importedFuncCount;
  const indices = flags.func === undefined ? Array.from({ length: module.funcs.length - first }, (_, i) => (first + i) as FuncIndex) : [findFunc(module, flags.func)];
  if (chosen.every((stage) => stage === "wasm") && flags.after === undefined) {
    for (const index of indices) printCode(printWasm(module, index));
    return;
  }
  const imported = indices.find((index) => module.funcs[index]!.imported);
  if (imported !== undefined) throw new UsageError(`@${imported} is imported: it has no body to compile`);
  if (indices.length === 0) {
    print("; the module has no functions of its own");
    return;
  }
  const compilation = await compile(bytes, { ...compileOptions(flags), record: true, only: indices });
  if (!isRecorded(compilation)) throw new Error("the compilation was not recorded");
  if (flags.after !== undefined) {
    printCode(dumpPassEffect(compilation, flags.after, flags.func === undefined ? undefined : indices));
    return;
  }
  // The whole module as one text that stands for itself: `lathe verify` takes it.
  if (flags.stage === "ssa" && flags.func === undefined) print(printDecls(compilation.module));
  const disassembler = chosen.includes("asm") ? await loadDisassembler(compilation.target) : undefined;
  for (const index of indices) {
    for (const stage of chosen) {
      if (chosen.length > 1) heading(`; ---- ${titles[stage]}`);
      printCode(dumpStage(compilation, index, stage, disassembler));
    }
  }
  disassembler?.close();
}
