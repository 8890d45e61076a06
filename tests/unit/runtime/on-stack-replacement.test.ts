// Loops that run on in code of the first tier: they go on in better code, with every local, once that is there.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compileSync, parseFunc, printFunc, translateFunction, verifyFunc, type CompileOptions, type FuncIndex } from "../../../pipeline/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { instantiate, type Imports } from "../../../runtime/index.js";
import { functions, thrown } from "./support.js";

/** Runs an export at level 2 and in tiers that change at once; says which code was made in the tiers. */
async function compare(wat: string, run: (e: ReturnType<typeof functions>) => unknown, imports: () => Imports = () => ({})) {
  const bytes = await watToBytes(wat);
  const codes: string[] = [];
  const tiers: CompileOptions = { lazy: true, tierUpAfter: 0.5, verify: true, check: true, observe: { code: (code, mfn) => void codes.push(mfn ? `better @${code.func}` : `first @${code.func}`) } };
  const [expected, actual] = [{ level: 2, lazy: false } as const, tiers].map((options) => run(functions(instantiate(compileSync(bytes, options), imports()).exports)));
  assert.equal(actual, expected);
  return codes;
}

const ONCE = ["first @0", "better @0", "better @0"];

test("locals of every type are carried over, those in registers and those in slots", async () => {
  const types = ["i32", "i64", "f32", "f64"];
  const locals = Array.from({ length: 40 }, (_, i) => types[i % 4]!);
  const codes = await compare(`(module (func (export "run") (param $n i32) (result f64 i64) (local ${locals.join(" ")}) (local $r externref)
    (loop $l
      ${locals.map((type, i) => `(local.set ${i + 1} (${type}.add (local.get ${i + 1}) (${type}.const ${i + 1})))`).join("\n")}
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    ${locals.map((type, i) => `(f64.mul (f64.const ${i + 3}) ${{ i32: "(f64.convert_i32_s", i64: "(f64.convert_i64_s", f32: "(f64.promote_f32", f64: "(f64.abs" }[type]} (local.get ${i + 1})))`).join("\n")}
    ${"f64.add\n".repeat(locals.length - 1)}
    (i64.add (local.get 2) (i64.extend_i32_u (ref.is_null (local.get $r))))))`, (e) => e.run!(10_000));
  assert.equal(codes, ONCE);
});

test("an inner loop of loops, entered in the middle of the outer ones, which go on as well", async () => {
  const codes = await compare(`(module (func (export "run") (param $n i32) (result i32 i64) (local $i i32) (local $j i32) (local $k i32) (local $sum i64) (local $odd i32)
    (loop $a
      (local.set $j (i32.const 0))
      (block $out (loop $b
        (local.set $k (i32.const 0))
        (loop $c
          (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3)) (i64.extend_i32_u (i32.xor (local.get $k) (i32.mul (local.get $i) (local.get $j))))))
          (if (i32.and (local.get $k) (i32.const 1)) (then (local.set $odd (i32.add (local.get $odd) (local.get $j)))) (else (br_if $out (i32.eq (local.get $j) (i32.const 37)))))
          (br_if $c (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 50))))
        (br_if $b (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 50)))))
      (br_if $a (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $odd) (local.get $sum)))`, (e) => [e.run!(20), e.run!(3)]);
  assert.equal(codes, ONCE);
});

test("calls, host calls and a growing memory inside, recursion around", async () => {
  const imports = () => {
    let seen = 0;
    return { h: { next: (x: number) => (seen = (seen * 7 + x) & 0xffff) } };
  };
  const codes = await compare(`(module (import "h" "next" (func $next (param i32) (result i32))) (memory 1 100)
    (func $run (export "run") (param $n i32) (param $deep i32) (result i32) (local $s i32)
      (if (local.get $deep) (then (local.set $s (call $run (i32.const 3) (i32.sub (local.get $deep) (i32.const 1))))))
      (loop $l
        (local.set $s (i32.add (i32.rotl (local.get $s) (i32.const 5)) (call $next (local.get $n))))
        (if (i32.eqz (i32.and (local.get $n) (i32.const 511))) (then (local.set $s (i32.add (local.get $s) (memory.grow (i32.const 1))))))
        (i32.store (i32.const 65532) (i32.add (i32.load (i32.const 65532)) (local.get $s)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i32.add (local.get $s) (i32.load (i32.const 65532)))))`, (e) => [e.run!(5000, 4), e.run!(10, 0)], imports);
  assert.equal(codes, ["first @1", "better @1", "better @1"]);
});

test("a trap in the better code: one frame for the function, the callers behind it", async () => {
  const wat = `(module (memory 1)
    (func $walk (param $p i32) (result i32) (local $s i32)
      (loop $l
        (local.set $s (i32.add (local.get $s) (i32.load (local.get $p))))
        (local.set $p (i32.add (local.get $p) (i32.const 4)))
        (br $l)) (local.get $s))
    (func (export "run") (result i32) (i32.add (call $walk (i32.const 0)) (i32.const 1))))`;
  const codes = await compare(wat, (e) => thrown(() => e.run!()).backtrace.map((frame: { name: string; offset: number }) => [frame.name, frame.offset]));
  assert.equal(codes, ["first @1", "first @0", "better @0", "better @0"]);
});

test("not where operands stand below the loop, or results do not fit registers: there the old code goes on", async () => {
  const loop = `(loop $l (local.set $s (i32.add (local.get $s) (local.get $n))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))`;
  for (const [results, body] of [
    ["i32", `(i32.add (i32.mul (local.get $n) (i32.const 5)) (block (result i32) ${loop} (local.get $s)))`],
    [`${"f64 ".repeat(9)} i32`, `${loop} ${Array.from({ length: 9 }, (_, i) => `f64.const ${i}`).join(" ")} (local.get $s)`],
  ]) {
    const codes = await compare(`(module (func (export "run") (param $n i32) (result ${results}) (local $s i32) ${body}))`, (e) => e.run!(5000));
    assert.equal(codes, ["first @0", "better @0"]);
  }
});

test("the rest of a function is IR like any: printed, parsed, verified", async () => {
  const bytes = await watToBytes(`(module (func (export "run") (param $n i32) (result i64) (local $s i64)
    (loop $l (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (local.get $n)))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (local.get $s)))`);
  const { module } = compileSync(bytes);
  const loop = module.bytes.indexOf(0x03, module.funcs[0]!.bodyStart);
  const fn = translateFunction(module, 0 as FuncIndex, { loop, locals: 24 });
  assert.equal(verifyFunc(fn, module), []);
  const text = printFunc(fn, module);
  assert.match(text, /^func @0.*\(i32, i64\) -> i64 in frame 24 \{/);
  const again = parseFunc(text, module);
  assert.is(again.frameParams, 24);
  assert.is(printFunc(again, module), text);
  assert.throws(() => parseFunc(text.replace("in frame 24", ""), module), /the function says \(i32, i64\) -> i64/);
  again.frameParams = -1;
  assert.match(verifyFunc(again, module).map((error) => error.message).join(), /signature|declares/);
});

test.run();
