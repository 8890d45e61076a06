// What arm64 code does differently in loops and for whole expressions: constants and never-changing fields made ahead, divisors
// that are known, bytes turned round, bit fields, conditions joined; against the interpreter.
import { test } from "uvu";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { call, check } from "./against-interpreter.js";
import { hasEmulator } from "./bulk.js";

const divisions = `(module
  (func (export "gcd") (param $a i32) (param $b i32) (result i32)
    (local $t i32)
    (block $done
      (br_if $done (i32.eqz (local.get $b)))
      (loop $next
        (local.set $t (i32.rem_u (local.get $a) (local.get $b)))
        (local.set $a (local.get $b))
        (br_if $next (local.tee $b (local.get $t)))))
    (local.get $a))
  (func (export "gcd64") (param $a i64) (param $b i64) (result i64)
    (local $t i64)
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $b)))
        (local.set $t (i64.rem_s (local.get $a) (local.get $b)))
        (local.set $a (local.get $b))
        (local.set $b (local.get $t))
        (br $next)))
    (local.get $a))
  (func (export "guarded") (param $a i32) (param $b i32) (result i32)
    (if (result i32) (local.get $b) (then (i32.div_s (local.get $a) (local.get $b))) (else (i32.div_u (local.get $a) (local.get $b)))))
  (func (export "guarded64") (param $a i64) (param $b i64) (result i64)
    (if (result i64) (i64.ne (local.get $b) (i64.const 0)) (then (i64.div_s (local.get $a) (local.get $b))) (else (i64.div_u (local.get $a) (local.get $b)))))
  (func (export "oneWay") (param $a i32) (param $b i32) (result i32)
    (loop $next (result i32)
      (local.set $a (i32.rem_u (local.get $a) (local.get $b)))
      (local.set $b (i32.sub (local.get $b) (i32.const 1)))
      (br_if $next (local.get $a))
      (local.get $b)))
  (func (export "digits") (param $n i32) (param $m i64) (result i64)
    (local $s i64)
    (loop $next
      (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 31)) (i64.extend_i32_u (i32.rem_u (local.get $n) (i32.const 10)))))
      (local.set $s (i64.xor (local.get $s) (i64.div_s (local.get $m) (i64.const 1000003))))
      (local.set $s (i64.sub (local.get $s) (i64.extend_i32_s (i32.div_s (i32.wrap_i64 (local.get $m)) (i32.const 7)))))
      (local.set $s (i64.add (local.get $s) (i64.extend_i32_s (i32.rem_s (i32.wrap_i64 (local.get $m)) (i32.const -16)))))
      (local.set $s (i64.add (local.get $s) (i64.rem_s (local.get $m) (i64.const 64))))
      (local.set $s (i64.add (local.get $s) (i64.div_s (local.get $m) (i64.const 2))))
      (local.set $m (i64.sub (i64.const 0) (i64.shr_s (local.get $m) (i64.const 1))))
      (br_if $next (local.tee $n (i32.div_u (local.get $n) (i32.const 10)))))
    (local.get $s)))`;

const swap32 = (x: string) => `(i32.or
  (i32.or (i32.shl ${x} (i32.const 24)) (i32.and (i32.shl ${x} (i32.const 8)) (i32.const 0xff0000)))
  (i32.or (i32.and (i32.shr_u ${x} (i32.const 8)) (i32.const 0xff00)) (i32.shr_u ${x} (i32.const 24))))`;

