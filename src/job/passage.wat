;; What passage.ts counts, as wat2wasm compiles it.
(module
  (memory (export "memory") 2)
  (global $lines (export "lines") (mut i32) (i32.const 0))
  ;; 1 within quotes
  (global $quoted (export "quoted") (mut i32) (i32.const 0))
  ;; 1 behind the line feed of a row, 2 behind a carriage return behind one
  (global $before (export "before") (mut i32) (i32.const 1))

  ;; counts the rows that end from $from to $end, behind which there are zeros, and mixes blocks of 64 bytes, from the one
  ;; at 64 on, into the 16 lanes at 0; $from is in the first of them, and the last, if it is not full, is not mixed
  (func (export "pass") (param $from i32) (param $end i32)
    (local $p i32) (local $lines i32) (local $valid i64) (local $last i64)
    (local $within i64) (local $feeds i64) (local $returns i64)
    ;; what the bytes before carry over: all bits, or one
    (local $quoted i64) (local $feed i64) (local $return i64)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $w v128) (local $x v128) (local $y v128) (local $z v128)
    (local $QUOTE v128) (local $LF v128) (local $CR v128) (local $odd v128)
    (local.set $QUOTE (i8x16.splat (i32.const 34)))
    (local.set $LF (i8x16.splat (i32.const 10)))
    (local.set $CR (i8x16.splat (i32.const 13)))
    (local.set $odd (v128.const i32x4 0x9e3779b1 0x85ebca6b 0xc2b2ae35 0x27d4eb2f))
    (local.set $w (v128.load (i32.const 0)))
    (local.set $x (v128.load offset=16 (i32.const 0)))
    (local.set $y (v128.load offset=32 (i32.const 0)))
    (local.set $z (v128.load offset=48 (i32.const 0)))
    (local.set $p (i32.const 64))
    (local.set $lines (global.get $lines))
    (local.set $quoted (i64.sub (i64.const 0) (i64.extend_i32_u (global.get $quoted))))
    ;; bytes before $from were counted: those of its block
    (local.set $last (i64.extend_i32_u (i32.sub (local.get $from) (local.get $p))))
    (local.set $valid (i64.shl (i64.const -1) (local.get $last)))
    (local.set $feed (i64.shl (i64.extend_i32_u (i32.and (global.get $before) (i32.const 1))) (local.get $last)))
    (local.set $return (i64.shl (i64.extend_i32_u (i32.shr_u (global.get $before) (i32.const 1))) (local.get $last)))
    (local.set $last (i64.const 63))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $a (v128.load (local.get $p)))
        (local.set $b (v128.load offset=16 (local.get $p)))
        (local.set $c (v128.load offset=32 (local.get $p)))
        (local.set $d (v128.load offset=48 (local.get $p)))
        ;; each bit of $within says whether an odd number of quotes came up to it
        (local.set $within (i64.and (local.get $valid)
            (i64.or
              (i64.or
                (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $QUOTE))))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $QUOTE)))) (i64.const 16)))
              (i64.or
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $QUOTE)))) (i64.const 32))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $QUOTE)))) (i64.const 48))))))
        (local.set $within (i64.xor (local.get $within) (i64.shl (local.get $within) (i64.const 1))))
        (local.set $within (i64.xor (local.get $within) (i64.shl (local.get $within) (i64.const 2))))
        (local.set $within (i64.xor (local.get $within) (i64.shl (local.get $within) (i64.const 4))))
        (local.set $within (i64.xor (local.get $within) (i64.shl (local.get $within) (i64.const 8))))
        (local.set $within (i64.xor (local.get $within) (i64.shl (local.get $within) (i64.const 16))))
        (local.set $within (i64.xor (local.get $within) (i64.shl (local.get $within) (i64.const 32))))
        (local.set $within (i64.xor (local.get $within) (local.get $quoted)))
        (local.set $quoted (i64.shr_s (local.get $within) (i64.const 63)))
        (local.set $feeds (i64.and
          (i64.and (local.get $valid) (i64.xor (local.get $within) (i64.const -1)))
            (i64.or
              (i64.or
                (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $LF))))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $LF)))) (i64.const 16)))
              (i64.or
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $LF)))) (i64.const 32))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $LF)))) (i64.const 48))))))
        (local.set $feed (i64.or (local.get $feed) (i64.shl (local.get $feeds) (i64.const 1))))
        (local.set $returns (i64.and
          (i64.and (local.get $valid) (local.get $feed))
            (i64.or
              (i64.or
                (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $CR))))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $CR)))) (i64.const 16)))
              (i64.or
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $CR)))) (i64.const 32))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $CR)))) (i64.const 48))))))
        (local.set $return (i64.or (local.get $return) (i64.shl (local.get $returns) (i64.const 1))))
        ;; line feeds that end a row which is not blank
        (local.set $lines (i32.add (local.get $lines) (i32.wrap_i64 (i64.popcnt (i64.and
          (local.get $feeds)
          (i64.xor (i64.or (local.get $feed) (local.get $return)) (i64.const -1)))))))
        (if (i32.ge_u (i32.sub (local.get $end) (local.get $p)) (i32.const 64))
          (then
            (local.set $w (i32x4.mul
              (v128.xor
                (v128.or (i32x4.shl (local.get $w) (i32.const 13)) (i32x4.shr_u (local.get $w) (i32.const 19)))
                (local.get $a))
              (local.get $odd)))
            (local.set $x (i32x4.mul
              (v128.xor
                (v128.or (i32x4.shl (local.get $x) (i32.const 13)) (i32x4.shr_u (local.get $x) (i32.const 19)))
                (local.get $b))
              (local.get $odd)))
            (local.set $y (i32x4.mul
              (v128.xor
                (v128.or (i32x4.shl (local.get $y) (i32.const 13)) (i32x4.shr_u (local.get $y) (i32.const 19)))
                (local.get $c))
              (local.get $odd)))
            (local.set $z (i32x4.mul
              (v128.xor
                (v128.or (i32x4.shl (local.get $z) (i32.const 13)) (i32x4.shr_u (local.get $z) (i32.const 19)))
                (local.get $d))
              (local.get $odd))))
          (else
            (local.set $last (i64.extend_i32_u (i32.sub (i32.sub (local.get $end) (local.get $p)) (i32.const 1))))))
        (local.set $feed (i64.and (i64.shr_u (local.get $feeds) (local.get $last)) (i64.const 1)))
        (local.set $return (i64.and (i64.shr_u (local.get $returns) (local.get $last)) (i64.const 1)))
        (local.set $valid (i64.const -1))
        (local.set $p (i32.add (local.get $p) (i32.const 64)))
        (br $next)))
    (global.set $lines (local.get $lines))
    (global.set $quoted (i32.wrap_i64 (i64.and (local.get $quoted) (i64.const 1))))
    (global.set $before (i32.or
      (i32.wrap_i64 (local.get $feed))
      (i32.shl (i32.wrap_i64 (local.get $return)) (i32.const 1))))
    (v128.store (i32.const 0) (local.get $w))
    (v128.store offset=16 (i32.const 0) (local.get $x))
    (v128.store offset=32 (i32.const 0) (local.get $y))
    (v128.store offset=48 (i32.const 0) (local.get $z))))
