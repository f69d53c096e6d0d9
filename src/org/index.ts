/**
 * @since 0.1.0
 */
export * as Describe from "./Describe.ts"
export * as EmbeddedOrg from "./EmbeddedOrg.ts"
export * as Faults from "./Faults.ts"
export * as RowRule from "./RowRule.ts"
