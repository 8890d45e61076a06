;; test: run
;; Operands of the baseline compiler where they are hard to place: arguments that change registers in a ring, more values than registers,
;; divisions and shifts whose registers are taken, locals that change while their old value stands on the stack, results of branches that are
;; kept back, values below a block, conditions of floats.
;; run: ring(i32 1, i32 2, i32 3, i32 4) == i32 3142
;; run: ringf(f64 1, f64 2, f64 3) == f64 312
;; run: pressure(i32 3) == i32 360
;; run: pressuref(f64 2) == f64 420
;; run: divide(i32 100, i32 7) == i32 37368
;; run: divide(i32 100, i32 0) traps integer_divide_by_zero
;; run: shifts(i32 1, i32 5) == i64 7399
;; run: changing(i32 5) == i32 567
;; run: changing-deep(i32 2) == i32 78
;; run: kept(i32 0) == i32 1023
;; run: kept(i32 1) == i32 1011
;; run: below(i32 0) == i32 107
;; run: below(i32 9) == i32 116
;; run: table(i32 0) == i32 101
;; run: table(i32 1) == i32 201
;; run: table(i32 2) == i32 1301
;; run: table(i32 77) == i32 1301
;; run: unordered(f64 1, f64 1) == i32 1101
;; run: unordered(f64 1, f64 2) == i32 10
;; run: unordered(f64 nan:0x7ff8000000000000, f64 2) == i32 10
;; run: order(f32 1, f32 2) == i32 110
;; run: order(f32 2, f32 1) == i32 1
;; run: order(f32 nan:0x7fc00000, f32 1) == i32 0
;; run: many() == i32 45, i64 90, f32 1.5, f64 2.5, i32 7, i64 8, i32 9, i64 10, i32 11, i64 12
;; run: narrow(i64 0x100000005) == i32 5, i64 5
;; run: tee(i32 6) == i32 48
;; run: far(i32 -1) traps out_of_bounds_memory
;; run: far(i32 0) traps out_of_bounds_memory
;; run: swap-in-loop(i32 1, i32 2, i32 5) == i32 13
;; run: factorial(i64 10) == i64 3628800
(module
  (memory 1)
  (func $digits (param i32 i32 i32 i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 1000)) (i32.add (i32.mul (local.get 1) (i32.const 100)) (i32.add (i32.mul (local.get 2) (i32.const 10)) (local.get 3)))))
  (func $digitsf (param f64 f64 f64) (result f64)
    (f64.add (f64.mul (local.get 0) (f64.const 100)) (f64.add (f64.mul (local.get 1) (f64.const 10)) (local.get 2))))
  (func $four (param i32 i32 i32 i32) (result i32 i32 i32 i32) local.get 2 local.get 0 local.get 3 local.get 1)
  ;; Results come in registers that are the arguments' of the next call, in another order.
  (func (export "ring") (param i32 i32 i32 i32) (result i32) local.get 0 local.get 1 local.get 2 local.get 3 call $four call $digits)
  (func $three (param f64 f64 f64) (result f64 f64 f64) local.get 2 local.get 0 local.get 1)
  (func (export "ringf") (param f64 f64 f64) (result f64) local.get 0 local.get 1 local.get 2 call $three call $digitsf)
  (func (export "pressure") (param i32) (result i32)
    (local.get 0) (i32.mul (local.get 0) (i32.const 2)) (i32.mul (local.get 0) (i32.const 3)) (i32.mul (local.get 0) (i32.const 4)) (i32.mul (local.get 0) (i32.const 5))
    (i32.mul (local.get 0) (i32.const 6)) (i32.mul (local.get 0) (i32.const 7)) (i32.mul (local.get 0) (i32.const 8)) (i32.mul (local.get 0) (i32.const 9)) (i32.mul (local.get 0) (i32.const 10))
    (i32.mul (local.get 0) (i32.const 11)) (i32.mul (local.get 0) (i32.const 12)) (i32.mul (local.get 0) (i32.const 13)) (i32.mul (local.get 0) (i32.const 14)) (i32.mul (local.get 0) (i32.const 15))
    i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add)
  (func (export "pressuref") (param f64) (result f64)
    (f64.mul (local.get 0) (f64.const 1)) (f64.mul (local.get 0) (f64.const 2)) (f64.mul (local.get 0) (f64.const 3)) (f64.mul (local.get 0) (f64.const 4)) (f64.mul (local.get 0) (f64.const 5))
    (f64.mul (local.get 0) (f64.const 6)) (f64.mul (local.get 0) (f64.const 7)) (f64.mul (local.get 0) (f64.const 8)) (f64.mul (local.get 0) (f64.const 9)) (f64.mul (local.get 0) (f64.const 10))
    (f64.mul (local.get 0) (f64.const 11)) (f64.mul (local.get 0) (f64.const 12)) (f64.mul (local.get 0) (f64.const 13)) (f64.mul (local.get 0) (f64.const 14)) (f64.mul (local.get 0) (f64.const 15))
    (f64.mul (local.get 0) (f64.const 16)) (f64.mul (local.get 0) (f64.const 17)) (f64.mul (local.get 0) (f64.const 18)) (f64.mul (local.get 0) (f64.const 19)) (f64.mul (local.get 0) (f64.const 20))
    f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add f64.add)
  ;; The operands of each division are computed, so that they are in the first registers, and others are there already.
  (func (export "divide") (param i32 i32) (result i32)
    (i32.mul (i32.add (local.get 0) (i32.const 0)) (i32.const 373))
    (i32.rem_u (i32.add (local.get 0) (i32.const 50)) (i32.add (local.get 1) (i32.const 0)))
    (i32.div_s (i32.sub (i32.const 0) (local.get 0)) (i32.add (local.get 1) (i32.const 0)))
    (i32.rem_s (i32.sub (i32.const 3) (local.get 0)) (i32.sub (i32.const 0) (local.get 1)))
    (i32.div_u (i32.add (local.get 0) (i32.const 66)) (i32.add (local.get 1) (i32.const 3)))
    i32.add i32.add i32.add i32.add (i32.add (i32.const 69)))
  (func (export "shifts") (param i32 i32) (result i64)
    (i64.extend_i32_u (i32.shl (i32.add (local.get 0) (i32.const 2)) (i32.add (local.get 1) (i32.const 1))))
    (i64.rotl (i64.extend_i32_u (i32.add (local.get 0) (i32.const 2))) (i64.extend_i32_u (i32.add (local.get 1) (i32.const 6))))
    (i64.shr_s (i64.const -1000) (i64.extend_i32_u (i32.add (local.get 1) (i32.const -1))))
    (i64.extend_i32_u (i32.rotr (i32.add (local.get 0) (i32.const 63)) (i32.sub (local.get 1) (i32.const 1))))
    (i64.extend_i32_u (i32.shr_u (i32.const 0xa5200) (local.get 1)))
    i64.xor i64.add i64.add i64.add (i64.rem_s (i64.const 10007)))
  (func (export "changing") (param i32) (result i32)
    (i32.mul (local.get 0) (i32.const 100))
    local.get 0
    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
    (i32.mul (local.get 0) (i32.const 10))
    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
    local.get 0
    i32.add
    i32.add
    i32.const 5 i32.sub
    i32.add)
  ;; More entries stand for the local than are looked at one by one.
  (func (export "changing-deep") (param i32) (result i32)
    local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0
    local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0
    local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0
    local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0
    (local.set 0 (i32.const 1000))
    i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add
    i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add
    i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add
    i32.add i32.add i32.add i32.add i32.add i32.add i32.add (i32.add (i32.const 2)))
  ;; The values of the br_if lie above others of the block, which the path that goes on still needs.
  (func (export "kept") (param i32) (result i32)
    (i32.const 1000)
    (block (result i32)
      (i32.add (local.get 0) (i32.const 20))
      (i32.add (local.get 0) (i32.const 10))
      local.get 0
      br_if 0
      (i32.sub (i32.const 7))
      i32.add)
    i32.add)
  (func (export "below") (param i32) (result i32) (local $x i32)
    (i32.add (local.get 0) (i32.const 1000))
    local.get 0
    (block (result i32)
      (local.set 0 (i32.const 100))
      (br_if 0 (i32.const 7) (i32.eqz (local.tee $x (i32.load (i32.const 0)))))
      drop
      i32.const 5)
    local.get 0
    i32.add
    (if (result i32) (i32.eq (i32.const 1)) (then (i32.const 1)) (else (i32.const 2)))
    i32.const 105 i32.add
    i32.add i32.const 0 i32.add
    (local.set 0)
    (i32.sub (local.get 0) (local.get 0))
    i32.add (drop)
    (local.get 0))
  (func (export "table") (param i32) (result i32)
    (block $c (result i32)
      i32.const 1000
      (block $b (result i32)
        (block $a (result i32)
          (i32.add (local.get 0) (i32.const 1))
          (drop)
          (i32.const 1)
          local.get 0
          (br_table $a $b $c))
        (return (i32.add (i32.const 100))))
      (return (i32.add (i32.const 200))))
    (i32.add (i32.const 1300)))
  (func (export "unordered") (param f64 f64) (result i32)
    (i32.mul (f64.eq (local.get 0) (local.get 1)) (i32.const 1))
    (i32.mul (f64.ne (local.get 0) (local.get 1)) (i32.const 10))
    (select (i32.const 100) (i32.const 0) (f64.eq (local.get 0) (local.get 1)))
    (if (result i32) (i32.eqz (f64.ne (local.get 0) (local.get 1))) (then (i32.const 1000)) (else (i32.const 0)))
    i32.add i32.add i32.add)
  (func (export "order") (param f32 f32) (result i32)
    (i32.mul (f32.gt (local.get 0) (local.get 1)) (i32.const 1))
    (i32.mul (f32.lt (local.get 0) (local.get 1)) (i32.const 10))
    (block (result i32) (br_if 0 (i32.const 100) (f32.le (local.get 0) (local.get 1))) (drop) (i32.const 0))
    i32.add i32.add)
  (func $ten (result i32 i64 f32 f64 i32 i64 i32 i64 i32 i64)
    i32.const 45 i64.const 90 f32.const 1.5 f64.const 2.5 i32.const 7 i64.const 8 i32.const 9 i64.const 10 i32.const 11 i64.const 12)
  (func (export "many") (result i32 i64 f32 f64 i32 i64 i32 i64 i32 i64) call $ten)
  (func (export "narrow") (param i64) (result i32 i64)
    (i32.wrap_i64 (local.get 0))
    (i64.extend_i32_u (i32.wrap_i64 (i64.add (local.get 0) (i64.const 0)))))
  (func (export "tee") (param i32) (result i32) (local i32 i32)
    (i32.mul (local.tee 1 (i32.add (local.get 0) (i32.const 2))) (local.tee 2 (i32.sub (local.get 1) (i32.const 2)))))
  (func (export "far") (param i32) (result i32) (i32.load offset=0xfffffffc (local.get 0)))
  (func (export "swap-in-loop") (param i32 i32 i32) (result i32)
    (local.get 0) (local.get 1)
    (loop (param i32 i32) (result i32)
      (local.set 1) (local.set 0)
      (local.get 1) (i32.add (local.get 0) (local.get 1))
      (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1))))
      (i32.mul (i32.const 0))
      (i32.add)))
  (func $factorial (export "factorial") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0))
      (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $factorial (i64.sub (local.get 0) (i64.const 1))))))))
