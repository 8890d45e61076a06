// `node tests/real-world/packages.mjs FOLDER`: makes FOLDER a place for run.mjs: the jobs of jobs/, and the npm packages they use.
//
//     node tests/real-world/packages.mjs FOLDER && node tests/real-world/run.mjs FOLDER --modes lazy,O2,O0
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Pinned, so that checksums can be compared between machines. */
const dependencies = {
  "@biomejs/js-api": "6.0.0",
  "@biomejs/wasm-nodejs": "2.5.14",
  "@dimforge/rapier3d-compat": "0.21.0",
  "@jsquash/png": "3.1.1",
  "@resvg/resvg-wasm": "2.6.2",
  "@rollup/wasm-node": "4.68.4",
  "@swc/wasm": "1.16.18",
  "cjs-module-lexer": "2.3.0",
  "dejavu-fonts-ttf": "2.37.3",
  "es-module-lexer": "1.5.4",
  "harfbuzzjs": "1.6.4",
  "lightningcss-wasm": "1.33.0",
  "manifold-3d": "3.5.4",
  "opusscript": "0.1.1",
  "source-map": "0.7.4",
  "tiktoken": "1.0.22",
  "tiny-secp256k1": "2.2.4",
  "vscode-oniguruma": "2.0.1",
  "wabt": "1.0.39",
  "xxhash-wasm": "1.1.0",
  "yoga-layout": "3.2.1",
};

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node tests/real-world/packages.mjs FOLDER");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const manifest = path.join(folder, "package.json");
if (existsSync(manifest) && !existsSync(path.join(folder, "engine.mjs"))) throw new Error(`${folder} is something else's: it has a package.json`);
writeFileSync(manifest, JSON.stringify({ name: "real-world-packages", private: true, type: "module", dependencies }, undefined, 2));
cpSync(path.join(path.dirname(fileURLToPath(import.meta.url)), "jobs"), folder, { recursive: true });
execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder, stdio: "inherit" });
