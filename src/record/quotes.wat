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
    (global.set $count (i32.shr_u (i32.sub (local.get $out) (local.get $quotes)) (i32.const 2))))
  ;; how many rows from the one on that begins with the quote $first have all their cells quoted, none with a quote in it;
  ;; of $count quotes at $quotes, $width a row, in bytes up to $length
  (func (export "regular") (param $first i32) (param $count i32) (param $width i32) (param $delimiter i32)
    (param $length i32) (param $quotes i32) (result i32)
    (local $rows i32) (local $at i32) (local $last i32) (local $end i32)
    (local.set $at (i32.add (local.get $quotes) (i32.shl (local.get $first) (i32.const 2))))
    (local.set $count (i32.add (local.get $quotes) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $width (i32.shl (local.get $width) (i32.const 2)))
    (block $done
      (loop $row
        (local.set $last (i32.sub (i32.add (local.get $at) (local.get $width)) (i32.const 4)))
        (br_if $done (i32.ge_u (local.get $last) (local.get $count)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (block $cells
          (loop $cell
            (br_if $cells (i32.ge_u (local.get $at) (local.get $last)))
            (local.set $end (i32.load (local.get $at)))
            (br_if $done (i32.ne (i32.load offset=4 (local.get $at)) (i32.add (local.get $end) (i32.const 2))))
            (br_if $done (i32.ne (i32.load8_u offset=1 (local.get $end)) (local.get $delimiter)))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br $cell)))
        (local.set $end (i32.add (i32.load (local.get $last)) (i32.const 1)))
        (br_if $done (i32.ge_u (local.get $end) (local.get $length)))
        (if (i32.eq (i32.load8_u (local.get $end)) (i32.const 13))
          (then
            (local.set $end (i32.add (local.get $end) (i32.const 1)))
            (br_if $done (i32.ge_u (local.get $end) (local.get $length)))))
        (br_if $done (i32.ne (i32.load8_u (local.get $end)) (i32.const 10)))
        (local.set $rows (i32.add (local.get $rows) (i32.const 1)))
        (local.set $at (i32.add (local.get $last) (i32.const 4)))
        (br_if $done (i32.ge_u (local.get $at) (local.get $count)))
        ;; the next row begins where this one ends
        (br_if $row (i32.eq (i32.load (local.get $at)) (i32.add (local.get $end) (i32.const 1))))))
    (local.get $rows)))
