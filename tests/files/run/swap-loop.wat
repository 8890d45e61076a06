;; Values that change places round a loop: parallel moves with cycles.
;; test: run
;; test: compile
;; run: rotate(i32 0, i32 1, i32 2, i32 3) == i32 123
;; run: rotate(i32 1, i32 1, i32 2, i32 3) == i32 231
;; run: rotate(i32 5, i32 1, i32 2, i32 3) == i32 312
;; run: fib(i32 40) == i64 102334155
(module
  (func (export "rotate") (param $n i32) (param $a i32) (param $b i32) (param $c i32) (result i32)
    (local $t i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $t (local.get $a))
        (local.set $a (local.get $b))
        (local.set $b (local.get $c))
        (local.set $c (local.get $t))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (i32.add (i32.mul (local.get $a) (i32.const 100)) (i32.add (i32.mul (local.get $b) (i32.const 10)) (local.get $c))))
  (func (export "fib") (param $n i32) (result i64)
    (local $a i64) (local $b i64) (local $t i64)
    (local.set $b (i64.const 1))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $t (i64.add (local.get $a) (local.get $b)))
        (local.set $a (local.get $b))
        (local.set $b (local.get $t))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $a)))
