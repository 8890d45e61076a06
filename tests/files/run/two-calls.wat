;; A value given to two calls, and the first call's result used behind the second. The allocator once made an exchange of what should
;; have been a copy.
;; test: run
;; test: compile
;; run: product(i32 4) == i32 40
(module
  (func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $g (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (table 2 funcref)
  (elem (i32.const 0) $f $g)
  (type $t (func (param i32) (result i32)))
  (func (export "product") (param i32) (result i32)
    (i32.mul (call_indirect (type $t) (local.get 0) (i32.const 0)) (call_indirect (type $t) (local.get 0) (i32.const 1)))))
