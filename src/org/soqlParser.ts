/** SOQL text to a tree in which everything knows where it stood. */
import * as Data from "effect/Data"
import { dateFunctions, kindOfLiteral } from "./soqlDates.ts"

/** The codes that REST gives a query that is refused; a bulk job has one for all. */
export type SoqlCode =
  | "MALFORMED_QUERY"
  | "INVALID_FIELD"
  | "INVALID_TYPE"
  | "INVALID_TYPE_FOR_OPERATION"
  | "INVALID_QUERY_FILTER_OPERATOR"
  | "QUERY_TOO_COMPLICATED"

/** A query that is refused, worded as Salesforce does, with its place. */
export class SoqlError extends Data.TaggedError("SoqlError")<{
  readonly code: SoqlCode
  readonly message: string
}> {}

/** Makes the error of a place in a query. */
export const errorAt = (
  text: string,
  offset: number,
  message: string,
  code: SoqlCode = "MALFORMED_QUERY"
): SoqlError => {
  const before = text.slice(0, offset).split("\n")
  const column = before[before.length - 1]!.length + 1
  const excerpt = text
    .slice(Math.max(0, offset - column + 1, offset - 20))
    .split("\n", 1)[0]!
    .slice(0, 60)
  const caret = " ".repeat(Math.min(column - 1, 20))
  return new SoqlError({
    code,
    message: `\n${excerpt}\n${caret}^\nERROR at Row:${before.length}:Column:${column}\n${message}`
  })
}

/** What a bulk query cannot select, in the words that were seen without a place. */
export const refusedByBulk = {
  compound: "Selecting compound data not supported in Bulk Query",
  children: "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
} as const

/** A field by its path, such as `Account.Owner.Name`. */
export interface Name {
  readonly text: string
  readonly at: number
}

/** A field in a condition, as it is or through a function. */
export interface Operand extends Name {
  readonly function: Name | undefined
}

export interface Literal {
  readonly type: "string" | "number" | "boolean" | "null" | "date" | "datetime" | "time" | "dateLiteral"
  /** The value as text, unescaped; of a string within LIKE, the pattern with its escapes. */
  readonly text: string
  /** The number of a date literal such as `LAST_N_DAYS:30`. */
  readonly count: number
  readonly at: number
}

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=" | "LIKE"

export type Condition =
  | { readonly _tag: "Compare"; readonly field: Operand; readonly operator: Comparison; readonly value: Literal }
  | { readonly _tag: "In"; readonly field: Operand; readonly values: ReadonlyArray<Literal> }
  | { readonly _tag: "InQuery"; readonly field: Operand; readonly query: SubQuery }
  | {
      readonly _tag: "Includes"
      readonly field: Operand
      readonly operator: Name
      readonly values: ReadonlyArray<Literal>
    }
  | { readonly _tag: "Not"; readonly condition: Condition }
  | { readonly _tag: "And" | "Or"; readonly conditions: ReadonlyArray<Condition> }

export interface Order {
  readonly field: Name
  readonly descending: boolean
  readonly nulls: "FIRST" | "LAST"
}

/** An object in FROM. */
export interface From extends Name {
  readonly alias: string | undefined
}

/** The right side of a semi-join. */
export interface SubQuery {
  readonly field: Name
  readonly object: From
  readonly where: Condition | undefined
}

export interface Query {
  readonly fields: ReadonlyArray<Name>
  /** Whether `COUNT()` stands in place of the fields. */
  readonly count: boolean
  readonly object: From
  readonly where: Condition | undefined
  readonly orderBy: ReadonlyArray<Order>
  readonly limit: number | undefined
  readonly offset: number | undefined
}

interface Token {
  readonly kind: "word" | "string" | "number" | "date" | "datetime" | "time" | "symbol" | "end"
  readonly text: string
  readonly at: number
}

const maxLength = 100_000
const maxDepth = 50

