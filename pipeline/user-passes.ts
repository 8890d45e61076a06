// Passes from files: `./my-pass.mjs,key=value` => pass objects, their options, and where they came from.
//
// A file is an ES module, JavaScript or TypeScript, whose default export is a pass or an array of passes. Its import of
// `wasmlathe` is served by the running package (pass-hooks.mjs). Options are read by the types of their declared defaults.
import { existsSync, readFileSync, statSync } from "node:fs";
import nodeModule from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { passes as registry } from "../passes/index.js";
import type { CompileOptions } from "./options.js";
import { checkPass, type OptionValue, type Pass } from "../passes/pass.js";

/** A pass that was asked for in words. */
export interface PassRequest {
  /** Names stay names: passes of the registry and of binaryen. */
  readonly passes: readonly (Pass | string)[];
  /** By pass name, then by option. */
  readonly options: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /** Absolute path by pass name, of those that came from a file. */
  readonly files: Readonly<Record<string, string>>;
}

/** Whether a request means a file, not the name of a pass. */
export function isPassFile(spec: string): boolean {
  const head = spec.split(",", 1)[0]!;
  return !head.startsWith("binaryen:") && (/[\\/]/.test(head) || /\.[mc]?[jt]s$/.test(head));
}

/**
 * Reads `NAME[,key=value...]` and `FILE[,key=value...]`. `key` alone is `key=true`.
 * @param base folder that relative paths start from.
 * @param known further passes that a name may mean.
 * @throws Error for a file that cannot be loaded, a default export that is no pass, an option that there is not or of the wrong type.
 */
export async function loadPassRequest(spec: string, base: string, known: readonly Pass[] = registry): Promise<PassRequest> {
  const [head, ...settings] = existsSync(path.resolve(base, spec)) ? [spec] : spec.split(",");
  const file = isPassFile(head!) ? path.resolve(base, head!) : undefined;
  const loaded = file === undefined ? known.filter((pass) => pass.name === head) : await loadPasses(file);
  const options: Record<string, Record<string, OptionValue>> = {};
  for (const setting of settings) {
    const [, key, , text] = /^([^=]*)(=(.*))?$/s.exec(setting)!;
    const takers = loaded.filter((pass) => pass.options && Object.hasOwn(pass.options, key!));
    if (takers.length === 0) throw new Error(`${describe(head!, file, loaded)} has no option ${JSON.stringify(key)}; ${optionsOf(loaded)}`);
    for (const pass of takers) (options[pass.name] ??= {})[key!] = readOption(pass, key!, text);
  }
  return {
    passes: file === undefined ? [head!] : loaded,
    options,
    files: file === undefined ? {} : Object.fromEntries(loaded.map((pass) => [pass.name, file])),
  };
}

/**
 * Options of a compilation in which files and options of passes in words have become passes and `passOptions`; the latter go on top.
 * @param base folder that relative paths start from.
 */
export async function expandPasses<T extends Pick<CompileOptions, "passes" | "pipeline" | "passOptions" | "passFiles">>(options: T, base: string): Promise<T> {
  const isWords = (pass: Pass | string) => typeof pass === "string" && (isPassFile(pass) || pass.includes(","));
  if (!options.passes?.some(isWords) && !options.pipeline?.some(isWords)) return options;
  const settings: Record<string, Record<string, OptionValue>> = {};
  for (const [name, values] of Object.entries(options.passOptions ?? {})) settings[name] = { ...values };
  const files: Record<string, string> = { ...options.passFiles };
  const expand = async (list: readonly (Pass | string)[]) => {
    const passes: (Pass | string)[] = [];
    for (const pass of list) {
      if (!isWords(pass)) {
        passes.push(pass);
        continue;
      }
      const request = await loadPassRequest(pass as string, base);
      passes.push(...request.passes);
      Object.assign(files, request.files);
      for (const [name, values] of Object.entries(request.options)) Object.assign((settings[name] ??= {}), values);
    }
    return passes;
  };
  return {
    ...options,
    ...(options.passes && { passes: await expand(options.passes) }),
    ...(options.pipeline && { pipeline: await expand(options.pipeline) }),
    passOptions: settings,
    passFiles: files,
  };
}

