// Worker threads: each has its own stack and code slice, faults go to the right one; signals can be left alone.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { projectRoot } from "../../bundle.js";
import { instantiate } from "../../../runtime/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { compileWat, functions, thrown, type Mode } from "./support.js";

interface Report {
  seen?: Record<string, number>;
  guards?: boolean;
  /** Results of host calls, and how often the host function's own exception came back. */
  sum?: number;
  exceptions?: number;
  error?: string;
  stack?: string;
}

const wat = `(module (import "m" "h" (func $h (param i32 i64) (result i32))) (memory 1)
  (func (export "call") (param i32) (result i32) (call $h (local.get 0) (i64.const -1)))
  (func (export "load") (param i32) (result i32) local.get 0 i32.load)
  (func (export "div") (param i32 i32) (result i32) local.get 0 local.get 1 i32.div_s)
  (func $deep (export "deep") (result i32) call $deep i32.const 1 i32.add))`;

async function inWorker(mode: Mode, signals: boolean, rounds: number, nodeApi = true): Promise<Report> {
  const bytes = await watToBytes(wat);
  return new Promise((resolve, reject) => {
    // A worker does not inherit the loader for TypeScript.
    const start = `import("tsx/esm/api").then(({ register }) => (register(), import(${JSON.stringify(new URL("./worker.ts", import.meta.url).href)})))`;
    const worker = new Worker(start, { eval: true, workerData: { bytes, mode, signals, rounds, nodeApi } });
    let report: Report | undefined;
    worker.on("message", (message: Report) => (report = message));
    worker.on("error", reject);
    worker.on("exit", () => (report ? resolve(report) : reject(new Error("the worker ended without a report"))));
  });
}

test("threads trap side by side, also while this one does", async () => {
  const e = functions(instantiate(await compileWat(`(module (memory 1) (func (export "load") (param i32) (result i32) local.get 0 i32.load))`, "guard")).exports);
  const workers = [inWorker("guard", true, 2000), inWorker("guard", true, 2000, false), inWorker("explicit", true, 500)];
  let done = false;
  const reports = Promise.all(workers).finally(() => (done = true));
  let traps = 0;
  while (!done) {
    for (let i = 0; i < 100; i++, traps++) assert.is(thrown(() => e.load!(-1)).kind, "out_of_bounds_memory");
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(traps > 0);
  for (const [i, { seen, guards, sum, exceptions, error, stack }] of (await reports).entries()) {
    const rounds = i < 2 ? 2000 : 500;
    assert.is(error, undefined, stack);
    assert.equal({ sum, exceptions }, { sum: rounds * (rounds - 1), exceptions: rounds });
    assert.equal(seen, { out_of_bounds_memory: rounds, integer_divide_by_zero: rounds, stack_exhausted: 1 });
    assert.is(guards, true);
  }
});

test("with signals left alone explicit checks do, and code that relies on guards is refused", async () => {
  const { seen, guards, error, stack } = await inWorker("explicit", false, 100);
  assert.is(error, undefined, stack);
  assert.equal(seen, { out_of_bounds_memory: 100, integer_divide_by_zero: 100, stack_exhausted: 1 });
  assert.is(guards, false);
  assert.match((await inWorker("guard", false, 1)).error!, "this thread does not handle signals");
});

test("threads that start together switch V8's flags under each other's hands, and all find what they need", async () => {
  const built = new URL("../../../dist/index.js", import.meta.url);
  if (!existsSync(built)) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
  const start = `import(${JSON.stringify(built.href)}).then(({ Memory }) => require("node:worker_threads").parentPort.postMessage(new Memory({ initial: 2 }).pages))`;
  const pages = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(start, { eval: true });
      worker.on("message", resolve);
      worker.on("error", reject);
    });
  for (let round = 0; round < 5; round++) assert.equal(await Promise.all(Array.from({ length: 6 }, pages)), new Array(6).fill(2));
});

test("faults that are not ours go where they went before", async () => {
  // V8's own Wasm relies on a handler, too, and on its guard regions.
  const { WebAssembly } = globalThis as unknown as { WebAssembly: any };
  const bytes = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 108, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11]);
  const load = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.l as (at: number) => number;
  const e = functions(instantiate(await compileWat(`(module (memory 1) (func (export "load") (param i32) (result i32) local.get 0 i32.load))`, "guard")).exports);
  for (let i = 0; i < 100; i++) {
    assert.instance(thrown(() => load(-1)), WebAssembly.RuntimeError);
    assert.is(thrown(() => e.load!(-1)).kind, "out_of_bounds_memory");
  }
  const overflow = (n: number): number => overflow(n + 1) + 1;
  assert.instance(thrown(() => overflow(0)), RangeError);
});

test.run();
