// Whole modules compiled for arm64 and run by the emulator, against the interpreter: control flow, calls with more arguments and results
// than registers, tables, memory up to its end, every trap with its backtrace, exhausted stacks; and the benchmark kernels.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../../../ir/types.js";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { decodeModule, type FuncIndex } from "../../../../pipeline/index.js";
import { projectRoot } from "../../../bundle.js";
import { emulateCode, hasEmulator } from "../../../emulated/code-only.js";
import { call, check, outcomes, show, type Named } from "./against-interpreter.js";
import { testWithout } from "../../../missing.js";

const control = `(module
  (memory 1)
  (global $g (mut i64) (i64.const 5))
  (global $f (mut f64) (f64.const 1.5))
  (type $unary (func (param i32) (result i32)))
  (table 6 funcref)
  (elem (i32.const 1) $double $square $wrongType $trapping)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $wrongType (result i64) (i64.const 7))
  (func $trapping (type $unary) (i32.div_u (i32.const 100) (local.get 0)))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 1) (local.get 0)))
  (func (export "switch") (param i32) (result i32)
    (block $d (block $c (block $b (block $a (br_table $a $b $c $b $d (local.get 0))) (return (i32.const 10))) (return (i32.const 20))) (return (i32.const 30)))
    (i32.const 40))
  (func $many (param i32 i64 f32 f64 i32 i32 i32 i32 i32 i32 i64 i32 f64 f64 f64 f64 f64 f64 f64 f64 f32) (result i64 f64 i32 i32 i32 i32 i32 i32 i32 i32 i64)
    (i64.add (i64.add (local.get 1) (local.get 10)) (i64.extend_i32_u (local.get 11)))
    (f64.add (f64.add (local.get 3) (local.get 19)) (f64.promote_f32 (f32.add (local.get 2) (local.get 20))))
    (local.get 0) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 11) (local.get 10))
  (func (export "many") (param i32 i64 f64) (result i64 f64 i64)
    (local $a i32) (local $b i64)
    (call $many (local.get 0) (local.get 1) (f32.const 1.25) (local.get 2) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9)
      (i64.const 1000000000000) (i32.const 11) (f64.const 0) (f64.const 1) (f64.const 2) (f64.const 3) (f64.const 4) (f64.const 5) (f64.const 6) (f64.const 7.5) (f32.const 0.75))
    (local.set $b) (local.set $a) (drop) (drop) (drop) (drop) (drop) (drop) (drop)
    (i64.add (i64.extend_i32_u (local.get $a)) (local.get $b)))
  (func (export "sum") (param i32) (result i32) (local $s i32) (local $i i32)
    (loop $l
      (i32.store offset=64 (i32.shl (i32.and (local.get $i) (i32.const 1023)) (i32.const 2)) (local.get $i))
      (local.set $s (i32.add (local.get $s) (i32.load offset=64 (i32.shl (i32.and (local.get $i) (i32.const 1023)) (i32.const 2)))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    (local.get $s))
  (func (export "load8") (param i32) (result i32) (i32.load8_s (local.get 0)))
  (func $load64 (export "load64") (param i32) (result i64) (i64.load offset=65520 (local.get 0)))
  (func (export "far") (param i32) (result i32) (i32.load offset=4000000000 (local.get 0)))
  (func (export "odd") (param i32) (result i32) (i32.load offset=4097 (local.get 0)))
  (func (export "outer") (param i32) (result i64) (i64.add (call $load64 (local.get 0)) (global.get $g)))
  (func (export "unreachable") (unreachable))
  (func (export "globals") (param i64 f64) (result i64 f64)
    (global.set $g (i64.add (global.get $g) (local.get 0))) (global.set $f (f64.mul (global.get $f) (local.get 1))) (global.get $g) (global.get $f))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
  (func $endless (export "endless") (result i32) (i32.add (call $endless) (i32.const 1)))
  (func (export "fill") (param i32 i32 i32) (result i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)) (i32.load (local.get 0)))
  (func (export "copy") (param i32 i32 i32) (result i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)) (i32.load (local.get 0)))
  (func (export "copy13") (param i32 i32) (result i64) (memory.copy (local.get 0) (local.get 1) (i32.const 13)) (i64.load offset=5 (local.get 0)))
  (func (export "select") (param i32 i32 f64 f64) (result i32 f64)
    (select (local.get 0) (local.get 1) (i32.lt_s (local.get 0) (local.get 1)))
    (select (local.get 2) (local.get 3) (f64.lt (local.get 2) (local.get 3))))
  (func (export "bits") (param i32 i64) (result i32 i32 i32 i64)
    (if (i32.and (local.get 0) (i32.const 64)) (then (local.set 0 (i32.add (local.get 0) (i32.const 1)))))
    (if (i64.lt_s (local.get 1) (i64.const 0)) (then (local.set 0 (i32.add (local.get 0) (i32.const 2)))))
    (i32.and (i32.shr_u (local.get 0) (i32.const 5)) (i32.const 127))
    (i32.xor (local.get 0) (i32.const -1))
    (i32.and (local.get 0) (i32.xor (i32.shl (local.get 0) (i32.const 3)) (i32.const -1)))
    (i64.sub (local.get 1) (i64.mul (i64.extend_i32_s (local.get 0)) (local.get 1))))
  (func (export "pressure") (param i32 f64) (result i32 f64)
    ${Array.from({ length: 60 }, (_, i) => `(local $x${i} i32) (local $y${i} f64)`).join(" ")}
    ${Array.from({ length: 60 }, (_, i) => `(local.set $x${i} (i32.mul (local.get 0) (i32.const ${2 * i + 3}))) (local.set $y${i} (f64.mul (local.get 1) (f64.const ${i + 0.1})))`).join("\n")}
    (local.set 0 (call $fib (i32.const 5)))
    ${Array.from({ length: 60 }, (_, i) => `(local.set 0 (i32.add (i32.rotl (local.get 0) (i32.const 3)) (local.get $x${i}))) (local.set 1 (f64.sub (local.get $y${i}) (local.get 1)))`).join("\n")}
    (local.get 0) (local.get 1)))`;

