// What happens over and over leaves nothing behind: instances, traps, exceptions, exhausted stacks, externrefs in flight.
// The numbers are those the project promises; loops never yield to the event loop, the hardest case for finalizers.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFileSync } from "node:fs";
import { currentThread, instantiate, Store } from "../../../runtime/index.js";
import { compileWat, functions, thrown, type Mode } from "./support.js";

const MIB = 1 << 20;
const wat = `(module
  (import "m" "h" (func $h (param i32) (result i32)))
  (memory (export "mem") 1) (data (i32.const 8) "some data")
  (table (export "t") 8 funcref) (elem (i32.const 0) $f $g)
  (global (export "x") (mut i32) (i32.const 3))
  (func $f (export "f") (param i32) (result i32) local.get 0 call $h)
  (func $g (export "g") (param i32 i32) (result i32) local.get 0 local.get 1 i32.div_s)
  (func (export "load") (param i32) (result i32) local.get 0 i32.load)
  (func $deep (export "deep") (param i32) (result i32) local.get 0 i32.const 1 i32.add call $deep i32.const 1 i32.add))`;

/** Bytes of address space, of resident memory, of the JS heap, after a collection. */
function footprint(): { space: number; resident: number; heap: number } {
  currentThread().reclaim.collectNow();
  const [pages, resident] = readFileSync("/proc/self/statm", "utf8").split(" ").map(Number) as [number, number];
  return { space: pages * 4096, resident: resident * 4096, heap: process.memoryUsage().heapUsed };
}

/** How often growth beyond the slack must be seen in a row: a leak grows every time, the collector's reserves do not. */
const TRIES = 3;

/** Runs `round` a tenth of `count` times to warm up, then `count` times; the footprint must stay. */
function flat(count: number, round: (i: number) => void, slack = 96 * MIB): void {
  for (let i = 0; i < count / 10; i++) round(i);
  let growth = "";
  for (let tries = 0; tries < TRIES; tries++) {
    const before = footprint();
    for (let i = 0; i < count; i++) round(i);
    const after = footprint();
    const grown: string[] = [];
    const check = (what: "heap" | "resident" | "space", limit: number) => {
      const bytes = after[what] - before[what];
      if (bytes >= limit) grown.push(`${what} grew by ${(bytes / MIB).toFixed(1)} MiB`);
    };
    check("heap", 8 * MIB);
    // The young generation alone comes and goes by some 50 MiB.
    check("resident", slack);
    // Reservations are reused; a few more may have been made at once than while warming up.
    check("space", 2 ** 40);
    if (grown.length === 0) return;
    growth += `${grown.join(", ")}; `;
  }
  assert.unreachable(`${TRIES} times in a row: ${growth}`);
}

async function make(mode: Mode, h: (x: number) => number) {
  const compiled = await compileWat(wat, mode);
  return { compiled, e: functions(instantiate(compiled, { m: { h } }).exports) };
}

test("10,000 rounds of instantiate, call, drop", async () => {
  for (const mode of ["guard", "explicit", "interp"] as const) {
    const { compiled } = await make(mode, (x) => x);
    const { reservations, heap, reclaim } = currentThread();
    const store = new Store();
    flat(mode === "interp" ? 1000 : 10_000, (i) => {
      // Imports that refer back to the instance, as glue code makes them.
      let e: ReturnType<typeof functions>;
      const instance = instantiate(compiled, { m: { h: (x: number) => (x === 0 ? 0 : e.f!(x - 1) + 1) } }, store);
      e = functions(instance.exports);
      assert.is(e.f!(i % 3), i % 3);
    });
    reclaim.collectNow();
    assert.ok(reservations.inUse < 20, `${mode}: ${reservations.inUse} memories in use`);
    assert.ok(heap.used < 100_000, `${mode}: ${heap.used} bytes of native blocks`);
  }
});

