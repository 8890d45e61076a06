// `wasmlathe/register` in a fraction of the time: the engine as one script, with the bytecode that V8 made of it before.
//
// The build writes dist/quick/engine-HASH.cjs and, from a run that compiles something real, engine-HASH.bytecode (Script.createCachedData).
// V8 takes bytecode of its own version alone, and otherwise compiles the script as any other: slower, not wrong. The hash of the script
// is in both names, for V8 itself compares no more than lengths.
// Passes of the environment (LATHE_PASS) import "wasmlathe", which must be the engine that runs them: then the modules are loaded.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import type * as Engine from "./quick-engine.js";

/** A script of the engine, compiled. */
export interface EngineScript {
  readonly entry: string;
  readonly script: vm.Script;
  /** The names of its files but for what is behind the last dot. */
  readonly stem: string;
}

/** @param entry URL of a file in dist. Undefined where the build has left no script: run from source, that is. */
export function engineScript(entry: string): EngineScript | undefined {
  const directory = path.join(path.dirname(fileURLToPath(entry)), "quick");
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return undefined;
  }
  const name = names.find((one) => one.endsWith(".cjs"));
  if (name === undefined) return undefined;
  const stem = path.join(directory, name.slice(0, -".cjs".length));
  const cachedData = names.includes(`${path.basename(stem)}.bytecode`) ? readFileSync(`${stem}.bytecode`) : undefined;
  const script = new vm.Script(readFileSync(`${stem}.cjs`, "latin1"), {
    filename: `${stem}.cjs`,
    ...(cachedData && { cachedData }),
    // Since Node 20.10 or so; packages that are loaded on demand need it.
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return { entry, script, stem };
}

/** Runs a script of the engine. */
export function evaluate({ entry, script }: EngineScript): typeof Engine {
  const module: { exports: object } = { exports: {} };
  const run = script.runInThisContext() as (module: object, exports: object, require: NodeJS.Require, url: string) => void;
  run(module, module.exports, createRequire(entry), entry);
  return module.exports as typeof Engine;
}
