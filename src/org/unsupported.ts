/** Objects of every org that Bulk API 2.0 does not serve, whatever is asked of them. */
import { type ApiError, badRequest } from "./Wire.ts"

const names = new Set(
  `AcceptedEventRelation AssetTokenEvent AttachedContentNote CaseStatus ContractStatus DeclinedEventRelation
  EventWhoRelation FieldSecurityClassification KnowledgeArticle KnowledgeArticleVersion
  KnowledgeArticleVersionHistory KnowledgeArticleViewStat KnowledgeArticleVoteStat OrderStatus PartnerRole
  QuoteTemplateRichTextData RecentlyViewed ServiceAppointmentStatus ShiftStatus SolutionStatus TaskPriority
  TaskStatus TaskWhoRelation UndecidedEventRelation WorkOrderLineItemStatus WorkOrderStatus`
    .toLowerCase()
    .split(/\s+/)
)

/** Why there is no job for an object, if it is one of those. */
export const unsupported = (object: string): ApiError | undefined =>
  names.has(object.toLowerCase())
    ? badRequest("INVALIDENTITY", `Entity '${object}' is not supported by the Bulk API.`)
    : undefined
