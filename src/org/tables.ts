/** The tables of objects, as SQL: what a field is stored as, and what makes a table of an earlier run that of today. */
import type { Field, ObjectDescribe } from "./Describe.ts"
import { formula } from "./formulas.ts"

export const identifier = (name: string): string => `"${name}"`

/**
 * The type of a column, undefined when a field has none. To SQLite only the
 * last word counts; the one before it tells apart what must not be mixed up in
 * a table that is kept.
 */
const columnType = (field: Field): string | undefined => {
  switch (field.type) {
    case "address":
    case "location":
    case "base64":
      return undefined
    case "boolean":
      return "BOOLEAN INTEGER"
    case "int":
    case "long":
      return "INTEGER"
    case "double":
    case "currency":
    case "percent":
      return "REAL"
    case "id":
    case "reference":
      return "ID TEXT"
    case "date":
      return "DATE TEXT"
    case "datetime":
      return "DATETIME TEXT"
    case "time":
      return "TIME TEXT"
    default:
      return field.caseSensitive ? "TEXT" : "NOCASE TEXT"
  }
}

/** Whether a field has a value of its own, as compound fields have not. */
export const isStored = (field: Field): boolean => columnType(field) !== undefined

/** A column that there is, or that there should be. */
export interface Column {
  readonly name: string
  readonly type: string
  /** Whether it follows from others, and holds nothing of its own. */
  readonly isCalculated: boolean
}

/** A column that there should be. */
interface NewColumn extends Column {
  readonly sql: string
  /** What records get that are there already. */
  readonly first: number | undefined
}

/** The table of an object. */
export interface Table {
  readonly name: string
  readonly columns: ReadonlyArray<NewColumn>
  /** What creates its indexes. */
  readonly indexes: ReadonlyArray<string>
  /** What creates it. */
  readonly sql: string
}

export const tableOf = (object: ObjectDescribe): Table => {
  const table = identifier(object.name)
  const columns: Array<NewColumn> = []
  const indexes: Array<string> = []
  for (const field of object.fields) {
    const type = columnType(field)
    if (type === undefined) continue
    const { name } = field
    const column = identifier(name)
    const sql = formula(object, field)
    columns.push({
      name,
      type,
      isCalculated: sql !== undefined,
      sql: [
        column,
        type,
        ...(name === "Id" ? ["PRIMARY KEY NOT NULL"] : []),
        ...(type === "NOCASE TEXT" ? ["COLLATE NOCASE"] : []),
        ...(sql === undefined ? [] : [`GENERATED ALWAYS AS (${sql}) VIRTUAL`])
      ].join(" "),
      // no checkbox is without a value
      first: field.type === "boolean" && sql === undefined ? Number(`${field.defaultValue}` === "true") : undefined
    })
    if (name === "Id") continue
    const index = identifier(`${object.name}.${name}`)
    if (field.unique || field.externalId || field.idLookup) {
      // the recycle bin does not count
      const unique = field.unique ? "UNIQUE " : ""
      indexes.push(`CREATE ${unique}INDEX ${index} ON ${table} (${column}) WHERE "IsDeleted" = 0`)
    } else if (field.type === "reference" && !field.defaultedOnCreate) {
      // a record without a parent costs nothing
      indexes.push(`CREATE INDEX ${index} ON ${table} (${column}) WHERE ${column} IS NOT NULL`)
    }
  }
  return {
    name: object.name,
    columns,
    indexes,
    sql: `CREATE TABLE ${table} (${columns.map((column) => column.sql).join(", ")})`
  }
}

const words = ({ isCalculated, type }: Column): string => `${isCalculated ? "calculated " : ""}${type}`

/** A column of a kept table that cannot hold what it should hold now. */
export const misfit = (table: Table, columns: ReadonlyArray<Column>): string | undefined => {
  const existing = new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  for (const column of table.columns) {
    const kept = existing.get(column.name.toLowerCase())
    if (kept === undefined || words(kept) === words(column)) continue
    return `${table.name}.${column.name} is kept as ${words(kept)}, and its type asks for ${words(column)} now`
  }
  return undefined
}

/** What makes a kept table that of today, but for its indexes, which must be gone meanwhile. Fields that are no more keep their columns. */
export const alter = (table: Table, columns: ReadonlyArray<Column>): ReadonlyArray<string> => {
  const name = identifier(table.name)
  const existing = new Set(columns.filter((column) => !column.isCalculated).map((column) => column.name.toLowerCase()))
  const missing = table.columns.filter((column) => !existing.has(column.name.toLowerCase()))
  // what is calculated may follow from columns that are new
  const ordered = [...missing.filter((column) => !column.isCalculated), ...missing.filter((each) => each.isCalculated)]
  return [
    ...columns
      .filter((column) => column.isCalculated)
      .map((column) => `ALTER TABLE ${name} DROP COLUMN ${identifier(column.name)}`),
    ...ordered.map((column) => `ALTER TABLE ${name} ADD COLUMN ${column.sql}`),
    ...missing.flatMap(({ first, name: column }) =>
      first === undefined ? [] : [`UPDATE ${name} SET ${identifier(column)} = ${first}`]
    )
  ]
}
