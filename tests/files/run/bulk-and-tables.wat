;; Overlapping copies, segments dropped, tables grown and filled.
;; test: run
;; run: overlap() == i32 0x01020303
;; run: init(i32 0, i32 4) == ()
;; run: init(i32 1, i32 4) traps out_of_bounds_memory
;; run: drop() == ()
;; run: init(i32 0, i32 0) == ()
;; run: init(i32 0, i32 1) traps out_of_bounds_memory
;; run: grow(i32 2) == i32 2
;; run: size() == i32 4
;; run: is_null(i32 3) == i32 0
;; run: is_null(i32 4) traps out_of_bounds_table
(module
  (memory 1)
  (data $d "\01\02\03\04")
  (table $t 2 10 funcref)
  (elem declare func $f)
  (func $f)
  (func (export "overlap") (result i32)
    (i32.store (i32.const 100) (i32.const 0x01020304))
    (memory.copy (i32.const 100) (i32.const 101) (i32.const 1))
    (i32.load (i32.const 100)))
  (func (export "init") (param i32 i32) (memory.init $d (i32.const 0) (local.get 0) (local.get 1)))
  (func (export "drop") (data.drop $d))
  (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $f) (local.get 0)))
  (func (export "size") (result i32) (table.size $t))
  (func (export "is_null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0)))))
