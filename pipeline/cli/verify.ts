// `lathe verify FILE.ssa [--pass NAME]` or `FILE.mir [--arch NAME]`: parses, verifies, says what is wrong; runs a pass on what was right.
import type { Func } from "../../ir/func.js";
import { parseMFuncs } from "../../ir/machine/parse.js";
import { verifyMFunc } from "../../ir/machine/verify.js";
import type { Module } from "../../ir/module.js";
import { parseModule } from "../../ir/parse.js";
import { passes } from "../../passes/index.js";
import { printVerifierError, verifyFunc, verifyModule } from "../../ir/verify.js";
import { PassRunner } from "../runner.js";
import { targetNamed } from "../targets.js";
import { readInput } from "./input.js";
import { print } from "./terminal.js";

/** @throws Error that lists the problems, at most 20; PassError when the pass fails. */
export function verify(file: string, { arch, pass }: { arch?: string; pass?: string }): void {
  const text = new TextDecoder().decode(readInput(file));
  const problems: string[] = [];
  let count: number;
  if (/^\s*(;[^\n]*\n\s*)*mfunc\b/.test(text)) {
    const target = targetNamed(arch);
    const mfuncs = parseMFuncs(text, target);
    count = mfuncs.length;
    for (const mfn of mfuncs) for (const problem of verifyMFunc(mfn, target)) problems.push(String(problem));
  } else {
    const { module, funcs } = parseModule(text);
    count = funcs.length;
    problems.push(...verifyModule(module).map(printVerifierError));
    for (const fn of funcs) problems.push(...verifyFunc(fn, module).map(printVerifierError));
    if (pass !== undefined && problems.length === 0) runPass(pass, module, funcs);
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, 20);
    const rest = problems.length > shown.length ? [`... and ${problems.length - shown.length} more`] : [];
    throw new Error(`${file} does not verify:\n  ${[...shown, ...rest].join("\n  ")}`);
  }
  print(`${file}: ${count} function${count === 1 ? "" : "s"}, nothing wrong`);
}

function runPass(name: string, module: Module, funcs: Func[]): void {
  const pass = passes.find((one) => one.name === name);
  if (!pass || pass.stage !== "ssa") throw new Error(`there is no SSA pass "${name}" to run`);
  new PassRunner(module, [pass], [], { verify: true, passOptions: {} }, []).runAll(funcs);
}
