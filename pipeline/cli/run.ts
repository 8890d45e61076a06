// `lathe run`: compiles, instantiates, runs: a WASI program by its `_start`, or an export, whose results are printed one a line.
//
// A module that imports functions of WASI gets them, whatever is called in it.
import path from "node:path";
import type { Module } from "../../ir/module.js";
import { callRaw, funcInstanceOf, instantiate, sourceMappingUrl } from "../../runtime/index.js";
import { WASI, wasiModules } from "../../runtime/wasi/index.js";
import { compile, type CompileOptions } from "../index.js";
import { compileOptions } from "./compile-options.js";
import { readInput, type CompilerFlags, type ReportFlags } from "./input.js";
import { Reports, toStderr } from "./reports.js";
import { Exit, note, print, UsageError } from "./terminal.js";
import { parseArgs, printResult } from "./values.js";

export interface RunFlags extends CompilerFlags, ReportFlags {
  invoke?: string;
  dir: string[];
  env: string[];
  sourceMap?: string;
  interp: boolean;
  time: boolean;
}

/** @returns the exit code: the program's own, if it has one. */
export async function run(file: string, args: readonly string[], flags: RunFlags): Promise<number> {
  const bytes = readInput(file);
  const started = performance.now();
  const options: CompileOptions = {
    ...(await compileOptions(flags)),
    engine: flags.interp ? "interpreter" : "native",
    ...(flags.sourceMap !== undefined && { sourceMap: path.resolve(flags.sourceMap) }),
  };
  const reports = await Reports.prepare(flags, options, toStderr);
  const compiled = await compile(bytes, { ...options, ...reports.options });
  reports.finish(compiled);
  const compiledAt = performance.now();
  const { module } = compiled;
  module.sourceMap ??= sourceMapBeside(module, file);
  const command = flags.invoke === undefined && isCommand(module);
  const name = flags.invoke ?? (command ? undefined : exportsFunction(module, "_start") ? "_start" : undefined);
  if (!command && name === undefined && args.length > 0) throw new UsageError("arguments need a function to go to: --invoke NAME");
  // What is asked for must be there before anything runs.
  const target = module.exports.find((item) => item.name === name);
  if (name !== undefined && target?.kind !== "func") {
    const names = module.exports.filter((item) => item.kind === "func").map((item) => item.name);
    throw new UsageError(`there is no exported function "${name}"${names.length > 0 ? `; there are ${names.slice(0, 20).join(", ")}` : ""}`);
  }
  const sig = target?.kind === "func" ? module.funcType(target.index) : undefined;
  const values = sig && parseArgs(name!, sig, args);

  const wasi = wasiOf(module, [path.basename(file), ...(command ? args : [])], flags);
  const instance = instantiate(compiled, wasi?.getImportObject());
  const readyAt = performance.now();
  const call = () => {
    if (command) (instance.exports["_start"] as () => void)();
    if (!sig || !values) return;
    const results = callRaw(funcInstanceOf(instance.exports[name!] as object)!, values);
    results.forEach((raw, i) => print(printResult(sig.results[i]!, raw)));
  };
  let exit: number = Exit.ok;
  if (wasi) {
    wasi.finalizeBindings(instance);
    exit = wasi.run(() => {
      if (!command && name !== "_initialize" && exportsFunction(module, "_initialize")) (instance.exports["_initialize"] as () => void)();
      call();
    });
  } else {
    call();
  }
  if (flags.time) {
    const ms = (from: number, to: number) => `${(to - from).toFixed(2)} ms`;
    note(`compile ${ms(started, compiledAt)}, instantiate ${ms(compiledAt, readyAt)}, run ${ms(readyAt, performance.now())}`);
  }
  return exit;
}

/** The file of a source map that the module names relative to itself. */
function sourceMapBeside(module: Module, file: string): string | undefined {
  const url = sourceMappingUrl(module);
  return url === undefined || /^[a-z][a-z\d+.-]*:/i.test(url) ? undefined : path.resolve(path.dirname(file), url);
}

function exportsFunction(module: Module, name: string): boolean {
  return module.exports.some((item) => item.kind === "func" && item.name === name);
}

/** Whether the module is a program: its `_start` takes and gives nothing. */
function isCommand(module: Module): boolean {
  const start = module.exports.find((item) => item.kind === "func" && item.name === "_start");
  if (start?.kind !== "func") return false;
  const { params, results } = module.funcType(start.index);
  return params.length === 0 && results.length === 0;
}

/** WASI for a module that imports it. */
function wasiOf(module: Module, args: readonly string[], flags: RunFlags): WASI | undefined {
  const version = (["preview1", "unstable"] as const).find((key) => module.imports.some((item) => item.module === wasiModules[key]));
  if (!version) return undefined;
  const preopens = Object.fromEntries(flags.dir.map(directory));
  const env = Object.fromEntries(flags.env.map(variable));
  return new WASI({ version, args, env, preopens });
}

/** `HOST::GUEST`, or one name for both. */
function directory(text: string): [guest: string, host: string] {
  const at = text.lastIndexOf("::");
  const [host, guest] = at < 0 ? [text, text] : [text.slice(0, at), text.slice(at + 2)];
  if (host === "" || guest === "") throw new UsageError(`--dir wants HOST or HOST::GUEST, not "${text}"`);
  return [guest, host];
}

/** `NAME=VALUE`, or the name of a variable of this process. */
function variable(text: string): [name: string, value: string | undefined] {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "") throw new UsageError(`--env wants NAME=VALUE or NAME, not "${text}"`);
  return [name, at < 0 ? process.env[name] : text.slice(at + 1)];
}
