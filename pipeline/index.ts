// The public API: compile, instantiate, look, change.
//
//     const compiled = await compile(bytes, { level: 2, passes: [myPass] });
//     const { exports } = instantiate(compiled, { env: { log: (x) => console.log(x) } });
//     exports.run(41);
//
// What a pass needs (ids, ops, Func, analyses) and what shows the IR (print, parse, verify) is exported, too.
import type { Target } from "../backends/target.js";
import { Module } from "../ir/module.js";
import { hostCpuFeatures } from "../runtime/index.js";
import { compileInput, type Compilation } from "./compile.js";
import { decodeModule } from "./frontend/decode.js";
import { isIrText } from "./frontend/text.js";
import { resolveOptions, type CompileOptions } from "./options.js";
import { readInput } from "./source.js";
import { expandPasses } from "./user-passes.js";
import { runWasmPasses } from "./wasm-passes.js";
import type { PassStats } from "./stats.js";

const featuresOf = new WeakMap<Target, readonly string[]>();

/** The features of this process's CPU, by the target's names; asked once. */
function hostFeatures(target: Target): readonly string[] {
  let features = featuresOf.get(target);
  if (!features) featuresOf.set(target, (features = hostCpuFeatures(target.stubs)));
  return features;
}

/**
 * Compiles a module for this host, or as the options say.
 * @param input a binary module; or the text format, as a string or as its UTF-8 bytes; or IR as text, `.ssa` or `.mir`.
 * @returns the compiled module: instantiate it as often as wanted, in any store. `stats` has counts and times in milliseconds.
 * @throws WasmError for a module that is malformed, invalid or not supported: its message says what was expected and found, its
 * `offset` is the byte offset. ParseError for IR as text, with `line` and `column`. ScheduleError for passes that cannot run in the
 * order asked for; PassError for a pass that failed.
 */
export async function compile(input: Uint8Array | string, options: CompileOptions = {}): Promise<Compilation> {
  const settings = resolveOptions(await expandPasses(options, process.cwd()), hostFeatures);
  const read = await readInput(input);
  const [pass] = settings.schedule.wasm;
  if (!pass) return compileInput(read, settings);
  if (!("bytes" in read)) throw new Error(`the pass "${pass.name}" works on bytes of WebAssembly: IR as text is behind it`);
  // What a pass of the wasm stage gets must be a valid module.
  decodeModule(read.bytes);
  const stats: PassStats[] = [];
  const bytes = await runWasmPasses(read.bytes, settings.schedule.wasm, settings, stats);
  const compilation = compileInput({ bytes }, settings);
  compilation.stats.passes.unshift(...stats);
  return compilation;
}

/** As `compile`, at once. Takes binary modules, also as `decodeModule` gives them, and IR as text, and no passes of the `wasm` stage: those may be asynchronous. */
export function compileSync(input: Uint8Array | Module | string, options: CompileOptions = {}): Compilation {
  return compilerFor(options)(input);
}

/** `compileSync` for many modules: the options are resolved once, the passes put in order. */
export function compilerFor(options: CompileOptions = {}): (input: Uint8Array | Module | string) => Compilation {
  const settings = resolveOptions(options, hostFeatures);
  const [pass] = settings.schedule.wasm;
  if (pass) throw new Error(`the pass "${pass.name}" works on bytes and may be asynchronous: use compile()`);
  return (input) => {
    if (input instanceof Module) return compileInput({ bytes: input.bytes, module: input }, settings);
    if (typeof input !== "string") return compileInput({ bytes: input }, settings);
    if (!isIrText(input)) throw new Error("compileSync takes a binary module, or IR as text; the text format of WebAssembly needs compile()");
    return compileInput({ text: input }, settings);
  };
}

// Compiling
export type { Compilation } from "./compile.js";
export type { CompileObserver, CompileOptions } from "./options.js";
export { pipelines, type CodeLevel, type Level } from "./pipelines.js";
export { loadPasses } from "./user-passes.js";
export { findConfig, loadConfig, type Config } from "./config.js";
export { ScheduleError } from "./schedule.js";
export { PassError } from "./pass-error.js";
export type { CompileStats, PassStats } from "./stats.js";
export { History, type ModuleState, type FuncState, type PassRecord } from "./state.js";
export { targetNames } from "./targets.js";
export { decodeModule, decodeModuleAsync, translateFunction, validate, watToBytes, WasmError, type WasmErrorKind } from "./frontend/index.js";

// Running
export {
  configureThread, defaultStore, Global, Instance, instantiate, LinkError, Memory, native, Store, Table, Trap,
  type CompiledModule, type GlobalDescriptor, type Imports, type MemoryDescriptor, type TableDescriptor, type ThreadOptions, type TrapFrame, type TrapName,
} from "../runtime/index.js";

// Passes and analyses
export { passes } from "../passes/index.js";
export * from "../passes/pass.js";
export { defineAnalysis, type Analysis } from "../ir/analysis/analysis.js";
export { domTree, dominates, type Dom } from "../ir/analysis/dom.js";
export { loops, type Loops } from "../ir/analysis/loops.js";
export { rpo, type Rpo } from "../ir/analysis/rpo.js";
export { uses, useCounts, type Uses } from "../ir/analysis/uses.js";

// IR
export * from "../ir/entity.js";
export * from "../ir/types.js";
export { Is, memoryAccess, Op, opFlags, opInfo, opNamed, type MemoryAccess, type OpInfo } from "../ir/ops.js";
export { Func } from "../ir/func.js";
export { endWithBr, endWithBrIf, endWithReturn, firstOf, insertCall, splitBefore } from "../ir/cfg-edit.js";
export { Module } from "../ir/module.js";
export { constantOf, ModuleEdit } from "../ir/module-edit.js";
export { printFunc, printModule, type PrintOptions } from "../ir/print.js";
export { ParseError, parseFunc, parseModule } from "../ir/parse.js";
export { printVerifierError, verifyFunc, verifyModule, type VerifierError } from "../ir/verify.js";
export { printMFunc } from "../ir/machine/print.js";
export { parseMFunc } from "../ir/machine/parse.js";
export { verifyMFunc } from "../ir/machine/verify.js";
export { MFunc, MOp, Opnd } from "../ir/machine/mfunc.js";
export type { MachineNames } from "../ir/machine/names.js";
