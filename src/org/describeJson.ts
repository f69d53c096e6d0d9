/** Describes in full, as clients get them: what the org knows of an object, and sensible values for all else. */
import type { Field, ObjectDescribe } from "./Describe.ts"
import type { Objects } from "./Soql.ts"
import { isStored } from "./Store.ts"

const soapTypes: Readonly<Record<string, string>> = {
  id: "tns:ID",
  reference: "tns:ID",
  boolean: "xsd:boolean",
  int: "xsd:int",
  long: "xsd:long",
  double: "xsd:double",
  currency: "xsd:double",
  percent: "xsd:double",
  date: "xsd:date",
  datetime: "xsd:dateTime",
  time: "xsd:time",
  base64: "xsd:base64Binary",
  address: "urn:address",
  location: "urn:location",
  anyType: "xsd:anyType"
}

const isCustom = (name: string): boolean => name.endsWith("__c")

const plural = (label: string): string => (label.endsWith("y") ? `${label.slice(0, -1)}ies` : `${label}s`)

const fieldJson = (object: ObjectDescribe, field: Field) => {
  const soapType = soapTypes[field.type] ?? "xsd:string"
  const isText = soapType === "xsd:string" || soapType === "tns:ID"
  const isNumber = soapType === "xsd:double"
  // what a name is made of: a field, or nothing as in a person's name
  const isNameField =
    field.name === "Name" || (field.name === "Subject" && !object.fields.some((each) => each.name === "Name"))
  const isLong = field.type === "textarea" && field.length > 255
  const sorts = isStored(field) && !isLong
  return {
    aggregatable: sorts && field.type !== "boolean",
    aiPredictionField: false,
    autoNumber: field.autoNumber,
    byteLength: field.type === "id" || field.type === "reference" ? 18 : isText ? field.length * 3 : 0,
    calculated: false,
    calculatedFormula: null,
    cascadeDelete: false,
    caseSensitive: field.caseSensitive,
    compoundFieldName: field.compoundFieldName,
    controllerName: null,
    createable: field.createable,
    custom: isCustom(field.name),
    defaultValue:
      field.type === "boolean" ? field.defaultValue === true || field.defaultValue === "true" : field.defaultValue,
    defaultValueFormula: null,
    defaultedOnCreate: field.defaultedOnCreate || field.type === "boolean",
    dependentPicklist: false,
    deprecatedAndHidden: false,
    digits: field.type === "int" ? 8 : 0,
    displayLocationInDecimal: false,
    encrypted: false,
    externalId: field.externalId,
    extraTypeInfo: null,
    filterable: sorts,
    filteredLookupInfo: null,
    formulaTreatNullNumberAsZero: false,
    groupable: sorts && !isNumber && field.type !== "datetime",
    highScaleNumber: false,
    htmlFormatted: false,
    idLookup: field.idLookup || field.externalId,
    inlineHelpText: null,
    label: field.label || field.name,
    length: field.type === "id" || field.type === "reference" ? 18 : isText ? field.length : 0,
    mask: null,
    maskType: null,
    name: field.name,
    nameField: isNameField,
    namePointing: field.referenceTo.length > 1,
    nillable: field.nillable && field.type !== "boolean",
    permissionable: field.createable && field.nillable,
    picklistValues: field.picklistValues.map(({ active, defaultValue, value }) => ({
      active,
      defaultValue,
      label: value,
      validFor: null,
      value
    })),
    polymorphicForeignKey: field.referenceTo.length > 1,
    precision: isNumber ? field.precision : 0,
    queryByDistance: field.type === "location",
    referenceTargetField: null,
    referenceTo: field.referenceTo,
    relationshipName: field.relationshipName,
    relationshipOrder: null,
    restrictedDelete: false,
    restrictedPicklist: field.restrictedPicklist,
    scale: isNumber ? field.scale : 0,
    searchPrefilterable: field.type === "reference",
    soapType,
    sortable: sorts && field.type !== "multipicklist",
    type: field.type,
    unique: field.unique,
    updateable: field.updateable,
    writeRequiresMasterRead: false
  }
}

/** An object as a list of all objects shows it. */
export const objectJson = (object: ObjectDescribe, keyPrefix: string, version: string) => {
  const url = `/services/data/v${version}/sobjects/${object.name}`
  const label = object.label || object.name
  return {
    activateable: false,
    associateEntityType: null,
    associateParentEntity: null,
    createable: true,
    custom: isCustom(object.name),
    customSetting: false,
    deepCloneable: false,
    deletable: true,
    deprecatedAndHidden: false,
    feedEnabled: false,
    hasSubtypes: false,
    isInterface: false,
    isSubtype: false,
    keyPrefix,
    label,
    labelPlural: plural(label),
    layoutable: true,
    mergeable: false,
    mruEnabled: true,
    name: object.name,
    queryable: object.queryable,
    replicateable: true,
    retrieveable: true,
    searchable: true,
    triggerable: true,
    undeletable: true,
    updateable: true,
    urls: { sobject: url, describe: `${url}/describe`, rowTemplate: `${url}/{ID}` }
  }
}

const childrenOf = (object: ObjectDescribe, objects: Objects) =>
  Array.from(objects.values()).flatMap((child) =>
    child.fields
      .filter((field) => field.referenceTo.includes(object.name))
      .map((field) => ({
        cascadeDelete: false,
        childSObject: child.name,
        deprecatedAndHidden: false,
        field: field.name,
        junctionIdListNames: [],
        junctionReferenceTo: [],
        relationshipName: null,
        restrictedDelete: false
      }))
  )

const masterRecordType = "012000000000000AAA"

/** All there is to know about an object. */
export const describeJson = (object: ObjectDescribe, objects: Objects, keyPrefix: string, version: string) => {
  const { urls, ...summary } = objectJson(object, keyPrefix, version)
  return {
    actionOverrides: [],
    ...summary,
    childRelationships: childrenOf(object, objects),
    compactLayoutable: true,
    defaultImplementation: null,
    extendedBy: null,
    extendsInterfaces: null,
    fields: object.fields.map((field) => fieldJson(object, field)),
    implementedBy: null,
    implementsInterfaces: null,
    listviewable: null,
    lookupLayoutable: null,
    namedLayoutInfos: [],
    networkScopeFieldName: null,
    recordTypeInfos: [
      {
        active: true,
        available: true,
        defaultRecordTypeMapping: true,
        developerName: "Master",
        master: true,
        name: "Master",
        recordTypeId: masterRecordType,
        urls: { layout: `${urls.sobject}/describe/layouts/${masterRecordType}` }
      }
    ],
    searchLayoutable: true,
    sobjectDescribeOption: "FULL",
    supportedScopes: [
      { label: `All ${summary.labelPlural.toLowerCase()}`, name: "everything" },
      { label: `My ${summary.labelPlural.toLowerCase()}`, name: "mine" }
    ],
    urls: {
      ...urls,
      layouts: `${urls.sobject}/describe/layouts`,
      uiDetailTemplate: "/{ID}",
      uiEditTemplate: "/{ID}/e",
      uiNewRecord: `/${keyPrefix}/e`
    }
  }
}
