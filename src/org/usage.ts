/** What an org uses of its daily allowances. */

const hour = 3_600_000
const hours = 24

/** Counts what happened within the last 24 hours, hour by hour. */
export class Rolling {
  private readonly counts = new Map<number, number>()

  add(now: number, count: number): void {
    const slot = Math.floor(now / hour)
    this.counts.set(slot, (this.counts.get(slot) ?? 0) + count)
    for (const old of this.counts.keys()) if (old <= slot - hours) this.counts.delete(old)
  }

  total(now: number): number {
    const oldest = Math.floor(now / hour) - hours
    let total = 0
    for (const [slot, count] of this.counts) if (slot > oldest) total += count
    return total
  }
}
