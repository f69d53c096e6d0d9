/** Rules in code, as they are asked about the rows of a job. */
import type { Field, ObjectDescribe } from "./Describe.ts"
import type { FieldValue, RowChange, RowRefusal, RowRule } from "./RowRule.ts"
import * as Rules from "./Rules.ts"
import { type Found, isStored, type Store, type Value } from "./Store.ts"

/** Rules in code, by the names of their objects in lower case. */
export type RowRules = ReadonlyMap<string, ReadonlyArray<RowRule>>

/** A stored value as rules are told it. */
export const fieldValue = (field: Field, value: Value): FieldValue =>
  field.type === "boolean" && value !== null ? value !== 0 : value

const refusal = ({ code, fields, message }: RowRefusal): Rules.RowError => ({
  code: code ?? "FIELD_CUSTOM_VALIDATION_EXCEPTION",
  message,
  fields: fields ?? []
})

const isSeveral = (refused: RowRefusal | ReadonlyArray<RowRefusal>): refused is ReadonlyArray<RowRefusal> =>
  Array.isArray(refused)

const verdict = (rule: RowRule, change: RowChange): ReadonlyArray<Rules.RowError> => {
  try {
    const refused = rule(change)
    if (refused === undefined) return []
    return isSeveral(refused) ? refused.map(refusal) : [refusal(refused)]
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [Rules.rowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)]
  }
}

/** The rules for the rows of one object. */
export class Ruling {
  private readonly object: string
  private readonly rules: RowRules
  private readonly fields: ReadonlyArray<Field>
  private readonly find: (id: string) => Found | undefined
  private active: ReadonlyArray<RowRule> = []

  constructor(store: Store, object: ObjectDescribe, rules: RowRules) {
    this.object = object.name
    this.rules = rules
    this.fields = object.fields.filter(isStored)
    this.find = store.finderById(
      object.name,
      this.fields.map((field) => field.name)
    )
  }

  /** Takes the rules that there are now: from one chunk to the next there may be others. */
  begin(): void {
    this.active = this.rules.get(this.object.toLowerCase()) ?? []
  }

  get areAny(): boolean {
    return this.active.length > 0
  }

  /** What the rules refuse a change for; `id` is that of the record that is changed. */
  ask(operation: RowChange["operation"], values: RowChange["values"], id?: string): ReadonlyArray<Rules.RowError> {
    const stored = id === undefined ? undefined : this.stored(id)
    return this.active.flatMap((rule) => verdict(rule, { operation, values, stored }))
  }

  private stored(id: string): RowChange["stored"] {
    const found = this.find(id)
    if (found === undefined) return undefined
    return Object.fromEntries(this.fields.map((field, i) => [field.name, fieldValue(field, found.values[i] ?? null)]))
  }
}
