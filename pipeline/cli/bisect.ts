// `lathe bisect`, `lathe run --bisect`: the pass and the function at which the result of a call turns wrong.
import type { Module } from "../../ir/module.js";
import { printFuncType } from "../../ir/types.js";
import { bisect } from "../bisect.js";
import { compile, type Compilation } from "../index.js";
import { printOutcome, runNode, runOurs, type Call, type Outcome } from "../outcome.js";
import { readInput as readModule } from "../source.js";
import { compileOptions } from "./compile-options.js";
import { funcLabel } from "../dump/wasm.js";
import { readInput, type CompilerFlags } from "./input.js";
import { Exit, print, UsageError } from "./terminal.js";
import { parseArgs } from "./values.js";
import type { FuncIndex } from "../../ir/entity.js";

export interface BisectFlags extends CompilerFlags {
  invoke?: string;
  against: string;
  timeout: string;
}

export async function bisectCommand(file: string, args: readonly string[], flags: BisectFlags): Promise<number> {
  if (flags.against !== "interp" && flags.against !== "v8") throw new UsageError(`--against wants interp or v8, not "${flags.against}"`);
  const timeout = Number(flags.timeout);
  if (!(timeout > 0)) throw new UsageError(`--timeout wants milliseconds, not "${flags.timeout}"`);
  const input = readInput(file);
  const options = await compileOptions(flags);
  if (options.target !== undefined) throw new UsageError("what is bisected runs on this host: without --arch");

  const plain = await compile(input, { level: 0, engine: "interpreter", ...(options.bounds && { bounds: options.bounds }) });
  const call = { ...callOf(plain.module, flags.invoke, args), timeout };
  const expected = await reference(input, plain, call, flags.against);
  const compilation = await compile(input, { ...options, record: true });
  const result = bisect(compilation, expected, (compiled) => runOurs(compiled, plain.module, call));
  const who = flags.against === "v8" ? "Node's engine" : "the interpreter without passes";
  if (!result) {
    print(`nothing wrong: "${call.name}" gives ${printOutcome(expected)}, as ${who} says`);
    return Exit.ok;
  }
  print(`wrong: "${call.name}" gives ${printOutcome(result.found)}; ${who} says ${printOutcome(result.expected)}`);
  print(`pass: ${result.step}, step ${result.position} of ${result.steps}, behind ${result.before}`);
  print(`function: ${result.func === undefined ? "not a single one" : funcLabel(compilation.module, result.func as FuncIndex)}`);
  print(`found in ${result.trials} runs. What it did there:`);
  print(`  ${diffCommand(file, flags, result.before, result.step, result.func)}`);
  return Exit.failed;
}

function callOf(module: Module, name: string | undefined, args: readonly string[]): Omit<Call, "timeout"> {
  if (name === undefined) throw new UsageError("bisecting needs a call: --invoke NAME, and its arguments");
  const target = module.exports.find((item) => item.name === name);
  if (target?.kind !== "func") {
    const names = module.exports.flatMap((item) => (item.kind === "func" ? [`${item.name} ${printFuncType(module.funcType(item.index))}`] : []));
    throw new UsageError(`there is no exported function "${name}"${names.length > 0 ? `; there are ${names.slice(0, 20).join(", ")}` : ""}`);
  }
  const sig = module.funcType(target.index);
  return { name, sig, args: parseArgs(name, sig, args) };
}

async function reference(input: Uint8Array, plain: Compilation, call: Call, against: "interp" | "v8"): Promise<Outcome> {
  if (against === "interp") return runOurs(plain, plain.module, call);
  const read = await readModule(input);
  if (!("bytes" in read)) throw new UsageError("Node's engine takes no IR as text: --against interp");
  return runNode(read.bytes, plain.module, call);
}

/** The command that shows the difference, with the options that the compilation had. */
function diffCommand(file: string, flags: BisectFlags, from: string, to: string, func: number | undefined): string {
  const words = ["lathe", "diff", file];
  // Lowering and allocation turn one form into another: there the forms themselves are what there is to see.
  if (to === "lower" || to === "allocate") words.splice(1, 2, "dump", file, "--stage", "all");
  else words.push("--from", from, "--to", to);
  if (func !== undefined) words.push("--func", String(func));
  if (flags.O !== undefined) words.push(`-O${flags.O}`);
  if (flags.bounds !== undefined) words.push("--bounds", flags.bounds);
  for (const pass of flags.pass) words.push("--pass", pass);
  for (const setting of flags.passOption) words.push("--pass-option", setting);
  for (const pass of flags.disable) words.push("--disable", pass);
  if (typeof flags.config === "string") words.push("--config", flags.config);
  if (flags.config === false) words.push("--no-config");
  return words.map((word) => (/^[\w@%+=:,./#-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