/** An option's value from its text, by the type of its default. `text` undefined: the option was named and no more. @throws Error */
export function readOption(pass: Pass, key: string, text: string | undefined): OptionValue {
  const wanted = pass.options?.[key]?.default;
  if (wanted === undefined) throw new Error(`the pass "${pass.name}" has no option ${JSON.stringify(key)}; ${optionsOf([pass])}`);
  const fail = (): never => {
    throw new Error(`the option ${key} of the pass "${pass.name}" is a ${typeof wanted}, not ${text === undefined ? "empty" : JSON.stringify(text)}`);
  };
  switch (typeof wanted) {
    case "boolean":
      return text === undefined || text === "true" ? true : text === "false" ? false : fail();
    case "number": {
      const number = text === undefined || text.trim() === "" ? NaN : Number(text);
      return Number.isNaN(number) ? fail() : number;
    }
    default:
      return text ?? fail();
  }
}

/** The passes of a file, checked. @throws Error that names the file and what is wrong with it. */
export async function loadPasses(file: string): Promise<Pass[]> {
  const exported = (await importUserModule(file))["default"];
  if (exported === undefined) throw new Error(`${file} has no default export: expected a pass, \`export default definePass({ ... })\`, or an array of passes`);
  const list: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (list.length === 0) throw new Error(`${file}: the default export is an empty array`);
  return list.map((value) => {
    try {
      checkPass(value);
      return value;
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`);
    }
  });
}

/** Imports an ES module of a user's, to which `wasmlathe` means this package. @throws Error that names the file. */
export async function importUserModule(file: string): Promise<Record<string, unknown>> {
  if (!existsSync(file)) throw new Error(`there is no file ${file}`);
  await registerHooks();
  try {
    // A file that was changed is another module: `lathe explore --serve` loads it again.
    return (await import(`${pathToFileURL(file).href}?${statSync(file).mtimeMs}`)) as Record<string, unknown>;
  } catch (error) {
    const { name, message } = error as Error;
    const hint = name === "SyntaxError" && file.endsWith(".js") ? " (a .js file is an ES module only where its package.json says so: name it .mjs)" : "";
    throw new Error(`${file} cannot be loaded: ${message}${hint}`, { cause: error });
  }
}

const KEY = "wasmlathe: exports of the running package, for user passes";

/** Lets modules that Node loads from now on import this package; the bridge is the one thing that must be reachable from outside any scope. */
export async function registerHooks(): Promise<void> {
  const bridge = globalThis as Record<symbol, unknown>;
  if (bridge[Symbol.for(KEY)] !== undefined) return;
  const root = packageRoot();
  const file = ["dist/pass-hooks.js", "pipeline/pass-hooks.mjs"].map((name) => path.join(root, name)).find((name) => existsSync(name));
  if (file === undefined) throw new Error("the package is incomplete: pass-hooks is missing");
  const running = (await import("./index.js")) as Record<string, unknown>;
  const names = Object.keys(running).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== "default");
  const data = { key: KEY, names, own: `${pathToFileURL(root).href}/` };
  // Node 22.15 and newer have hooks in this thread; the older way costs a thread, and newer ones warn of it.
  const { register, registerHooks: registerSync } = nodeModule as typeof nodeModule & { registerHooks?: (hooks: object) => void };
  const hooks = registerSync && (await import(pathToFileURL(file).href)) as { hooks(given: typeof data): object };
  // Somebody may have come first while this waited.
  if (bridge[Symbol.for(KEY)] !== undefined) return;
  if (registerSync) registerSync(hooks!.hooks(data));
  else if (typeof register === "function") register(pathToFileURL(file).href, { data });
  else throw new Error("passes from files need Node 20.6 or newer");
  bridge[Symbol.for(KEY)] = running;
}

/** The nearest folder above this file with our package.json. */
export function packageRoot(): string {
  for (let at = path.dirname(fileURLToPath(import.meta.url)); ; at = path.dirname(at)) {
    const file = path.join(at, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "wasmlathe") return at;
    if (path.dirname(at) === at) throw new Error("the package's own folder was not found");
  }
}

function describe(head: string, file: string | undefined, loaded: readonly Pass[]): string {
  if (file !== undefined) return loaded.length === 1 ? `the pass "${loaded[0]!.name}"` : `no pass of ${file}`;
  return `the pass "${head}"`;
}

function optionsOf(passes: readonly Pass[]): string {
  const all = passes.flatMap((pass) => Object.entries(pass.options ?? {}).map(([key, option]) => `${key} (${typeof option.default})`));
  return `it has ${all.length > 0 ? all.join(", ") : "none"}`;
}