const bits = `(module
  (func (export "swap") (param i32) (result i32) ${swap32("(local.get 0)")})
  (func (export "notSwap") (param i32) (result i32)
    (i32.or
      (i32.or (i32.shl (local.get 0) (i32.const 24)) (i32.and (i32.shl (local.get 0) (i32.const 8)) (i32.const 0xff8000)))
      (i32.or (i32.and (i32.shr_u (local.get 0) (i32.const 8)) (i32.const 0xff00)) (i32.shr_u (local.get 0) (i32.const 24)))))
  (func (export "swapRotated") (param i32) (result i32)
    (i32.or (i32.and (i32.rotl (local.get 0) (i32.const 8)) (i32.const 0x00ff00ff)) (i32.and (i32.rotr (local.get 0) (i32.const 8)) (i32.const 0xff00ff00))))
  (func (export "swap64") (param i64) (result i64)
    (i64.or
      (i64.or
        (i64.or (i64.shl (local.get 0) (i64.const 56)) (i64.shl (i64.and (local.get 0) (i64.const 0xff00)) (i64.const 40)))
        (i64.or (i64.shl (i64.and (local.get 0) (i64.const 0xff0000)) (i64.const 24)) (i64.shl (i64.and (local.get 0) (i64.const 0xff000000)) (i64.const 8))))
      (i64.or
        (i64.or (i64.and (i64.shr_u (local.get 0) (i64.const 8)) (i64.const 0xff000000)) (i64.and (i64.shr_u (local.get 0) (i64.const 24)) (i64.const 0xff0000)))
        (i64.or (i64.and (i64.shr_u (local.get 0) (i64.const 40)) (i64.const 0xff00)) (i64.shr_u (local.get 0) (i64.const 56))))))
  (func (export "fields") (param i32 i64) (result i32 i32 i32 i64 i64 i32)
    (i32.shl (i32.and (local.get 0) (i32.const 0x7f)) (i32.const 9))
    (i32.shl (i32.and (local.get 0) (i32.const 0xffff)) (i32.const 20))
    (i32.and (i32.shl (local.get 0) (i32.const 5)) (i32.const 0x3e0))
    (i64.and (i64.shl (local.get 1) (i64.const 12)) (i64.const 0xfff000))
    (i64.shl (i64.and (local.get 1) (i64.const 0x1ffffffff)) (i64.const 35))
    (i32.and (i32.shl (local.get 0) (i32.const 3)) (i32.const 0x7f0)))
  (func (export "multiply") (param i32 i32 i64 i64) (result i32 i32 i64 i64)
    (i32.add (i32.mul (local.get 0) (i32.const 150)) (local.get 1))
    (i32.sub (local.get 0) (i32.mul (local.get 1) (i32.const 77)))
    (i64.add (local.get 2) (i64.mul (local.get 3) (i64.const 0x123456789)))
    (i64.sub (i64.mul (local.get 2) (i64.const 9)) (i64.mul (local.get 3) (i64.const -5)))))`;

if (hasEmulator()) {
  const ints = [0, 1, 2, 3, 7, 10, 12, 18, 100, 1000000007, 0x7fffffff, -0x80000000, -1, -2, -7, -16, -100, 0x12345678, -0x12345679];
  test("divisors that branches have tested, constants of divisions in loops", async () => {
    check(await toBytes(divisions), [
      ...ints.flatMap((a) => ints.flatMap((b) => [call("gcd", a, b), call("gcd64", a, b), call("guarded", a, b), call("guarded64", a, b)])),
      ...[1, 5, 9, 30].flatMap((b) => [call("oneWay", 100, b), call("oneWay", 97, b)]),
      ...ints.flatMap((n) => [call("digits", n, BigInt(n) * 0x100000001n), call("digits", n, -0x8000000000000000n)]),
    ]);
  });
  test("bytes turned round, bit fields, products added", async () => {
    check(await toBytes(bits), [
      ...ints.flatMap((a) => [call("swap", a), call("notSwap", a), call("swapRotated", a), call("swap64", BigInt(a) * 0x123456789abcdn), call("fields", a, BigInt(a) * 0x100000003n)]),
      ...ints.flatMap((a) => ints.map((b) => call("multiply", a, b, BigInt(a) * 0x100000001n, BigInt(b) * 0x10000f001n))),
    ]);
  });
} else {
  console.log("arm64: qemu-aarch64 is missing (apt: qemu-user), nothing was run");
  test.skip("loops, emulated", () => {});
}

test.run();
