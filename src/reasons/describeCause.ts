/** What went wrong beneath a failure, in words. */
export const describeCause = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  // what lies beneath says more, like ECONNREFUSED beneath "fetch failed"
  if (cause.cause instanceof Error) return describeCause(cause.cause)
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined
  return cause.message === "" ? (code ?? cause.name) : cause.message
}
