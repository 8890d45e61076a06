// `lathe compile`: compiles everything, runs nothing, and tells what it cost.
import { compile } from "../index.js";
import { compileOptions } from "./compile-options.js";
import { readInput, type CompilerFlags, type ReportFlags } from "./input.js";
import { Reports, toStdout } from "./reports.js";
import { print } from "./terminal.js";

export interface CompileFlags extends CompilerFlags, ReportFlags {
  verify: boolean;
  check: boolean;
  stopAfter?: string;
}

export async function compileOnly(file: string, flags: CompileFlags): Promise<void> {
  if (flags.stopAfter !== undefined) {
    await (await import("./dump.js")).dump(file, { ...flags, stopAfter: flags.stopAfter, stage: "ssa" });
    return;
  }
  const bytes = readInput(file);
  const options = { ...(await compileOptions(flags)), verify: flags.verify, check: flags.check, lazy: false };
  const reports = await Reports.prepare(flags, options, toStdout);
  const compilation = await compile(bytes, { ...options, ...reports.options });
  if (reports.finish(compilation)) return;
  const { stats } = compilation;
  print(`${stats.functions} functions, ${stats.bodyBytes} bytes of bodies => ${stats.codeBytes} bytes of code in ${stats.ms.total.toFixed(0)} ms`);
}
