// The package as a user gets it: exports map, declarations, and a pass of one's own in a file outside the project.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { projectRoot } from "../bundle.js";

const test = suite("package");
const manifest = JSON.parse(readFileSync(path.join(projectRoot, "package.json"), "utf8")) as {
  name: string;
  bin: Record<string, string>;
  main: string;
  types: string;
  exports: Record<string, { types: string; default: string } | string>;
  files: string[];
};

/** A folder outside the project in which the package is installed. */
let outside: string;

test.before(() => {
  // `npm test` builds with declarations first; alone, this file does it itself.
  if (!existsSync(path.join(projectRoot, manifest.types)) || !existsSync(path.join(projectRoot, manifest.main))) {
    execFileSync(process.execPath, ["build.mjs", "--types"], { cwd: projectRoot });
  }
  outside = mkdtempSync(path.join(tmpdir(), "lathe-user-"));
  mkdirSync(path.join(outside, "node_modules"));
  symlinkSync(projectRoot, path.join(outside, "node_modules", manifest.name), "junction");
  writeFileSync(path.join(outside, "package.json"), JSON.stringify({ type: "module" }));
});

test.after(() => rmSync(outside, { recursive: true, force: true }));

test("every file the manifest names is there", () => {
  const exported = Object.values(manifest.exports).flatMap((entry) => (typeof entry === "string" ? [entry] : [entry.types, entry.default]));
  for (const file of [manifest.main, manifest.types, ...exported, ...Object.values(manifest.bin), ...manifest.files]) {
    assert.ok(existsSync(path.join(projectRoot, file)), file);
  }
  assert.ok(readFileSync(path.join(projectRoot, manifest.bin["lathe"]!), "utf8").startsWith("#!/usr/bin/env node\n"));
});

const unchangedProgram = `
const add = [0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11];
const module = new WebAssembly.Module(Uint8Array.from(add));
console.log(new WebAssembly.Instance(module).exports.f(50, 8), WebAssembly.Module.imports(module).length);
`;

test("a program that is not changed runs on this engine, with passes of the environment", () => {
  writeFileSync(path.join(outside, "program.mjs"), unchangedProgram);
  const run = (pass: string) => {
    const result = spawnSync(process.execPath, ["--import", "wasmlathe/register", "program.mjs"], { cwd: outside, encoding: "utf8", env: { ...process.env, LATHE_PASS: pass } });
    return result.stdout + result.stderr;
  };
  const examples = path.join(projectRoot, "passes/examples");
  assert.is(run(""), "58 0\n");
  writeFileSync(path.join(outside, "wrong.mjs"), `import { definePass, Op } from "wasmlathe";
export default definePass({ name: "wrong", summary: "", stage: "ssa", scope: "func", run(fn) { for (let v = 0; v < fn.valueCount; v++) if (fn.op[v] === Op.i32_add) fn.become(v, Op.i32_sub, [fn.arg(v, 0), fn.arg(v, 1)]); } });`);
  assert.is(run("./wrong.mjs"), "42 0\n");
  // The hook's import is nobody's business.
  assert.is(run(`${path.join(examples, "entry-hooks.mjs")}; ${path.join(examples, "fuel.mjs")},budget=100`), "58 0\nenter @0\n");
  assert.match(run("./missing.mjs"), /there is no file .*missing\.mjs/);
});

const userPass = `
import { compile, definePass, instantiate, Op } from "wasmlathe";

const addIsSub = definePass({
  name: "add-is-sub", summary: "every i32.add subtracts", stage: "ssa", scope: "func",
  before: [{ pass: "simplify", why: "it would fold additions first" }],
  run(fn) {
    for (let v = 0; v < fn.valueCount; v++) if (fn.op[v] === Op.i32_add) fn.become(v, Op.i32_sub, [fn.arg(v, 0), fn.arg(v, 1)]);
  },
});

const wat = '(module (func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))';
const results = [];
for (const passes of [[], [addIsSub]]) {
  const { exports } = instantiate(await compile(wat, { passes, verify: true }));
  results.push(exports.f(50, 8));
}
console.log(results.join(" "));
`;

test("a pass of ten lines in a file outside the project changes the native result", () => {
  const file = path.join(outside, "pass.mjs");
  writeFileSync(file, userPass);
  const run = spawnSync(process.execPath, [file], { cwd: outside, encoding: "utf8" });
  assert.is(run.stderr, "");
  assert.is(run.stdout.trim(), "58 42");
});

const wasiUser = `
import { compile, instantiate } from "wasmlathe";
import { WASI, type WasiOptions } from "wasmlathe/wasi";

export async function run(bytes: Uint8Array, options: WasiOptions): Promise<number> {
  const wasi = new WASI({ version: "preview1", ...options, env: process.env });
  return wasi.start(instantiate(await compile(bytes, { sourceMap: "app.wasm.map" }), wasi.getImportObject()));
}
`;

test("the same file type-checks against the declarations, strictly; so does one that uses WASI", () => {
  const file = path.join(outside, "pass.mts");
  const wasiFile = path.join(outside, "wasi.mts");
  writeFileSync(wasiFile, wasiUser);
  writeFileSync(file, userPass.replace("import {", "import { type Value,").replace("let v = 0;", "let v = 0 as Value;").replace("const results = [];", "const results: number[] = [];").replace("exports.f(50, 8)", "(exports.f as (a: number, b: number) => number)(50, 8)"));
  const tsc = path.join(projectRoot, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck", "false", "--types", "node", "--typeRoots", path.join(projectRoot, "node_modules", "@types"), "--isolatedModules"];
  const run = spawnSync(process.execPath, [tsc, ...flags, file, wasiFile], { cwd: outside, encoding: "utf8" });
  assert.is(run.stdout, "");
  assert.is(run.status, 0);
});

test("nothing but the entry can be imported", () => {
  const file = path.join(outside, "deep.mjs");
  writeFileSync(file, `import "wasmlathe/dist/cli.js";`);
  const run = spawnSync(process.execPath, [file], { cwd: outside, encoding: "utf8" });
  assert.match(run.stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
});

test("importing the package loads neither binaryen nor native code", () => {
  const file = path.join(outside, "light.mjs");
  writeFileSync(file, `
    import { createRequire } from "node:module";
    import { compile } from "wasmlathe";
    const loaded = process.report.getReport().sharedObjects.filter((name) => /koffi/.test(name));
    console.log(typeof compile, loaded.length, Object.keys(createRequire(import.meta.url).cache).filter((name) => /binaryen|capstone/.test(name)).length);
  `);
  const run = spawnSync(process.execPath, [file], { cwd: outside, encoding: "utf8" });
  assert.is(run.stdout.trim(), "function 0 0");
});

test.run();
