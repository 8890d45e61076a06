// `lathe diff`: what happened to a module between two steps of its compilation.
import { compareSteps } from "../dump/compare.js";
import { isRecorded } from "../dump/stages.js";
import { compile } from "../index.js";
import { compileOptions } from "./compile-options.js";
import { findFunc, readInput, type CompilerFlags } from "./input.js";
import { printCode, UsageError } from "./terminal.js";

export interface DiffFlags extends CompilerFlags {
  from: string;
  to?: string;
  func?: string;
  context: string;
}

export async function diff(file: string, flags: DiffFlags): Promise<void> {
  if (!/^(\d+|all)$/.test(flags.context)) throw new UsageError(`--context wants a number of lines or "all", not "${flags.context}"`);
  const compilation = await compile(readInput(file), { ...(await compileOptions(flags)), record: true });
  if (!isRecorded(compilation)) throw new Error("the compilation was not recorded");
  const lastPass = compilation.history.current.records.findLast((record) => compilation.history.at(record.revision).stage === "ssa")!;
  const only = flags.func === undefined ? undefined : [findFunc(compilation.module, flags.func)];
  const context = flags.context === "all" ? undefined : Number(flags.context);
  try {
    printCode(compareSteps(compilation, flags.from, flags.to ?? lastPass.name, only, context));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