const calls: readonly Named[] = [
  ...[0, 1, 2, 20].map((n) => call("fib", n)),
  ...[0, 1, 2, 3, 4, 5, 6, -1].map((n) => call("indirect", n, 12)),
  call("indirect", 4, 0),
  ...[0, 1, 2, 3, 4, 5, -1].map((n) => call("switch", n)),
  call("many", 3, 12345678901n, 0x4059000000000000n),
  call("sum", 5000),
  ...[0, 65535, 65536, -1, 0x7fffffff].map((n) => call("load8", n)),
  ...[0, 8, 9, 16, -1].flatMap((n) => [call("load64", n), call("outer", n)]),
  call("far", 0), call("far", 0x20000000), call("odd", 60), call("odd", 61435), call("odd", 61436), call("odd", -1),
  call("unreachable"),
  call("globals", 9, 0x4000000000000000n), call("globals", -20, 0xbff0000000000000n),
  call("deep", 1000), call("endless"), call("deep", 10),
  call("fill", 100, 0xab, 50), call("fill", 65530, 1, 6), call("fill", 65530, 1, 7), call("fill", 0, 0, -1),
  call("copy", 110, 100, 20), call("copy", 90, 100, 20), call("copy", 65536, 0, 0), call("copy", 65536, 0, 1), call("copy13", 300, 100), call("copy13", 65523, 100), call("copy13", 65524, 100),
  call("select", 1, 2, 0x7ff8000000000000n, 1), call("select", 2, 1, 1, 2),
  ...[0, 64, -1, 0x12345678].flatMap((n) => [call("bits", n, 5), call("bits", n, -5)]),
  call("pressure", 17, 0x400921fb54442d18n),
];

interface Kernel {
  readonly name: string;
  readonly file: string;
  readonly features: readonly string[];
  readonly quick: { readonly args: readonly number[]; readonly expected: { readonly value: string; readonly bits?: string } };
}

const kernels = path.join(projectRoot, "..", "shared", "bench");

function floatBits(x: number | string): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Number(x));
  return view.getBigUint64(0);
}

if (hasEmulator()) {
  emulateCode();
  test("calls, control flow, memory, tables, traps with backtraces", async () => {
    check(await toBytes(control), calls);
  });
  if (existsSync(kernels)) {
    test("benchmark kernels at small sizes", () => {
      const manifest = JSON.parse(readFileSync(path.join(kernels, "manifest.json"), "utf8")) as Kernel[] | { kernels: Kernel[] };
      let ran = 0;
      for (const { name, file, features, quick } of Array.isArray(manifest) ? manifest : manifest.kernels) {
        if (features.includes("simd128")) continue;
        const bytes = Uint8Array.from(readFileSync(path.join(kernels, file)));
        const module = decodeModule(bytes);
        const { params, results } = module.funcType(module.exports.find((item) => item.kind === "func" && item.name === "run")!.index as FuncIndex);
        const args = quick.args.map((x, i) => (params[i] === Type.f64 ? floatBits(x) : BigInt(x)));
        const want = quick.expected.bits !== undefined ? BigInt(quick.expected.bits) : results[0] === Type.f64 ? floatBits(quick.expected.value) : BigInt(quick.expected.value);
        assert.equal(outcomes(bytes, [{ name: "run", args }], {}), [show(want, results[0]!)], name);
        ran++;
      }
      assert.ok(ran >= 25, `${ran} kernels`);
      console.log(`  ${ran} kernels`);
    });
  }
} else {
  testWithout(test, "modules, emulated", "qemu-aarch64 (qemu-user)");
}

test.run();
