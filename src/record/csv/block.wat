;; What block.ts looks at bytes with, as wat2wasm compiles it.
(module
  (memory (export "memory") 1)
  (global $count (export "count") (mut i32) (i32.const 0))
  (global $lines (export "lines") (mut i32) (i32.const 0))
  (global $any (export "any") (mut i32) (i32.const 0))
  ;; where those of ten are, by which eight characters can be divided
  (global $powers (export "powers") (mut i32) (i32.const 0))
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
    (local.get $rows))

  ;; the decimals of a column, as numbers to $values: of rows whose quotes are those at $at and every $row bytes from there up
  ;; to $end; NaN for what has more than eight characters without its sign, or is none
  (func (export "decimals") (param $at i32) (param $end i32) (param $row i32) (param $values i32)
    (local $from i32) (local $to i32) (local $length i32) (local $negative i32) (local $point i32) (local $places i32)
    (local $digits i64) (local $mask i64)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $from (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (local.set $to (i32.load offset=4 (local.get $at)))
        (local.set $negative (i32.eq (i32.load8_u (local.get $from)) (i32.const 45)))
        (local.set $length (i32.sub (i32.sub (local.get $to) (local.get $from)) (local.get $negative)))
        (f64.store (local.get $values) (f64.const nan))
        (block $refused
          (br_if $refused (i32.gt_u (i32.sub (local.get $length) (i32.const 1)) (i32.const 7)))
          (br_if $refused (i32.lt_u (local.get $to) (i32.const 8)))
          ;; the last character is the highest byte; those before the first become zeros
          (local.set $mask (i64.shl (i64.const -1)
            (i64.extend_i32_u (i32.shl (i32.sub (i32.const 8) (local.get $length)) (i32.const 3)))))
          (local.set $digits (i64.or
            (i64.and (i64.load (i32.sub (local.get $to) (i32.const 8))) (local.get $mask))
            (i64.and (i64.const 0x3030303030303030) (i64.xor (local.get $mask) (i64.const -1)))))
          ;; where the point is, if there is one
          (local.set $mask (i64.xor (local.get $digits) (i64.const 0x2e2e2e2e2e2e2e2e)))
          (local.set $mask (i64.and
            (i64.and (i64.sub (local.get $mask) (i64.const 0x0101010101010101)) (i64.xor (local.get $mask) (i64.const -1)))
            (i64.const 0x8080808080808080)))
          (local.set $places (i32.const 0))
          (if (i64.ne (local.get $mask) (i64.const 0))
            (then
              (local.set $point (i32.shr_u (i32.wrap_i64 (i64.ctz (local.get $mask))) (i32.const 3)))
              (local.set $places (i32.sub (i32.const 7) (local.get $point)))
              ;; neither the last character nor the first
              (br_if $refused (i32.eqz (local.get $places)))
              (br_if $refused (i32.eq (local.get $point) (i32.sub (i32.const 8) (local.get $length))))
              ;; what is before it moves up to what is behind
              (local.set $mask (i64.shl (i64.const -1) (i64.extend_i32_u (i32.shl (local.get $point) (i32.const 3)))))
              (local.set $digits (i64.or
                (i64.or
                  (i64.and (local.get $digits) (i64.shl (local.get $mask) (i64.const 8)))
                  (i64.shl (i64.and (local.get $digits) (i64.xor (local.get $mask) (i64.const -1))) (i64.const 8)))
                (i64.const 0x30)))))
          (br_if $refused (i64.ne
            (i64.or
              (i64.and (local.get $digits) (i64.const 0xf0f0f0f0f0f0f0f0))
              (i64.shr_u
                (i64.and (i64.add (local.get $digits) (i64.const 0x0606060606060606)) (i64.const 0xf0f0f0f0f0f0f0f0))
                (i64.const 4)))
            (i64.const 0x3333333333333333)))
          ;; one digit becomes two, two become four, and four eight
          (local.set $digits (i64.sub (local.get $digits) (i64.const 0x3030303030303030)))
          (local.set $digits (i64.add
            (i64.mul (local.get $digits) (i64.const 10)) (i64.shr_u (local.get $digits) (i64.const 8))))
          (local.set $digits (i64.shr_u
            (i64.add
              (i64.mul (i64.and (local.get $digits) (i64.const 0x000000ff000000ff)) (i64.const 0x000f424000000064))
              (i64.mul
                (i64.and (i64.shr_u (local.get $digits) (i64.const 16)) (i64.const 0x000000ff000000ff))
                (i64.const 0x0000271000000001)))
            (i64.const 32)))
          (f64.store (local.get $values) (f64.div
            (f64.convert_i64_u (local.get $digits))
            (f64.load (i32.add (global.get $powers) (i32.shl (local.get $places) (i32.const 3))))))
          (if (local.get $negative)
            (then (f64.store (local.get $values) (f64.neg (f64.load (local.get $values)))))))
        (local.set $values (i32.add (local.get $values) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br $next))))

  ;; the same of instants, as milliseconds: see instantAt of instants.ts, which does what this does
  (func (export "instants") (param $at i32) (param $end i32) (param $row i32) (param $values i32)
    (local $from i32) (local $length i32) (local $year i32) (local $month i32) (local $date i32)
    (local $time i32) (local $second i32) (local $fraction i32) (local $wrong i32) (local $hour i32) (local $minute i32)
    (local $seconds i32) (local $years i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $from (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (local.set $length (i32.sub (i32.load offset=4 (local.get $at)) (local.get $from)))
        (f64.store (local.get $values) (f64.const nan))
        (block $refused
          (local.set $wrong (i32.const 0))
          (if (i32.eq (local.get $length) (i32.const 28))
            (then (local.set $wrong (i32.xor (i32.load offset=24 (local.get $from)) (i32.const 0x30303030))))
            (else (br_if $refused (i32.ne (local.get $length) (i32.const 24)))))
          (local.set $year (i32.xor (i32.load (local.get $from)) (i32.const 0x30303030)))
          (local.set $month (i32.xor (i32.load offset=4 (local.get $from)) (i32.const 0x2d30302d)))
          (local.set $date (i32.xor (i32.load offset=8 (local.get $from)) (i32.const 0x30543030)))
          (local.set $time (i32.xor (i32.load offset=12 (local.get $from)) (i32.const 0x30303a30)))
          (local.set $second (i32.xor (i32.load offset=16 (local.get $from)) (i32.const 0x2e30303a)))
          (local.set $fraction (i32.xor (i32.load offset=20 (local.get $from))
            (select (i32.const 0x5a303030) (i32.const 0x2b303030) (i32.eq (local.get $length) (i32.const 24)))))
          (local.set $wrong (i32.or (local.get $wrong)
            (i32.or
              (i32.or
                (i32.and (i32.or (local.get $year) (i32.add (local.get $year) (i32.const 0x06060606))) (i32.const 0xf0f0f0f0))
                (i32.and (i32.or (local.get $month) (i32.add (local.get $month) (i32.const 0x00060600))) (i32.const 0xfff0f0ff)))
              (i32.or
                (i32.or
                  (i32.and (i32.or (local.get $date) (i32.add (local.get $date) (i32.const 0x06000606))) (i32.const 0xf0fff0f0))
                  (i32.and (i32.or (local.get $time) (i32.add (local.get $time) (i32.const 0x06060006))) (i32.const 0xf0f0fff0)))
                (i32.or
                  (i32.and (i32.or (local.get $second) (i32.add (local.get $second) (i32.const 0x00060600))) (i32.const 0xfff0f0ff))
                  (i32.and (i32.or (local.get $fraction) (i32.add (local.get $fraction) (i32.const 0x00060606))) (i32.const 0xfff0f0f0)))))))
          (br_if $refused (local.get $wrong))
          (local.set $hour (i32.add (i32.mul (i32.shr_u (local.get $date) (i32.const 24)) (i32.const 10)) (i32.and (local.get $time) (i32.const 15))))
          (local.set $minute (i32.add (i32.mul (i32.and (i32.shr_u (local.get $time) (i32.const 16)) (i32.const 15)) (i32.const 10)) (i32.shr_u (local.get $time) (i32.const 24))))
          (local.set $seconds (i32.add (i32.mul (i32.and (i32.shr_u (local.get $second) (i32.const 8)) (i32.const 15)) (i32.const 10)) (i32.and (i32.shr_u (local.get $second) (i32.const 16)) (i32.const 15))))
          (br_if $refused (i32.gt_u (local.get $hour) (i32.const 23)))
          (br_if $refused (i32.gt_u (local.get $minute) (i32.const 59)))
          (br_if $refused (i32.gt_u (local.get $seconds) (i32.const 59)))
          (local.set $year (i32.add
            (i32.mul (i32.add (i32.mul (i32.and (local.get $year) (i32.const 15)) (i32.const 10)) (i32.and (i32.shr_u (local.get $year) (i32.const 8)) (i32.const 15))) (i32.const 100))
            (i32.add (i32.mul (i32.and (i32.shr_u (local.get $year) (i32.const 16)) (i32.const 15)) (i32.const 10)) (i32.shr_u (local.get $year) (i32.const 24)))))
          (local.set $month (i32.add (i32.mul (i32.and (i32.shr_u (local.get $month) (i32.const 8)) (i32.const 15)) (i32.const 10)) (i32.and (i32.shr_u (local.get $month) (i32.const 16)) (i32.const 15))))
          (local.set $date (i32.add (i32.mul (i32.and (local.get $date) (i32.const 15)) (i32.const 10)) (i32.and (i32.shr_u (local.get $date) (i32.const 8)) (i32.const 15))))
          (br_if $refused (i32.gt_u (i32.sub (local.get $month) (i32.const 1)) (i32.const 11)))
          (br_if $refused (i32.eqz (local.get $date)))
          (if (i32.gt_u (local.get $date) (i32.const 28))
            (then (br_if $refused (i32.gt_u (local.get $date)
              (if (result i32) (i32.eq (local.get $month) (i32.const 2))
                (then (i32.add (i32.const 28) (i32.and
                  (i32.eqz (i32.and (local.get $year) (i32.const 3)))
                  (i32.or
                    (i32.ne (i32.rem_u (local.get $year) (i32.const 100)) (i32.const 0))
                    (i32.eqz (i32.rem_u (local.get $year) (i32.const 400)))))))
                ;; long and short months take turns, and begin anew with August
                (else (i32.add (i32.const 30) (i32.and (i32.const 1)
                  (i32.add (local.get $month) (i32.shr_u (local.get $month) (i32.const 3)))))))))))
          (local.set $wrong (i32.lt_u (local.get $month) (i32.const 3)))
          (local.set $years (i32.add (i32.sub (local.get $year) (local.get $wrong)) (i32.const 400)))
          (local.set $month (i32.sub
            (i32.add (local.get $month) (i32.mul (local.get $wrong) (i32.const 12))) (i32.const 3)))
          (local.set $date (i32.add
            (i32.add
              (i32.mul (local.get $years) (i32.const 365))
              (i32.add
                (i32.sub (i32.div_u (local.get $years) (i32.const 4)) (i32.div_u (local.get $years) (i32.const 100)))
                (i32.div_u (local.get $years) (i32.const 400))))
            (i32.add
              (i32.div_u (i32.add (i32.mul (local.get $month) (i32.const 153)) (i32.const 2)) (i32.const 5))
              (i32.sub (local.get $date) (i32.const 865566)))))
          (local.set $seconds (i32.add
            (i32.mul (i32.add (i32.mul (local.get $hour) (i32.const 60)) (local.get $minute)) (i32.const 60))
            (local.get $seconds)))
          (f64.store (local.get $values) (f64.add
            (f64.mul (f64.convert_i32_s (local.get $date)) (f64.const 86400000))
            (f64.convert_i32_s (i32.add
              (i32.mul (local.get $seconds) (i32.const 1000))
              (i32.add
                (i32.mul (i32.and (local.get $fraction) (i32.const 15)) (i32.const 100))
                (i32.add (i32.mul (i32.and (i32.shr_u (local.get $fraction) (i32.const 8)) (i32.const 15)) (i32.const 10)) (i32.and (i32.shr_u (local.get $fraction) (i32.const 16)) (i32.const 15)))))))))
        (local.set $values (i32.add (local.get $values) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br $next))))

  ;; the same of ids of 18 characters, the last three of which are right, as 1: see isIdAt of ids.ts
  (func (export "ids") (param $at i32) (param $end i32) (param $row i32) (param $values i32)
    (local $from i32) (local $capitals i32) (local $chars v128) (local $isCapital v128)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $from (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (f64.store (local.get $values) (f64.const nan))
        (block $refused
          (br_if $refused (i32.ne (i32.sub (i32.load offset=4 (local.get $at)) (local.get $from)) (i32.const 18)))
          (local.set $chars (v128.load (local.get $from)))
          (local.set $isCapital
            (i8x16.lt_u (i8x16.sub (local.get $chars) (i8x16.splat (i32.const 65))) (i8x16.splat (i32.const 26))))
          ;; the sixteenth is the first of the last three
          (br_if $refused (i32.ne
            (i32.and
              (i8x16.bitmask (v128.or (local.get $isCapital) (v128.or
                (i8x16.lt_u (i8x16.sub (local.get $chars) (i8x16.splat (i32.const 97))) (i8x16.splat (i32.const 26)))
                (i8x16.lt_u (i8x16.sub (local.get $chars) (i8x16.splat (i32.const 48))) (i8x16.splat (i32.const 10))))))
              (i32.const 0x7fff))
            (i32.const 0x7fff)))
          (local.set $capitals (i8x16.bitmask (local.get $isCapital)))
          (br_if $refused (i32.ne (i32.load8_u offset=15 (local.get $from))
            (call $letter (i32.and (local.get $capitals) (i32.const 31)))))
          (br_if $refused (i32.ne (i32.load8_u offset=16 (local.get $from))
            (call $letter (i32.and (i32.shr_u (local.get $capitals) (i32.const 5)) (i32.const 31)))))
          (br_if $refused (i32.ne (i32.load8_u offset=17 (local.get $from))
            (call $letter (i32.and (i32.shr_u (local.get $capitals) (i32.const 10)) (i32.const 31)))))
          (f64.store (local.get $values) (f64.const 1)))
        (local.set $values (i32.add (local.get $values) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br $next))))
  ;; from A to Z, then from 0 to 5
  (func $letter (param $number i32) (result i32)
    (i32.add (local.get $number)
      (select (i32.const 65) (i32.const 22) (i32.lt_u (local.get $number) (i32.const 26)))))

  ;; the same of e-mail addresses of at most 80 characters of ASCII, as 1: see email of fieldCells.ts
  (func (export "emails") (param $at i32) (param $end i32) (param $row i32) (param $values i32)
    (local $from i32) (local $to i32) (local $p i32) (local $signs i32) (local $found i32) (local $within i32) (local $chars v128)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $from (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (local.set $to (i32.load offset=4 (local.get $at)))
        (f64.store (local.get $values) (f64.const nan))
        (block $refused
          (br_if $refused (i32.gt_u (i32.sub (i32.sub (local.get $to) (local.get $from)) (i32.const 3)) (i32.const 77)))
          (br_if $refused (i32.eq (i32.load8_u (local.get $from)) (i32.const 64)))
          (br_if $refused (i32.eq (i32.load8_u (i32.sub (local.get $to) (i32.const 1))) (i32.const 64)))
          (local.set $found (i32.const 0))
          (local.set $p (local.get $from))
          (loop $vectors
            (local.set $chars (v128.load (local.get $p)))
            ;; those that are within the cell
            (local.set $within (select
              (i32.const 0xffff)
              (i32.sub (i32.shl (i32.const 1) (i32.sub (local.get $to) (local.get $p))) (i32.const 1))
              (i32.ge_u (i32.sub (local.get $to) (local.get $p)) (i32.const 16))))
            ;; neither a blank nor what is below it, nor delete, nor beyond ASCII
            (br_if $refused (i32.and (local.get $within) (i8x16.bitmask
              (i8x16.ge_u (i8x16.sub (local.get $chars) (i8x16.splat (i32.const 33))) (i8x16.splat (i32.const 94))))))
            (local.set $signs (i32.and (local.get $within)
              (i8x16.bitmask (i8x16.eq (local.get $chars) (i8x16.splat (i32.const 64))))))
            (local.set $found (i32.add (local.get $found) (i32.popcnt (local.get $signs))))
            (local.set $p (i32.add (local.get $p) (i32.const 16)))
            (br_if $vectors (i32.lt_u (local.get $p) (local.get $to))))
          (br_if $refused (i32.ne (local.get $found) (i32.const 1)))
          (f64.store (local.get $values) (f64.const 1)))
        (local.set $values (i32.add (local.get $values) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br $next)))))
