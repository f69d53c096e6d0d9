/** Of each byte: 1 for a capital, 0 for another letter or a digit, else -1. */
const capitals = Int8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte)
  return /[A-Z]/.test(char) ? 1 : /[a-z0-9]/.test(char) ? 0 : -1
})

/** What the last three characters of an id of 18 are one of. */
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
const lastBytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0))

/** Which of the 15 characters of an id are capitals, a bit for each; below 0 if they are no id. */
export const caseAt = (bytes: Uint8Array, at: number): number => {
  let bits = 0
  for (let i = 0; i < 15; i++) bits |= capitals[bytes[at + i]!]! << i
  return bits
}

/** Whether there are 18 characters of an id, the last three of which are right. */
export const isIdAt = (bytes: Uint8Array, at: number): boolean => {
  const bits = caseAt(bytes, at)
  return (
    bits >= 0 &&
    bytes[at + 15] === lastBytes[bits & 31] &&
    bytes[at + 16] === lastBytes[(bits >> 5) & 31] &&
    bytes[at + 17] === lastBytes[bits >> 10]
  )
}

/** The last three characters of an id. */
export const lastOf = (bits: number): string =>
  letters.charAt(bits & 31) + letters.charAt((bits >> 5) & 31) + letters.charAt(bits >> 10)

const scratch = new Uint8Array(15)

/** The same of a text of letters and digits. */
export const caseOf = (id: string): number => {
  for (let i = 0; i < 15; i++) scratch[i] = id.charCodeAt(i)
  return caseAt(scratch, 0)
}
