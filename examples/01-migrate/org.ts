/** The new org, where none is described: two objects, and the validation rules of one of them. */
import { serveOrg } from "../shared/serveOrg.ts"

serveOrg({
  objects: new URL("objects/", import.meta.url),
  onRow: {
    // asked only about rows that are good otherwise, in place of Salesforce's formulas
    Customer__c: ({ operation, stored, values }) => {
      if (operation === "delete") return undefined
      const { BlockedFor__c, CreditLimit__c, Status__c } = { ...stored, ...values }
      if (Number(CreditLimit__c) < 0)
        return { message: "The credit limit must not be negative", fields: ["CreditLimit__c"] }
      return Status__c === "Blocked" && (BlockedFor__c ?? null) === null
        ? { message: "Say what the customer is blocked for", fields: ["BlockedFor__c"] }
        : undefined
    }
  }
})
