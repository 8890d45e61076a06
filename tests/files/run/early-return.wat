;; Base cases that return before the prologue, with arguments on their way into saved registers: read in other orders, overwritten
;; by results that are computed from other arguments, more of them than registers.
;; test: run
;; run: fib(i32 15) == i32 610
;; run: tak(i32 10, i32 6, i32 2) == i32 3
;; run: swap(i32 0, i32 7, i32 9) == i32 9, i32 7
;; run: swap(i32 3, i32 7, i32 9) == i32 30, i32 -16
;; run: difference(i32 0, i32 3, i32 20) == i32 -37
;; run: difference(i32 2, i32 3, i32 20) == i32 -106
;; run: inverse(i32 5, i32 40) == i32 40
;; run: inverse(i32 50, i32 40) == i32 130
;; run: floats(i32 0, f64 1.5, f64 2.5) == f64 -1
;; run: floats(i32 2, f64 1.5, f64 2.5) == f64 -0.5
;; run: sum9(i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8) == i32 -34
;; run: sum9(i32 2, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8) == i32 -102
(module
  (func $fib (export "fib") (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 2)) (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (func $tak (export "tak") (param $x i32) (param $y i32) (param $z i32) (result i32)
    (if (result i32) (i32.ge_s (local.get $y) (local.get $x)) (then (local.get $z))
      (else (call $tak
        (call $tak (i32.sub (local.get $x) (i32.const 1)) (local.get $y) (local.get $z))
        (call $tak (i32.sub (local.get $y) (i32.const 1)) (local.get $z) (local.get $x))
        (call $tak (i32.sub (local.get $z) (i32.const 1)) (local.get $x) (local.get $y))))))
  (func $swap (export "swap") (param $n i32) (param $a i32) (param $b i32) (result i32 i32)
    (local $x i32) (local $y i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $b) (local.get $a))))
    (call $swap (i32.sub (local.get $n) (i32.const 1)) (local.get $b) (local.get $a))
    (local.set $y) (local.set $x)
    (i32.add (local.get $x) (local.get $a)) (i32.sub (local.get $y) (local.get $b)))
  (func $difference (export "difference") (param $n i32) (param $a i32) (param $b i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.sub (local.get $a) (i32.mul (i32.const 2) (local.get $b))))))
    (i32.sub (i32.add (call $difference (i32.sub (local.get $n) (i32.const 1)) (local.get $a) (local.get $b)) (i32.mul (local.get $a) (i32.const -11))) (local.get $n)))
  (func $inverse (export "inverse") (param $a i32) (param $b i32) (result i32)
    (if (i32.lt_u (local.get $a) (local.get $b)) (then (return (local.get $b))))
    (i32.add (i32.add (call $inverse (i32.sub (local.get $a) (i32.const 20)) (local.get $b)) (local.get $a)) (local.get $b)))
  (func $floats (export "floats") (param $n i32) (param $a f64) (param $b f64) (result f64)
    (if (i32.eqz (local.get $n)) (then (return (f64.sub (local.get $a) (local.get $b)))))
    (f64.add (call $floats (i32.sub (local.get $n) (i32.const 2)) (local.get $a) (local.get $b)) (f64.div (f64.sub (local.get $b) (local.get $a)) (f64.convert_i32_s (local.get $n)))))
  (func $sum9 (export "sum9") (param $n i32) (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $s i32)
    (local.set $s (i32.sub (i32.sub (i32.sub (local.get 1) (local.get 8)) (i32.add (local.get 7) (local.get 6))) (i32.add (local.get 5) (i32.add (local.get 4) (i32.add (local.get 3) (local.get 2))))))
    (if (i32.eqz (local.get $n)) (then (return (local.get $s))))
    (i32.add (local.get $s) (call $sum9 (i32.sub (local.get $n) (i32.const 1)) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8)))))
