import type { Random } from "./Random.ts"

const dayMillis = 86_400_000
const first = Date.UTC(1990, 0, 1) / dayMillis
const last = Date.UTC(2026, 0, 1) / dayMillis
const days = Array.from({ length: last - first }, (_, i) =>
  new Date((first + i) * dayMillis).toISOString().slice(0, 10)
)

/** A day from 1990 to 2025, like `2024-03-05`; there are far more recent ones than old ones. */
export const dayOf = (random: Random): string => days[days.length - 1 - random.skewed(days.length)]!
