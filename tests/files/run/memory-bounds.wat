;; Accesses at the very end of a memory, over it, and with an offset that wraps 32 bits; a store that traps writes nothing.
;; test: run
;; run: load(i32 65532) == i32 0
;; run: load(i32 65533) traps out_of_bounds_memory
;; run: load(i32 -1) traps out_of_bounds_memory
;; run: far(i32 -1) traps out_of_bounds_memory
;; run: store(i32 65530, i64 -1) traps out_of_bounds_memory
;; run: load(i32 65528) == i32 0
;; run: grow(i32 1) == i32 1
;; run: load(i32 65533) == i32 0
;; run: grow(i32 65536) == i32 -1
;; run: fill(i32 131071, i32 7, i32 2) traps out_of_bounds_memory
;; run: fill(i32 131072, i32 7, i32 0) == ()
(module
  (memory 1)
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "far") (param i32) (result i32) (i32.load offset=0xffffffff (local.get 0)))
  (func (export "store") (param i32 i64) (i64.store (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2))))
