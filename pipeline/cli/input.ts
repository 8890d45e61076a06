// What the commands share: reading a module, options of the compiler, choosing functions. Loads nothing of the compiler.
import { readFileSync } from "node:fs";
import { Option, type Command } from "commander";
import type { FuncIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { UsageError } from "./terminal.js";

/** The bytes of a file. @throws Error that names the file and what is wrong with it. */
export function readInput(file: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === "ENOENT" ? `there is no file ${file}` : code === "EISDIR" ? `${file} is a directory` : `cannot read ${file}: ${message}`);
  }
}

/** Options of the compiler as the command line has them. */
export interface CompilerFlags {
  arch?: string;
  /** Given, they go on top of the config file's. */
  O?: string;
  bounds?: string;
  pass: string[];
  passOption: string[];
  passTimeout?: string;
  disable: string[];
  /** The .ssa file that is compiled, behind the step it was printed at. */
  startFrom?: string;
  /** A path; false: none; else the nearest lathe.config.mjs. */
  config?: string | boolean;
}

/** The file to read, and the arguments behind it: with --start-from there is no <file> before them. @throws UsageError without any. */
export function inputFile(flags: CompilerFlags, file: string | undefined, args: readonly string[] = []): { file: string; args: readonly string[] } {
  if (flags.startFrom !== undefined) return { file: flags.startFrom, args: file === undefined ? args : [file, ...args] };
  if (file === undefined) throw new UsageError("there is no file to work on: name one, or --start-from FILE.ssa");
  return { file, args };
}

/** For options that may be repeated. */
export function collect(value: string, list: string[]): string[] {
  return [...list, value];
}

export function addCompilerFlags(command: Command): Command {
  return command
    .option("--arch <name>", "instruction set of the code; default this host's")
    .option("-O <level>", "how much is spent on the code: -O0, -O1, -O2 (default), or -O baseline: no IR, no passes")
    .option("--bounds <how>", "accesses outside of a memory: guard (they fault) or explicit (they are compared); default guard")
    .option("--pass <pass>", "a further pass: NAME of `lathe passes`, binaryen:NAME, or a file ./x.mjs, each with options behind it: ,key=value; may be repeated", collect, [])
    .option("--pass-option <setting>", "PASS.KEY=VALUE: an option of any pass; may be repeated", collect, [])
    .option("--pass-timeout <ms>", "how long one run of a pass of your own may take")
    .option("--start-from <file>", "in place of <file>: an .ssa that --stop-after printed; only the passes behind that one run")
    .option("--config <file>", "options and passes; default the nearest lathe.config.mjs upwards")
    .option("--no-config", "without a config file")
    .option("--disable <name>", "a pass to leave out; may be repeated", collect, []);
}

/** What is told about a compilation beside its result: see reports.ts. */
export interface ReportFlags {
  dump: string[];
  stats: boolean;
  timePasses: boolean;
  format: "text" | "json";
}

export function addReportFlags(command: Command): Command {
  return command
    .option("--dump <step>", "the IR behind a step: translate, a pass, lower, allocate, emit, or all; STEP:FUNC for one function; may be repeated", collect, [])
    .option("--stats", "functions, bytes, times by stage and pass, peak memory", false)
    .option("--time-passes", "the passes by the time they took", false)
    .addOption(new Option("--format <format>", "of what --dump, --stats and --time-passes print").choices(["text", "json"]).default("text"));
}

/** A function by index (`3`, `@3`), by name, or by the name it is exported under. @throws UsageError listing what there is. */
export function findFunc(module: Module, wanted: string): FuncIndex {
  const number = /^@?(\d+)$/.exec(wanted);
  if (number) {
    const index = Number(number[1]);
    if (index >= module.funcs.length) throw new UsageError(`there is no function @${index}: the module has ${module.funcs.length}`);
    return index as FuncIndex;
  }
  const exported = module.exports.find((item) => item.kind === "func" && item.name === wanted);
  if (exported) return exported.index as FuncIndex;
  const index = module.funcs.findIndex((func) => func.name === wanted || `$${func.name}` === wanted);
  if (index < 0) {
    const names = module.exports.filter((item) => item.kind === "func").map((item) => item.name);
    throw new UsageError(`there is no function "${wanted}"${names.length > 0 ? `; exported are ${names.slice(0, 20).join(", ")}` : ""}`);
  }
  return index as FuncIndex;
}
