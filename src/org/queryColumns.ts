/** What REST says about the columns of a query when it is asked with `columns=true`, as the Salesforce CLI does. */
import type { Field, ObjectDescribe } from "./Describe.ts"

/** A column, or a parent with its columns. */
export interface ColumnMetadata {
  readonly aggregate: false
  readonly apexType: string | null
  readonly booleanType: boolean
  readonly columnName: string
  readonly custom: boolean
  readonly displayName: string
  readonly foreignKeyName: string | null
  readonly insertable: boolean
  readonly joinColumns: Array<ColumnMetadata>
  readonly numberType: boolean
  readonly textType: boolean
  readonly updatable: boolean
}

const apexTypes: Readonly<Record<string, string>> = {
  boolean: "Boolean",
  currency: "Decimal",
  date: "Date",
  datetime: "Datetime",
  double: "Double",
  id: "Id",
  int: "Integer",
  long: "Long",
  percent: "Double",
  reference: "Id",
  time: "Time"
}

const columnOf = (name: string, field: Field): ColumnMetadata => {
  const apexType = apexTypes[field.type] ?? "String"
  return {
    aggregate: false,
    apexType,
    booleanType: apexType === "Boolean",
    columnName: name,
    custom: name.endsWith("__c"),
    displayName: name,
    foreignKeyName: null,
    insertable: field.createable,
    joinColumns: [],
    numberType: /^(?:Decimal|Double|Integer|Long)$/.test(apexType),
    textType: apexType === "String",
    updatable: field.updateable
  }
}

const parentOf = (name: string): ColumnMetadata => ({
  aggregate: false,
  apexType: null,
  booleanType: false,
  columnName: name,
  custom: name.endsWith("__r"),
  displayName: name,
  foreignKeyName: name.endsWith("__r") ? name.replace(/r$/, "c") : `${name}Id`,
  insertable: false,
  joinColumns: [],
  numberType: false,
  textType: false,
  updatable: false
})

/** The columns of a query, whose fields are named by their paths. */
export const queryColumns = (object: ObjectDescribe, fields: ReadonlyArray<Field>, keyPrefix: string) => {
  const columnMetadata: Array<ColumnMetadata> = []
  for (const field of fields) {
    const parents = field.name.split(/\./)
    const name = parents.pop()!
    let columns = columnMetadata
    for (const parent of parents) {
      let column = columns.find((each) => each.columnName === parent)
      if (column === undefined) {
        column = parentOf(parent)
        columns.push(column)
      }
      columns = column.joinColumns
    }
    columns.push(columnOf(name, field))
  }
  return {
    columnMetadata,
    entityName: object.name,
    groupBy: false,
    idSelected: fields.some((field) => field.name === "Id"),
    keyPrefix
  }
}
