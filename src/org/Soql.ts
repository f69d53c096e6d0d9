/** SOQL to SQL over the tables of the store. */
import * as Result from "effect/Result"
import type { Field, ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import { dateTime, fieldsByName } from "./Rules.ts"
import { isStored, type Value } from "./Store.ts"
import { type Condition, errorAt, type Literal, type Name, type Order, parse, SoqlError } from "./soqlParser.ts"

export { SoqlError } from "./soqlParser.ts"

/** A query that can run. */
export interface Compiled {
  readonly object: string
  /** The fields of its rows, in order; their names are the header. */
  readonly fields: ReadonlyArray<Field>
  readonly sql: string
  readonly parameters: ReadonlyArray<Value>
}

/** The objects of an org, by their names in lower case. */
export type Objects = ReadonlyMap<string, ObjectDescribe>

const describeHint = "Please reference your WSDL or the describe call for the appropriate names."

class Compiler {
  readonly parameters: Array<Value> = []
  private readonly text: string
  private readonly object: ObjectDescribe
  private readonly fields: ReadonlyMap<string, Field>

  constructor(text: string, object: ObjectDescribe) {
    this.text = text
    this.object = object
    this.fields = fieldsByName(object)
  }

  selected(names: ReadonlyArray<Name>): ReadonlyArray<Field> {
    const seen = new Set<Field>()
    for (const name of names) {
      const field = this.field(name)
      if (seen.has(field)) throw this.error(name, `duplicate field selected: ${field.name}`)
      seen.add(field)
    }
    return Array.from(seen)
  }

  where(condition: Condition): string {
    switch (condition._tag) {
      case "And":
        return balanced(
          condition.conditions.map((each) => this.where(each)),
          "AND"
        )
      case "Or":
        return balanced(
          condition.conditions.map((each) => this.where(each)),
          "OR"
        )
      case "Not":
        return `NOT ${this.where(condition.condition)}`
      case "In": {
        const field = this.field(condition.field)
        const values = condition.values.map((value) => this.value(field, value))
        // one parameter, however long the list
        this.parameters.push(JSON.stringify(values.filter((value) => value !== null)))
        const isNull = values.includes(null) ? ` OR ${column(field)} IS NULL` : ""
        return `(ifnull(${column(field)} IN (SELECT value FROM json_each(?)), 0)${isNull})`
      }
      case "Compare": {
        const { operator, value } = condition
        const field = this.field(condition.field)
        if (operator === "=") return this.equals(field, value)
        if (operator === "!=") return `NOT ${this.equals(field, value)}`
        if (operator === "LIKE") return this.like(field, value)
        // SOQL knows two truth values only: a comparison with null is false, and its NOT is true
        return `ifnull(${column(field)} ${operator} ${this.parameter(field, value)}, 0)`
      }
    }
  }

  order(order: Order): string {
    const field = this.field(order.field)
    return `${column(field)} ${order.descending ? "DESC" : "ASC"} NULLS ${order.nulls}`
  }

  private equals(field: Field, value: Literal): string {
    return `(${column(field)} IS ${this.parameter(field, value)})`
  }

  private like(field: Field, value: Literal): string {
    if (kindOf(field) !== "string" || value.type !== "string") {
      throw this.error(value, `invalid operator on ${field.type} field '${field.name}': LIKE`)
    }
    this.parameters.push(value.text)
    return `ifnull(${column(field)} LIKE ? ESCAPE '\\', 0)`
  }

  private parameter(field: Field, literal: Literal): string {
    this.parameters.push(this.value(field, literal))
    return "?"
  }

  private value(field: Field, literal: Literal): Value {
    const kind = kindOf(field)
    if (literal.type === "null") return null
    if (literal.type !== kind) {
      const quotes = kind === "string" || kind === "id" ? "should be enclosed" : "should not be enclosed"
      if ((kind === "id" && literal.type === "string") || (kind === "datetime" && literal.type === "date")) {
        return this.converted(kind, literal)
      }
      const type = field.type === "datetime" ? "dateTime" : kind === "id" ? "ID" : field.type
      throw this.error(
        literal,
        `value of filter criterion for field '${field.name}' must be of type ${type} and ${quotes} in quotes`
      )
    }
    return this.converted(kind, literal)
  }

  private converted(kind: Kind, literal: Literal): Value {
    switch (kind) {
      case "boolean":
        return literal.text === "true" ? 1 : 0
      case "number":
        return Number(literal.text)
      case "datetime": {
        const value = dateTime(literal.text)
        if (value === undefined) throw this.error(literal, `invalid dateTime: ${literal.text}`)
        return value
      }
      case "id": {
        if (literal.text === "") return null
        const id = ids.normalize(literal.text)
        if (id === undefined) throw this.error(literal, `invalid ID field: ${literal.text}`)
        return id
      }
      case "string":
        // an empty text is no text
        return literal.text === "" ? null : literal.text
      default:
        return literal.text
    }
  }

  private field(name: Name): Field {
    const dot = name.text.indexOf(".")
    if (dot !== -1) {
      throw this.error(name, `Relationship paths are not supported by the embedded org: '${name.text}'`)
    }
    const field = this.fields.get(name.text.toLowerCase())
    if (field === undefined) {
      throw this.error(
        name,
        `No such column '${name.text}' on entity '${this.object.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. ${describeHint}`
      )
    }
    if (!isStored(field)) throw this.error(name, "Selecting compound data not supported in Bulk Query")
    return field
  }

  private error(where: { readonly at: number }, message: string): SoqlError {
    return errorAt(this.text, where.at, message)
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

/** Joins conditions into a tree of little depth, which SQLite limits. */
const balanced = (conditions: ReadonlyArray<string>, operator: "AND" | "OR"): string => {
  if (conditions.length === 1) return conditions[0]!
  const half = conditions.length >> 1
  return `(${balanced(conditions.slice(0, half), operator)} ${operator} ${balanced(conditions.slice(half), operator)})`
}

const column = (field: Field): string => `"${field.name}"`

const compileUnsafe = (text: string, objects: Objects, options: { readonly deleted: boolean }): Compiled => {
  const query = parse(text)
  const object = objects.get(query.object.text.toLowerCase())
  if (object === undefined) {
    throw errorAt(
      text,
      query.object.at,
      `sObject type '${query.object.text}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. ${describeHint}`
    )
  }
  if (!object.queryable) throw errorAt(text, query.object.at, `entity type ${object.name} does not support query`)
  const compiler = new Compiler(text, object)
  const fields = compiler.selected(query.fields)
  const conditions = [
    ...(options.deleted ? [] : [`"IsDeleted" = 0`]),
    ...(query.where === undefined ? [] : [compiler.where(query.where)])
  ]
  const sql = [
    `SELECT ${fields.map(column).join(", ")} FROM "${object.name}"`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(" AND ")}`]),
    ...(query.orderBy.length === 0
      ? []
      : [`ORDER BY ${query.orderBy.map((order) => compiler.order(order)).join(", ")}`]),
    ...(query.limit === undefined ? [] : [`LIMIT ${query.limit}`])
  ].join(" ")
  return { object: object.name, fields, sql, parameters: compiler.parameters }
}

/**
 * Compiles a query, or says what is wrong with it and where. With `deleted`
 * it sees records in the recycle bin too.
 */
export const compile = (
  text: string,
  objects: Objects,
  options: { readonly deleted: boolean }
): Result.Result<Compiled, SoqlError> =>
  Result.try({
    try: () => compileUnsafe(text, objects, options),
    catch: (error) => {
      if (error instanceof SoqlError) return error
      throw error
    }
  })
