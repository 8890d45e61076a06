// `node tests/bench/tiers.mjs [--rounds N]` (after `npm run build`): what a program sees that runs each kernel once, cold, through `WebAssembly`.
//
// Ours as `wasmlathe/register` has it, V8's as Node has it: bytes to result, in processes of their own, by turns. So compiling counts, and code of the
// first tier, and how soon a loop that runs goes on in better code. Results are checked. Prints ours / V8's by kernel, medians, and the geomean.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isExpected, kernelBytes, kernels, kernelsExist } from "./kernels.mjs";

const self = fileURLToPath(import.meta.url);
const register = new URL("../../dist/register.js", import.meta.url).href;

/** In a child: milliseconds by kernel. */
async function child() {
  const ms = {};
  for (const kernel of kernels()) {
    const bytes = kernelBytes(kernel);
    const started = performance.now();
    const { instance } = await WebAssembly.instantiate(bytes);
    const result = instance.exports[kernel.export](...kernel.args);
    ms[kernel.name] = performance.now() - started;
    if (!isExpected(kernel.expected, result)) throw new Error(`${kernel.name}: ${result}, expected ${kernel.expected.value}`);
  }
  console.log(JSON.stringify(ms));
}

function measure(imports) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...imports, self], { encoding: "utf8", env: { ...process.env, TIERS_CHILD: "1" } });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

function main(args) {
  if (!kernelsExist()) return console.log("note: the kernels are not there: nothing was run");
  const at = args.indexOf("--rounds");
  const rounds = at < 0 ? 3 : Number(args[at + 1]);
  const runs = Array.from({ length: rounds }, () => ({ v8: measure([]), ours: measure(["--import", register]) }));
  const ratios = Object.keys(runs[0].v8).map((name) => ({ name, ratio: median(runs.map((run) => run.ours[name])) / median(runs.map((run) => run.v8[name])) }));
  for (const { name, ratio } of ratios) console.log(`${name.padEnd(16)} ${ratio.toFixed(2).padStart(6)}`);
  const geomean = Math.exp(ratios.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / ratios.length);
  console.log(`geomean ours / V8: ${geomean.toFixed(3)} over ${ratios.length} kernels; worst ${Math.max(...ratios.map(({ ratio }) => ratio)).toFixed(2)}`);
}

if (process.env.TIERS_CHILD) await child();
else main(process.argv.slice(2));
