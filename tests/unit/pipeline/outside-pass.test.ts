// A pass written outside the project, against the package as it is installed, changes what native code computes.
//
// The example of passes/examples is copied to a directory of its own, where `wasmlathe` resolves to the built package.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { projectRoot } from "../../bundle.js";

const main = `
import { compile, instantiate } from "wasmlathe";
import { addToSub } from "./add-to-sub.mjs";
const wat = '(module (func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))';
for (const options of [{}, { passes: [addToSub] }, { passes: [addToSub], level: 0 }]) {
  const compiled = await compile(wat, options);
  console.log(compiled.code.target !== "", instantiate(compiled).exports.f(40, 2));
}
`;

test("a pass of ten lines outside the project changes the native result", () => {
  if (!existsSync(path.join(projectRoot, "dist/index.js"))) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
  const outside = mkdtempSync(path.join(tmpdir(), "lathe-outside-"));
  try {
    mkdirSync(path.join(outside, "node_modules"));
    // A package of its own: otherwise one further up might be called wasmlathe and mean itself.
    writeFileSync(path.join(outside, "package.json"), '{ "name": "outside" }');
    symlinkSync(projectRoot, path.join(outside, "node_modules/wasmlathe"), "dir");
    copyFileSync(path.join(projectRoot, "passes/examples/add-to-sub.mjs"), path.join(outside, "add-to-sub.mjs"));
    writeFileSync(path.join(outside, "main.mjs"), main);
    const output = execFileSync(process.execPath, ["main.mjs"], { cwd: outside, encoding: "utf8" });
    assert.is(output, "true 42\ntrue 38\ntrue 38\n");
  } finally {
    rmSync(outside, { recursive: true });
  }
});

test.run();
