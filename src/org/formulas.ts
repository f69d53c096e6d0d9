/** Fields of standard objects that follow from others, as SQL over their columns. */
import type { Field, ObjectDescribe } from "./Describe.ts"

const nameParts = ["FirstName", "MiddleName", "LastName", "Suffix"]

const formulas: Readonly<Record<string, { readonly of: string; readonly sql: string }>> = {
  "Contact.IsEmailBounced": { of: "EmailBouncedReason", sql: `"EmailBouncedReason" IS NOT NULL` },
  "Lead.IsConverted": { of: "Status", sql: `0` },
  "Opportunity.IsClosed": { of: "StageName", sql: `ifnull("StageName" IN ('Closed Won', 'Closed Lost'), 0)` },
  "Opportunity.IsWon": { of: "StageName", sql: `ifnull("StageName" = 'Closed Won', 0)` },
  "Opportunity.ExpectedRevenue": { of: "Amount", sql: `"Amount" * "Probability" / 100` },
  "Case.IsClosed": { of: "Status", sql: `ifnull("Status" = 'Closed', 0)` },
  "Task.IsClosed": { of: "Status", sql: `ifnull("Status" = 'Completed', 0)` },
  "Task.IsHighPriority": { of: "Priority", sql: `ifnull("Priority" = 'High', 0)` },
  "CampaignMember.HasResponded": { of: "Status", sql: `ifnull("Status" = 'Responded', 0)` }
}

/** What a field is made of, if it holds nothing of its own: a person's name, whether a task is closed. */
export const formula = (object: ObjectDescribe, field: Field): string | undefined => {
  if (field.createable || field.updateable) return undefined
  const has = (name: string) => object.fields.some((other) => other.name === name)
  const known = formulas[`${object.name}.${field.name}`]
  if (known !== undefined && has(known.of)) return known.sql
  const parts = nameParts.filter((part) =>
    object.fields.some((other) => other.name === part && other.compoundFieldName === field.name)
  )
  return parts.length === 0 ? undefined : `trim(${parts.map((part) => `ifnull("${part}" || ' ', '')`).join(" || ")})`
}
