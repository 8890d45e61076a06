// Builds dist/: index.js (the public API), wasi.js (wasmlathe/wasi), cli.js (the command), webassembly.js and register.js (the JS API),
// shared chunks; and dist/types (declarations).
//
// `node build.mjs` makes the JavaScript; `--types` makes the declarations, too (npm pack and the tests do that).
// Packages stay imports. Of const enums the values are inlined, and the public ones are objects as well.
import { build, transform } from "esbuild";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { deflateRawSync } from "node:zlib";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "dist");

/**
 * The tables of instruction forms (`Form` of backends/*\/opcodes.ts) are written as families, and are constants all the same: here they become const
 * enums, whose values esbuild puts where they are used. Made at every start they would cost 5 ms, and a search of a large object at every use.
 */
const foldForms = {
  name: "fold-forms",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]backends[\\/]\w+[\\/]opcodes\.ts$/ }, async ({ path: file }) => {
      const { outputFiles } = await build({ entryPoints: [file], write: false, bundle: true, format: "esm" });
      const { Form } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
      const written = readFileSync(file, "utf8");
      const members = Object.entries(Form).map(([name, value]) => `${name} = ${value},`);
      const contents = written.replace(/^export const Form = \{$.*?^\} as const;$/ms, () => `export const enum Form {${members.join("")}}`);
      if (contents === written) throw new Error(`${file} has no table "Form" of the form that is looked for`);
      return { contents, loader: "ts" };
    });
  },
};

/** Packages and modules that a program rarely needs: the engine of `register` loads them at their first use. */
const loadLate = {
  name: "load-late",
  setup({ onResolve, onLoad }) {
    const packages = /^(immer|graphlib|node:crypto)$/;
    onResolve({ filter: packages }, ({ path: name, namespace }) => (namespace === "late" ? { path: name, external: true } : { path: name, namespace: "late" }));
    onLoad({ filter: packages, namespace: "late" }, async ({ path: name }) => {
      const getter = (key) => `get ${JSON.stringify(key)}() { return require(${JSON.stringify(name)})[${JSON.stringify(key)}]; }`;
      return { contents: `module.exports = { ${Object.keys(await import(name)).map(getter).join(", ")} };`, loader: "js" };
    });
  },
};

async function javascript() {
  await build({
    absWorkingDir: root,
    entryPoints: { index: "pipeline/index.ts", wasi: "runtime/wasi/index.ts", cli: "pipeline/cli.ts", webassembly: "pipeline/webassembly.ts", register: "pipeline/register.ts", "make-bytecode": "pipeline/make-bytecode.ts", "pass-hooks": "pipeline/pass-hooks.mjs", "serve-import": "pipeline/serve-import.ts" },
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    plugins: [foldForms],
    sourcemap: true,
    chunkNames: "chunks/[name]-[hash]",
    banner: {},
    logLevel: "warning",
  });
  const cli = path.join(dist, "cli.js");
  const text = readFileSync(cli, "utf8");
  if (!text.startsWith("#!")) writeFileSync(cli, `#!/usr/bin/env node\n${text}`);
}

/**
 * dist/quick: the engine of wasmlathe/register as one script, and the bytecode V8 has made of it by the end of a real job (pipeline/quick-start.ts).
 * Without bytecode (a job that failed) starts are slower, so that is no reason for the build to fail; a test asks for it.
 */
async function quickStart() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["pipeline/quick-engine.ts"],
    write: false,
    bundle: true,
    // Names stay: those of the functions that drive compiled code are how a stack shows what it was doing (runtime/stack-text.ts).
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "ascii",
    format: "cjs",
    platform: "node",
    target: "node20",
    packages: "external",
    plugins: [foldForms, loadLate],
    define: { "import.meta.url": "importMetaUrl" },
    logLevel: "warning",
  });
  const text = `(function (module, exports, require, importMetaUrl) {${outputFiles[0].text}\n})`;
  const quick = path.join(dist, "quick");
  mkdirSync(quick);
  writeFileSync(path.join(quick, `engine-${createHash("sha256").update(text).digest("hex").slice(0, 16)}.cjs`), text);
  execFileSync(process.execPath, [path.join(dist, "make-bytecode.js")], { stdio: ["ignore", "ignore", "inherit"] });
  rmSync(path.join(dist, "make-bytecode.js"));
  rmSync(path.join(dist, "make-bytecode.js.map"));
}

/** dist/explorer: what the page of `lathe explore` is made of. The graph layout is deflated, and unpacked by the page when it draws. */
async function explorer() {
  const browser = { absWorkingDir: root, outdir: "dist/explorer", bundle: true, minify: true, format: "iife", platform: "browser", target: "es2022", logLevel: "warning" };
  await build({
    ...browser,
    entryPoints: { page: "pipeline/explore/page/main.tsx" },
    jsx: "automatic",
    jsxImportSource: "preact",
    // Disassembly and wasm passes are done before a page is made.
    external: ["@alexaltea/capstone-js", "binaryen", "@viz-js/viz"],
    define: { "process.arch": '""' },
  });
  const page = path.join(dist, "explorer/page.css");
  writeFileSync(page, (await transform(readFileSync(path.join(root, "pipeline/explore/page/style.css"), "utf8"), { loader: "css", minify: true })).code);
  const layout = createRequire(import.meta.url).resolve("@viz-js/viz").replace(/viz\.\w+$/, "viz-global.js");
  writeFileSync(path.join(dist, "explorer/graph-layout.js.deflate"), deflateRawSync(readFileSync(layout), { level: 9 }));
}

/** Declarations. `const enum` becomes `enum`: a user's compiler cannot inline from a declaration, and dist/index.js has the objects. */
function declarations() {
  const out = path.join(dist, "types");
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", path.join(root, "tsconfig.types.json")], { stdio: "inherit" });
  for (const name of readdirSync(out, { recursive: true })) {
    if (!String(name).endsWith(".d.ts")) continue;
    const file = path.join(out, String(name));
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/\bconst enum\b/g, "enum"));
  }
}

rmSync(dist, { recursive: true, force: true });
await javascript();
await quickStart();
await explorer();
if (process.argv.includes("--types")) declarations();
