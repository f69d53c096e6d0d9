/** A column that names another record by a key of it: `Parent__r.Code__c`, or `Account:Owner__r.Code__c`. */
export interface RelationshipColumn {
  /** The object of the other record, where the relationship is polymorphic. */
  readonly type: string | undefined
  readonly relationship: string
  readonly key: string
}

const pattern = /^(?:([^:.]+):)?([^:.]+)\.([^:.]+)$/

/** Undefined for any other column. */
export const parseRelationship = (column: string): RelationshipColumn | undefined => {
  const [, type, relationship, key] = pattern.exec(column) ?? []
  return relationship === undefined || key === undefined ? undefined : { type, relationship, key }
}
