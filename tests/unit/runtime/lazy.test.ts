// Functions compiled at their first call: every way to a function, several instances, traps, failures of the compiler.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compileSync, definePass, pipelines, type CompileOptions, type Func } from "../../../pipeline/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { callRaw, funcInstanceOf, instantiate, type Instance } from "../../../runtime/index.js";
import { functions, thrown } from "./support.js";

async function lazily(wat: string, options: CompileOptions = {}) {
  const compiled: string[] = [];
  const compilation = compileSync(await watToBytes(wat), { lazy: true, observe: { code: (code) => void compiled.push(`@${code.func}`) }, ...options });
  return { compilation, compiled };
}

test("a function is compiled when it is first called, by whatever way, and once", async () => {
  const { compilation, compiled } = await lazily(`(module
    (type $unary (func (param i32) (result i32)))
    (table 2 funcref) (elem (i32.const 0) $double $indirect)
    (func $double (param i32) (result i32) local.get 0 i32.const 2 i32.mul)
    (func $never (export "never") (param i32) (result i32) unreachable)
    (func $direct (export "direct") (param i32) (result i32) local.get 0 call $double)
    (func $indirect (export "indirect") (param i32) (result i32) local.get 0 i32.const 0 call_indirect (type $unary)))`);
  const e = functions(instantiate(compilation).exports);
  assert.equal(compiled, []);
  assert.is(e.direct!(21), 42);
  assert.equal(compiled, ["@2", "@0"]);
  assert.is(e.indirect!(4), 8);
  assert.is(e.indirect!(5), 10);
  assert.is(e.direct!(6), 12);
  assert.equal(compiled, ["@2", "@0", "@3"]);
  assert.is(compilation.compileFunc !== undefined, true);
  assert.is(compilation.code, undefined);
});

test("arguments in every register and on the stack survive the compiler", async () => {
  const params = Array.from({ length: 24 }, (_, i) => ["i32", "i64", "f32", "f64"][i % 4]!);
  const { compilation } = await lazily(`(module
    (func $sum (param ${params.join(" ")}) (result f64 i64)
      ${params.map((type, i) => `local.get ${i} ${{ i32: "f64.convert_i32_s", i64: "f64.convert_i64_s", f32: "f64.promote_f32", f64: "" }[type]} f64.const ${i + 1} f64.mul`).join("\n")}
      ${"f64.add\n".repeat(params.length - 1)} local.get 21)
    (func (export "run") (param ${params.join(" ")}) (result f64 i64) ${params.map((_, i) => `local.get ${i}`).join(" ")} call $sum))`);
  const e = functions(instantiate(compilation).exports);
  const args = params.map((type, i) => (type === "i64" ? BigInt(i + 100) : i + 100));
  const expected = params.reduce((sum, _, i) => sum + (i + 100) * (i + 1), 0);
  assert.equal(e.run!(...args), [expected, 121n]);
  assert.equal(e.run!(...args), [expected, 121n]);
});

test("instances share the code, whichever of them called first", async () => {
  const { compilation, compiled } = await lazily(`(module
    (global $n (mut i32) (i32.const 0))
    (func $bump (result i32) global.get $n i32.const 1 i32.add global.set $n global.get $n)
    (func (export "bump") (result i32) call $bump))`);
  const [a, b] = [functions(instantiate(compilation).exports), functions(instantiate(compilation).exports)];
  assert.is(a.bump!(), 1);
  assert.is(b.bump!(), 1);
  assert.is(a.bump!(), 2);
  const c = functions(instantiate(compilation).exports);
  assert.is(c.bump!(), 1);
  assert.equal(compiled, ["@1", "@0"]);
});

test("an importer calls what has no code yet, and what has it by then", async () => {
  const exporter = await lazily(`(module (global $n (mut i32) (i32.const 40))
    (func (export "next") (result i32) global.get $n i32.const 1 i32.add global.set $n global.get $n))`);
  const { next } = instantiate(exporter.compilation).exports;
  const wat = `(module (import "e" "next" (func $next (result i32))) (type $f (func (result i32)))
    (table 1 funcref) (elem (i32.const 0) $next)
    (func (export "direct") (result i32) call $next)
    (func (export "indirect") (result i32) i32.const 0 call_indirect (type $f)))`;
  for (const lazy of [true, false]) {
    const importer = compileSync(await watToBytes(wat), { lazy });
    const e = functions(instantiate(importer, { e: { next } }).exports);
    assert.is(e.direct!(), lazy ? 41 : 44);
    assert.is(e.indirect!(), lazy ? 42 : 45);
    assert.is((next as () => number)(), lazy ? 43 : 46);
  }
  assert.equal(exporter.compiled, ["@0"]);
});

test("traps in code that came late are told with offsets and names, inner and outer frames", async () => {
  const wat = `(module (memory 1)
    (func $load (param i32) (result i32) local.get 0 i32.load)
    (func $many (param i32) (result i32) local.get 0 if (result i32) local.get 0 i32.const 1 i32.sub call $many else i32.const -1 call $load end)
    (func (export "trap") (param i32) (result i32) local.get 0 call $many)
    (func $deep (export "deep") (result i32) call $deep i32.const 1 i32.add)
    (func (export "div") (param i32 i32) (result i32) local.get 0 local.get 1 i32.div_s))`;
  const bytes = await watToBytes(wat);
  const [early, late] = [false, true].map((lazy) => functions(instantiate(compileSync(bytes, { lazy })).exports));
  for (const run of [(e: typeof early) => e!.trap!(5), (e: typeof early) => e!.deep!(), (e: typeof early) => e!.div!(1, 0), (e: typeof early) => e!.trap!(0)]) {
    const [a, b] = [early, late].map((e) => thrown(() => run(e)));
    assert.is(b.message, a.message);
    assert.equal(b.backtrace.map((f: any) => [f.func, f.name, f.offset]), a.backtrace.map((f: any) => [f.func, f.name, f.offset]));
    assert.ok(b.backtrace.length > 0);
  }
});

