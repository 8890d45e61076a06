// Options by environment variables, for programs whose compile options nobody can reach: those that run unchanged on
// `wasmlathe/register` or `wasmlathe/webassembly`.
//
// LATHE_LEVEL=LEVEL    how much is spent on the code, 0, 1, 2 or baseline (`level`)
// LATHE_PASS=SPEC;...  further passes: `./my-pass.mjs,key=value`, or names (`passes`)
// LATHE_LAZY=0|1       functions are compiled at once, or at their first call (`lazy`)
import type { CompileOptions } from "./options.js";
import type { Level } from "./pipelines.js";

type Read = (text: string) => CompileOptions | undefined;

const readPasses: Read = (text) => {
  const passes = text.split(";").map((part) => part.trim()).filter((part) => part !== "");
  return passes.length > 0 ? { passes } : undefined;
};

const variables: Readonly<Record<string, { readonly values: string; readonly read: Read }>> = {
  LATHE_PASS: { values: "passes as --pass takes them, ; between", read: readPasses },
  LATHE_LEVEL: { values: "0, 1, 2 or baseline", read: (text) => (text === "baseline" ? { level: text } : /^[012]$/.test(text) ? { level: Number(text) as Level } : undefined) },
  LATHE_LAZY: { values: "0 or 1", read: (text) => (/^[01]$/.test(text) ? { lazy: text === "1" } : undefined) },
};

/** @throws Error that names a variable with a value that is none. */
export function optionsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): CompileOptions {
  const options: CompileOptions = {};
  for (const [name, { values, read }] of Object.entries(variables)) {
    const text = environment[name];
    if (text === undefined || text === "") continue;
    const found = read(text);
    if (!found) throw new Error(`the environment variable ${name} is ${values}, not "${text}"`);
    Object.assign(options, found);
  }
  return options;
}
