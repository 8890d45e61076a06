// Addresses made ahead (pointers.ts): accesses at constant distances of an index, in and out of loops, around both ends of memory
// and of the address space, where an i32 sum wraps and a 64-bit one does not.
import { test } from "uvu";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { call, check } from "./against-interpreter.js";
import { emulateCode, hasEmulator } from "../../../emulated/code-only.js";
import { testWithout } from "../../../missing.js";

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

// Indices that change by a constant each round: up and down, over the ends of memory and of the address space, read before and behind
// the step, needed as numbers as well, in nests, under conditions, in loops left in the middle.
const walks = `(module
  (memory 1)
  (data (i32.const 0) "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
  (data (i32.const 65480) "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst")
  (func (export "up") (param $p i32) (param $n i32) (result i32) (local $s i32)
    (loop $next
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (i32.load (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "down") (param $p i32) (param $n i32) (result i32) (local $s i32)
    (loop $next
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (i32.load8_u (local.get $p))))
      (local.set $p (i32.sub (local.get $p) (i32.const 3)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "downFields") (param $p i32) (param $n i32) (result i32) (local $s i32)
    (loop $next
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (i32.add (i32.load8_u (local.get $p)) (i32.load8_u offset=40 (local.get $p)))))
      (local.set $p (i32.sub (local.get $p) (i32.const 16)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "indexed") (param $a i32) (param $n i32) (result i32) (local $s i32) (local $i i32)
    (loop $next
      (i32.store (i32.add (local.get $a) (i32.shl (local.get $i) (i32.const 2)))
        (local.tee $s (i32.xor (local.get $s) (i32.add (local.get $i) (i32.load (i32.add (local.get $a) (i32.shl (local.get $i) (i32.const 2))))))))
      (br_if $next (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $s))
  (func (export "copy") (param $to i32) (param $from i32) (param $n i32) (result i32) (local $i i32)
    (loop $next
      (i32.store8 (i32.add (local.get $to) (local.get $i)) (i32.load8_u (i32.add (local.get $i) (local.get $from))))
      (br_if $next (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.load (local.get $to)))
  (func (export "backwards") (param $to i32) (param $from i32) (param $n i32) (result i32) (local $i i32)
    (local.set $i (local.get $n))
    (loop $next
      (i32.store8 (i32.add (local.get $to) (local.get $i)) (i32.load8_u (i32.sub (local.get $from) (i32.mul (local.get $i) (i32.const 3)))))
      (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (i32.load (local.get $to)))
  (func (export "length") (param $p i32) (result i32) (local $q i32)
    (local.set $q (local.get $p))
    (block $end (loop $next
      (br_if $end (i32.eqz (i32.load8_u (local.get $q))))
      (local.set $q (i32.add (local.get $q) (i32.const 1)))
      (br $next)))
    (i32.sub (local.get $q) (local.get $p)))
  (func (export "preIncrement") (param $p i32) (result i32) (local $s i32) (local $c i32)
    (loop $next
      (local.set $p (i32.add (local.get $p) (i32.const 2)))
      (local.set $s (i32.add (local.get $s) (local.tee $c (i32.load8_u (local.get $p)))))
      (br_if $next (local.get $c)))
    (local.get $s))
  (func (export "neighbours") (param $a i32) (param $n i32) (result i64) (local $s i64)
    (loop $next
      (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 3)) (i64.add (i64.load (i32.add (local.get $a) (i32.const 16))) (i64.load (i32.add (local.get $a) (i32.const 24))))))
      (i64.store32 (i32.add (local.get $a) (i32.const 8)) (local.get $s))
      (local.set $s (i64.xor (local.get $s) (i64.load8_s (i32.add (local.get $a) (i32.const 13)))))
      (local.set $a (i32.add (local.get $a) (i32.const 8)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "records") (param $a i32) (param $n i32) (result i32) (local $s i32)
    (loop $next
      (local.set $s (i32.add (i32.add (i32.load8_u (local.get $a)) (i32.load8_u offset=1 (local.get $a))) (i32.add (i32.load8_u offset=2 (local.get $a)) (i32.mul (local.get $s) (i32.const 7)))))
      (i32.store8 offset=2 (local.get $a) (local.get $s))
      (local.set $a (i32.add (local.get $a) (i32.const 3)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "sometimes") (param $a i32) (param $n i32) (result i32) (local $s i32) (local $i i32)
    (loop $next
      (if (i32.and (local.get $i) (i32.const 1)) (then (local.set $s (i32.add (local.get $s) (i32.load (i32.add (local.get $a) (local.get $i)))))))
      (br_if $next (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $s))
  (func (export "nest") (param $a i32) (param $rows i32) (param $columns i32) (result i32) (local $s i32) (local $i i32) (local $j i32) (local $row i32)
    (loop $outer
      (local.set $row (i32.add (local.get $a) (i32.mul (local.get $i) (i32.const 12))))
      (local.set $j (i32.const 0))
      (loop $inner
        (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 5)) (i32.load16_u (i32.add (local.get $row) (i32.shl (local.get $j) (i32.const 1))))))
        (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $columns))))
      (i32.store (local.get $row) (local.get $s))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $rows))))
    (local.get $s))
  (func (export "behind") (param $a i32) (param $n i32) (result i32) (local $i i32) (local $at i32)
    (loop $next
      (local.set $at (i32.add (local.get $a) (i32.shl (local.get $i) (i32.const 2))))
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.load (local.get $at)))
  (func (export "calls") (param $a i32) (param $n i32) (result i32) (local $s i32)
    (loop $next
      (local.set $s (i32.add (local.get $s) (call $twice (i32.load (local.get $a)))))
      (i32.store offset=4 (local.get $a) (call $twice (local.get $s)))
      (local.set $a (i32.add (local.get $a) (i32.const 8)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func $twice (param i32) (result i32) (if (result i32) (i32.and (local.get 0) (i32.const 1)) (then (call $twice (i32.shr_u (local.get 0) (i32.const 1)))) (else (i32.add (local.get 0) (local.get 0)))))
  (func (export "twoLoops") (param $p i32) (param $n i32) (result i32) (local $s i32) (local $j i32)
    (loop $walk
      (local.set $s (i32.load8_u (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br_if $walk (i32.gt_u (local.get $s) (i32.const 101))))
    (loop $next
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 3)) (i32.load8_u (i32.add (local.get $p) (local.get $j)))))
      (br_if $next (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
    (local.get $s))
  (func (export "behindLoop") (param $p i32) (param $n i32) (result i32) (local $s i32) (local $j i32)
    (block $out (loop $walk
      (br_if $out (i32.lt_u (local.tee $s (i32.load8_u (local.get $p))) (i32.const 104)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br $walk)))
    (loop $next
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 3)) (i32.load8_u (i32.add (local.get $p) (local.get $j)))))
      (br_if $next (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
    (local.get $s))
  (func (export "twoWays") (param $p i32) (param $n i32) (result i32) (local $s i32)
    (block $done (loop $next
      (local.set $s (i32.add (local.get $s) (i32.load8_u (local.get $p))))
      (br_if $done (i32.eqz (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (if (i32.and (local.get $s) (i32.const 1))
        (then (local.set $p (i32.add (local.get $p) (i32.const 1))))
        (else (local.set $p (i32.add (local.get $p) (i32.const 2)))))
      (br $next)))
    (local.get $s)))`;

if (hasEmulator()) {
  emulateCode();
  test("indices that walk along with a loop", async () => {
    const starts = [0, 1, 5, 16, 47, 48, 100, 65480, 65500, 65521, 65529, 65532, 65533, 65535, 65536, 70000, -1, -2, -3, -4, -7, -8, -16, -65536, -65540, 0x7ffffffc];
    const rounds = [1, 2, 3, 9, 40];
    check(await toBytes(walks), [
      ...["up", "down", "downFields", "indexed", "neighbours", "records", "sometimes", "behind", "calls", "twoLoops", "behindLoop", "twoWays"].flatMap((name) => starts.flatMap((p) => rounds.map((n) => call(name, p, n)))),
      ...starts.flatMap((p) => [call("length", p), call("preIncrement", p), call("copy", p, 3, 20), call("copy", 300, p, 20), call("backwards", 400, p, 20), call("backwards", p, 65500, 20), call("nest", p, 3, 4), call("nest", p, 2, 30)]),
      call("indexed", 16, -5), call("indexed", -0x80000000, 3), call("copy", 65530, 0, 10), call("copy", 0, 65530, 0),
    ]);
  });
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
