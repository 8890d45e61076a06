// The compiler's options as the command line and the config file give them => `CompileOptions`; what is none is a wrong call.
//
// Loads the files of passes. The command line goes on top of the config file, its passes behind the file's.
import path from "node:path";
import { passes as registry } from "../../passes/index.js";
import type { OptionValue, Pass } from "../../passes/pass.js";
import { findConfig, loadConfig, type Config } from "../config.js";
import { expandPasses, readOption } from "../user-passes.js";
import type { CompileOptions } from "../options.js";
import type { Level } from "../pipelines.js";
import { targetNames } from "../targets.js";
import { stepOfText } from "../dump/compare.js";
import { readInput, type CompilerFlags } from "./input.js";
import { UsageError } from "./terminal.js";

export async function compileOptions(flags: CompilerFlags): Promise<CompileOptions> {
  if (flags.O !== undefined && !/^([012]|baseline)$/.test(flags.O)) throw new UsageError(`-O wants 0, 1, 2 or baseline, not "${flags.O}"`);
  if (flags.bounds !== undefined && flags.bounds !== "guard" && flags.bounds !== "explicit") throw new UsageError(`--bounds wants guard or explicit, not "${flags.bounds}"`);
  if (flags.arch !== undefined && !targetNames.includes(flags.arch)) throw new UsageError(`--arch wants ${targetNames.join(" or ")}, not "${flags.arch}"`);
  if (flags.passTimeout !== undefined && !(Number(flags.passTimeout) > 0)) throw new UsageError(`--pass-timeout wants milliseconds, not "${flags.passTimeout}"`);
  const config = await configOf(flags);
  return {
    ...config,
    ...(flags.arch !== undefined && { target: flags.arch }),
    ...(flags.O !== undefined && { level: flags.O === "baseline" ? flags.O : (Number(flags.O) as Level) }),
    ...(flags.bounds !== undefined && { bounds: flags.bounds }),
    ...(flags.passTimeout !== undefined && { passTimeout: Number(flags.passTimeout) }),
    ...(await passOptions(flags, config)),
    disable: [...(config.disable ?? []), ...flags.disable],
    ...(flags.startFrom !== undefined && { startAfter: startOf(flags.startFrom) }),
  };
}

/** The step behind which a text was printed. */
function startOf(file: string): string {
  const step = stepOfText(new TextDecoder().decode(readInput(file)));
  if (step === undefined) throw new UsageError(`${file} does not say behind which pass it was printed: --start-from wants what --stop-after printed; otherwise give it as the file`);
  return step;
}

async function configOf(flags: CompilerFlags): Promise<Config> {
  if (flags.config === false) return {};
  const file = typeof flags.config === "string" ? path.resolve(flags.config) : findConfig(process.cwd());
  return file === undefined ? {} : loadConfig(file);
}

/** The passes of config and command line, each file loaded, with their options. */
async function passOptions(flags: CompilerFlags, config: Config): Promise<Pick<CompileOptions, "passes" | "pipeline" | "passOptions" | "passFiles">> {
  const expanded = await expandPasses({ ...config, passes: [...(config.passes ?? []), ...flags.pass] }, process.cwd());
  const own = [...expanded.passes!, ...(expanded.pipeline ?? [])].filter((pass): pass is Pass => typeof pass !== "string");
  const options: Record<string, Record<string, OptionValue>> = {};
  for (const [name, values] of Object.entries(expanded.passOptions ?? {})) options[name] = { ...values };
  for (const setting of flags.passOption) {
    const [, name, key, , text] = /^([^.=]+)\.([^=]+)(=(.*))?$/s.exec(setting) ?? [];
    if (name === undefined) throw new UsageError(`--pass-option wants PASS.KEY=VALUE, not "${setting}"`);
    const pass = [...registry, ...own].find((one) => one.name === name);
    if (!pass) throw new UsageError(`--pass-option: there is no pass "${name}"`);
    (options[name] ??= {})[key!] = readOption(pass, key!, text);
  }
  return { ...expanded, passOptions: options };
}
