import type { Random } from "./Random.ts"

const phrases = [
  "Called back, wants an offer by Friday.",
  'Said "not this year", ask again.',
  "Prefers e-mail;",
  "delivery to the back entrance, ring twice",
  "Großkunde seit 1998, Rabatt 3,5 %",
  "très satisfait 👍",
  "ご担当者変更のため要確認。",
  "Перезвонить после обеда",
  "=SUM(A1:A3)",
  "10\" pipe, 3' long",
  "See ticket #4711 \\ 4712",
  "VIP 🎉🎂",
  "لا يتصل يوم الجمعة",
  "tab\there"
]

/**
 * A note, as people write them: none in two of five, most of them short, some with line
 * breaks, quotes, emoji and other scripts, and one of five hundred over 2,000 characters.
 */
export const noteOf = (random: Random): string => {
  const kind = random.next()
  if (kind < 0.4) return ""
  if (kind < 0.8) return random.pick(phrases)
  let note = random.pick(phrases)
  const most = kind < 0.998 ? 1 + random.below(3) : 130
  for (let i = 0; i < most; i++) note += (random.chance(0.3) ? "\n" : " ") + random.pick(phrases)
  return note
}
