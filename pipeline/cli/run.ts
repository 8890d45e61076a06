// `lathe run`: compiles, instantiates, calls, prints results one a line.
import { callRaw, funcInstanceOf, instantiate } from "../../runtime/index.js";
import { compile, type CompileOptions } from "../index.js";
import { compileOptions } from "./compile-options.js";
import { readInput, type CompilerFlags, type ReportFlags } from "./input.js";
import { Reports, toStderr } from "./reports.js";
import { note, print, UsageError } from "./terminal.js";
import { parseArgs, printResult } from "./values.js";

export interface RunFlags extends CompilerFlags, ReportFlags {
  invoke?: string;
  interp: boolean;
  time: boolean;
}

export async function run(file: string, args: readonly string[], flags: RunFlags): Promise<void> {
  const bytes = readInput(file);
  const started = performance.now();
  const options: CompileOptions = { ...(await compileOptions(flags)), engine: flags.interp ? "interpreter" : "native" };
  const reports = await Reports.prepare(flags, options, toStderr);
  const compiled = await compile(bytes, { ...options, ...reports.options });
  reports.finish(compiled);
  const compiledAt = performance.now();
  const name = flags.invoke ?? (compiled.module.exports.some((item) => item.kind === "func" && item.name === "_start") ? "_start" : undefined);
  if (name === undefined && args.length > 0) throw new UsageError("arguments need a function to go to: --invoke NAME");
  // What is asked for must be there before anything runs.
  const target = compiled.module.exports.find((item) => item.name === name);
  if (name !== undefined && target?.kind !== "func") {
    const names = compiled.module.exports.filter((item) => item.kind === "func").map((item) => item.name);
    throw new UsageError(`there is no exported function "${name}"${names.length > 0 ? `; there are ${names.slice(0, 20).join(", ")}` : ""}`);
  }
  const sig = target?.kind === "func" ? compiled.module.funcType(target.index) : undefined;
  const values = sig && parseArgs(name!, sig, args);
  const instance = instantiate(compiled);
  const readyAt = performance.now();
  if (sig && values) {
    const func = funcInstanceOf(instance.exports[name!] as object)!;
    const results = callRaw(func, values);
    results.forEach((raw, i) => print(printResult(sig.results[i]!, raw)));
  }
  if (flags.time) {
    const ms = (from: number, to: number) => `${(to - from).toFixed(2)} ms`;
    note(`compile ${ms(started, compiledAt)}, instantiate ${ms(compiledAt, readyAt)}, run ${ms(readyAt, performance.now())}`);
  }
}
