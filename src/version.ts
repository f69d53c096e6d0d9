/** The version of this library, as its package says. */
export const version = "0.1.0"
