/** A count of things, one of them as one: `1 cell`, `2 cells`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`
