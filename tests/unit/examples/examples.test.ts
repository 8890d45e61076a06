// The passes of passes/examples, each doing what its page says, natively at O0 and O2 and in the interpreter.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile, instantiate, type CompileOptions, type Imports, type Pass } from "../../../pipeline/index.js";
import { kernelBytes, kernels, kernelsExist, isExpected } from "../../bench/kernels.mjs";
import { example, exampleNames, quietExample } from "../../examples/passes.mjs";

const test = suite("example passes");
const engines: readonly CompileOptions[] = [{ level: 0 }, { level: 2 }, { engine: "interpreter" }];

async function run(wat: string, pass: Pass, options: CompileOptions, imports: Imports = {}, passOptions: Record<string, string | number | boolean> = {}) {
  const compiled = await compile(wat, { ...options, passes: [pass], passOptions: { [pass.name]: passOptions }, verify: true });
  return { compiled, exports: instantiate(compiled, imports).exports as Record<string, any> };
}

/** Counts in `i` what it did before it was stopped. */
const endless = `(module (global $i (export "i") (mut i32) (i32.const 0))
  (func (export "spin") (loop (global.set $i (i32.add (global.get $i) (i32.const 1))) (br 0)))
  (func (export "some") (param i32) (loop (global.set $i (i32.add (global.get $i) (i32.const 1))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`;

test("fuel: an endless loop ends at an exact budget, the same in every engine", async () => {
  const { default: fuel } = await example("fuel");
  const reached: number[] = [];
  for (const budget of [1, 5, 6, 11, 1000, 1001]) {
    const seen = new Set<string>();
    for (const options of engines) {
      const { exports } = await run(endless, fuel, options, {}, { budget });
      assert.throws(exports["spin"], /unreachable/);
      seen.add(`${exports["i"].value} ${exports["fuel"].value}`);
    }
    assert.is(seen.size, 1, `budget ${budget}: ${[...seen].join(", ")}`);
    reached.push(Number([...seen][0]!.split(" ")[0]));
  }
  // One instruction (the jump into the loop), then five a round: get, constant, add, set, jump.
  assert.equal(reached, [0, 0, 1, 2, 199, 200]);
});

test("fuel: what is left is read and refilled through the exported global", async () => {
  const { default: fuel } = await example("fuel");
  const { exports } = await run(endless, fuel, {}, {}, { budget: 100, export: "gas" });
  exports["some"](1);
  const one = 100n - exports["gas"].value;
  exports["gas"].value = 1000n;
  exports["some"](3);
  const three = 1000n - exports["gas"].value;
  exports["gas"].value = 1000n;
  exports["some"](2);
  assert.is(three - (1000n - exports["gas"].value), (three - one) / 2n);
  exports["gas"].value = 3n;
  assert.throws(() => exports["some"](1), /unreachable/);
  await compile(endless, { passes: [fuel], passOptions: { fuel: { export: "i" } } }).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /there is an export "i" already/),
  );
});

const branchy = `(module (table 1 funcref) (elem (i32.const 0) $double)
  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $never (param i32) (result i32) (local.get 0))
  (func (export "f") (param i32) (result i32)
    (if (result i32) (i32.gt_s (local.get 0) (i32.const 10))
      (then (call $double (local.get 0)))
      (else (call_indirect (param i32) (result i32) (call $double (local.get 0)) (i32.const 0))))))`;

test("coverage: blocks, functions and calls are counted; the report is lcov's", async () => {
  const { coverage } = await example("coverage");
  for (const options of engines) {
    const { pass, functions, calls, lcov } = coverage();
    const { exports, compiled } = await run(branchy, pass, options);
    for (const x of [1, 2, 20]) exports["f"](x);
    const byName = new Map<string, { calls: bigint; blocks: { count: bigint; offset: number }[] }>(functions().map((fn: { name: string }) => [fn.name, fn]));
    assert.is(byName.get("double")!.calls, 5n);
    assert.is(byName.get("never")!.calls, 0n);
    assert.is(byName.get("@2")!.calls, 3n);
    assert.equal(byName.get("@2")!.blocks.map((block) => block.count).sort(), [1n, 2n, 3n, 3n]);
    assert.equal(
      calls().map((edge: { from: string; to: string; count: bigint }) => `${edge.from} ${edge.to} ${edge.count}`).sort(),
      ["@2 double 1", "@2 double 2", "@2 table 0, type 0 2"],
    );
    const report: string = lcov("m.wasm");
    assert.match(report, /^TN:\nSF:m\.wasm\nFN:\d+,double\nFN:\d+,never\nFN:\d+,@2\nFNDA:5,double\nFNDA:0,never\nFNDA:3,@2\nFNF:3\nFNH:2\n/);
    assert.match(report, /\nLF:(\d+)\nLH:\d+\nend_of_record\n$/);
    assert.is(report.match(/^DA:\d+,\d+$/gm)!.length, Number(/\nLF:(\d+)/.exec(report)![1]));
    // Offsets are the module's: every line lies in a body.
    for (const [, offset] of report.matchAll(/^DA:(\d+),/gm)) assert.ok(compiled.module.funcs.some((func) => Number(offset) >= func.bodyStart && Number(offset) < func.bodyEnd));
  }
});

