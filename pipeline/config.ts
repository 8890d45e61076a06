// The config file, `lathe.config.mjs` (or .js, .ts, .mts): a default export with options of the compiler and passes of one's own.
//
//     import myPass from "./my-pass.mjs";
//     export default { level: 2, passes: [myPass, "./other.mjs,rate=3"], passOptions: { "my-pass": { deep: true } } };
//
// Found by the command from the working directory upwards. What the command line says goes on top.
import { existsSync } from "node:fs";
import path from "node:path";
import type { CompileOptions } from "./options.js";
import type { Pass } from "../passes/pass.js";
import { importUserModule, isPassFile } from "./user-passes.js";

const NAMES = ["lathe.config.mjs", "lathe.config.js", "lathe.config.mts", "lathe.config.ts"];

/** What a config file may say: options as `compile` takes them. Paths in `passes` start from the file's own folder. */
export type Config = Pick<
  CompileOptions,
  "level" | "bounds" | "target" | "features" | "passes" | "pipeline" | "disable" | "passOptions" | "passTimeout" | "verify" | "check" | "dumpDir"
>;

const KEYS: readonly (keyof Config)[] = ["level", "bounds", "target", "features", "passes", "pipeline", "disable", "passOptions", "passTimeout", "verify", "check", "dumpDir"];

/** The nearest config file at or above a folder. */
export function findConfig(folder: string): string | undefined {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const found = NAMES.map((name) => path.join(at, name)).find((name) => existsSync(name));
    if (found !== undefined || path.dirname(at) === at) return found;
  }
}

/** @throws Error that names the file and what is wrong with it. */
export async function loadConfig(file: string): Promise<Config> {
  const config = (await importUserModule(file))["default"];
  if (typeof config !== "object" || config === null || Array.isArray(config)) throw new Error(`${file}: the default export is an object of options`);
  for (const key of Object.keys(config)) {
    if (!(KEYS as readonly string[]).includes(key)) throw new Error(`${file}: there is no option "${key}"; there are ${KEYS.join(", ")}`);
  }
  for (const key of ["passes", "pipeline", "disable"] as const) {
    if ((config as Config)[key] !== undefined && !Array.isArray((config as Config)[key])) throw new Error(`${file}: ${key} is an array`);
  }
  const { passes, pipeline } = config as Config;
  const here = (pass: Pass | string) => (typeof pass === "string" && isPassFile(pass) ? path.resolve(path.dirname(file), pass) : pass);
  return { ...(config as Config), ...(passes && { passes: passes.map(here) }), ...(pipeline && { pipeline: pipeline.map(here) }) };
}
