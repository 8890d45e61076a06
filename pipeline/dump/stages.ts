// One function at each stage: Wasm, SSA, machine IR, allocated machine IR, machine code.
//
// Reads the history of a recorded compilation, so that what is shown is what was compiled.
import type { Disassembler } from "../../backends/target.js";
import type { FuncIndex } from "../../ir/entity.js";
import { printMFunc } from "../../ir/machine/print.js";
import { printFunc } from "../../ir/print.js";
import type { Compilation } from "../compile.js";
import type { FuncState } from "../state.js";
import { printAsm } from "./asm.js";
import { printWasm } from "./wasm.js";

export const stages = ["wasm", "ssa", "mir", "alloc", "asm"] as const;
export type StageName = (typeof stages)[number];

/** What `dumpStage` needs: a compilation made with `record`. */
export type Recorded = Compilation & { readonly history: NonNullable<Compilation["history"]> };

export function isRecorded(compilation: Compilation): compilation is Recorded {
  return compilation.history !== undefined;
}

/**
 * Text of one function at one stage; `ssa` is what all passes left.
 * @param disassembler for `asm` only: see `loadDisassembler`.
 */
export function dumpStage(compilation: Recorded, index: FuncIndex, stage: StageName, disassembler?: Disassembler): string {
  const { module, history, target, layout } = compilation;
  if (stage === "wasm") return printWasm(history.at(0).module, index);
  const state = (history.current.funcs as Readonly<Record<number, FuncState | undefined>>)[index];
  if (!state) throw new Error(`@${index} has no body`);
  switch (stage) {
    case "ssa":
      return state.ssa ? printFunc(state.ssa, module) : "; from text of machine IR: there is no SSA of it\n";
    case "mir":
      return printMFunc(state.machine!, target, { comment: target.describe });
    case "alloc":
      return printMFunc(state.allocated!, target, { comment: target.describe });
    case "asm":
      if (!disassembler) throw new Error("a disassembly needs a disassembler");
      return printAsm(state.code!, module, layout, target, disassembler);
  }
}
