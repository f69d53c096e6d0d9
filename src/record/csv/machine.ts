import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

/**
 * What turns inputs into outputs and keeps what is not whole yet. Both methods put
 * their outputs into `out`, and give what is wrong with the input after them.
 */
export interface Machine<In, Out, Err> {
  readonly feed: (input: In, out: Array<Out>) => Err | undefined
  readonly end: (out: Array<Out>) => Err | undefined
}

/**
 * A stream through a machine, one array for each input, which are those that arrive or
 * what `cut` makes of them. What came before a failure comes out before it, however the
 * input was cut.
 */
export const through =
  <In, Out, Err>(
    make: () => Machine<In, Out, Err>,
    cut?: (inputs: Arr.NonEmptyReadonlyArray<In>) => ReadonlyArray<In>
  ) =>
  <E, R>(self: Stream.Stream<In, E, R>): Stream.Stream<Out, E | Err, R> =>
    Stream.transformPull(self, (upstream) =>
      Effect.sync(() => {
        const machine = make()
        let inputs: ReadonlyArray<In> = []
        let next = 0
        let last: Pull.Pull<never, Err> | undefined

        const after = (out: Array<Out>, error: Err | undefined) => {
          if (error !== undefined) last = Effect.fail(error)
          return Arr.isArrayNonEmpty(out) ? Effect.succeed(out) : pull
        }
        const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Out>, E | Err> = Effect.suspend(() => {
          if (last !== undefined) return last
          for (; next < inputs.length; ) {
            const out: Array<Out> = []
            const error = machine.feed(inputs[next++] as In, out)
            if (error !== undefined || out.length > 0) return after(out, error)
          }
          return more
        })
        const more = Pull.matchEffect(upstream, {
          onSuccess: (arrived) => {
            inputs = cut === undefined ? arrived : cut(arrived)
            next = 0
            return pull
          },
          onFailure: Effect.failCause,
          onDone: () => {
            last = Cause.done()
            const out: Array<Out> = []
            return after(out, machine.end(out))
          }
        })
        return pull
      })
    )
