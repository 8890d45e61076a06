;; test: dump asm -O2 f
;; arch: amd64
;; check: add edi, 2
;; check-not: add edi, L
;; check: ret
;; A number that is also the position of a label was printed as that label, in instructions that are no branches.
(module
  (memory 1)
  (func (export "f") (param $p i32) (param $end i32) (result i32) (local $s i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $s (i32.add (local.get $s) (i32.load (local.get $p))))
        (local.set $p (i32.add (local.get $p) (i32.const 2)))
        (br $next)))
    (local.get $s)))
