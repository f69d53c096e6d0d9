/** The most characters of a cell. */
export const cellCharacters = 131_072

/** The most characters of a row, over all its cells. */
export const rowCharacters = 400_000

/** The most columns of a row. */
export const columns = 5_000
