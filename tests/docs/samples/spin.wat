;; A loop without an end.
(module (func (export "spin") (loop (br 0))))
