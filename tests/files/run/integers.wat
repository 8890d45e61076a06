;; Integer corner cases in one place: wrapping, shifts beyond the width, division by constants and by variables.
;; test: run
;; test: compile
;; run: add(i32 0x7fffffff, i32 1) == i32 0x80000000
;; run: shl(i32 1, i32 33) == i32 2
;; run: rotl64(i64 1, i64 -1) == i64 0x8000000000000000
;; run: div(i32 7, i32 0) traps integer_divide_by_zero
;; run: div(i32 0x80000000, i32 -1) traps integer_overflow
;; run: rem(i32 0x80000000, i32 -1) == i32 0
;; run: div7(i32 -50) == i32 -7
;; run: udiv10(i32 -1) == i32 429496729
;; run: rem64(i64 -9223372036854775808, i64 -1) == i64 0
;; run: pair(i64 -1) == i64 -2, i32 64
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "shl") (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func (export "rotl64") (param i64 i64) (result i64) (i64.rotl (local.get 0) (local.get 1)))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "rem") (param i32 i32) (result i32) (i32.rem_s (local.get 0) (local.get 1)))
  (func (export "div7") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 7)))
  (func (export "udiv10") (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 10)))
  (func (export "rem64") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
  (func (export "pair") (param i64) (result i64 i32)
    (i64.shl (local.get 0) (i64.const 1))
    (i32.wrap_i64 (i64.popcnt (local.get 0)))))
