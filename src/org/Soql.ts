/** SOQL to SQL over the tables of the store. */
import * as Result from "effect/Result"
import type { Field } from "./Describe.ts"
import * as ids from "./ids.ts"
import { dateTime, time } from "./Rules.ts"
import type { Value } from "./Store.ts"
import { type Days, dateFunctions, daysOf } from "./soqlDates.ts"
import {
  type Comparison,
  type Condition,
  errorAt,
  type Literal,
  type Operand,
  type Order,
  parse,
  type Query,
  type SoqlCode,
  SoqlError,
  type SubQuery
} from "./soqlParser.ts"
import { type Column, type Objects, Scope, type Shared } from "./soqlScope.ts"

export { SoqlError } from "./soqlParser.ts"
export type { Objects } from "./soqlScope.ts"

/** How a query is compiled. */
export interface Options {
  /** Whether it sees records in the recycle bin too. */
  readonly deleted: boolean
  /** The time that date literals are relative to, in epoch milliseconds. */
  readonly now: number
  /** Whether it may say what REST takes and Bulk does not: `COUNT()` and OFFSET. */
  readonly rest?: boolean
}

/** A query that can run. */
export interface Compiled {
  readonly object: string
  /**
   * The fields of its rows, in order. Their names are the header: of a field
   * of a parent, the path to it, such as `Owner.Name`.
   */
  readonly fields: ReadonlyArray<Field>
  /** Whether it asks for `COUNT()` alone: the one cell of its one row. */
  readonly count: boolean
  readonly sql: string
  readonly parameters: ReadonlyArray<Value>
}

const maxOffset = 2000
// what SQLite takes at most: columns, or terms to order by; parameters; and the length of a pattern
const maxColumns = 2_000
const maxParameters = 32_766
const maxPattern = 40_000

class Compiler {
  readonly parameters: Array<Value> = []
  private readonly shared: Shared
  private readonly options: Options

  constructor(text: string, objects: Objects, options: Options) {
    this.shared = { text, objects, rest: options.rest === true, tables: 0 }
    this.options = options
  }

  query(query: Query): Compiled {
    const scope = new Scope(this.shared, query.object)
    const columns = this.selected(scope, query)
    const where = this.conditions(scope, query.where)
    const order = query.orderBy.map((each) => this.order(scope, each))
    if (Math.max(columns.length, order.length) > maxColumns || this.parameters.length > maxParameters) {
      throw new SoqlError({
        code: "QUERY_TOO_COMPLICATED",
        message: "Query is either selecting too many fields or the filter conditions are too complicated."
      })
    }
    const limit = this.limit(query)
    const from = [`FROM "${scope.object.name}" AS ${scope.table}`, ...scope.joins, ...where].join(" ")
    // never that of an index, in which a record whose key changes meanwhile would come twice, or not at all
    const orderBy = ` ORDER BY ${order.length === 0 ? `${scope.table}.rowid` : order.join(", ")}`
    const sql = query.count
      ? `SELECT count(*) FROM (SELECT 1 ${from}${limit})`
      : `SELECT ${columns.map((column) => column.sql).join(", ")} ${from}${orderBy}${limit}`
    return {
      object: scope.object.name,
      fields: columns.map(({ field, path }) => (path === field.name ? field : { ...field, name: path })),
      count: query.count,
      sql,
      parameters: this.parameters
    }
  }

  private selected(scope: Scope, query: Query): ReadonlyArray<Column> {
    const columns = new Map<string, Column>()
    for (const name of query.fields) {
      const column = scope.column(name)
      if (columns.has(column.path)) throw this.error(name, `duplicate field selected: ${column.path}`)
      columns.set(column.path, column)
    }
    return Array.from(columns.values())
  }

