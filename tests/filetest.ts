// Runs file tests: see README.md for their language. Returns what is wrong with a file, nothing for one that passes.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Target } from "../backends/target.js";
import { allocate } from "../backends/regalloc/allocate.js";
import { parseMFuncs } from "../ir/machine/parse.js";
import { printMFunc } from "../ir/machine/print.js";
import { verifyMFunc } from "../ir/machine/verify.js";
import { parseModule } from "../ir/parse.js";
import { printFunc, printModule } from "../ir/print.js";
import type { Func } from "../ir/func.js";
import type { Module } from "../ir/module.js";
import { printVerifierError, verifyFunc, verifyModule } from "../ir/verify.js";
import { findFunc } from "../pipeline/cli/input.js";
import { loadDisassembler } from "../pipeline/dump/asm.js";
import { dumpStage, isRecorded, stages, type StageName } from "../pipeline/dump/stages.js";
import { compile, compileSync, decodeModule, translateFunction, passes as registry, targetNames, type CompileOptions, type FuncIndex, type Level } from "../pipeline/index.js";
import { toBytes } from "../pipeline/frontend/wat.js";
import { targetNamed } from "../pipeline/targets.js";
import { PassRunner } from "../pipeline/runner.js";
import { checkText, type Check } from "./check-text.js";
import { parseVals, printOutcome, printVal, sameVal, type Extern, type Outcome, type Val } from "./engine.js";
import { engineFor, modes } from "./modes.js";
import { callPlan, differences, record } from "./oracle.js";
import { v8Engine } from "./v8.js";

interface Header {
  /** Words behind `test:`. */
  readonly tests: readonly (readonly string[])[];
  /** Of machine IR and code: the target they are written for. */
  readonly target: Target;
  readonly runs: readonly string[];
  readonly checks: readonly Check[];
}

const RUN_MODES = ["native", "explicit", "O0", "O1", "baseline", "baseline-explicit", "lazy", "tiers", "interp", "v8"];

export function readHeader(text: string): Header {
  const tests: string[][] = [];
  const runs: string[] = [];
  const checks: Check[] = [];
  let arch: string | undefined;
  for (const line of text.split("\n")) {
    const found = /^\s*;+\s*(test|arch|run|check|check-not|check-count):\s*(.*?)\s*$/.exec(line);
    if (!found) continue;
    const [, key, rest] = found as unknown as [string, string, string];
    if (key === "test") tests.push(rest.split(/\s+/));
    else if (key === "arch") arch = rest;
    else if (key === "run") runs.push(rest);
    else checks.push({ kind: key as Check["kind"], text: rest });
  }
  return { tests, target: targetNamed(arch), runs, checks };
}

/** @returns problems, each a line or more; empty when the file passes. */
export async function runFileTest(file: string): Promise<string[]> {
  const text = readFileSync(file, "utf8");
  const header = readHeader(text);
  if (header.tests.length === 0) return ["no `test:` line"];
  const problems: string[] = [];
  for (const [what, ...args] of header.tests) {
    try {
      problems.push(...(await runOne(file, text, header, what!, args)));
    } catch (error) {
      problems.push(`${what}: ${(error as Error).stack ?? String(error)}`);
    }
  }
  return problems;
}

async function runOne(file: string, text: string, header: Header, what: string, args: readonly string[]): Promise<string[]> {
  const kind = /\.(\w+)$/.exec(file)![1]!;
  switch (what) {
    case "run":
      return runCalls(await toBytes(text), header.runs);
    case "compile":
      return compileAll(await toBytes(text));
    case "invalid":
      return checkText(await messageOf(text, kind, header.target), header.checks);
    case "dump":
      return checkText(await dumped(await toBytes(text), args, header.target), header.checks);
    case "pass":
      return checkText(await behindPasses(text, kind, args), header.checks);
    case "verify":
      return roundTrip(text, kind, header.checks, header.target);
    case "alloc":
      return allocated(text, args, header.checks, header.target);
    default:
      return [`unknown test "${what}"`];
  }
}

// ---- run

interface Expectation {
  name: string;
  args: Val[];
  expected: { kind: "trap"; trap: string } | { kind: "values"; values: (Val | "any")[] };
}

