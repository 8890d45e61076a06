// `npm run soak [-- --rounds N]`: the runtime leaks neither address space nor memory over a long time.
//
// Four loads: instances made, called and dropped; traps of two kinds; host functions that throw; exhausted stacks. Each runs
// in slices; the peaks of address space and resident memory in the second half may exceed those of the first by the noise
// named below, no more. Linux only: reads /proc/self/status.
import { readFileSync } from "node:fs";
import { compile, instantiate } from "../dist/index.js";

const SLICES = 20;
/** MiB: what the peak of the second half may exceed that of the first by. Garbage of JS is collected when V8 likes. */
const RSS_NOISE = 24;
/** One reservation of a guarded memory is some 10 GiB: not one more may be held at the end. */
const ADDRESS_SPACE_NOISE = 1024;

const rounds = process.argv.includes("--rounds") ? Number(process.argv[process.argv.indexOf("--rounds") + 1]) : 10_000;

const wat = `(module
  (import "env" "throws" (func $throws))
  (memory (export "memory") 1)
  (table 4 funcref)
  (elem (i32.const 0) $id)
  (global $g (mut i32) (i32.const 0))
  (func $id (param i32) (result i32) local.get 0)
  (func (export "work") (param i32) (result i32)
    (i32.store (i32.const 8) (local.get 0))
    (global.set $g (i32.load (i32.const 8)))
    (call_indirect (param i32) (result i32) (global.get $g) (i32.const 0)))
  (func (export "trap") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "fault") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "throw") (call $throws))
  (func $down (export "down") (param i64) (result i64) (i64.add (call $down (i64.add (local.get 0) (i64.const 1))) (i64.const 1))))`;

const compiled = await compile(wat);
const thrown = new Error("from the host");
const imports = {
  env: {
    throws() {
      throw thrown;
    },
  },
};
const { exports } = instantiate(compiled, imports);

function expectThrow(run, isExpected) {
  try {
    run();
  } catch (error) {
    if (isExpected(error)) return;
    throw error;
  }
  throw new Error("expected an exception, found none");
}

const loads = [
  {
    name: "instantiate, call, drop",
    count: rounds,
    run(i) {
      const instance = instantiate(compiled, imports);
      if (instance.exports.work(i) !== i) throw new Error("wrong result");
    },
  },
  {
    name: "traps",
    count: rounds * 10,
    run(i) {
      expectThrow(i & 1 ? () => exports.trap(0) : () => exports.fault(0x7fff_0000), (e) => e.kind === (i & 1 ? "integer_divide_by_zero" : "out_of_bounds_memory"));
    },
  },
  {
    name: "host functions that throw",
    count: rounds * 10,
    run: () => expectThrow(exports.throw, (e) => e === thrown),
  },
  {
    name: "exhausted stacks",
    count: Math.ceil(rounds / 10),
    run: () => expectThrow(() => exports.down(0n), (e) => e.kind === "stack_exhausted"),
  },
];

function status() {
  const text = readFileSync("/proc/self/status", "utf8");
  const mib = (field) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(text)[1]) / 1024;
  return { rss: mib("VmRSS"), space: mib("VmSize") };
}

let failed = 0;
let passed = 0;
for (const { name, count, run } of loads) {
  const samples = [];
  const perSlice = Math.ceil(count / SLICES);
  // A slice to warm up: code, pools and caches get their size.
  for (let i = 0; i < perSlice; i++) run(i);
  for (let slice = 0; slice < SLICES; slice++) {
    for (let i = 0; i < perSlice; i++) run(i);
    samples.push(status());
    // Finalizers run between tasks.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const peak = (field, from, to) => Math.max(...samples.slice(from, to).map((s) => s[field]));
  const grown = (field) => peak(field, SLICES / 2, SLICES) - peak(field, 0, SLICES / 2);
  const flat = grown("rss") <= RSS_NOISE && grown("space") <= ADDRESS_SPACE_NOISE;
  if (flat) passed++;
  else failed++;
  const figures = (field) => `${peak(field, 0, SLICES / 2).toFixed(0)} -> ${peak(field, SLICES / 2, SLICES).toFixed(0)} MiB`;
  console.log(`${flat ? "flat" : "GROWS"}  ${name}, ${count} times: resident ${figures("rss")}, address space ${figures("space")}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