test("instances that share a store with a living one are dropped all the same", async () => {
  const store = new Store();
  const lib = instantiate(await compileWat(`(module (memory (export "mem") 1) (func (export "h") (param i32) (result i32) local.get 0))`, "guard"), {}, store);
  const user = await compileWat(`(module (import "m" "h" (func $h (param i32) (result i32))) (import "m" "mem" (memory 1)) (table 2 funcref) (elem (i32.const 0) $f) (func $f (export "f") (param i32) (result i32) local.get 0 call $h))`, "guard");
  const { heap, reclaim } = currentThread();
  reclaim.collectNow();
  const before = heap.used;
  for (let i = 0; i < 3000; i++) assert.is(functions(instantiate(user, { m: lib.exports as Record<string, unknown> }, store).exports).f!(i), i);
  reclaim.collectNow();
  assert.ok(heap.used - before < 5000, `${heap.used - before} bytes of native blocks`);
});

test("what a table holds lives as long as the table", async () => {
  const store = new Store();
  const owner = instantiate(await compileWat(`(module (table (export "t") 4 funcref) (type $v (func (result i32))) (func (export "call") (param i32) (result i32) local.get 0 call_indirect (type $v)))`, "guard"), {}, store);
  const guest = await compileWat(`(module (import "o" "t" (table 4 funcref)) (memory 1) (global $n (mut i32) (i32.const 40)) (elem (i32.const 2) $f) (func $f (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (i32.store (i32.const 0) (global.get $n)) (i32.load (i32.const 0))))`, "guard");
  instantiate(guest, { o: owner.exports as Record<string, unknown> }, store);
  const { call } = functions(owner.exports);
  for (let i = 0; i < 5; i++) {
    currentThread().reclaim.collectNow();
    for (let k = 0; k < 50; k++) instantiate(guest, { o: { t: functions(instantiate(await compileWat(`(module (table (export "t") 4 funcref))`, "guard"), {}, store).exports).t } }, store);
    assert.is(call!(2), 41 + i);
  }
});

test("100,000 traps, by check and by fault", async () => {
  const { e } = await make("guard", (x) => x);
  flat(100_000, (i) => assert.is(thrown(i % 2 === 0 ? () => e.g!(1, 0) : () => e.load!(-4)).name, "RuntimeError"));
  assert.is(e.f!(3), 3);
});

test("100,000 host calls that throw", async () => {
  const error = new Error("h");
  const { e } = await make("guard", () => {
    throw error;
  });
  flat(100_000, () => assert.is(thrown(() => e.f!(1)), error));
});

test("1,000 exhausted stacks", async () => {
  const { e } = await make("guard", (x) => x);
  flat(1000, () => assert.is(thrown(() => e.deep!(0)).kind, "stack_exhausted"));
});

for (const mode of ["guard", "interp"] as const) {
  test(`${mode}: a million externrefs through one running call, while another stays on the stack`, async () => {
    const count = mode === "interp" ? 100_000 : 1_000_000;
    const compiled = await compileWat(
      `(module (import "m" "make" (func $make (result externref))) (import "m" "take" (func $take (param externref)))
        (func (export "run") (param $n i32) (param $keep externref) (result externref) (local $r externref)
          (loop $l (local.set $r (call $make)) (call $take (local.get $r)) (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $l (local.get $n)))
          (call $take (local.get $r))
          (local.get $keep)))`,
      mode,
    );
    const store = new Store();
    let made = 0;
    let last: unknown;
    const instance = instantiate(
      compiled,
      {
        m: {
          make: () => (last = { n: made++ }),
          take: (x: unknown) => {
            if (x !== last) throw new Error("another object came back");
          },
        },
      },
      store,
    );
    const { run } = functions(instance.exports);
    const keep = { kept: true };
    const { reclaim } = currentThread();
    reclaim.collectNow();
    const before = process.memoryUsage().heapUsed;
    assert.is(run!(count, keep), keep);
    assert.is(made, count);
    assert.ok(instance.externs.count < 10_000, `${instance.externs.count} handles`);
    reclaim.collectNow();
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 4 * MIB, `the heap grew by ${grown} bytes`);
  });
}

test.run();
