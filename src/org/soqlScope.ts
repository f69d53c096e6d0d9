/** The objects that a query reads: paths of field names to columns, through joins where they lead to parents. */
import type { Field, ObjectDescribe } from "./Describe.ts"
import { fieldsByName } from "./Rules.ts"
import { isStored } from "./Store.ts"
import { errorAt, type From, type Name, refusedByBulk, SoqlError } from "./soqlParser.ts"

/** The objects of an org, by their names in lower case. */
export type Objects = ReadonlyMap<string, ObjectDescribe>

/** What all scopes of a query share. */
export interface Shared {
  readonly text: string
  readonly objects: Objects
  readonly rest: boolean
  /** The tables that are named by now. */
  tables: number
}

/** Where a path leads. */
export interface Column {
  readonly sql: string
  readonly field: Field
  /** The path as its header: each name as its object has it. */
  readonly path: string
  /** What an id in it is of. */
  readonly idOf: ReadonlyArray<string>
}

interface Table {
  readonly alias: string
  readonly object: ObjectDescribe
}

/** What a relationship leads to: one table, or one for each object that it may refer to. */
interface Relationship {
  readonly name: string
  readonly tables: ReadonlyArray<Table>
}

const describeHint = "Please reference your WSDL or the describe call for the appropriate names."

const maxHops = 5
const maxTables = 55

const columnOf = (table: Table, field: Field): string => `${table.alias}."${field.name}"`

const isText = (field: Field): boolean =>
  !field.caseSensitive &&
  !/^(?:id|reference|boolean|int|long|double|currency|percent|date|datetime|time)$/.test(field.type)

/** A scope is one FROM. */
export class Scope {
  readonly object: ObjectDescribe
  readonly table: string
  readonly joins: Array<string> = []
  private readonly shared: Shared
  private readonly main: Table
  private readonly alias: string | undefined
  private readonly relationships = new Map<string, Relationship>()

  constructor(shared: Shared, from: From) {
    const { objects, text } = shared
    const object = objects.get(from.text.toLowerCase())
    if (object === undefined) {
      throw errorAt(
        text,
        from.at,
        `sObject type '${from.text}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. ${describeHint}`,
        "INVALID_TYPE"
      )
    }
    if (!object.queryable) {
      const message = `entity type ${object.name} does not support query`
      throw errorAt(text, from.at, message, "INVALID_TYPE_FOR_OPERATION")
    }
    this.shared = shared
    this.object = object
    this.alias = from.alias?.toLowerCase()
    this.main = { alias: this.newTable(), object }
    this.table = this.main.alias
  }

  /** Says what a path leads to, and joins the tables on its way. */
  column(name: Name): Column {
    const segments = name.text.split(".")
    if (segments.length > 1 && this.isMain(segments[0]!)) segments.shift()
    const last = segments.pop()!
    if (segments.length > maxHops) {
      throw this.error(name, `Relationship paths have at most ${maxHops} levels: '${name.text}'`)
    }
    let relationship: Relationship = { name: "", tables: [this.main] }
    for (const segment of segments) relationship = this.hop(relationship, segment, name)
    return this.at(relationship, last, name)
  }

  private isMain(segment: string): boolean {
    const name = segment.toLowerCase()
    if (name === this.alias) return true
    const isRelationship = this.object.fields.some((field) => field.relationshipName?.toLowerCase() === name)
    return name === this.object.name.toLowerCase() && !isRelationship
  }

  private at({ name: prefix, tables }: Relationship, last: string, name: Name): Column {
    const isPolymorphic = tables.length > 1
    if (isPolymorphic && last.toLowerCase() === "type") return this.typeOf(prefix, tables)
    const found = tables.flatMap((table) => {
      const field = fieldsByName(table.object).get(last.toLowerCase())
      return field === undefined ? [] : [{ table, field }]
    })
    const first = found[0]
    if (first === undefined) {
      const entity = isPolymorphic ? "Name" : tables[0]!.object.name
      throw this.error(
        name,
        `No such column '${last}' on entity '${entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. ${describeHint}`
      )
    }
    const { field, table } = first
    if (!isStored(field)) throw this.compound(name)
    const path = prefix === "" ? field.name : `${prefix}.${field.name}`
    const idOf = field.type === "id" ? tables.map((each) => each.object.name) : field.referenceTo
    if (found.length === 1) return { sql: columnOf(table, field), field, path, idOf }
    const columns = found.map((each) => columnOf(each.table, each.field)).join(", ")
    // an expression has no collation of its own
    return { sql: `(coalesce(${columns})${isText(field) ? " COLLATE NOCASE" : ""})`, field, path, idOf }
  }

  private compound(name: Name): SoqlError {
    return this.shared.rest
      ? this.error(name, `Compound fields are not supported by the embedded org: '${name.text}'`)
      : new SoqlError({ code: "INVALID_FIELD", message: refusedByBulk.compound })
  }

  /** The name of the object that a polymorphic relationship leads to. */
  private typeOf(prefix: string, tables: ReadonlyArray<Table>): Column {
    const cases = tables.map(({ alias, object }) => `WHEN ${alias}."Id" IS NOT NULL THEN '${object.name}'`)
    const field = fieldsByName(tables[0]!.object).get("id")!
    return {
      sql: `(CASE ${cases.join(" ")} END COLLATE NOCASE)`,
      field: { ...field, name: "Type", type: "string" },
      path: `${prefix}.Type`,
      idOf: []
    }
  }

  private hop(from: Relationship, segment: string, name: Name): Relationship {
    const key = `${from.name}.${segment}`.toLowerCase()
    const known = this.relationships.get(key)
    if (known !== undefined) return known
    const references = from.tables.flatMap((table) =>
      table.object.fields.flatMap((field) =>
        field.relationshipName?.toLowerCase() === segment.toLowerCase() ? [{ table, field }] : []
      )
    )
    const targets = new Set(
      references.flatMap(({ field }) =>
        field.referenceTo.flatMap((target) => this.shared.objects.get(target.toLowerCase()) ?? [])
      )
    )
    const first = references[0]
    if (first === undefined || targets.size === 0) {
      throw this.error(
        name,
        `Didn't understand relationship '${segment}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. ${describeHint}`
      )
    }
    const columns = references.map(({ field, table }) => columnOf(table, field))
    const id = columns.length === 1 ? columns[0]! : `coalesce(${columns.join(", ")})`
    const tables = Array.from(targets, (object) => {
      const alias = this.newTable()
      if (this.shared.tables > maxTables) {
        throw this.error(name, `A query has at most ${maxTables} child-to-parent relationships`)
      }
      this.joins.push(`LEFT JOIN "${object.name}" AS ${alias} ON ${alias}."Id" = ${id}`)
      return { alias, object }
    })
    const canonical = first.field.relationshipName!
    const relationship = { name: from.name === "" ? canonical : `${from.name}.${canonical}`, tables }
    this.relationships.set(key, relationship)
    return relationship
  }

  private newTable(): string {
    return `t${this.shared.tables++}`
  }

  private error(name: Name, message: string): SoqlError {
    return errorAt(this.shared.text, name.at, message, "INVALID_FIELD")
  }
}
