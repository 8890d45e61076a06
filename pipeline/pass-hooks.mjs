// How Node loads the files of user passes: `wasmlathe` means the package that is running, and TypeScript needs no build step.
//
// Registered by user-passes.ts when the first such file is loaded; runs in Node's loader thread, so it is JavaScript that
// imports nothing of ours. `wasmlathe` becomes a small module that hands out the running package's own exports, whatever is or is
// not installed where the file lies: two copies of the package would not know each other's classes.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const RUNNING = "wasmlathe:running";
/** Set by `initialize`: where the exports stand in the main thread, and their names. */
let key = "";
let names = [];
/** URL of the running package's folder; its own files are loaded as ever. */
let own = "";

/** @param {{ key: string, names: string[], own: string }} data */
export function initialize(data) {
  ({ key, names, own } = data);
}

export async function resolve(specifier, context, nextResolve) {
  if (specifier === "wasmlathe" && !isOurs(context.parentURL)) return { url: RUNNING, format: "module", shortCircuit: true };
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    // In TypeScript `./rules.js` may mean rules.ts.
    const typed = /^(\.{1,2}\/.*)\.([mc]?)js$/.exec(specifier);
    if (!typed || !/\.[mc]?ts(\?|$)/.test(context.parentURL ?? "")) throw error;
    return nextResolve(`${typed[1]}.${typed[2]}ts`, context);
  }
}

export async function load(url, context, nextLoad) {
  if (url === RUNNING) {
    const source = `const running = globalThis[Symbol.for(${JSON.stringify(key)})];\nexport const { ${names.join(", ")} } = running;\n`;
    return { format: "module", source, shortCircuit: true };
  }
  if (!url.startsWith("file:") || !/\.[mc]?ts(\?|$)/.test(url) || isOurs(url)) return nextLoad(url, context);
  const file = fileURLToPath(url);
  const { transform } = await import("esbuild");
  const { code } = await transform(await readFile(file, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    sourcefile: file,
    logLevel: "silent",
  });
  return { format: "module", source: code, shortCircuit: true };
}

function isOurs(url) {
  return url !== undefined && ["dist/", "pipeline/", "ir/", "passes/", "backends/", "runtime/"].some((folder) => url.startsWith(own + folder)) && !url.startsWith(`${own}passes/examples/`);
}
