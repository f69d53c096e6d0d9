/** What cannot work whatever the org says. */
import * as Data from "effect/Data"

/**
 * Something given to this library cannot work: an option, a schema, a URL.
 * Nothing was sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidOptions extends Data.TaggedError("InvalidOptions")<{
  readonly problem: string
}> {
  override get message(): string {
    return this.problem
  }
}

export type Reason = InvalidOptions
