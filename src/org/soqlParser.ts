/** SOQL text to a tree in which everything knows where it stood. */
import * as Data from "effect/Data"

/** A query that is refused, worded as Salesforce does, with its place. */
export class SoqlError extends Data.TaggedError("SoqlError")<{
  readonly message: string
}> {}

/** Makes the error of a place in a query. */
export const errorAt = (text: string, offset: number, message: string): SoqlError => {
  const before = text.slice(0, offset).split("\n")
  const column = before[before.length - 1]!.length + 1
  const excerpt = text
    .slice(Math.max(0, offset - column + 1, offset - 20))
    .split("\n", 1)[0]!
    .slice(0, 60)
  const caret = " ".repeat(Math.min(column - 1, 20))
  return new SoqlError({
    message: `\n${excerpt}\n${caret}^\nERROR at Row:${before.length}:Column:${column}\n${message}`
  })
}

export interface Name {
  readonly text: string
  readonly at: number
}

export interface Literal {
  readonly type: "string" | "number" | "boolean" | "null" | "date" | "datetime"
  /** The value as text, unescaped; of a string within LIKE, the pattern with its escapes. */
  readonly text: string
  readonly at: number
}

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=" | "LIKE"

export type Condition =
  | { readonly _tag: "Compare"; readonly field: Name; readonly operator: Comparison; readonly value: Literal }
  | { readonly _tag: "In"; readonly field: Name; readonly values: ReadonlyArray<Literal> }
  | { readonly _tag: "Not"; readonly condition: Condition }
  | { readonly _tag: "And" | "Or"; readonly conditions: ReadonlyArray<Condition> }

export interface Order {
  readonly field: Name
  readonly descending: boolean
  readonly nulls: "FIRST" | "LAST"
}

export interface Query {
  readonly fields: ReadonlyArray<Name>
  readonly object: Name
  readonly where: Condition | undefined
  readonly orderBy: ReadonlyArray<Order>
  readonly limit: number | undefined
}

interface Token {
  readonly kind: "word" | "string" | "number" | "date" | "datetime" | "symbol" | "end"
  readonly text: string
  readonly at: number
}

const maxLength = 100_000
const maxDepth = 50

const tokenPattern =
  /\s*(?:(?<word>[A-Za-z_][\w.]*)|(?<string>'(?:[^'\\]|\\.)*')|(?<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))|(?<date>\d{4}-\d\d-\d\d)|(?<number>[+-]?\d+(?:\.\d+)?)|(?<symbol>!=|<>|<=|>=|[=<>(),:])|(?<end>$))/suy

const tokenize = (text: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  const pattern = new RegExp(tokenPattern)
  for (;;) {
    const from = pattern.lastIndex
    const groups = pattern.exec(text)?.groups
    if (groups === undefined) {
      const at = from + (text.slice(from).match(/^\s*/)?.[0].length ?? 0)
      const unclosed = text[at] === "'"
      throw errorAt(text, at, unclosed ? "unclosed string literal" : `unexpected token: '${text[at]}'`)
    }
    for (const kind of ["word", "string", "datetime", "date", "number", "symbol"] as const) {
      const found = groups[kind]
      if (found !== undefined) tokens.push({ kind, text: found, at: pattern.lastIndex - found.length })
    }
    if (groups.end !== undefined) {
      tokens.push({ kind: "end", text: "<EOF>", at: text.length })
      return tokens
    }
  }
}

const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" }

const unescape = (literal: string, isPattern: boolean): string =>
  literal.slice(1, -1).replace(/\\(.)/gsu, (whole, char: string) => {
    // SQL's LIKE reads the same escapes
    if (isPattern && (char === "%" || char === "_" || char === "\\")) return whole
    return escapes[char.toLowerCase()] ?? char
  })

const comparisons: Record<string, Comparison> = {
  "=": "=",
  "!=": "!=",
  "<>": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  LIKE: "LIKE"
}

const aggregates = new Set(["COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"])

class Parser {
  private readonly text: string
  private readonly tokens: ReadonlyArray<Token>
  private position = 0
  private depth = 0

  constructor(text: string) {
    this.text = text
    this.tokens = tokenize(text)
  }

  query(): Query {
    this.keyword("SELECT")
    const fields = this.list(() => this.selected())
    this.keyword("FROM")
    const object = this.objectName()
    const where = this.takes("WHERE") ? this.condition() : undefined
    const orderBy = this.takes("ORDER") ? this.orders() : []
    const limit = this.takes("LIMIT") ? this.limit() : undefined
    if (this.token.kind !== "end") throw this.unsupported() ?? this.unexpected()
    return { fields, object, where, orderBy, limit }
  }

  private selected(): Name {
    const token = this.token
    if (token.text === "(") {
      throw this.error(token, "Aggregate Relationships not supported in Bulk V2 Query with CSV content type")
    }
    if (this.word === "FROM") throw this.unexpected()
    const field = this.name()
    if (this.token.text === "(") throw this.functionCall(field)
    if (field.text.toUpperCase() === "TYPEOF") throw this.error(field, "TYPEOF is not supported in Bulk Query")
    return field
  }

  private functionCall(name: Name): SoqlError {
    const kind = aggregates.has(name.text.toUpperCase()) ? "Aggregate functions" : "Functions"
    return this.error(name, `${kind} are not supported in Bulk Query: ${name.text}()`)
  }

  private objectName(): Name {
    const object = this.name()
    if (this.token.text === ",") throw this.error(this.token, "Several objects in FROM are not supported in Bulk Query")
    return object
  }

