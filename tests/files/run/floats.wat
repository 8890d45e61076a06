;; Floats by their bits: signed zeros, infinities, conversions at the edges.
;; test: run
;; run: min(f64 0, f64 -0) == f64 -0
;; run: max(f64 0, f64 -0) == f64 0
;; run: div(f32 1, f32 0) == f32 inf
;; run: neg(f64 nan:0x7ff8000000000000) == f64 nan:0xfff8000000000000
;; run: trunc(f64 2147483648) traps integer_overflow
;; run: trunc(f64 nan:0x7ff8000000000000) traps invalid_conversion
;; run: sat(f64 1e300) == i64 9223372036854775807
;; run: usat(f32 -1) == i32 0
;; run: nearest(f64 2.5) == f64 2
;; run: conv(i64 -1) == f64 18446744073709552000
(module
  (func (export "min") (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
  (func (export "max") (param f64 f64) (result f64) (f64.max (local.get 0) (local.get 1)))
  (func (export "div") (param f32 f32) (result f32) (f32.div (local.get 0) (local.get 1)))
  (func (export "neg") (param f64) (result f64) (f64.neg (local.get 0)))
  (func (export "trunc") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func (export "sat") (param f64) (result i64) (i64.trunc_sat_f64_s (local.get 0)))
  (func (export "usat") (param f32) (result i32) (i32.trunc_sat_f32_u (local.get 0)))
  (func (export "nearest") (param f64) (result f64) (f64.nearest (local.get 0)))
  (func (export "conv") (param i64) (result f64) (f64.convert_i64_u (local.get 0))))
