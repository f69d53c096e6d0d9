/** The text, for who keeps it: one that was cut of another keeps all of that. */
export const ownText = (text: string): string => JSON.parse(JSON.stringify(text))