test("a failure inside the compiler is an error with the function's name; all else goes on", async () => {
  let broken = true;
  const fragile = definePass<Func>({
    name: "fragile",
    summary: "fails on some functions",
    stage: "ssa",
    scope: "func",
    run(fn) {
      if (broken && fn.name === "weak") throw new Error("a bug in a pass");
    },
  });
  const { compilation } = await lazily(`(module
    (func $weak (param i32) (result i32) local.get 0 i32.const 1 i32.add)
    (func (export "strong") (param i32) (result i32) local.get 0 i32.const 2 i32.add)
    (func (export "weak") (param i32) (result i32) local.get 0 call $weak))`, { passes: [fragile] });
  const instance: Instance = instantiate(compilation);
  const e = functions(instance.exports);
  for (let i = 0; i < 3; i++) assert.match(thrown(() => e.weak!(1)).message, /fragile failed on @0 "weak": a bug in a pass/);
  assert.is(e.strong!(1), 3);
  broken = false;
  assert.is(e.weak!(1), 2);
  assert.equal(callRaw(funcInstanceOf(instance.exports.weak as () => unknown)!, [5n]), [6n]);
});

test("a failure of code generation names the function, too", async () => {
  const { compilation } = await lazily(`(module (func $f (export "f") (result i32) i32.const 1))`, {
    observe: {
      code() {
        throw new Error("a bug behind the passes");
      },
    },
  });
  const e = functions(instantiate(compilation).exports);
  assert.match(thrown(() => e.f!()).message, /compiling @0 "f" failed: a bug behind the passes/);
});

test("modules that need all functions at once are compiled at once", async () => {
  const bytes = await watToBytes(`(module (func (export "f") (result i32) i32.const 7))`);
  const recorded = compileSync(bytes, { lazy: true, record: true });
  assert.is(recorded.compileFunc, undefined);
  assert.is(functions(instantiate(recorded).exports).f!(), 7);
  const all = definePass({ name: "sees-all", summary: "needs all functions", stage: "ssa", scope: "module", run() {} });
  assert.is(compileSync(bytes, { lazy: true, passes: [all] }).compileFunc, undefined);
});

test("start functions, and code for more than one chunk", async () => {
  const count = 3000;
  const bodies = Array.from({ length: count }, (_, i) => `(func $f${i} (param i32) (result i32) local.get 0 i32.const ${i} i32.mul ${i + 1 < count ? `call $f${i + 1}` : ""} i32.const ${i} i32.xor)`);
  const { compilation, compiled } = await lazily(`(module (global $g (mut i32) (i32.const 0)) ${bodies.join("\n")}
    (func $start i32.const 3 call $f1 global.set $g) (start $start)
    (func (export "get") (result i32) global.get $g))`);
  const late = functions(instantiate(compilation).exports).get!();
  assert.is(compiled.length, count + 1);
  const early = functions(instantiate(compileSync(compilation.module.bytes, { lazy: false })).exports).get!();
  assert.is(late, early);
});

test("functions that run much are compiled again: by calls, by loops, once, for all instances", async () => {
  const { compilation, compiled } = await lazily(`(module
    (func $step (param i32) (result i32) local.get 0 i32.const 3 i32.mul i32.const 1 i32.add)
    (func (export "calls") (param i32) (result i32) local.get 0 call $step)
    (func (export "loop") (param $n i32) (result f64 i64) (local $x f64) (local $y i64)
      (loop $l
        (local.set $x (f64.add (local.get $x) (f64.convert_i32_s (local.get $n))))
        (local.set $y (i64.add (i64.mul (local.get $y) (i64.const 31)) (i64.extend_i32_s (local.get $n))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      local.get $x local.get $y))`, { tierUpAfter: 1 });
  assert.is(compilation.settings.codegen.level, 2);
  const [a, b] = [functions(instantiate(compilation).exports), functions(instantiate(compilation).exports)];
  for (let i = 0; i < 30; i++) assert.is(a.calls!(i), 3 * i + 1);
  assert.equal(compiled, ["@1", "@0", "@1", "@0"]);
  assert.is(b.calls!(2), 7);
  assert.is(compiled.length, 4);
  // Runs out in the middle, goes on in the old code until it has run out again, then in code from the loop on; from the next call on in the new one.
  const expected = (n: number) => {
    let y = 0n;
    for (let i = n; i > 0; i--) y = BigInt.asIntN(64, y * 31n + BigInt(i));
    return [(n * (n + 1)) / 2, y];
  };
  assert.equal(b.loop!(1000), expected(1000));
  assert.equal(compiled.slice(4), ["@2", "@2", "@2"]);
  for (const n of [1, 7, 100]) assert.equal([a, b].map((e) => e.loop!(n)), [expected(n), expected(n)]);
  assert.is(compiled.length, 7);
});

test("what was asked for is what is made: with a level, or passes, functions are compiled once", async () => {
  const bytes = await watToBytes(`(module (func (export "f") (result i32) i32.const 7))`);
  for (const options of [{ level: 2 }, { level: 0 }, { disable: ["gvn"] }, { pipeline: pipelines[1] }] as CompileOptions[]) {
    assert.is(compileSync(bytes, { lazy: true, ...options }).optimizeFunc, undefined);
  }
  assert.throws(() => compileSync(bytes, { tierUpAfter: -1 }), /tierUpAfter is a number/);
});

test.run();