  private conditions(scope: Scope, where: Condition | undefined): ReadonlyArray<string> {
    const conditions = [
      ...(this.options.deleted ? [] : [`${scope.table}."IsDeleted" = 0`]),
      ...(where === undefined ? [] : [this.where(scope, where, { negated: false, top: true })])
    ]
    return conditions.length === 0 ? [] : [`WHERE ${conditions.join(" AND ")}`]
  }

  private limit({ limit, offset }: Query): string {
    if (offset !== undefined && offset > maxOffset) {
      throw new SoqlError({ code: "MALFORMED_QUERY", message: `Maximum SOQL offset allowed is ${maxOffset}` })
    }
    if (limit === undefined && offset === undefined) return ""
    return ` LIMIT ${limit ?? -1}${offset === undefined ? "" : ` OFFSET ${offset}`}`
  }

  /**
   * SOQL knows two truth values only: a comparison with null is false, and its
   * NOT is true. Where there is no NOT around, SQL's third one does no harm,
   * and leaves indexes in use.
   */
  private where(
    scope: Scope,
    condition: Condition,
    context: { readonly negated: boolean; readonly top: boolean }
  ): string {
    const { negated } = context
    const twoValued = (sql: string) => (negated ? `ifnull(${sql}, 0)` : sql)
    switch (condition._tag) {
      case "And":
        return balanced(
          condition.conditions.map((each) => this.where(scope, each, context)),
          "AND"
        )
      case "Or":
        return balanced(
          condition.conditions.map((each) => this.where(scope, each, { negated, top: false })),
          "OR"
        )
      case "Not":
        return `NOT ${this.where(scope, condition.condition, { ...context, negated: true })}`
      case "In": {
        const column = this.operand(scope, condition.field)
        const isDay = (value: Literal) => value.type === "dateLiteral"
        const days = condition.values.filter(isDay)
        const values = condition.values.filter((value) => !isDay(value)).map((value) => this.value(column, value))
        // one parameter, however long the list
        this.parameters.push(JSON.stringify(values.filter((value) => value !== null)))
        const listed = `${column.sql} IN (SELECT value FROM json_each(?))`
        const isNull = values.includes(null) ? [`${column.sql} IS NULL`] : []
        const ranges = days.map((value) => this.days(column, "=", value))
        return twoValued(balanced([listed, ...isNull, ...ranges], "OR"))
      }
      case "InQuery":
        if (!context.top) {
          throw this.error(condition.field, "Semi join sub-selects are not allowed with the 'OR' operator")
        }
        return twoValued(this.semiJoin(scope, condition.field, condition.query))
      case "Includes":
        return twoValued(this.includes(scope, condition))
      case "Compare": {
        const { operator, value } = condition
        const column = this.operand(scope, condition.field)
        if (value.type === "dateLiteral") {
          const within = this.days(column, operator === "!=" ? "=" : operator, value)
          return operator === "!=" ? `NOT ifnull(${within}, 0)` : twoValued(within)
        }
        if (operator === "=" || operator === "!=") {
          const parameter = this.parameter(column, value)
          if (operator === "!=") return `(${column.sql} IS NOT ${parameter})`
          return this.parameters.at(-1) === null || negated
            ? `(${column.sql} IS ${parameter})`
            : `(${column.sql} = ${parameter})`
        }
        if (operator === "LIKE") return twoValued(this.like(column, value))
        if (kindOf(column.field) === "boolean") throw this.wrongOperator(column, value, operator)
        return twoValued(`${column.sql} ${operator} ${this.parameter(column, value)}`)
      }
    }
  }

  /** The field of a condition, through its function if it has one. */
  private operand(scope: Scope, operand: Operand): Column {
    const column = scope.column(operand)
    const { field } = column
    if (operand.function === undefined) {
      if (isLongText(field)) {
        throw this.error(operand, `field '${field.name}' can not be filtered in a query call`, "INVALID_FIELD")
      }
      return column
    }
    const name = operand.function.text.toUpperCase()
    const of = dateFunctions.get(name)
    if (of === undefined || !of.of.includes(field.type)) {
      throw this.error(operand, `${name}() does not take ${field.type} field '${field.name}'`)
    }
    return { ...column, sql: of.sql(column.sql), field: { ...field, type: of.type } }
  }

