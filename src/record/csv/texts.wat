;; What copies texts for texts.ts, as wat2wasm compiles it.
;;
;; V8 compiles the builtins for strings in line: it finds out once how a text is held, where
;; charCodeAt in JavaScript asks for each character.
(module
  (import "wasm:js-string" "length" (func $length (param externref) (result i32)))
  (import "wasm:js-string" "charCodeAt" (func $charCodeAt (param externref i32) (result i32)))
  (memory (export "memory") 0)

  ;; Copies a text to $at, and gives where it ends; -1 if it is not ASCII, or if a quote, a line
  ;; break, the delimiter or # is in it. There must be 16 bytes of memory behind it.
  (func (export "copy") (param $text externref) (param $at i32) (param $delimiter i32) (result i32)
    (local $length i32) (local $i i32) (local $char i32) (local $all i32) (local $vector v128) (local $special i32)
    (local.set $length (call $length (local.get $text)))
    (if (i32.eqz (local.get $length)) (then (return (local.get $at))))

    (loop $chars
      (local.set $char (call $charCodeAt (local.get $text) (local.get $i)))
      (i32.store8 (i32.add (local.get $at) (local.get $i)) (local.get $char))
      (local.set $all (i32.or (local.get $all) (local.get $char)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $chars (i32.lt_u (local.get $i) (local.get $length))))

    (if (i32.gt_u (local.get $all) (i32.const 127)) (then (return (i32.const -1))))

    ;; what was copied is looked at 16 bytes at a time
    (loop $vectors
      (local.set $vector (v128.load (local.get $at)))
      (local.set $special
        (i8x16.bitmask
          (v128.or
            (v128.or
              (i8x16.eq (local.get $vector) (i8x16.splat (i32.const 34)))
              (i8x16.eq (local.get $vector) (i8x16.splat (i32.const 35))))
            (v128.or
              (v128.or
                (i8x16.eq (local.get $vector) (i8x16.splat (i32.const 10)))
                (i8x16.eq (local.get $vector) (i8x16.splat (i32.const 13))))
              (i8x16.eq (local.get $vector) (i8x16.splat (local.get $delimiter)))))))
      (if (i32.gt_u (local.get $length) (i32.const 16))
        (then
          (if (local.get $special) (then (return (i32.const -1))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $length (i32.sub (local.get $length) (i32.const 16)))
          (br $vectors))))

    ;; of the last 16 those count that are the text's
    (select
      (i32.const -1)
      (i32.add (local.get $at) (local.get $length))
      (i32.shl (local.get $special) (i32.sub (i32.const 32) (local.get $length))))))
