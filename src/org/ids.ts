/**
 * Record and job ids: 15 case-sensitive characters, and 3 more that carry
 * their case, so that the 18 stay apart where case is lost.
 */

// in ASCII order, so that ids made one after the other sort that way
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const suffixes = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

const checksum = (id15: string): string => {
  let suffix = ""
  for (let group = 0; group < 15; group += 5) {
    let bits = 0
    for (let i = 0; i < 5; i++) {
      const code = id15.charCodeAt(group + i)
      if (code >= 65 && code <= 90) bits |= 1 << i
    }
    suffix += suffixes[bits]
  }
  return suffix
}

// the digits from 10 to 35 are upper case
const isUpper = (digit: number): number => (digit >= 10 && digit < 36 ? 1 : 0)

// all pairs of digits, and which of the two is upper case, as bits
const pairs = Array.from({ length: 3844 }, (_, n) => `${digits[Math.floor(n / 62)]}${digits[n % 62]}`)
const uppers = Array.from({ length: 3844 }, (_, n) => isUpper(Math.floor(n / 62)) | (isUpper(n % 62) << 1))

// what the ids that are made one after the other share: all but the last five of the 15 characters
const lastFive = 62 ** 5
let shared = { keyPrefix: "", high: -1, head: "", checksum: "" }

const share = (keyPrefix: string, high: number): typeof shared => {
  let serial = ""
  for (let rest = high; serial.length < 4; rest = Math.floor(rest / 62)) serial = digits[rest % 62] + serial
  const head = `${keyPrefix}Qx0${serial}`
  return { keyPrefix, high, head, checksum: checksum(`${head}00000`).slice(0, 2) }
}

/** The `n`th id of a key prefix (three characters, such as `001`). */
export const make = (keyPrefix: string, n: number): string => {
  const high = Math.floor(n / lastFive)
  if (shared.high !== high || shared.keyPrefix !== keyPrefix) shared = share(keyPrefix, high)
  const rest = n - high * lastFive
  const lower = rest % 3844
  const upper = ((rest - lower) / 3844) % 3844
  const first = (rest - lower - upper * 3844) / 3844 ** 2
  const bits = isUpper(first) | (uppers[upper]! << 1) | (uppers[lower]! << 3)
  return shared.head + digits[first] + pairs[upper] + pairs[lower] + shared.checksum + suffixes[bits]
}

/** The 18-character form of an id of 15 or 18 characters; undefined when it is no id. */
export const normalize = (text: string): string | undefined => {
  if (!/^[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?$/.test(text)) return undefined
  const id15 = text.slice(0, 15)
  const id18 = id15 + checksum(id15)
  return text.length === 15 || text === id18 ? id18 : undefined
}

/** The 15-character form, which Salesforce writes in some messages. */
export const short = (id18: string): string => id18.slice(0, 15)

/** The number from which `make` made an id. */
export const serial = (id: string): number => {
  let n = 0
  for (let i = 6; i < 15; i++) n = n * 62 + digits.indexOf(id[i]!)
  return n
}
