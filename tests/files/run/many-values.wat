;; More parameters and results than there are registers, of mixed types, in order and reversed, through a call.
;; test: run
;; test: compile
;; run: turn(i32 1, f64 2, i64 3, f32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, f64 11, f64 12, f64 13, f64 14, f64 15, f64 16, f64 17, f64 18) == f64 18, f64 17, i32 10, i32 9, i32 8, f32 4, i64 3, i32 1, f64 11
(module
  (type $t (func (param i32 f64 i64 f32 i32 i32 i32 i32 i32 i32 f64 f64 f64 f64 f64 f64 f64 f64) (result f64 f64 i32 i32 i32 f32 i64 i32 f64)))
  (func $inner (type $t)
    (local.get 17) (local.get 16) (local.get 9) (local.get 8) (local.get 7) (local.get 3) (local.get 2) (local.get 0) (local.get 10))
  (func (export "turn") (type $t)
    (call $inner
      (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8)
      (local.get 9) (local.get 10) (local.get 11) (local.get 12) (local.get 13) (local.get 14) (local.get 15) (local.get 16) (local.get 17))))
