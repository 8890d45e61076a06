;; dce takes away what nobody uses, and keeps what may trap.
;; test: pass unreachable-code dce
;; check: func @0
;; check-not: i32.mul
;; check: i32.div_u
;; check: return v0
(module
  (func (export "f") (param i32) (result i32)
    (drop (i32.mul (local.get 0) (local.get 0)))
    (drop (i32.div_u (i32.const 1) (local.get 0)))
    (local.get 0)))
