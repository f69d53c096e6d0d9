/** How many columns one function may have: longer ones are never optimised, and very long ones do not even compile. */
export const mostGenerated = 250

/** Whether code may be made of text here: not under a content security policy. */
export const canGenerate = (): boolean => {
  try {
    return new Function("return true")() === true
  } catch {
    return false
  }
}