test("profiler: exact counters, the same in every engine, over all instances", async () => {
  const { profiler } = await example("profiler");
  const tables: unknown[] = [];
  for (const options of engines) {
    const { pass, report } = profiler();
    const { exports, compiled } = await run(branchy, pass, options);
    exports["f"](1);
    (instantiate(compiled).exports as Record<string, any>)["f"](50);
    tables.push(report());
  }
  assert.equal(tables[1], tables[0]);
  assert.equal(tables[2], tables[0]);
  const rows = tables[0] as { name: string | undefined; calls: bigint; work: bigint }[];
  assert.equal(rows.map((row) => `${row.name} ${row.calls}`).sort(), ["double 3", "undefined 2"]);
  // double: constant, multiplication, return.
  assert.is(rows.find((row) => row.name === "double")!.work, 9n);
});

const memory = `(module (memory 1)
  (func $fill (export "fill") (param i32) (loop (i32.store8 offset=16 (local.get 0) (i32.const 1)) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func $sum (export "sum") (result i64) (i64.add (i64.load (i32.const 8)) (i64.load32_u offset=4 (i32.const 8)))))`;

test("memory-trace: sites and addresses in order; tracing stops at the limit", async () => {
  const { memoryTrace } = await example("memory-trace");
  for (const options of engines) {
    const { pass, events, sites } = memoryTrace();
    const { exports } = await run(memory, pass, options, {}, { limit: 5 });
    exports["fill"](3);
    exports["sum"]();
    exports["fill"](9);
    const text = events.map((event: { site: number; address: number }) => `${sites[event.site].op} ${event.address}`);
    assert.equal(text, ["i32.store8 19", "i32.store8 18", "i32.store8 17", "i64.load 8", "i64.load32_u 12"]);
    assert.equal(sites.map((site: { name: string; bytes: number; count: number }) => [site.name, site.bytes, site.count]), [["fill", 1, 3], ["sum", 8, 1], ["sum", 4, 1]]);
  }
  const { pass, events } = memoryTrace();
  const { exports } = await run(memory, pass, {}, {}, { func: "sum" });
  exports["fill"](3);
  exports["sum"]();
  assert.is(events.length, 2);
});

test("entry-hooks: called at every entry, without the embedder's help", async () => {
  const { entryHooks } = await example("entry-hooks");
  for (const options of engines) {
    const seen: string[] = [];
    const { exports } = await run(branchy, entryHooks((index: number, name: string | undefined) => seen.push(`${index} ${name ?? "-"}`)), options);
    assert.is(exports["f"](1), 4);
    assert.equal(seen, ["2 -", "0 double", "0 double"]);
  }
  // What the hook throws comes out of the call.
  const boom = new Error("boom");
  const { exports } = await run(branchy, entryHooks(() => { throw boom; }), {});
  assert.throws(() => exports["f"](1), (error: unknown) => error === boom);
});

const crypto = `(module (memory (export "memory") 1) (global $g (mut i32) (i32.const 0))
  (func $compare (export "compare") (param $a i32) (param $b i32) (param $n i32) (result i32)
    (loop $l
      (if (i32.ne (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))) (then (return (i32.const 0))))
      (local.set $a (i32.add (local.get $a) (i32.const 1)))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 1))
  (func $constant (export "constant") (param $a i32) (param $b i32) (param $n i32) (result i32) (local $d i32)
    (loop $l
      (local.set $d (i32.or (local.get $d) (i32.xor (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b)))))
      (local.set $a (i32.add (local.get $a) (i32.const 1)))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.eqz (local.get $d)))
  (func $lookup (param i32) (result i32) (i32.load (i32.shl (local.get 0) (i32.const 2))))
  (func (export "sbox") (param i32) (result i32) (call $lookup (i32.xor (local.get 0) (i32.const 99))))
  (func (export "div") (param i32 i32) (result i32) (global.set $g (local.get 0)) (i32.div_u (global.get $g) (local.get 1)))
  (func (export "pick") (param i32 i32 i32) (result i32) (select (local.get 0) (local.get 1) (local.get 2))))`;

