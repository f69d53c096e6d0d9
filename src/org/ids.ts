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

/** The `n`th id of a key prefix (three characters, such as `001`). */
export const make = (keyPrefix: string, n: number): string => {
  let serial = ""
  for (let rest = n; serial.length < 9; rest = Math.floor(rest / 62)) serial = digits[rest % 62] + serial
  const id15 = `${keyPrefix}Qx0${serial}`
  return id15 + checksum(id15)
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
