// What arm64 code does differently in loops and for whole expressions: constants and never-changing fields made ahead, divisors
// that are known, bytes turned round, bit fields, conditions joined; against the interpreter.
import { test } from "uvu";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { call, check } from "./against-interpreter.js";
import { emulateCode, hasEmulator } from "../../../emulated/code-only.js";
import { testWithout } from "../../../missing.js";

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
  (func (export "bitOf") (param i32 i64) (result i32)
    (if (i32.and (i32.shl (i32.const 1) (local.get 0)) (i32.const 0x800013)) (then (return (i32.const 1))))
    (if (i64.ne (i64.and (i64.shl (i64.const 1) (local.get 1)) (i64.const 0x1000000080000001)) (i64.const 0)) (then (return (i32.const 2))))
    (if (i32.eqz (i32.and (i32.shl (i32.const 1) (i32.wrap_i64 (local.get 1))) (local.get 0))) (then (return (i32.const 3))))
    (i32.const 4))
  (func (export "halves") (param $e i64) (param $n i32) (result i64) (local $s i64)
    (loop $next
      (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 3)) (i64.and (local.get $e) (i64.const 1))))
      (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (local.get $n))))
      (if (i64.gt_u (local.get $e) (i64.const 1)) (then (local.set $e (i64.shr_u (local.get $e) (i64.const 1))) (br $next))))
    (loop $down
      (local.set $s (i64.xor (i64.rotl (local.get $s) (i64.const 7)) (i64.extend_i32_u (local.get $n))))
      (if (i32.gt_s (local.get $n) (i32.const 4)) (then (local.set $n (i32.sub (local.get $n) (i32.const 3))) (br $down))))
    (local.get $s))
  (func (export "multiply") (param i32 i32 i64 i64) (result i32 i32 i64 i64)
    (i32.add (i32.mul (local.get 0) (i32.const 150)) (local.get 1))
    (i32.sub (local.get 0) (i32.mul (local.get 1) (i32.const 77)))
    (i64.add (local.get 2) (i64.mul (local.get 3) (i64.const 0x123456789)))
    (i64.sub (i64.mul (local.get 2) (i64.const 9)) (i64.mul (local.get 3) (i64.const -5)))))`;

// Two compares joined, the second with small and large constants on either side; the condition as a branch, in selects of several
// kinds, as a number, added.
const compares = [
  "(i32.lt_s (local.get $a) (local.get $b))", "(i32.gt_u (local.get $a) (i32.const 7))", "(i32.eq (local.get $b) (i32.const -31))", "(i32.ne (i32.const 12) (local.get $a))",
  "(i32.ge_s (local.get $b) (i32.const -32))", "(i32.eqz (local.get $a))", "(i64.le_u (local.get $x) (i64.extend_i32_s (local.get $a)))", "(i64.eqz (local.get $x))",
  "(i64.lt_s (local.get $x) (i64.const 0x123456789))", "(f64.lt (local.get $f) (local.get $g))", "(f64.ge (local.get $f) (f64.const 0))", "(f32.ne (f32.demote_f64 (local.get $f)) (f32.demote_f64 (local.get $g)))",
  "(f64.le (local.get $g) (local.get $f))", "(i32.le_u (local.get $a) (local.get $b))", "(i32.gt_s (local.get $a) (local.get $b))",
];
const joined = compares.flatMap((left, i) => compares.flatMap((right, k) => ((i * 7 + k) % 3 === 0 ? [`(i32.and ${left} ${right})`, `(i32.or ${left} ${right})`] : [])));
const threes = compares.map((c, i) => `(i32.${i & 1 ? "or" : "and"} (i32.${i & 2 ? "or" : "and"} ${c} ${compares[(i + 4) % compares.length]}) ${compares[(i + 9) % compares.length]})`);
const params = "(param $a i32) (param $b i32) (param $x i64) (param $f f64) (param $g f64)";
const conditions = [...joined, ...threes, ...compares];
const consumers = [
  (c: string) => `(select (i32.add (local.get $b) (i32.const 1)) (local.get $a) ${c})`,
  (c: string) => `(select (local.get $a) (i32.sub (i32.const 0) (local.get $b)) ${c})`,
  (c: string) => `(select (local.get $a) (i32.xor (local.get $b) (i32.const -1)) (i32.eqz ${c}))`,
  (c: string) => `(i32.add (local.get $a) ${c})`,
  (c: string) => `(i32.wrap_i64 (i64.add (i64.extend_i32_u ${c}) (local.get $x)))`,
  (c: string) => `(i32.mul ${c} (local.get $b))`,
  (c: string) => `(if (result i32) ${c} (then (i32.const 3)) (else (i32.const 5)))`,
  (c: string) => `(if (result i32) (i32.eqz ${c}) (then (local.get $a)) (else (i32.add (local.get $b) (i32.const 9))))`,
  (c: string) => `(i32.wrap_i64 (select (i64.sub (i64.const 0) (local.get $x)) (i64.const 77) ${c}))`,
];
const conditional = `(module
  ${conditions.map((c, i) => `(func (export "c${i}") ${params} (result i32 i32) ${consumers[i % consumers.length]!(c)} ${consumers[(i * 5 + 3) % consumers.length]!(c)})`).join("\n")}
  ;; one compare for several selects, its operands overwritten on the way
  (func (export "several") ${params} (result i32 i32 i32) (local $c i32)
    (local.set $c (i32.lt_s (local.get $a) (local.get $b)))
    (local.set $a (select (local.get $b) (local.get $a) (local.get $c)))
    (local.set $b (select (i32.const 17) (i32.mul (local.get $b) (i32.const 3)) (local.get $c)))
    (local.get $a) (local.get $b) (select (local.get $a) (i32.add (local.get $b) (i32.const 1)) (local.get $c)))
  (func (export "search") (param $n i32) (param $x i32) (result i32) (local $low i32) (local $mid i32) (local $less i32)
    (loop $next
      (local.set $mid (i32.shr_u (i32.add (local.get $low) (local.get $n)) (i32.const 1)))
      (local.set $less (i32.lt_u (i32.mul (local.get $mid) (local.get $mid)) (local.get $x)))
      (local.set $low (select (i32.add (local.get $mid) (i32.const 1)) (local.get $low) (local.get $less)))
      (local.set $n (select (local.get $n) (local.get $mid) (local.get $less)))
      (br_if $next (i32.lt_u (local.get $low) (local.get $n))))
    (local.get $low)))`;

if (hasEmulator()) {
  emulateCode();
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
      ...ints.flatMap((a) => [call("swap", a), call("notSwap", a), call("swapRotated", a), call("swap64", BigInt(a) * 0x123456789abcdn), call("fields", a, BigInt(a) * 0x100000003n), call("halves", BigInt(a) * 0x3n, a & 0xff)]),
      ...ints.flatMap((a) => [0, 1, 4, 22, 23, 31, 32, 60, 63, 64].map((n) => call("bitOf", a, n))), ...[0, 1, 2, 4, 23, 32, 55].map((n) => call("bitOf", n, 64 - n)),
      ...ints.flatMap((a) => ints.map((b) => call("multiply", a, b, BigInt(a) * 0x100000001n, BigInt(b) * 0x10000f001n))),
    ]);
  });
  test("conditions joined, added, and wanted by several", async () => {
    const bits = (x: number) => new BigUint64Array(new Float64Array([x]).buffer)[0]!;
    const tuples = [[0, 0, 0, 1, 2], [1, 2, 5, 2, 1], [7, -31, -1, 0, 0], [12, -32, 12, NaN, 1], [-1, 8, 0x123456789, 1, NaN], [-5, -5, -5, -0, 0], [8, 7, 8, -3, -3], [-0x80000000, 0x7fffffff, -0x80000000, Infinity, 1e300]] as const;
    check(await toBytes(conditional), [
      ...[...conditions.keys()].flatMap((i) => tuples.map(([a, b, x, f, g]) => call(`c${i}`, a, b, x, bits(f), bits(g)))),
      ...tuples.map(([a, b, x, f, g]) => call("several", a, b, x, bits(f), bits(g))),
      ...[1, 2, 3, 4, 17, 100].map((x) => call("search", 16, x)),
    ]);
  });
} else {
  testWithout(test, "loops, emulated", "qemu-aarch64 (qemu-user)");
}

test.run();