test("constant-time: branches, addresses and divisions on secrets are found, through loops, calls and globals", async () => {
  const { constantTime } = await example("constant-time");
  const found = async (secret: string, more: Record<string, string | boolean> = {}) => {
    const { pass, findings } = constantTime();
    await compile(crypto, { passes: [pass], passOptions: { "constant-time": { secret, quiet: true, ...more } } });
    return findings.map((one: { name: string; what: string }) => `${one.name ?? "-"}: ${one.what}`);
  };
  assert.equal(await found("compare:0*"), ["compare: a branch depends on a secret"]);
  assert.equal(await found("constant:0*+1*"), []);
  assert.equal(await found("constant:2"), ["constant: a branch depends on a secret"]);
  assert.equal(await found("sbox:0"), ["lookup: an address depends on a secret"]);
  assert.equal(await found("div:0"), ["-: the time of a division depends on a secret"]);
  assert.equal(await found("pick:2"), []);
  assert.equal(await found(""), []);
  assert.equal((await found("compare:0*/sbox:0")).length, 2);
  for (const [secret, message] of [["nope:0", /no function "nope"/], ["pick:3", /"3" is none of the 3 parameters/], ["pick:x", /"x" is none/]] as const) {
    await found(secret).then(() => assert.unreachable(), (error: Error) => assert.match(error.message, message));
  }
  await found("sbox:0", { error: true }).then(() => assert.unreachable(), (error: Error) => assert.match(error.message, /1 places are not constant-time:\n {2}@2 "lookup" !0x/));
});

test("bounds-hardening: results and traps stay; every address that is not known is clamped", async () => {
  const { default: pass } = await example("bounds-hardening");
  const wat = `(module (memory 1 2)
    (func (export "load") (param i32) (result i32) (i32.load offset=4 (local.get 0)))
    (func (export "far") (param i32) (result i32) (i32.load8_u offset=0xffffffff (local.get 0)))
    (func (export "fixed") (result i32) (i32.load (i32.const 65532)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1))))`;
  const all: readonly CompileOptions[] = [...engines, { bounds: "explicit" }];
  for (const options of all) {
    const { exports, compiled } = await run(wat, pass, options);
    assert.is(exports["load"](65528), 0);
    for (const address of [65529, 0x7fffffff, -1, -4, -8]) assert.throws(() => exports["load"](address), /out of bounds memory access/);
    assert.throws(() => exports["far"](0), /out of bounds/);
    assert.throws(() => exports["far"](-1), /out of bounds/);
    assert.is(exports["fixed"](), 0);
    assert.is(exports["grow"](), 1);
    assert.is(exports["load"](65529), 0);
    if (options.engine !== "interpreter") assert.is(compiled.stats.passes.find((one) => one.name === "bounds-hardening")!.counts["accesses"], 2);
  }
});

test("peephole: the rule holds for both widths", async () => {
  const { default: pass } = await example("peephole");
  const wat = `(module (func (export "a") (param i32) (result i32) (i32.sub (local.get 0) (local.get 0)))
    (func (export "b") (param i64) (result i64) (i64.add (i64.sub (local.get 0) (local.get 0)) (i64.const 7))))`;
  const { exports, compiled } = await run(wat, pass, { level: 0 });
  assert.is(exports["a"](-5), 0);
  assert.is(exports["b"](1n << 60n), 7n);
  assert.is(compiled.stats.passes.find((one) => one.name === "sub-self")!.counts["folded"], 2);
});

test("three kernels compute with every example what they compute without", async () => {
  if (!kernelsExist()) return console.log("note: the kernels are not there: nothing was run");
  const chosen = kernels(["base64", "heapsort", "interp-switch"]);
  assert.is(chosen.length, 3);
  for (const name of exampleNames) {
    for (const kernel of chosen) {
      const pass = await quietExample(name);
      const instance = instantiate(await compile(kernelBytes(kernel), { passes: [pass], verify: true }));
      const result = (instance.exports as Record<string, any>)[kernel.export](...kernel.quick.args);
      assert.ok(isExpected(kernel.quick.expected, result), `${name} on ${kernel.name}: ${String(result)}`);
    }
  }
});

test.run();
