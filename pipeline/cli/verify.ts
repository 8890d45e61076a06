// `lathe verify FILE.ssa` (or .mir): parses, verifies, says what is wrong.
import { parseMFuncs } from "../../ir/machine/parse.js";
import { verifyMFunc } from "../../ir/machine/verify.js";
import { parseModule } from "../../ir/parse.js";
import { printVerifierError, verifyFunc, verifyModule } from "../../ir/verify.js";
import { hostTarget } from "../targets.js";
import { readInput } from "./input.js";
import { print } from "./terminal.js";

/** @throws Error that lists the problems, at most 20. */
export function verify(file: string): void {
  const text = new TextDecoder().decode(readInput(file));
  const problems: string[] = [];
  let count: number;
  if (/^\s*(;[^\n]*\n\s*)*mfunc\b/.test(text)) {
    const target = hostTarget();
    const mfuncs = parseMFuncs(text, target);
    count = mfuncs.length;
    for (const mfn of mfuncs) for (const problem of verifyMFunc(mfn, target)) problems.push(String(problem));
  } else {
    const { module, funcs } = parseModule(text);
    count = funcs.length;
    problems.push(...verifyModule(module).map(printVerifierError));
    for (const fn of funcs) problems.push(...verifyFunc(fn, module).map(printVerifierError));
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, 20);
    const rest = problems.length > shown.length ? [`... and ${problems.length - shown.length} more`] : [];
    throw new Error(`${file} does not verify:\n  ${[...shown, ...rest].join("\n  ")}`);
  }
  print(`${file}: ${count} function${count === 1 ? "" : "s"}, nothing wrong`);
}
