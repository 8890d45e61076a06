// `npm run examples [-- JOBS]`: every pass of passes/examples over the whole official suite, all kernels, and two real packages.
//
// JOBS is a copy of ../shared/real-world with its packages installed (`npm install`); without it the jobs are left out, in words.
// Results must be what they are without the pass. Ends non-zero on the first difference.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { compile, instantiate } from "wasmlathe";
import { isExpected, kernelBytes, kernels } from "../bench/kernels.mjs";
import { exampleNames, quietExample } from "./passes.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const JOBS = ["brotli", "sqlite"];
const folder = process.argv[2];
let passed = 0;
let failed = 0;

function check(what, ok, detail = "") {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "ok  " : "FAIL"} ${what}${detail && `: ${detail}`}`);
}

for (const name of exampleNames) {
  const suite = spawnSync(process.execPath, ["--import", "tsx", "tests/start.ts", "tests/spec/main.ts", "--example", name], { cwd: root, encoding: "utf8" });
  check(`${name}, official suite`, suite.status === 0, suite.stdout.trim().split("\n").at(-1));

  const wrong = [];
  const all = kernels();
  for (const kernel of all) {
    const instance = instantiate(await compile(kernelBytes(kernel), { passes: [await quietExample(name)] }));
    if (!isExpected(kernel.quick.expected, instance.exports[kernel.export](...kernel.quick.args))) wrong.push(kernel.name);
  }
  check(`${name}, ${all.length} kernels`, wrong.length === 0, wrong.join(", "));

  if (!folder) continue;
  const expected = JSON.parse(readFileSync(path.join(folder, "expected.json"), "utf8"));
  for (const job of JOBS) {
    if (!existsSync(path.join(folder, "node_modules"))) throw new Error(`${folder}: npm install first`);
    const run = spawnSync(process.execPath, ["--import", path.join(root, "tests/examples/register.mjs"), `${job}.mjs`], { cwd: folder, encoding: "utf8", env: { ...process.env, EXAMPLE: name } });
    const checksum = run.status === 0 ? JSON.parse(run.stdout.trim().split("\n").at(-1)).checksum : run.stderr.trim().split("\n").slice(-3).join(" ");
    check(`${name}, ${job}`, checksum === expected.find((one) => one.name === job).checksum, checksum);
  }
}
if (!folder) console.log("left out: the jobs of real packages (name their folder)");
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