const tokenPattern =
  /\s*(?:(?<word>[A-Za-z_][\w.]*)|(?<string>'(?:[^'\\]|\\.)*')|(?<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))|(?<date>\d{4}-\d\d-\d\d)|(?<time>\d\d:\d\d:\d\d(?:\.\d+)?Z?)|(?<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))|(?<symbol>!=|<>|<=|>=|[=<>(),:])|(?<end>$))/suy

const tokenize = (text: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  const pattern = new RegExp(tokenPattern)
  for (;;) {
    const from = pattern.lastIndex
    const groups = pattern.exec(text)?.groups
    if (groups === undefined) {
      const at = from + text.slice(from).search(/\S|$/)
      const unclosed = text[at] === "'"
      throw errorAt(text, at, unclosed ? "unclosed string literal" : `unexpected token: '${text[at]}'`)
    }
    for (const kind of ["word", "string", "datetime", "date", "time", "number", "symbol"] as const) {
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
  literal.slice(1, -1).replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gsu, (whole, code: string | undefined, char: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
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

// what may follow an object in FROM, which are therefore no aliases
const clauses = new Set([
  "WHERE",
  "ORDER",
  "LIMIT",
  "GROUP",
  "HAVING",
  "OFFSET",
  "WITH",
  "FOR",
  "USING",
  "ALL",
  "UPDATE"
])

class Parser {
  private readonly text: string
  private readonly tokens: ReadonlyArray<Token>
  private readonly rest: boolean
  private position = 0
  private depth = 0
  private isInSubQuery = false

  constructor(text: string, rest: boolean) {
    this.text = text
    this.tokens = tokenize(text)
    this.rest = rest
  }

  query(): Query {
    this.keyword("SELECT")
    const count = this.rest && this.takesCount()
    const fields = count ? [] : this.list(() => this.selected())
    this.keyword("FROM")
    const object = this.from()
    const where = this.takes("WHERE") ? this.condition() : undefined
    const orderBy = this.takes("ORDER") ? this.orders() : []
    const limit = this.takes("LIMIT") ? this.wholeNumber() : undefined
    const offset = this.rest && this.takes("OFFSET") ? this.wholeNumber() : undefined
    if (this.token.kind !== "end") throw this.unsupported() ?? this.unexpected()
    return { fields, count, object, where, orderBy, limit, offset }
  }

  private takesCount(): boolean {
    const [word, open, close] = this.tokens.slice(this.position)
    if (word?.text.toUpperCase() !== "COUNT" || open?.text !== "(" || close?.text !== ")") return false
    this.position += 3
    return true
  }

  private selected(): Name {
    const token = this.token
    if (token.text === "(") {
      if (!this.rest) throw new SoqlError({ code: "MALFORMED_QUERY", message: refusedByBulk.children })
      throw this.error(token, "Subqueries in SELECT are not supported by the embedded org")
    }
    if (this.word === "FROM") throw this.unexpected()
    const field = this.name()
    if (this.token.text === "(") throw this.functionCall(field)
    if (field.text.toUpperCase() === "TYPEOF") throw this.error(field, `TYPEOF is not supported ${this.place}`)
    return field
  }

  private functionCall(name: Name): SoqlError {
    const kind = aggregates.has(name.text.toUpperCase()) ? "Aggregate functions" : "Functions"
    return this.error(name, `${kind} are not supported ${this.place}: ${name.text}()`)
  }

  private from(): From {
    const object = this.name()
    this.takes("AS")
    const alias = this.token.kind === "word" && !clauses.has(this.word!) ? this.name().text : undefined
    if (this.token.text === ",") {
      throw this.error(this.token, `Several objects in FROM are not supported ${this.place}`)
    }
    return { ...object, alias }
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
    return this.comparison(this.operand())
  }

  private operand(): Operand {
    const name = this.name()
    if (this.token.text !== "(") return { text: name.text, at: name.at, function: undefined }
    if (!dateFunctions.has(name.text.toUpperCase())) throw this.functionCall(name)
    this.symbol("(")
    const field = this.name()
    this.symbol(")")
    return { text: field.text, at: field.at, function: name }
  }

  private comparison(field: Operand): Condition {
    const token = this.token
    if (this.takes("IN")) return this.in(field)
    if (this.takes("NOT")) {
      this.keyword("IN")
      return { _tag: "Not", condition: this.in(field) }
    }
    if (this.takes("INCLUDES")) return { _tag: "Includes", field, operator: token, values: this.values() }
    if (this.takes("EXCLUDES")) {
      return { _tag: "Not", condition: { _tag: "Includes", field, operator: token, values: this.values() } }
    }
    const operator = comparisons[token.text.toUpperCase()]
    if (operator === undefined) throw this.unexpected()
    this.position++
    return { _tag: "Compare", field, operator, value: this.literal(operator === "LIKE") }
  }

  private in(field: Operand): Condition {
    const next = this.tokens[this.position + 1]
    if (this.token.text !== "(" || next?.kind !== "word" || next.text.toUpperCase() !== "SELECT") {
      return { _tag: "In", field, values: this.values() }
    }
    if (this.isInSubQuery) throw this.error(next, "Nesting of semi join sub-selects is not supported")
    this.symbol("(")
    this.isInSubQuery = true
    const query = this.subQuery()
    this.isInSubQuery = false
    this.symbol(")")
    return { _tag: "InQuery", field, query }
  }

  private subQuery(): SubQuery {
    this.keyword("SELECT")
    const field = this.selected()
    this.keyword("FROM")
    const object = this.from()
    const where = this.takes("WHERE") ? this.condition() : undefined
    return { field, object, where }
  }

  private values(): ReadonlyArray<Literal> {
    this.symbol("(")
    const values = this.list(() => this.literal(false))
    this.symbol(")")
    return values
  }

  private literal(isPattern: boolean): Literal {
    const { at, kind, text } = this.token
    const literal = (type: Literal["type"], text: string, count = 0): Literal => ({ type, text, count, at })
    switch (kind) {
      case "string":
        this.position++
        return literal("string", unescape(text, isPattern))
      case "number":
      case "date":
      case "datetime":
      case "time":
        this.position++
        return literal(kind, text)
      case "word": {
        const word = text.toLowerCase()
        const date = kindOfLiteral(word)
        if (date === undefined && word !== "true" && word !== "false" && word !== "null") throw this.unexpected()
        this.position++
        if (date === "plain") return literal("dateLiteral", word)
        if (date === "counted") return literal("dateLiteral", word, this.count())
        return literal(word === "null" ? "null" : "boolean", word)
      }
      default:
        throw text === ":" ? this.error(this.token, "Bind variables are not supported: ':'") : this.unexpected()
    }
  }

  /** The `:30` of a date literal. */
  private count(): number {
    this.symbol(":")
    const token = this.token
    if (token.kind !== "number" || !/^\d{1,5}$/.test(token.text)) throw this.unexpected()
    this.position++
    return Number(token.text)
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

  private wholeNumber(): number {
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
    const word = this.word
    if (word === undefined || !clauses.has(word) || word === "WHERE" || word === "ORDER" || word === "LIMIT") {
      return undefined
    }
    const clause = word === "GROUP" ? "GROUP BY" : word
    return this.error(this.token, `${clause} is not supported ${this.place}`)
  }

  private get place(): string {
    return this.rest ? "by the embedded org" : "in Bulk Query"
  }

  private unexpected(expecting?: string): SoqlError {
    const suffix = expecting === undefined ? "" : `, ${expecting}`
    return this.error(this.token, `unexpected token: '${this.token.text.slice(0, 60)}'${suffix}`)
  }

  private error(where: { readonly at: number }, message: string): SoqlError {
    return errorAt(this.text, where.at, message)
  }
}

/** Parses a query of a bulk job, or of REST, or throws a `SoqlError`. */
export const parse = (text: string, rest: boolean): Query => {
  if (text.length > maxLength) {
    throw new SoqlError({
      code: "MALFORMED_QUERY",
      message: `SOQL statements cannot be longer than ${maxLength} characters.`
    })
  }
  return new Parser(text, rest).query()
}
