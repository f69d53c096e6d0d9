/** Tokens that an org gave out beside its own, and tokens that are valid no more. */

const bearer = /^(?:Bearer|OAuth) (.+)$/i

/** The token of an `Authorization` header. */
export const tokenOf = (authorization = ""): string | undefined => bearer.exec(authorization)?.[1]

export class Sessions {
  private readonly issued = new Set<string>()
  private readonly expired = new Set<string>()

  issue(token: string): void {
    this.issued.add(token)
  }

  expire(token: string): void {
    this.expired.add(token)
  }

  isExpired(token: string): boolean {
    return this.expired.has(token)
  }

  isIssued(token: string): boolean {
    return this.issued.has(token)
  }
}
