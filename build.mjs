// Builds dist/: index.js (the public API), wasi.js (wasmlathe/wasi), cli.js (the command), webassembly.js and register.js (the JS API),
// shared chunks; and dist/types (declarations).
//
// `node build.mjs` makes the JavaScript; `--types` makes the declarations, too (npm pack and the tests do that).
// Packages stay imports. Of const enums the values are inlined, and the public ones are objects as well.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "dist");

async function javascript() {
  await build({
    absWorkingDir: root,
    entryPoints: { index: "pipeline/index.ts", wasi: "runtime/wasi/index.ts", cli: "pipeline/cli.ts", webassembly: "pipeline/webassembly.ts", register: "pipeline/register.ts", "pass-hooks": "pipeline/pass-hooks.mjs" },
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: true,
    chunkNames: "chunks/[name]-[hash]",
    banner: {},
    logLevel: "warning",
  });
  const cli = path.join(dist, "cli.js");
  const text = readFileSync(cli, "utf8");
  if (!text.startsWith("#!")) writeFileSync(cli, `#!/usr/bin/env node\n${text}`);
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
if (process.argv.includes("--types")) declarations();
