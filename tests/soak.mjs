// `node --expose-gc tests/soak.mjs [--quick]`: nothing leaks. Rounds of instantiate-call-drop, traps, throwing host calls,
// exhausted stacks; address space and resident memory are read between the first part and the end, and must stay flat. Also 24
// modules of 64 MiB at once, and 5,000 such made and dropped, by the library and by the `WebAssembly` object.
import { readFileSync } from "node:fs";
import { compile, instantiate, Store, Trap, watToBytes } from "../dist/index.js";
import { WebAssembly } from "../dist/webassembly.js";

const quick = process.argv.includes("--quick");
const scale = quick ? 0.1 : 1;

if (!globalThis.gc) {
  console.error("run with --expose-gc");
  process.exit(2);
}

/** Megabytes: virtual and resident; undefined where the system does not say. */
function memory() {
  try {
    const [virtual, resident] = readFileSync("/proc/self/statm", "utf8").split(" ").map((pages) => (Number(pages) * 4096) / 1e6);
    return { virtual, resident };
  } catch {
    return { virtual: 0, resident: process.memoryUsage().rss / 1e6 };
  }
}

const settle = async () => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const wat = `(module
  (import "h" "throw" (func $throw))
  (import "h" "ref" (func $ref (param externref) (result externref)))
  (memory (export "memory") 1 4)
  (table (export "t") 4 funcref)
  (table $e 4 externref)
  (global (mut externref) (ref.null extern))
  (elem (i32.const 0) $add)
  (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "call") (param i32) (result i32)
    (drop (memory.grow (i32.const 1)))
    (i32.store (i32.const 70000) (local.get 0))
    (call_indirect (param i32 i32) (result i32) (i32.load (i32.const 70000)) (i32.const 1) (i32.const 0)))
  (func (export "trap") (param i32) (result i32) (i32.load (i32.const -1)))
  (func (export "zero") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 0)))
  (func (export "throw") (call $throw))
  (func (export "ref") (param externref) (global.set 0 (call $ref (local.get 0))) (table.set $e (i32.const 1) (local.get 0)))
  (func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))))`;

let failed = 0;
let passed = 0;

async function part(name, rounds, round, limits) {
  const count = Math.max(10, Math.round(rounds * scale));
  // The first fifth warms caches up; what counts is the rest.
  const warm = Math.ceil(count / 5);
  for (let i = 0; i < warm; i++) await round(i);
  await settle();
  const before = memory();
  const started = performance.now();
  for (let i = warm; i < count; i++) await round(i);
  const ms = performance.now() - started;
  await settle();
  const after = memory();
  const virtual = after.virtual - before.virtual;
  const resident = after.resident - before.resident;
  const ok = virtual < limits.virtual && resident < limits.resident;
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "ok  " : "FAIL"} ${name.padEnd(34)} ${String(count).padStart(7)} rounds, ${((ms * 1000) / (count - warm)).toFixed(1).padStart(7)} us each; address space ${virtual.toFixed(1)} MB, resident ${resident.toFixed(1)} MB`);
}

const error = new Error("from the host");
const imports = {
  h: {
    throw() {
      throw error;
    },
    ref: (x) => x,
  },
};
const expectTrap = (run, kind) => {
  try {
    run();
  } catch (caught) {
    if (caught instanceof Trap && caught.kind === kind) return;
    throw caught;
  }
  throw new Error(`no trap ${kind}`);
};

for (const bounds of ["guard", "explicit"]) {
  const compiled = await compile(wat, { bounds });
  const flat = { virtual: 64, resident: 48 };
  await part(`instantiate, call, drop (${bounds})`, 10_000, async (i) => {
    const { exports } = instantiate(compiled, imports, i % 2 === 0 ? new Store() : undefined);
    if (exports.call(i) !== i + 1) throw new Error("wrong result");
    exports.ref({ i });
    new Uint8Array(exports.memory.buffer)[0] = 1;
    // Finalizers run between turns of the event loop, as they do in a program.
    if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    // The collector may keep a few dead memories for a while, 10 GB of addresses each; a leak would be all of them.
  }, { virtual: 40_000, resident: 96 });
  const { exports } = instantiate(compiled, imports);
  await part(`traps: memory (${bounds})`, 100_000, () => expectTrap(() => exports.trap(1), "out_of_bounds_memory"), flat);
  await part(`traps: division (${bounds})`, 100_000, () => expectTrap(() => exports.zero(1), "integer_divide_by_zero"), flat);
  await part(`throwing host calls (${bounds})`, 100_000, () => {
    try {
      exports.throw();
    } catch (caught) {
      if (caught === error) return;
      throw caught;
    }
    throw new Error("nothing was thrown");
  }, flat);
  await part(`stack exhaustion (${bounds})`, 1_000, () => expectTrap(() => exports.deep(1), "stack_exhausted"), flat);
  await part(`externrefs in and out (${bounds})`, 100_000, (i) => exports.ref({ i }), flat);
  if (exports.call(1) !== 2) throw new Error("the instance is not usable afterwards");
}
// 64 MiB each, a byte in every MiB written and read again.
const large = await watToBytes(`(module (import "h" "ref" (func $ref (param i32) (result i32))) (memory (export "memory") 1024)
  (func (export "fill") (param $x i32) (result i32) (local $at i32) (local $sum i32)
    (loop $next (i32.store (local.get $at) (call $ref (local.get $x)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 0x100000))) (i32.const 0x4000000))))
    (local.set $at (i32.const 0))
    (loop $next (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 0x100000))) (i32.const 0x4000000))))
    (local.get $sum)))`);
const largeCompiled = await compile(large);
const makers = {
  library: () => instantiate(largeCompiled, imports).exports,
  WebAssembly: () => new WebAssembly.Instance(new WebAssembly.Module(large), imports).exports,
};
for (const [name, make] of Object.entries(makers)) {
  const alive = Array.from({ length: 24 }, make);
  if (!alive.every(({ fill }, i) => fill(i) === 64 * i) || !alive.every(({ memory }, i) => new Int32Array(memory.buffer).at(-(1 << 18)) === i)) throw new Error("24 modules at once do not keep apart");
  await part(`64 MiB, 24 alive (${name})`, 5_000, (i) => {
    const exports = make();
    alive[i % 24] = exports;
    if (exports.fill(i) !== Math.imul(64, i)) throw new Error("wrong result");
  }, { virtual: 400_000, resident: 192 });
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
