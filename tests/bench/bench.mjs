// `npm run bench [-- KERNEL ...] [--rounds N] [-O0|-O1|-O2|-O baseline] [--explicit] [--quick]`: kernels in lathe and in V8's optimizing tier.
//
// Both run in this process, alternately, each round on fresh instances; `run` alone is timed; the median of the rounds
// counts. Results are checked against the manifest. Prints a line a kernel and the geomean of ours / V8's. The baseline compiler runs
// against V8's own, Liftoff.
import v8 from "node:v8";
import { compile, instantiate } from "../../dist/index.js";
import { benchDirectory, isExpected, kernelBytes, kernels, kernelsExist } from "./kernels.mjs";

let rounds = 5;
let level = 2;
let bounds = "guard";
let quick = false;
const filters = [];
const args = process.argv.slice(2);
for (let i = 0; i < args.length; i++) {
  if (args[i] === "--rounds") rounds = Number(args[++i]);
  else if (/^-O[012]$/.test(args[i])) level = Number(args[i][2]);
  else if (args[i] === "-O" && args[i + 1] === "baseline") level = args[++i];
  else if (args[i] === "--explicit") bounds = "explicit";
  else if (args[i] === "--quick") quick = true;
  else if (args[i] !== "--") filters.push(args[i]);
}

// Everything V8 compiles from here on goes straight through one tier.
v8.setFlagsFromString(level === "baseline" ? "--liftoff-only" : "--no-liftoff");
v8.setFlagsFromString("--no-wasm-tier-up");

if (!kernelsExist()) {
  console.log(`note: the kernels are not there (${benchDirectory}): nothing was run`);
  process.exit(0);
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const time = (run, kernelArgs) => {
  const started = performance.now();
  const result = run(...kernelArgs);
  return { result, ms: performance.now() - started };
};

let failed = 0;
const ratios = [];
console.log(`kernel            ours ms    V8 ms   ratio   (-O ${level}, ${bounds}, median of ${rounds})`);
for (const kernel of kernels(filters)) {
  const bytes = kernelBytes(kernel);
  const { args: kernelArgs, expected } = quick ? kernel.quick : kernel;
  try {
    const compiled = await compile(bytes, { level, bounds, lazy: false });
    const theirs = new WebAssembly.Module(bytes);
    const times = { ours: [], v8: [] };
    for (let round = 0; round < rounds; round++) {
      const ourRun = (await instantiate(compiled, {})).exports[kernel.export];
      const ours = time(ourRun, kernelArgs);
      if (!isExpected(expected, ours.result)) throw new Error(`wrong result ${ours.result}, expected ${expected.value}`);
      const v8Instance = new WebAssembly.Instance(theirs, {});
      // V8 compiles a function at its first call: settle that before the clock runs.
      if (round === 0) new WebAssembly.Instance(theirs, {}).exports[kernel.export](...kernel.quick.args);
      const v8Time = time(v8Instance.exports[kernel.export], kernelArgs);
      times.ours.push(ours.ms);
      times.v8.push(v8Time.ms);
    }
    const ours = median(times.ours);
    const v8Median = median(times.v8);
    const ratio = ours / v8Median;
    ratios.push(ratio);
    console.log(`${kernel.name.padEnd(16)} ${ours.toFixed(1).padStart(8)} ${v8Median.toFixed(1).padStart(8)} ${ratio.toFixed(2).padStart(7)}`);
  } catch (error) {
    failed++;
    console.log(`${kernel.name.padEnd(16)} FAILED: ${error.message}`);
  }
}
if (ratios.length > 0) {
  const geomean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  console.log(`geomean ours / V8: ${geomean.toFixed(3)} over ${ratios.length} kernels; worst ${Math.max(...ratios).toFixed(2)}`);
}
console.log(`${ratios.length} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
