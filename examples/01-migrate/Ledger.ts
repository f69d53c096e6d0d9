import { Data, Stream } from "effect"
import type { Customer } from "./customer.ts"

type Numbered = Pick<Customer, "Number__c">

/** Customers that were read from the old CRM, and are not in the org. */
export class Unaccounted extends Data.TaggedError("Unaccounted")<{ readonly message: string }> {}

/**
 * Which customers the old CRM had, and which of them were found in the org: two bits a
 * customer, so that millions take a megabyte.
 */
export class Ledger {
  /** How many customers the old CRM had. */
  expected = 0
  /** How many of them were found in the org. */
  found = 0
  private readonly isExpected = new Bits()
  private readonly isFound = new Bits()

  /** Notes the customers that go by. */
  readonly expecting = <A extends Numbered, E, R>(customers: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.mapArray(customers, (customers) => {
      for (const { Number__c } of customers) if (this.isExpected.add(numberOf(Number__c))) this.expected++
      return customers
    })

  /** Notes customers of the org; those of other origin do not count. */
  find(customers: ReadonlyArray<Numbered>): void {
    for (const { Number__c } of customers) {
      const number = numberOf(Number__c)
      if (this.isExpected.has(number) && this.isFound.add(number)) this.found++
    }
  }

  /** What is to be said of those that were not found, if there are any. */
  get unaccounted(): Unaccounted | undefined {
    if (this.found === this.expected) return undefined
    const some: Array<string> = []
    for (let number = 0; some.length < Math.min(5, this.expected - this.found); number++) {
      if (this.isExpected.has(number) && !this.isFound.has(number)) some.push(customerNumber(number))
    }
    const missing = (this.expected - this.found).toLocaleString("en-US")
    const message = `${missing} of ${this.expected.toLocaleString("en-US")} customers are not in the org, such as ${some.join(", ")}`
    return new Unaccounted({ message })
  }
}

/** `K-00000042` is 42. */
const numberOf = (customerNumber: string): number => Number(customerNumber.slice(2))

const customerNumber = (number: number): string => `K-${String(number).padStart(8, "0")}`

/** A set of whole numbers that are not far apart. */
class Bits {
  private bytes = new Uint8Array(1024)

  has(n: number): boolean {
    return ((this.bytes[n >>> 3] ?? 0) & (1 << (n & 7))) !== 0
  }

  /** Whether it was not there before. */
  add(n: number): boolean {
    if (this.has(n)) return false
    if (n >>> 3 >= this.bytes.length) {
      const longer = new Uint8Array(2 * (n >>> 3))
      longer.set(this.bytes)
      this.bytes = longer
    }
    this.bytes[n >>> 3]! |= 1 << (n & 7)
    return true
  }
}
