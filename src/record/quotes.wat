;; The index of quotes that block.ts uses, as wat2wasm compiles it.
(module
  (memory (export "memory") 1)
  (global $count (export "count") (mut i32) (i32.const 0))
  (global $lines (export "lines") (mut i32) (i32.const 0))
  (global $any (export "any") (mut i32) (i32.const 0))
  ;; bytes from 0 to $end, 64 at a time; positions of quotes to $quotes; 16 bits for 16 bytes that are not ASCII to $high,
  ;; if there is any
  (func (export "scan") (param $end i32) (param $quotes i32) (param $high i32)
    (local $p i32) (local $out i32) (local $next i32) (local $mask i64) (local $feed v128) (local $quote v128) (local $any v128) (local $lines v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $out (local.get $quotes))
    (local.set $feed (i8x16.splat (i32.const 10)))
    (local.set $quote (i8x16.splat (i32.const 34)))
    (block $done
      (loop $vectors
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $a (v128.load (local.get $p)))
        (local.set $b (v128.load offset=16 (local.get $p)))
        (local.set $c (v128.load offset=32 (local.get $p)))
        (local.set $d (v128.load offset=48 (local.get $p)))
        (local.set $any (v128.or (local.get $any)
          (v128.or (v128.or (local.get $a) (local.get $b)) (v128.or (local.get $c) (local.get $d)))))
        ;; a line feed is -1 in its lane
        (local.set $lines (i32x4.sub (local.get $lines) (i32x4.extadd_pairwise_i16x8_s (i16x8.extadd_pairwise_i8x16_s (i8x16.add
          (i8x16.add (i8x16.eq (local.get $a) (local.get $feed)) (i8x16.eq (local.get $b) (local.get $feed)))
          (i8x16.add (i8x16.eq (local.get $c) (local.get $feed)) (i8x16.eq (local.get $d) (local.get $feed))))))))
        (local.set $mask (i64.or
          (i64.or
            (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $quote))))
            (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $quote)))) (i64.const 16)))
          (i64.or
            (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $quote)))) (i64.const 32))
            (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $quote)))) (i64.const 48)))))
        (local.set $next (i32.add (local.get $out) (i32.shl (i32.wrap_i64 (i64.popcnt (local.get $mask))) (i32.const 2))))
        ;; ten are written whether they are there or not, which is faster than to ask; there rarely are more
        (i32.store (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=4 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=8 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=12 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=16 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=20 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=24 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=28 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=32 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (i32.store offset=36 (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
        (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
        (local.set $out (i32.add (local.get $out) (i32.const 40)))
        (block $more
          (loop $bits
            (br_if $more (i64.eqz (local.get $mask)))
            (i32.store (local.get $out) (i32.add (local.get $p) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
            (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
            (local.set $out (i32.add (local.get $out) (i32.const 4)))
            (br $bits)))
        (local.set $out (local.get $next))
        (local.set $p (i32.add (local.get $p) (i32.const 64)))
        (br $vectors)))
    (global.set $count (i32.shr_u (i32.sub (local.get $out) (local.get $quotes)) (i32.const 2)))
    (global.set $lines (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $lines)) (i32x4.extract_lane 1 (local.get $lines)))
      (i32.add (i32x4.extract_lane 2 (local.get $lines)) (i32x4.extract_lane 3 (local.get $lines)))))
    (global.set $any (i8x16.bitmask (local.get $any)))
    (if (i32.eqz (global.get $any)) (then (return)))
    (local.set $p (i32.const 0))
    (block $marked
      (loop $marks
        (br_if $marked (i32.ge_u (local.get $p) (local.get $end)))
        (i32.store16 (local.get $high) (i8x16.bitmask (v128.load (local.get $p))))
        (local.set $high (i32.add (local.get $high) (i32.const 2)))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (br $marks))))
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
