;; An indirect call that fills every integer argument register, some with the same value, while further values live across it: the
;; allocator of O0 once found no register for the function reference.
;; test: compile
;; test: run
;; run: run(i32 1, i32 2, i32 3, i32 4, i32 5) == i32 57
(module
  (type $t (func (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (table 1 funcref)
  (elem (i32.const 0) $sum)
  (func $sum (type $t)
    (i32.add
      (i32.add (i32.add (local.get 0) (local.get 1)) (i32.add (local.get 2) (local.get 3)))
      (i32.add (i32.add (local.get 4) (local.get 5)) (i32.add (local.get 6) (local.get 7)))))
  (func (export "run") (param $a i32) (param $b i32) (param $c i32) (param $d i32) (param $e i32) (result i32)
    (local $p i32) (local $q i32)
    (block $done
      (br_if $done (i32.eqz (local.get $a)))
      (loop $again
        (local.set $p (i32.add (local.get $a) (local.get $b)))
        (local.set $q
          (call_indirect (type $t)
            (local.get $a) (local.get $p) (local.get $b) (local.get $c) (local.get $b) (local.get $c) (local.get $d) (local.get $e)
            (i32.const 0)))
        (local.set $q
          (i32.add (local.get $q)
            (call_indirect (type $t)
              (local.get $p) (local.get $b) (local.get $c) (local.get $c) (local.get $d) (local.get $d) (local.get $e) (local.get $e)
              (i32.sub (local.get $p) (local.get $p)))))
        (br_if $again (i32.lt_s (local.get $q) (local.get $a)))))
    (i32.add (i32.add (local.get $q) (local.get $p)) (i32.sub (local.get $e) (i32.add (local.get $a) (local.get $b))))))
