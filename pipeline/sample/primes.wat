;; The sample that `npm start` compiles: a sieve over linear memory, and a sum through a function table.
(module
  (type $step (func (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 2 funcref)
  (elem (i32.const 0) $add $max)

  (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $max (param i32 i32) (result i32)
    (select (local.get 0) (local.get 1) (i32.gt_s (local.get 0) (local.get 1))))

  ;; Marks composites below n: memory[i] = 1.
  (func $sieve (param $n i32)
    (local $p i32) (local $i i32)
    (memory.fill (i32.const 0) (i32.const 0) (local.get $n))
    (local.set $p (i32.const 2))
    (block $done
      (loop $primes
        (br_if $done (i32.ge_u (i32.mul (local.get $p) (local.get $p)) (local.get $n)))
        (if (i32.eqz (i32.load8_u (local.get $p)))
          (then
            (local.set $i (i32.mul (local.get $p) (local.get $p)))
            (loop $multiples
              (if (i32.lt_u (local.get $i) (local.get $n))
                (then
                  (i32.store8 (local.get $i) (i32.const 1))
                  (local.set $i (i32.add (local.get $i) (local.get $p)))
                  (br $multiples))))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $primes))))

  ;; Folds the primes below n with the function at `how` of the table: 0 adds, 1 takes the largest.
  (func $fold (export "fold") (param $n i32) (param $how i32) (result i32)
    (local $i i32) (local $result i32)
    (call $sieve (local.get $n))
    (local.set $i (i32.const 2))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (if (i32.eqz (i32.load8_u (local.get $i)))
          (then
            (local.set $result
              (call_indirect (type $step) (local.get $result) (local.get $i) (local.get $how)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $result))
)