export function parseRun(line: string): Expectation {
  const found = /^([^(]+)\((.*)\)\s*(?:==\s*(.*)|traps\s+(\w+))$/.exec(line);
  if (!found) throw new Error(`run line "${line}": expected name(args) == results, or name(args) traps kind`);
  const [, name, args, results, trap] = found;
  if (trap !== undefined) return { name: name!.trim(), args: parseVals(args!), expected: { kind: "trap", trap } };
  const values = (results ?? "").trim() === "" || results!.trim() === "()" ? [] : results!.split(",").map((part) => (part.trim() === "any" ? ("any" as const) : parseVals(part)[0]!));
  return { name: name!.trim(), args: parseVals(args!), expected: { kind: "values", values } };
}

export function meets(outcome: Outcome<readonly Val[]>, expected: Expectation["expected"], mode: string): boolean {
  if (expected.kind === "trap") return outcome.kind === "trap" && (mode === "v8" || outcome.trap === expected.trap);
  if (outcome.kind !== "ok" || outcome.value.length !== expected.values.length) return false;
  return expected.values.every((want, i) => want === "any" || sameVal(want, outcome.value[i]!));
}

/** What the `run:` lines say, in every mode, one fresh instance each. @returns problems. */
export async function runCalls(bytes: Uint8Array, lines: readonly string[]): Promise<string[]> {
  if (lines.length === 0) return ["run: no `run:` line"];
  const calls = lines.map(parseRun);
  const module = decodeModule(bytes);
  const problems: string[] = [];
  for (const mode of RUN_MODES) {
    const store = (await engineFor(mode)).newStore();
    const imports = new Map<string, Map<string, Extern>>();
    for (const item of module.imports) {
      const fields = imports.get(item.module) ?? new Map<string, Extern>();
      imports.set(item.module, fields);
      if (item.kind === "func") {
        const sig = module.funcType(item.index);
        fields.set(item.name, store.hostFunc(sig, () => sig.results.map((type) => ({ type, bits: 0n, ref: null }))));
      } else if (item.kind === "global") {
        const { type, mutable } = module.globals[item.index]!;
        fields.set(item.name, store.global(type, mutable, { type, bits: 0n, ref: null }));
      } else {
        const { min, max } = (item.kind === "table" ? module.tables : module.memories)[item.index]!.limits;
        fields.set(item.name, item.kind === "table" ? store.table(min, max) : store.memory(min, max));
      }
    }
    const instance = store.instantiate((await engineFor(mode)).compile(bytes), imports);
    if (instance.kind !== "ok") {
      problems.push(`${mode}: not instantiated: ${instance.kind}`);
      continue;
    }
    for (const { name, args, expected } of calls) {
      const func = instance.value.exports.get(name);
      if (!func) {
        problems.push(`${mode}: no export "${name}"`);
        continue;
      }
      const outcome = store.call(func, args);
      if (!meets(outcome, expected, mode)) {
        const want = expected.kind === "trap" ? `trap ${expected.trap}` : expected.values.map((val) => (val === "any" ? val : printVal(val))).join(", ") || "()";
        problems.push(`${mode}: ${name}(${args.map(printVal).join(", ")}): expected ${want}; got ${printOutcome(outcome)}`);
      }
    }
    store.dispose();
  }
  return problems;
}

// ---- modules of the fuzzer

const FUZZ_MODULE = /(\d+)-(\d+)\.wasm$/;

/** Modules on which the fuzzer once found something, by their path in `directory`. */
export function fuzzModules(directory: string): string[] {
  return readdirSync(path.join(directory, "fuzz")).filter((name) => FUZZ_MODULE.test(name)).sort().map((name) => `fuzz/${name}`);
}

/** As the fuzzer runs it: every mode against V8. @returns differences. */
export async function runFuzzModule(file: string): Promise<string[]> {
  const [, stream, number] = FUZZ_MODULE.exec(file)!;
  const seed = (Number(stream) + Number(number)) >>> 0;
  const bytes = Uint8Array.from(readFileSync(file));
  const module = decodeModule(bytes);
  const plan = callPlan(module, seed, 2);
  const expected = record(v8Engine, bytes, module, plan, seed);
  const out: string[] = [];
  for (const mode of modes) if (mode !== "v8") out.push(...differences(record(await engineFor(mode), bytes, module, plan, seed), expected));
  return out;
}

// ---- compile, invalid, dump

function compileAll(bytes: Uint8Array): string[] {
  const problems: string[] = [];
  for (const level of [0, 1, 2] as const) {
    for (const bounds of ["guard", "explicit"] as const) {
      for (const target of targetNames) {
        try {
          compileSync(bytes, { target, level, bounds, verify: true, check: true });
        } catch (error) {
          problems.push(`${target} O${level} ${bounds}: ${(error as Error).stack ?? String(error)}`);
        }
      }
    }
  }
  return problems;
}

async function messageOf(text: string, kind: string, target: Target): Promise<string> {
  try {
    if (kind === "wat") decodeModule(await toBytes(text));
    else if (kind === "ssa") verifySsa(text);
    else verifyMir(text, target);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("accepted, although it should be refused");
}

function verifySsa(text: string): { module: Module; funcs: Func[] } {
  const parsed = parseModule(text);
  const errors = [...verifyModule(parsed.module), ...parsed.funcs.flatMap((fn) => verifyFunc(fn, parsed.module))];
  if (errors.length > 0) throw new Error(errors.map(printVerifierError).join("\n"));
  return parsed;
}

function verifyMir(text: string, target: Target) {
  const mfuncs = parseMFuncs(text, target);
  const problems = mfuncs.flatMap((mfn) => verifyMFunc(mfn, target));
  if (problems.length > 0) throw new Error(problems.map(String).join("\n"));
  return mfuncs;
}

async function dumped(bytes: Uint8Array, args: readonly string[], target: Target): Promise<string> {
  const stage = args[0] as StageName;
  if (!stages.includes(stage)) throw new Error(`unknown stage "${stage}"`);
  const level = args.find((arg) => /^-O[012]$/.test(arg));
  const name = args.slice(1).find((arg) => !arg.startsWith("-"));
  // CPU features are fixed, so that the text is the same everywhere.
  const options: CompileOptions = { level: Number(level?.[2] ?? 2) as Level, record: true, target: target.name, features: [] };
  const compilation = await compile(bytes, options);
  if (!isRecorded(compilation)) throw new Error("not recorded");
  const { module } = compilation;
  const first = module.importedFuncCount;
  const indices = name === undefined ? Array.from({ length: module.funcs.length - first }, (_, i) => (first + i) as FuncIndex) : [findFunc(module, name)];
  const disassembler = stage === "asm" ? await loadDisassembler(compilation.target) : undefined;
  return indices.map((index) => dumpStage(compilation, index, stage, disassembler)).join("\n");
}

// ---- pass, verify, alloc

async function behindPasses(text: string, kind: string, names: readonly string[]): Promise<string> {
  let module: Module;
  let funcs: Func[];
  if (kind === "ssa") ({ module, funcs } = verifySsa(text));
  else {
    const decoded = decodeModule(await toBytes(text));
    module = decoded.clone();
    funcs = decoded.funcs.flatMap((func, i) => (func.imported ? [] : [translateFunction(decoded, i as FuncIndex)]));
  }
  const passes = names.map((name) => {
    const pass = registry.find((one) => one.name === name);
    if (pass?.stage !== "ssa") throw new Error(`there is no SSA pass "${name}"`);
    return pass;
  });
  new PassRunner(module, passes, [], { verify: true, passOptions: {} }, []).runAll(funcs);
  return printModule(module, funcs, { facts: false });
}

function roundTrip(text: string, kind: string, checks: readonly Check[], target: Target): string[] {
  if (kind === "ssa") {
    const { module, funcs } = verifySsa(text);
    const once = printModule(module, funcs);
    const again = parseModule(once);
    const twice = printModule(again.module, again.funcs);
    if (once !== twice) return ["printed, parsed and printed again, the text differs"];
    for (const fn of funcs) printFunc(fn, module);
    return checkText(once, checks);
  }
  const once = verifyMir(text, target).map((mfn) => printMFunc(mfn, target)).join("\n");
  const twice = verifyMir(once, target).map((mfn) => printMFunc(mfn, target)).join("\n");
  if (once !== twice) return ["printed, parsed and printed again, the text differs"];
  return checkText(once, checks);
}

function allocated(text: string, args: readonly string[], checks: readonly Check[], target: Target): string[] {
  const level = Number(args.find((arg) => /^-O[012]$/.test(arg))?.[2] ?? 2) as Level;
  const out = verifyMir(text, target).map((mfn) => {
    allocate(mfn, target.registers, { level, check: true });
    return printMFunc(mfn, target);
  });
  return checkText(out.join("\n"), checks);
}
