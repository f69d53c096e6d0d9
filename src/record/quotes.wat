;; The index of quotes that block.ts uses, as wat2wasm compiles it.
(module
  (memory (export "memory") 1)
  (global $count (export "count") (mut i32) (i32.const 0))
  (global $lines (export "lines") (mut i32) (i32.const 0))
  (global $any (export "any") (mut i32) (i32.const 0))
  ;; bytes from 0 to $end; positions of quotes to $quotes; 16 bits for 16 bytes that are not ASCII to $high
  (func (export "scan") (param $end i32) (param $quotes i32) (param $high i32)
    (local $p i32) (local $out i32) (local $v v128) (local $mask i32) (local $any i32) (local $lines i32)
    (local.set $out (local.get $quotes))
    (block $done
      (loop $vectors
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $v (v128.load (local.get $p)))
        (local.set $mask (i8x16.bitmask (local.get $v)))
        (i32.store16 (local.get $high) (local.get $mask))
        (local.set $high (i32.add (local.get $high) (i32.const 2)))
        (local.set $any (i32.or (local.get $any) (local.get $mask)))
        (local.set $lines (i32.add (local.get $lines)
          (i32.popcnt (i8x16.bitmask (i8x16.eq (local.get $v) (i8x16.splat (i32.const 10)))))))
        (local.set $mask (i8x16.bitmask (i8x16.eq (local.get $v) (i8x16.splat (i32.const 34)))))
        (block $next
          (loop $bits
            (br_if $next (i32.eqz (local.get $mask)))
            (i32.store (local.get $out) (i32.add (local.get $p) (i32.ctz (local.get $mask))))
            (local.set $out (i32.add (local.get $out) (i32.const 4)))
            (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
            (br $bits)))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (br $vectors)))
    (global.set $any (local.get $any))
    (global.set $lines (local.get $lines))
    (global.set $count (i32.shr_u (i32.sub (local.get $out) (local.get $quotes)) (i32.const 2)))))
