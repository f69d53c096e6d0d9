import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Connection, inOrg } from "./Connection.ts"

/** As `Connection.inOrg`, of a stream. */
export const streamInOrg = <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R | Connection> =>
  Stream.catch(self, (error) => Stream.fromEffect(inOrg(Effect.fail(error))))

/**
 * The same of what is made of a source. The failure of the source itself comes out as it
 * is: it may be that of a query in another org.
 */
export const besideSource = <A, E, R, B, E2, R2>(
  source: Stream.Stream<A, E, R>,
  use: (source: Stream.Stream<A, E, R>) => Stream.Stream<B, E | E2, R2>
): Stream.Stream<B, E | E2, R2 | Connection> =>
  Stream.suspend(() => {
    let own: unknown
    const noted = Stream.tapError(source, (error) =>
      Effect.sync(() => {
        own = error
      })
    )
    return Stream.catch(use(noted), (error) =>
      Stream.fromEffect(error === own ? Effect.fail(error) : inOrg(Effect.fail(error)))
    )
  })
