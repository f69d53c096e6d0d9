import { ownText } from "../ownText.ts"

/** How many parents are counted at a time. */
const parentsKept = 20_000

/** Above this many children of one record Salesforce gets slow, and its lock is fought for. */
export const manyChildren = 10_000

/** How many records name a parent. */
export interface Children {
  readonly parent: string
  readonly children: number
}

interface Parent {
  children: number
  /** The last batch in which it was seen. */
  batch: number
}

/**
 * Counts the children of each parent, in bounded memory: those with many children
 * are always found, and their counts are at most `records / parentsKept` too low.
 */
export class Parents {
  private readonly most: number
  private parents = new Map<string, Parent>()
  /** How often a parent came again in a later batch. */
  returns = 0

  constructor(most: number = parentsKept) {
    this.most = most
  }

  child(parent: string, batch: number): void {
    const known = this.parents.get(parent)
    if (known === undefined) {
      if (this.parents.size >= this.most * 2) this.forgetSmall()
      this.parents.set(ownText(parent), { children: 1, batch })
    } else {
      known.children++
      if (known.batch !== batch) {
        known.batch = batch
        this.returns++
      }
    }
  }

  /** Those with more children than that, the largest first. */
  largerThan(children: number): ReadonlyArray<Children> {
    return Array.from(this.parents, ([parent, { children }]) => ({ parent, children }))
      .filter((each) => each.children > children)
      .sort((a, b) => b.children - a.children)
  }

  /** Takes from all what the smaller half has at most: frequent items by Misra and Gries. */
  private forgetSmall(): void {
    const counts = Array.from(this.parents.values(), ({ children }) => children).sort((a, b) => b - a)
    const least = counts[this.most]!
    for (const [parent, known] of this.parents) {
      known.children -= least
      if (known.children <= 0) this.parents.delete(parent)
    }
  }
}
