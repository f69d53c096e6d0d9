/**
 * Copies a text to `at`, and gives where it ends; -1 if it is not ASCII, or if a quote, a
 * line break, the delimiter or `#` is in it.
 */
export type Copy = (text: string, at: number, delimiter: number) => number

/** Memory for rows, and what copies texts into it. */
export interface Texts {
  readonly bytes: Uint8Array
  readonly copy: Copy
}

/** In JavaScript. */
export const loopTexts = (size: number): Texts => {
  const bytes = new Uint8Array(size)
  return {
    bytes,
    copy: (text, at, delimiter) => {
      const isSpecial = specials[delimiter] ?? specialsOf(delimiter)
      const { length } = text
      let special = 0
      let i = 0
      // four at a time, which is a tenth faster
      for (; i + 4 <= length; i += 4) {
        const a = text.charCodeAt(i)
        const b = text.charCodeAt(i + 1)
        const c = text.charCodeAt(i + 2)
        const d = text.charCodeAt(i + 3)
        special |= isSpecial[a]! | isSpecial[b]! | isSpecial[c]! | isSpecial[d]!
        bytes[at + i] = a
        bytes[at + i + 1] = b
        bytes[at + i + 2] = c
        bytes[at + i + 3] = d
      }
      for (; i < length; i++) {
        const char = text.charCodeAt(i)
        special |= isSpecial[char]!
        bytes[at + i] = char
      }
      return special === 0 ? at + length : -1
    }
  }
}

/** Which characters are special, by their code, for each delimiter that was asked for. */
const specials: Array<Uint8Array | undefined> = new Array(128).fill(undefined)

const specialsOf = (delimiter: number): Uint8Array => {
  const isSpecial = new Uint8Array(65_536).fill(1, 128)
  for (const char of '"\r\n#') isSpecial[char.charCodeAt(0)] = 1
  isSpecial[delimiter] = 1
  specials[delimiter] = isSpecial
  return isSpecial
}

/** In WebAssembly, in two thirds of the time; `undefined` where there is none, or none that can read strings. */
export const wasmTexts = (size: number): Texts | undefined => {
  try {
    const { copy, memory } = new WebAssembly.Instance(wasmModule()).exports as unknown as {
      readonly copy: Copy
      readonly memory: WebAssembly.Memory
    }
    memory.grow(Math.ceil(size / 65_536))
    return { bytes: new Uint8Array(memory.buffer), copy }
  } catch {
    return undefined
  }
}

// texts.wat, as wat2wasm of wabt compiles it
const wasm =
  "AGFzbQEAAAABEwNgAW8Bf2ACb38Bf2ADb39/AX8CNQIOd2FzbTpqcy1zdHJpbmcGbGVuZ3RoAAAOd2FzbTpqcy1zdHJpbmcKY2hhckNvZGVBdAABAwIBAgUDAQAABxECBm1lbW9yeQIABGNvcHkAAgq/AQG8AQMEfwF7AX8gABAAIQMgA0UEQCABDwsDQCAAIAQQASEFIAEgBGogBToAACAGIAVyIQYgBEEBaiEEIAQgA0kNAAsgBkH/AEsEQEF/DwsDQCAB/QAEACEHIAdBIv0P/SMgB0Ej/Q/9I/1QIAdBCv0P/SMgB0EN/Q/9I/1QIAcgAv0P/SP9UP1Q/WQhCCADQRBLBEAgCARAQX8PCyABQRBqIQEgA0EQayEDDAELC0F/IAEgA2ogCEEgIANrdBsL"

let compiled: WebAssembly.Module | undefined

const wasmModule = (): WebAssembly.Module => {
  compiled ??= new WebAssembly.Module(
    Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0)),
    { builtins: ["js-string"] }
  )
  return compiled
}