  private semiJoin(scope: Scope, left: Operand, query: SubQuery): string {
    const outer = this.operand(scope, left)
    if (kindOf(outer.field) !== "id") {
      throw this.error(
        left,
        `The left operand field in the where expression for outer query should be an id field, cannot use: '${left.text}'`
      )
    }
    const inner = new Scope(this.shared, query.object)
    if (inner.object === scope.object) {
      throw this.error(query.object, "The inner and outer selects should not be on the same object type")
    }
    const column = inner.column(query.field)
    if (kindOf(column.field) !== "id" || !column.idOf.some((name) => outer.idOf.includes(name))) {
      throw this.error(
        query.field,
        `The selected field '${query.field.text}' in the subquery and the left operand field '${left.text}' in the where expression in the outer query should point to the same object type`
      )
    }
    const where = this.conditions(inner, query.where)
    const from = [`FROM "${inner.object.name}" AS ${inner.table}`, ...inner.joins, ...where].join(" ")
    // without its nulls the list can come from the index of the lookup, which has none
    return `${outer.sql} IN (SELECT ${column.sql} ${from}${where.length === 0 ? " WHERE" : " AND"} ${column.sql} IS NOT NULL)`
  }

  private includes(scope: Scope, condition: Extract<Condition, { readonly _tag: "Includes" }>): string {
    const column = this.operand(scope, condition.field)
    if (column.field.type !== "multipicklist") {
      throw this.wrongOperator(column, condition.operator, condition.operator.text.toUpperCase())
    }
    const holds = condition.values.map((value) => {
      const text = this.value(column, value)
      if (text === null) return `${column.sql} IS NULL`
      const all = String(text)
        .split(";")
        .map((each) => {
          this.pattern(value, `%;${each.replace(/[%_\\]/g, "\\$&")};%`)
          return `(';' || ${column.sql} || ';') LIKE ? ESCAPE '\\'`
        })
      return balanced(all, "AND")
    })
    return `(${balanced(holds, "OR")})`
  }

  private order(scope: Scope, order: Order): string {
    const { field, sql } = scope.column(order.field)
    if (isLongText(field)) {
      throw this.error(order.field, `field '${field.name}' can not be sorted in a query call`, "INVALID_FIELD")
    }
    // with a plus it is not read from an index; ids stay what they are
    const plus = field.name === "Id" ? "" : "+"
    return `${plus}${sql} ${order.descending ? "DESC" : "ASC"} NULLS ${order.nulls}`
  }

  private like(column: Column, value: Literal): string {
    if (kindOf(column.field) !== "string" || value.type !== "string") throw this.wrongOperator(column, value, "LIKE")
    this.pattern(value, value.text)
    return `${column.sql} LIKE ? ESCAPE '\\'`
  }

  private pattern(value: Literal, text: string): void {
    if (text.length > maxPattern / 4) throw this.error(value, "The pattern is too long")
    this.parameters.push(text)
  }

  /** Compares with the days that a date literal stands for. */
  private days(column: Column, operator: Exclude<Comparison, "!=">, value: Literal): string {
    const kind = kindOf(column.field)
    if (operator === "LIKE") throw this.wrongOperator(column, value, operator)
    if (kind !== "date" && kind !== "datetime") throw this.wrongType(column, value)
    const days = daysOf(value.text, value.count, this.options.now)
    const bound = (side: keyof Days) => {
      this.parameters.push(kind === "date" ? days[side] : `${days[side]}T00:00:00.000Z`)
      return "?"
    }
    switch (operator) {
      case "=":
        return `(${column.sql} >= ${bound("from")} AND ${column.sql} < ${bound("to")})`
      case "<":
        return `${column.sql} < ${bound("from")}`
      case "<=":
        return `${column.sql} < ${bound("to")}`
      case ">":
        return `${column.sql} >= ${bound("to")}`
      case ">=":
        return `${column.sql} >= ${bound("from")}`
    }
  }

