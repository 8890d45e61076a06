;; The three traps of an indirect call, in their order.
;; test: run
;; run: call(i32 0) == i32 42
;; run: call(i32 1) traps indirect_call_type_mismatch
;; run: call(i32 2) traps uninitialized_element
;; run: call(i32 3) traps undefined_element
;; run: call(i32 -1) traps undefined_element
(module
  (type $get (func (result i32)))
  (table 3 funcref)
  (elem (i32.const 0) $a $b)
  (func $a (result i32) (i32.const 42))
  (func $b (param i32))
  (func (export "call") (param i32) (result i32) (call_indirect (type $get) (local.get 0))))
