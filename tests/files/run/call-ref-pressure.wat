;; test: run
;; Eight arguments in fixed registers, four of them live in callee-saved ones behind the call, and the callee's own register:
;; the local allocator took the copied-from registers for occupied and found none.
;; run: f(i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8) == i32 46
(module
  (type $eight (func (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (table 1 funcref)
  (elem (i32.const 0) $sum)
  (func $sum (type $eight)
    (i32.add (i32.add (i32.add (local.get 0) (local.get 1)) (i32.add (local.get 2) (local.get 3)))
             (i32.add (i32.add (local.get 4) (local.get 5)) (i32.add (local.get 6) (local.get 7)))))
  (func (export "f") (type $eight)
    (i32.add
      (call_indirect (type $eight)
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i32.const 0))
      (i32.add (i32.add (local.get 0) (local.get 1)) (i32.add (local.get 2) (local.get 3))))))
