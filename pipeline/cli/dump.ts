// `lathe dump`: functions at the stages of their compilation, as text, as data or as a drawing; or what one pass did to them.
import type { FuncIndex } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import type { FuncCode } from "../../ir/code.js";
import { printDecls } from "../../ir/print-decls.js";
import type { Disassembler } from "../../backends/target.js";
import { loadDisassembler, printAsm } from "../dump/asm.js";
import { printState, stateBehind } from "../dump/compare.js";
import { callsDot, cfgDot, domDot, dotToSvg, graphs, type GraphName } from "../dump/graph.js";
import { codeJson, funcJson, mfuncJson } from "../dump/json.js";
import { dumpPassEffect } from "../dump/pass-effect.js";
import { dumpStage, isRecorded, stages, type Recorded, type StageName } from "../dump/stages.js";
import { printWasm } from "../dump/wasm.js";
import { compile, type CompileOptions } from "../index.js";
import { readInput as readModule, sourceOf } from "../source.js";
import { targetNamed } from "../targets.js";
import { compileOptions } from "./compile-options.js";
import { findFunc, readInput, type CompilerFlags } from "./input.js";
import { heading, print, printCode, UsageError } from "./terminal.js";

export interface DumpFlags extends CompilerFlags {
  func?: string;
  stage: string;
  after?: string;
  stopAfter?: string;
  graph?: string;
  format: "text" | "json" | "dot" | "svg";
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
  if (flags.graph !== undefined && !graphs.includes(flags.graph as GraphName)) throw new UsageError(`--graph wants one of ${graphs.join(", ")}, not "${flags.graph}"`);
  if (flags.graph !== undefined && flags.format === "json") throw new UsageError("a graph is printed as dot or svg; --format json is for IR");
  if (flags.graph === undefined && (flags.format === "dot" || flags.format === "svg")) throw new UsageError(`--format ${flags.format} needs --graph ${graphs.join("|")}`);
  const options = await compileOptions(flags);
  const input = readInput(file);
  const { module, funcs, machine } = sourceOf(await readModule(input), targetNamed(options.target));
  if (machine && chosen.includes("ssa") && flags.stage !== "all") throw new UsageError(`${file} holds machine IR, there is no SSA of it: --stage mir, alloc or asm`);
  const indices = flags.func === undefined ? [...funcs] : [findFunc(module, flags.func)];
  if (chosen.every((stage) => stage === "wasm") && flags.after === undefined && flags.stopAfter === undefined && flags.graph === undefined && flags.format === "text") {
    for (const index of indices) printCode(printWasm(module, index));
    return;
  }
  const imported = indices.find((index) => module.funcs[index]!.imported);
  if (imported !== undefined) throw new UsageError(`@${imported} is imported: it has no body to compile`);
  if (indices.length === 0) {
    print("; the module has no functions of its own");
    return;
  }
  if (options.level === "baseline") return dumpBaseline(input, options, indices, chosen, flags);
  const compilation = await compile(input, { ...options, record: true, only: indices });
  if (!isRecorded(compilation)) throw new Error("the compilation was not recorded");
  if (flags.graph !== undefined) {
    print(await drawing(compilation, flags, indices));
    return;
  }
  if (flags.stopAfter !== undefined) {
    printCode(printState(stateOf(compilation, flags.stopAfter), flags.stopAfter));
    return;
  }
  if (flags.after !== undefined) {
    printCode(dumpPassEffect(compilation, flags.after, flags.func === undefined ? undefined : indices));
    return;
  }
  // Functions that passes have added stand behind those of the module.
  if (flags.func === undefined) {
    for (let i = module.funcs.length; i < compilation.module.funcs.length; i++) if (!compilation.module.funcs[i]!.imported) indices.push(i as FuncIndex);
  }
  const disassembler = chosen.includes("asm") ? await loadDisassembler(compilation.target) : undefined;
  if (flags.format === "json") {
    print(JSON.stringify(indices.map((index) => Object.fromEntries(chosen.map((stage) => [stage, stageJson(compilation, index, stage, disassembler)])))));
    disassembler?.close();
    return;
  }
  // The whole module as one text that stands for itself: every command takes it.
  if (["ssa", "mir", "alloc"].includes(flags.stage) && flags.func === undefined) print(printDecls(compilation.module));
  for (const index of indices) {
    for (const stage of chosen) {
      if (chosen.length > 1) heading(`; ---- ${titles[stage]}`);
      printCode(dumpStage(compilation, index, stage, disassembler));
    }
  }
  disassembler?.close();
}

/** Where no IR is made: the code alone. */
async function dumpBaseline(input: Uint8Array, options: CompileOptions, indices: readonly FuncIndex[], chosen: readonly StageName[], flags: DumpFlags): Promise<void> {
  if (flags.after !== undefined || flags.stopAfter !== undefined || flags.graph !== undefined || !chosen.includes("asm")) {
    throw new UsageError("-O baseline makes no IR: there are --stage wasm and --stage asm of it");
  }
  const codes: FuncCode[] = [];
  const { module, target, layout } = await compile(input, { ...options, only: indices, observe: { code: (code) => void codes.push(code) } });
  const disassembler = await loadDisassembler(target);
  if (flags.format === "json") print(JSON.stringify(codes.map((code) => ({ asm: codeJson(code, module, target, disassembler) }))));
  else for (const code of codes) printCode(printAsm(code, module, layout, target, disassembler));
  disassembler.close();
}

/** The state behind an SSA step. */
function stateOf(compilation: Recorded, step: string) {
  try {
    const state = stateBehind(compilation.history, step);
    if (state.stage !== "ssa") throw new Error(`behind "${step}" the module is ${state.stage}, no SSA`);
    return state;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function drawing(compilation: Recorded, flags: DumpFlags, indices: readonly FuncIndex[]): Promise<string> {
  const { module, funcs } = flags.after === undefined ? stateBehindPasses(compilation) : stateOf(compilation, flags.after);
  const ssa = indices.map((index) => (funcs as Readonly<Record<number, { readonly ssa?: Func }>>)[index]!.ssa!);
  const dots = flags.graph === "calls" ? [callsDot(module, ssa)] : ssa.map((fn) => (flags.graph === "cfg" ? cfgDot(fn) : domDot(fn)));
  if (flags.format !== "svg") return dots.join("\n");
  if (dots.length !== 1) throw new UsageError("one drawing holds one function: choose it by --func");
  return dotToSvg(dots[0]!);
}

function stateBehindPasses({ history }: Recorded) {
  return history.at(history.current.records.findLast((record) => history.at(record.revision).stage === "ssa")!.revision);
}

function stageJson(compilation: Recorded, index: FuncIndex, stage: StageName, disassembler: Disassembler | undefined): unknown {
  const { module, history, target } = compilation;
  const state = history.current.funcs[index]!;
  switch (stage) {
    case "wasm":
      return printWasm(history.at(0).module, index).trimEnd().split("\n");
    case "ssa":
      return funcJson(state.ssa!);
    case "mir":
      return mfuncJson(state.machine!, target);
    case "alloc":
      return mfuncJson(state.allocated!, target);
    case "asm":
      return codeJson(state.code!, module, target, disassembler!);
  }
}
