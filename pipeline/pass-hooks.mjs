// How Node loads the files of user passes: `wasmlathe` means the package that is running, and TypeScript needs no build step.
//
// Registered by user-passes.ts when the first such file is loaded: where Node has synchronous hooks, by `hooks`; else as a module of
// Node's loader thread, so it is JavaScript that imports nothing of ours. `wasmlathe` becomes a small module that hands out the
// running package's own exports, whatever is or is not installed where the file lies: two copies of the package would not know
// each other's classes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const RUNNING = "wasmlathe:running";
/** Where the exports stand in the main thread, and their names; the URL of the running package's folder, whose own files are loaded as ever. */
let key = "";
let names = [];
let own = "";

/** @param {{ key: string, names: string[], own: string }} data */
export function initialize(data) {
  ({ key, names, own } = data);
}

/** The synchronous hooks. @param {{ key: string, names: string[], own: string }} data */
export function hooks(data) {
  initialize(data);
  return {
    resolve(specifier, context, nextResolve) {
      if (isServed(specifier, context)) return served;
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        return nextResolve(typed(specifier, context, error), context);
      }
    },
    load: (url, context, nextLoad) => loaded(url) ?? nextLoad(url, context),
  };
}

export async function resolve(specifier, context, nextResolve) {
  if (isServed(specifier, context)) return served;
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    return nextResolve(typed(specifier, context, error), context);
  }
}

export async function load(url, context, nextLoad) {
  return loaded(url) ?? nextLoad(url, context);
}

const served = { url: RUNNING, format: "module", shortCircuit: true };

function isServed(specifier, context) {
  return specifier === "wasmlathe" && !isOurs(context.parentURL);
}

/** In TypeScript `./rules.js` may mean rules.ts. Throws the error where it cannot. */
function typed(specifier, context, error) {
  const match = /^(\.{1,2}\/.*)\.([mc]?)js$/.exec(specifier);
  if (!match || !isTypeScript(context.parentURL ?? "")) throw error;
  return `${match[1]}.${match[2]}ts`;
}

/** What is not left to Node: the running package, and TypeScript. */
function loaded(url) {
  if (url === RUNNING) {
    const source = `const running = globalThis[Symbol.for(${JSON.stringify(key)})];\nexport const { ${names.join(", ")} } = running;\n`;
    return { format: "module", source, shortCircuit: true };
  }
  if (!url.startsWith("file:") || !isTypeScript(url) || isOurs(url)) return undefined;
  const file = fileURLToPath(url);
  const { transformSync } = createRequire(import.meta.url)("esbuild");
  const { code } = transformSync(readFileSync(file, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    sourcefile: file,
    logLevel: "silent",
  });
  return { format: "module", source: code, shortCircuit: true };
}

/** A query stands behind the name of a file that was loaded before: it has changed since. */
function isTypeScript(url) {
  return /\.[mc]?ts(\?|$)/.test(url);
}

function isOurs(url) {
  return url !== undefined && ["dist/", "pipeline/", "ir/", "passes/", "backends/", "runtime/"].some((folder) => url.startsWith(own + folder)) && !url.startsWith(`${own}passes/examples/`);
}
