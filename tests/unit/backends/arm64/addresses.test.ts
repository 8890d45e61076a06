// Addresses made ahead (pointers.ts): accesses at constant distances of an index, in and out of loops, around both ends of memory
// and of the address space, where an i32 sum wraps and a 64-bit one does not.
import { test } from "uvu";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { call, check } from "./against-interpreter.js";
import { testWithout } from "../../../missing.js";
import { hasEmulator } from "./bulk.js";

const accesses = `(module
  (memory 1)
  (data (i32.const 0) "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
  (data (i32.const 65500) "abcdefghijklmnopqrstuvwxyz0123456789")
  ;; several accesses with offsets at one index
  (func (export "fields") (param $p i32) (result i64)
    (i64.add
      (i64.add (i64.load offset=8 (local.get $p)) (i64.load32_u offset=4 (local.get $p)))
      (i64.add (i64.load8_u offset=300 (local.get $p)) (i64.load16_s offset=3 (local.get $p)))))
  ;; sums that may wrap: the largest comes first, others below it
  (func (export "around") (param $p i32) (result i64)
    (local $q i32)
    (local.set $q (i32.mul (local.get $p) (i32.const 4)))
    (i64.add
      (i64.add (i64.load (i32.add (local.get $q) (i32.const 8))) (i64.load (i32.add (local.get $q) (i32.const 16))))
      (i64.add (i64.load (i32.add (local.get $q) (i32.const 1024))) (i64.load (i32.add (local.get $q) (i32.const 40))))))
  (func (export "farAround") (param $p i32) (result i32)
    (local $q i32)
    (local.set $q (i32.mul (local.get $p) (i32.const 4)))
    (i32.add
      (i32.add (i32.load (i32.add (local.get $q) (i32.const 4))) (i32.load8_u (i32.add (local.get $q) (i32.const 9001))))
      (i32.add (i32.load (i32.add (local.get $q) (i32.const 30000))) (i32.load16_u (i32.add (local.get $q) (i32.const 29000))))))
  (func (export "sumFields") (param $p i32) (param $n i32) (result i32)
    (local $s i32)
    (loop $next
      (local.set $s (i32.add (local.get $s) (i32.mul (i32.load offset=4 (local.get $p)) (i32.load8_u offset=1 (local.get $p)))))
      (local.set $s (i32.add (local.get $s) (i32.load16_u offset=5000 (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 12)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "invariant") (param $p i32) (param $n i32) (result i32)
    (local $s i32)
    (loop $next
      (local.set $s (i32.add (local.get $s) (i32.load offset=16 (local.get $p))))
      (i32.store offset=16 (local.get $p) (local.get $s))
      (i32.store8 offset=100000 (local.get $n) (local.get $s))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "stencil") (param $p i32) (param $n i32) (result i32)
    (local $s i32)
    (loop $next
      (local.set $s (i32.add (local.get $s)
        (i32.add (i32.load (i32.add (local.get $p) (local.get $n)))
          (i32.add (i32.load (i32.add (i32.add (local.get $p) (local.get $n)) (i32.const 4)))
            (i32.load (i32.add (i32.add (local.get $p) (local.get $n)) (i32.const 640)))))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 4)))))
    (local.get $s))
  (func (export "kept") (param $p i32) (result i32)
    (i32.store offset=8 (local.get $p) (i32.add (i32.load offset=12 (local.get $p)) (call $other (i32.load offset=4 (local.get $p)))))
    (i32.add (i32.load offset=8 (local.get $p)) (i32.load (local.get $p))))
  (func $other (param i32) (result i32) (if (result i32) (local.get 0) (then (call $other (i32.shr_u (local.get 0) (i32.const 1)))) (else (i32.const 7))))
  (func (export "pairs") (param $p i32) (result i64)
    (i64.xor (i64.load offset=16 (local.get $p)) (i64.mul (i64.load offset=24 (local.get $p)) (i64.extend_i32_u (i32.xor (i32.load offset=4 (local.get $p)) (i32.load offset=8 (local.get $p))))))))`;

if (hasEmulator()) {
  test("indices around the ends of memory and of the address space", async () => {
    const around = [0, 1, 4, 7, 16, 60, 1000, 65235, 65236, 65500, 65520, 65528, 65536, 0x7ffffff0, -1, -2, -4, -8, -9, -16, -40, -299, -300, -301, -1024, -4096, -5000, -30000, -65536, -65537];
    check(await toBytes(accesses), [
      ...around.flatMap((p) => [call("fields", p), call("kept", p), call("pairs", p)]),
      ...around.flatMap((p) => [p, p >> 2, (p >>> 2) | 0, (p >> 2) + 0x40000000].flatMap((x) => [call("around", x), call("farAround", x)])),
      ...around.flatMap((p) => [1, 3, 100].flatMap((n) => [call("sumFields", p, n), call("invariant", p & 0xffff, n)])),
      call("invariant", 65517, 2), call("invariant", -16, 2), call("invariant", -20, 2),
      ...around.flatMap((p) => [call("stencil", p, 4), call("stencil", p, 400), call("stencil", (p - 640) | 0, 400), call("stencil", (p - 1040) | 0, 400)]),
    ]);
  });
} else {
  testWithout(test, "addresses, emulated", "qemu-aarch64 (qemu-user)");
}

test.run();
