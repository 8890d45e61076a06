;; The sample of the guides (they also call it m.wat): sums 32-bit integers in memory, and a function that calls it.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\01\00\00\00\02\00\00\00\03\00\00\00\04\00\00\00")
  ;; Sums the integers from address p up to end.
  (func $sum (export "sum") (param $p i32) (param $end i32) (result i32)
    (local $s i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $s (i32.add (local.get $s) (i32.load (local.get $p))))
        (local.set $p (i32.add (local.get $p) (i32.const 4)))
        (br $next)))
    (local.get $s))
  (func (export "run") (param $n i32) (result i32)
    (call $sum (i32.const 0) (i32.shl (local.get $n) (i32.const 2)))))