  private condition(): Condition {
    if (++this.depth > maxDepth) throw this.error(this.token, `Conditions are nested more than ${maxDepth} deep`)
    const conditions = [this.simpleCondition()]
    const operator = this.word
    // one operator only: AND and OR side by side need parentheses
    if (operator === "AND" || operator === "OR") {
      while (this.takes(operator)) conditions.push(this.simpleCondition())
    }
    this.depth--
    if (conditions.length === 1) return conditions[0]!
    return { _tag: operator === "AND" ? "And" : "Or", conditions }
  }

  private simpleCondition(): Condition {
    if (this.takes("NOT")) {
      if (++this.depth > maxDepth) throw this.error(this.token, `Conditions are nested more than ${maxDepth} deep`)
      const condition = this.simpleCondition()
      this.depth--
      return { _tag: "Not", condition }
    }
    if (this.takes("(")) {
      const condition = this.condition()
      this.symbol(")")
      return condition
    }
    const field = this.name()
    if (this.token.text === "(") throw this.functionCall(field)
    return this.comparison(field)
  }

  private comparison(field: Name): Condition {
    const token = this.token
    if (this.takes("IN")) return { _tag: "In", field, values: this.values() }
    if (this.takes("NOT")) {
      this.keyword("IN")
      return { _tag: "Not", condition: { _tag: "In", field, values: this.values() } }
    }
    if (this.word === "INCLUDES" || this.word === "EXCLUDES") {
      throw this.error(token, `${this.word} is not supported by the embedded org`)
    }
    const operator = comparisons[token.text.toUpperCase()]
    if (operator === undefined) throw this.unexpected()
    this.position++
    return { _tag: "Compare", field, operator, value: this.literal(operator === "LIKE") }
  }

  private values(): ReadonlyArray<Literal> {
    this.symbol("(")
    if (this.word === "SELECT") throw this.error(this.token, "Semi-joins are not supported by the embedded org")
    const values = this.list(() => this.literal(false))
    this.symbol(")")
    return values
  }

  private literal(isPattern: boolean): Literal {
    const { at, kind, text } = this.token
    switch (kind) {
      case "string":
        this.position++
        return { type: "string", text: unescape(text, isPattern), at }
      case "number":
      case "date":
      case "datetime":
        this.position++
        return { type: kind, text, at }
      case "word": {
        const word = text.toLowerCase()
        if (word !== "true" && word !== "false" && word !== "null") {
          throw this.error(this.token, `Date literals and names are not supported as values: '${text}'`)
        }
        this.position++
        return { type: word === "null" ? "null" : "boolean", text: word, at }
      }
      default:
        throw text === ":" ? this.error(this.token, "Bind variables are not supported: ':'") : this.unexpected()
    }
  }

  private orders(): ReadonlyArray<Order> {
    this.keyword("BY")
    return this.list(() => {
      const field = this.name()
      if (this.token.text === "(") throw this.functionCall(field)
      const descending = this.takes("DESC") || (this.takes("ASC") && false)
      if (!this.takes("NULLS")) return { field, descending, nulls: "FIRST" }
      if (this.takes("LAST")) return { field, descending, nulls: "LAST" }
      this.keyword("FIRST")
      return { field, descending, nulls: "FIRST" }
    })
  }

  private limit(): number {
    const token = this.token
    if (token.kind !== "number" || !/^\d{1,10}$/.test(token.text)) throw this.unexpected()
    this.position++
    return Number(token.text)
  }

  private list<A>(item: () => A): ReadonlyArray<A> {
    const items = [item()]
    while (this.takes(",")) items.push(item())
    return items
  }

  private name(): Name {
    const token = this.token
    if (token.kind !== "word") throw this.unexpected()
    this.position++
    return token
  }

  private get token(): Token {
    return this.tokens[this.position]!
  }

  private get word(): string | undefined {
    return this.token.kind === "word" ? this.token.text.toUpperCase() : undefined
  }

  private takes(text: string): boolean {
    const { kind } = this.token
    if ((kind !== "word" && kind !== "symbol") || this.token.text.toUpperCase() !== text) return false
    this.position++
    return true
  }

  private keyword(word: string): void {
    if (!this.takes(word)) throw this.unexpected(`expecting ${word}`)
  }

  private symbol(symbol: string): void {
    if (!this.takes(symbol)) throw this.unexpected(`expecting '${symbol}'`)
  }

  /** What may follow in SOQL, but not here. */
  private unsupported(): SoqlError | undefined {
    const clauses = ["GROUP", "HAVING", "OFFSET", "WITH", "FOR", "USING", "ALL", "UPDATE"]
    const word = this.word
    if (word === undefined || !clauses.includes(word)) return undefined
    const clause = word === "GROUP" ? "GROUP BY" : word
    return this.error(this.token, `${clause} is not supported in Bulk Query`)
  }

  private unexpected(expecting?: string): SoqlError {
    const suffix = expecting === undefined ? "" : `, ${expecting}`
    return this.error(this.token, `unexpected token: '${this.token.text.slice(0, 60)}'${suffix}`)
  }

  private error(where: { readonly at: number }, message: string): SoqlError {
    return errorAt(this.text, where.at, message)
  }
}

/** Parses a query, or throws a `SoqlError`. */
export const parse = (text: string): Query => {
  if (text.length > maxLength) {
    throw new SoqlError({ message: `SOQL statements cannot be longer than ${maxLength} characters.` })
  }
  return new Parser(text).query()
}
