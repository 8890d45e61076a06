// `lathe verify FILE.ssa|FILE.mir [--arch NAME] [--pass PASS]`: parses, verifies, says what is wrong; runs a pass on what was right.
import { parseMachineModule } from "../../ir/machine/parse.js";
import { verifyMFunc } from "../../ir/machine/verify.js";
import { parseModule } from "../../ir/parse.js";
import { printVerifierError, verifyFunc, verifyModule } from "../../ir/verify.js";
import { passes as registry } from "../../passes/index.js";
import type { Pass } from "../../passes/pass.js";
import { isIrText, isMachineText } from "../frontend/text.js";
import { PassRunner, type RunnerSettings } from "../runner.js";
import { targetNamed } from "../targets.js";
import { compileOptions } from "./compile-options.js";
import { readInput, type CompilerFlags } from "./input.js";
import { print, UsageError } from "./terminal.js";

/** @throws Error that lists the problems, at most 20; PassError when the pass fails. */
export async function verify(file: string, flags: CompilerFlags): Promise<void> {
  const { target: arch, passes = [], passOptions = {}, passTimeout, passFiles } = await compileOptions({ ...flags, config: flags.config ?? false });
  const target = targetNamed(arch);
  const chosen = passes.map((pass) => (typeof pass === "string" ? registry.find((one) => one.name === pass) : pass) ?? unknownPass(String(pass)));
  // A replay shows a failure again: it writes no second file.
  const settings: RunnerSettings = { verify: true, passOptions, passTimeout, passFiles, target, dumpDir: false };
  const text = new TextDecoder().decode(readInput(file));
  if (!isIrText(text)) throw new UsageError(`${file} is no IR as text (.ssa, .mir); a module is verified as it is compiled: lathe compile FILE --verify`);
  const machine = isMachineText(text);
  const misfit = chosen.find((pass) => pass.stage !== (machine ? "machine" : "ssa"));
  if (misfit) throw new UsageError(`"${misfit.name}" is a pass of stage ${misfit.stage}, ${file} holds ${machine ? "machine IR" : "SSA"}`);
  const problems: string[] = [];
  let count: number;
  if (machine) {
    const { module, funcs } = parseMachineModule(text, target);
    count = funcs.length;
    problems.push(...verifyModule(module).map(printVerifierError));
    for (const mfn of funcs) problems.push(...verifyMFunc(mfn, target).map(String));
    if (problems.length === 0) {
      const runner = new PassRunner(module, [], chosen, settings, []);
      for (const mfn of funcs) runner.runMachine(mfn);
    }
  } else {
    const { module, funcs } = parseModule(text);
    count = funcs.length;
    problems.push(...verifyModule(module).map(printVerifierError));
    for (const fn of funcs) problems.push(...verifyFunc(fn, module).map(printVerifierError));
    if (problems.length === 0) new PassRunner(module, chosen, [], settings, []).runAll(funcs);
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, 20);
    const rest = problems.length > shown.length ? [`... and ${problems.length - shown.length} more`] : [];
    throw new Error(`${file} does not verify:\n  ${[...shown, ...rest].join("\n  ")}`);
  }
  print(`${file}: ${count} function${count === 1 ? "" : "s"}, nothing wrong`);
}

function unknownPass(name: string): never {
  throw new UsageError(`there is no pass "${name}" to run; there are ${registry.map((pass: Pass) => pass.name).join(", ")}, and files such as ./my-pass.mjs`);
}
