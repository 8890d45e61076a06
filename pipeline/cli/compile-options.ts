// The compiler's options as the command line gives them => `CompileOptions`; what is none is a wrong call.
import type { CompileOptions } from "../options.js";
import type { Level } from "../pipelines.js";
import { targetNames } from "../targets.js";
import type { CompilerFlags } from "./input.js";
import { UsageError } from "./terminal.js";

export function compileOptions(flags: CompilerFlags): CompileOptions {
  if (!/^[012]$/.test(flags.O)) throw new UsageError(`-O wants 0, 1 or 2, not "${flags.O}"`);
  if (flags.bounds !== "guard" && flags.bounds !== "explicit") throw new UsageError(`--bounds wants guard or explicit, not "${flags.bounds}"`);
  if (flags.arch !== undefined && !targetNames.includes(flags.arch)) throw new UsageError(`--arch wants ${targetNames.join(" or ")}, not "${flags.arch}"`);
  return { ...(flags.arch !== undefined && { target: flags.arch }), level: Number(flags.O) as Level, bounds: flags.bounds, passes: flags.pass, disable: flags.disable };
}