  private parameter(column: Column, literal: Literal): string {
    this.parameters.push(this.value(column, literal))
    return "?"
  }

  private value(column: Column, literal: Literal): Value {
    const kind = kindOf(column.field)
    if (literal.type === "null") return null
    const fits =
      literal.type === kind ||
      (kind === "id" && literal.type === "string") ||
      (kind === "datetime" && literal.type === "date")
    if (!fits) throw this.wrongType(column, literal)
    return this.converted(kind, literal)
  }

  private converted(kind: Kind, literal: Literal): Value {
    switch (kind) {
      case "boolean":
        return literal.text === "true" ? 1 : 0
      case "number":
        return Number(literal.text)
      case "datetime":
      case "date": {
        const value = dateTime(literal.text)
        if (value === undefined)
          throw this.error(literal, `invalid ${kind === "date" ? kind : "dateTime"}: ${literal.text}`)
        return kind === "date" ? value.slice(0, 10) : value
      }
      case "time": {
        const value = time(literal.text)
        if (value === undefined) throw this.error(literal, `invalid time: ${literal.text}`)
        return value
      }
      case "id": {
        if (literal.text === "") return null
        const id = ids.normalize(literal.text)
        if (id === undefined) {
          throw this.error(literal, `invalid ID field: ${literal.text}`, "INVALID_QUERY_FILTER_OPERATOR")
        }
        return id
      }
      case "string":
        // an empty text is no text
        return literal.text === "" ? null : literal.text
    }
  }

  private wrongType({ field }: Column, literal: Literal): SoqlError {
    const kind = kindOf(field)
    const quotes = kind === "string" || kind === "id" ? "should be enclosed" : "should not be enclosed"
    const type = field.type === "datetime" ? "dateTime" : kind === "id" ? "ID" : field.type
    return this.error(
      literal,
      `value of filter criterion for field '${field.name}' must be of type ${type} and ${quotes} in quotes`,
      "INVALID_FIELD"
    )
  }

  private wrongOperator({ field }: Column, where: { readonly at: number }, operator: string): SoqlError {
    return this.error(
      where,
      `invalid operator on ${field.type} field '${field.name}': ${operator}`,
      "INVALID_QUERY_FILTER_OPERATOR"
    )
  }

  private error(where: { readonly at: number }, message: string, code?: SoqlCode): SoqlError {
    return errorAt(this.shared.text, where.at, message, code)
  }
}

type Kind = "string" | "number" | "boolean" | "date" | "datetime" | "id" | "time"

const kindOf = (field: Field): Kind => {
  switch (field.type) {
    case "boolean":
    case "date":
    case "datetime":
    case "time":
    case "id":
      return field.type
    case "reference":
      return "id"
    case "int":
    case "long":
    case "double":
    case "currency":
    case "percent":
      return "number"
    default:
      return "string"
  }
}

/** Whether a text is too long to be looked for, or sorted by. */
const isLongText = (field: Field): boolean => field.type === "textarea" && field.length > 255

/** Joins conditions into a tree of little depth, which SQLite limits. */
const balanced = (conditions: ReadonlyArray<string>, operator: "AND" | "OR"): string => {
  if (conditions.length === 1) return conditions[0]!
  const half = conditions.length >> 1
  return `(${balanced(conditions.slice(0, half), operator)} ${operator} ${balanced(conditions.slice(half), operator)})`
}

/** Compiles a query, or says what is wrong with it and where. */
export const compile = (text: string, objects: Objects, options: Options): Result.Result<Compiled, SoqlError> =>
  Result.try({
    try: () => new Compiler(text, objects, options).query(parse(text, options.rest === true)),
    catch: (error) => {
      if (error instanceof SoqlError) return error
      throw error
    }
  })
