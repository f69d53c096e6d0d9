/**
 * A load, rehearsed: what the org would say to it, before anything is sent.
 *
 * A plan reads what the org says of its objects and what is left of its allowances,
 * and looks at the records of the source. It creates nothing in the org, no job
 * either. What the user may not read is `unknown`, never a failure. Validation rules,
 * triggers and what is stored already show only in a load itself.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type * as Describe from "../job/Describe.ts"
import * as Csv from "../record/Csv.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import { countStored, parentsAsked } from "./plan/children.ts"
import * as Columns from "./plan/columns.ts"
import { estimate } from "./plan/estimate.ts"
import { Examination, type Rows } from "./plan/examine.ts"
import { Findings } from "./plan/findings.ts"
import type { Code, Operation, Plan, Severity } from "./plan/model.ts"
import { meant } from "./plan/nearest.ts"
import * as Org from "./plan/org.ts"
import * as Text from "./plan/text.ts"
import { problemsOf } from "./problems.ts"
import { withoutRejectColumns } from "./rejectColumns.ts"
import { cellsIn, prefix } from "./rows.ts"
import * as Spool from "./Spool.ts"
import { slices } from "./slices.ts"

export type {
  Allowance,
  Code,
  ColumnPlan,
  Estimate,
  Finding,
  Operation,
  Plan,
  Range,
  Sample,
  Severity,
  Unknown
} from "./plan/model.ts"

/**
 * What every plan takes: what the load is to do, and how much of the source is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface CsvOptions {
  readonly operation: Operation
  /** The API name of the object, like `Account` or `Inventory__c`. */
  readonly object: string
  /** The external id field of an upsert. */
  readonly externalId?: string | undefined
  /** A column whose values tell the records of an insert apart. Default: none. */
  readonly key?: string | undefined
  /** How many records are read at most. Default: all of them. */
  readonly sample?: number | undefined
  /** How many records there are, where only a sample is read. Default: unknown, and so are estimates. */
  readonly total?: number | undefined
  /** What becomes of records with the same key, as the load is told. Default `fail`. */
  readonly duplicates?: "fail" | "first" | "last" | undefined
  /**
   * Whether the children that parents have in the org already count too. It costs up to
   * three API calls for each column that names a parent. Default: not.
   */
  readonly childrenInOrg?: boolean | undefined
  /** How many bytes of CSV one job of the load carries. Default: as the spool says, 16 MiB in memory. */
  readonly partBytes?: number | undefined
}

/**
 * What the plan of a stream of records takes. The options of `Ingest.run` can be
 * given as they are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<S extends RecordCodec.RecordSchema> extends CsvOptions {
  /** The records' schema: a struct or class, whose fields are the columns of the CSV. */
  readonly schema: S
  /** What a null becomes. Default `ignore`. */
  readonly nulls?: RecordCodec.Nulls | undefined
}

/**
 * Plans a load of records.
 *
 * Looks at columns (unknown, read-only, missing, ambiguous ones), at the external id,
 * at every value of the records that are read (lengths, picklists, numbers, dates,
 * ids, keys that occur twice), at parents with many children, and at what the load
 * will take. Memory is bounded, however many records there are.
 *
 * Fails with the source's own error, or a `BulkError` when the org cannot be asked.
 *
 * **Example** (Only load what would go through)
 *
 * ```ts
 * const load = { operation: "upsert", object: "Inventory__c", schema: Item, externalId: "Sku__c", nulls: "clear" } as const
 *
 * const program = items.pipe(
 *   Plan.make(load),
 *   Effect.tap((plan) => Console.log(Plan.render(plan))),
 *   Effect.flatMap((plan) => Plan.demandClean(plan)),
 *   Effect.andThen(items.pipe(Ingest.run(load)))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make =
  <S extends RecordCodec.RecordSchema>(options: Options<S>) =>
  <E, R>(records: Stream.Stream<S["Type"], E, R>): Effect.Effect<Plan, E | BulkError.BulkError, R | Connection> => {
    const codec = RecordCodec.make(options.schema)
    if (Result.isFailure(codec)) {
      const problem = `plan of ${options.object}: ${codec.failure}`
      return Effect.fail(BulkError.make(new BulkError.InvalidOptions({ problem })))
    }
    const { columns, encoder } = codec.success
    // of a record that is deleted only the id is sent
    const header = isDeletion(options.operation) ? columns.filter((column) => column === "Id") : columns
    const encode = encoder({ nulls: options.nulls ?? "ignore", columns: header })
    /** The records as a load would send them. */
    const sentOf = (records: ReadonlyArray<S["Type"]>): Rows => {
      const { bytes, rejected } = encode(records)
      return {
        bytes: bytes.length,
        // a row without any column has an empty cell, lest it be a blank line
        cells: cellsIn(bytes, Math.max(1, header.length), Csv.standard),
        problems: problemsOf(records, rejected)
      }
    }
    const batches = Stream.mapArray(records, (records) =>
      Arr.map(
        slices(records),
        (records): Batch => ({ header, records: records.length, first: (most) => sentOf(records.slice(0, most)) })
      )
    )
    return plan(options, batches, header)
  }

/**
 * Plans a load of a CSV file, in whatever dialect it is. What Salesforce would not
 * read as CSV is a finding too. Otherwise as `make`.
 *
 * **Example** (What is wrong with a file)
 *
 * ```ts
 * const plan = fs.stream("accounts.csv").pipe(Plan.csv({ operation: "insert", object: "Account" }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const csv =
  (options: CsvOptions) =>
  <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Plan, E | BulkError.BulkError, R | Connection> =>
    plan(options, bytes.pipe(Csv.blocks(), Stream.mapEffect(withoutRejectColumns), Stream.map(batchOf)), undefined)

/** The rows of a block, as one batch. */
const batchOf = ({ bytes, dialect, header, records }: Csv.Block): Batch => ({
  header,
  records,
  first: (most) => {
    const rows = most < records ? bytes.subarray(0, prefix(bytes, most, Number.POSITIVE_INFINITY).end) : bytes
    return { bytes: rows.length, cells: cellsIn(rows, header.length, dialect), problems: none }
  }
})

/**
 * A plan for people: what the load takes and what was found, on one screen.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (plan: Plan): string => Text.render(plan)

/**
 * What a plan must be free of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Demand {
  /** The least bad finding that is too bad. Default `error`. */
  readonly worst?: Severity | undefined
  /** Findings that are accepted all the same. Default: none. */
  readonly except?: ReadonlyArray<Code> | undefined
}

/**
 * Gives the plan if it is clean, so that a load can be made to depend on it.
 *
 * Fails with `PlanNotClean`, which has the findings.
 *
 * @category guards
 * @since 0.1.0
 */
export const demandClean = (plan: Plan, demand: Demand = {}): Effect.Effect<Plan, BulkError.BulkError> => {
  const { except = [], worst = "error" } = demand
  const tooBad = severities.slice(0, severities.indexOf(worst) + 1)
  const findings = plan.findings.filter(({ code, severity }) => tooBad.includes(severity) && !except.includes(code))
  const { object, operation } = plan
  return findings.length === 0
    ? Effect.succeed(plan)
    : Effect.fail(BulkError.make(new BulkError.PlanNotClean({ object, operation, findings })))
}

const severities: ReadonlyArray<Severity> = ["fatal", "error", "warning", "note"]

/** Records that are looked at together. */
interface Batch {
  readonly header: ReadonlyArray<string>
  readonly records: number
  /** So many of them at most. */
  readonly first: (most: number) => Rows
}

const none: ReadonlyMap<number, RecordCodec.Problem> = new Map()

const isDeletion = (operation: Operation): boolean => operation === "delete" || operation === "hardDelete"

/** `header` is given where it is known before the first record. */
const plan = Effect.fnUntraced(function* <E, R>(
  options: CsvOptions,
  batches: Stream.Stream<Batch, E | Csv.CsvError, R>,
  header: ReadonlyArray<string> | undefined
): Effect.fn.Return<Plan, E | BulkError.BulkError, R | Connection> {
  const { childrenInOrg = false, duplicates, externalId, operation, sample = Number.POSITIVE_INFINITY } = options
  const org = yield* Org.make
  const findings = new Findings()
  const object = yield* objectOf(org, options, findings)
  const key = operation === "insert" ? options.key : operation === "upsert" ? (externalId ?? "Id") : "Id"

  const begin = Effect.fnUntraced(function* (header: ReadonlyArray<string>) {
    const columns =
      object === undefined
        ? header.map(Columns.unknownColumn)
        : yield* Columns.resolve(org, { operation, externalId, object }, header, findings)
    return new Examination(columns, { key, duplicates }, findings)
  })

  let examination = header === undefined ? undefined : yield* begin(header)
  let complete = true
  yield* batches.pipe(
    Stream.mapEffect(
      Effect.fnUntraced(function* ({ first, header, records }) {
        examination ??= yield* begin(header)
        const room = sample - examination.records
        examination.rows(first(Math.min(records, room)))
        complete = records <= room
        return complete
      })
    ),
    Stream.takeWhile((goesOn) => goesOn),
    Stream.runDrain,
    Effect.catchIf(isCsvError, ({ message }) =>
      Effect.sync(() => {
        complete = false
        findings.add({ severity: "fatal", code: "INVALID_CSV", message })
      })
    )
  )

  if (childrenInOrg && examination !== undefined && object !== undefined) {
    yield* countStored(org, object.name, examination.largestParents(parentsAsked), findings)
  }
  const { bytes = 0, records: read = 0 } = examination ?? {}
  const columns = examination?.finish(org.unknown) ?? []
  const limits = yield* org.limits
  const estimated = estimate(
    {
      object: options.object,
      operation,
      isPersonAccount: options.object === "Account" && columns.some(({ column }) => isOfPerson(column)),
      read,
      bytes,
      records: complete ? read : options.total,
      partBytes: options.partBytes ?? (yield* Spool.Spool).partBytes,
      limits
    },
    findings
  )
  return {
    object: options.object,
    operation,
    externalId,
    read,
    complete,
    findings: findings.all(),
    columns,
    estimate: estimated,
    unknown: org.unknown
  }
})

const isCsvError = (error: unknown): error is Csv.CsvError => error instanceof Csv.CsvError

const isOfPerson = (column: string): boolean => column === "LastName" || column.endsWith("__pc")

/** What the org says of the object; undefined when it says nothing. */
const objectOf = Effect.fnUntraced(function* (
  org: Org.Org,
  { object: name, operation }: CsvOptions,
  findings: Findings
): Effect.fn.Return<Describe.ObjectDescribe | undefined, BulkError.BulkError, Connection> {
  const why = unsupported.find(([suffix]) => name.endsWith(suffix))?.[1]
  if (why !== undefined) {
    findings.add({ severity: "fatal", code: "OBJECT_NOT_SUPPORTED", message: `Bulk cannot load ${name}: ${why}` })
  }
  const object = yield* org.object(name)
  if (object === undefined) {
    const known = yield* org.objects
    if (known !== undefined && !known.some((each) => each.name.toLowerCase() === name.toLowerCase())) {
      const message = `the org has no object ${name}, or this user may not see it${meant(name, known)}`
      findings.add({ severity: "fatal", code: "UNKNOWN_OBJECT", message })
    }
    return undefined
  }
  const { createable, deletable, updateable } = object
  const not = (severity: Severity, what: string) =>
    findings.add({ severity, code: "OPERATION_NOT_ALLOWED", message: `this user may not ${what} records of ${name}` })
  if (isDeletion(operation) && !deletable) not("fatal", "delete")
  if (operation === "insert" && !createable) not("fatal", "create")
  if (operation === "update" && !updateable) not("fatal", "change")
  if (operation === "upsert" && !(createable && updateable)) {
    const severity = createable || updateable ? "warning" : "fatal"
    if (!createable) not(severity, "create")
    if (!updateable) not(severity, "change")
  }
  if (operation === "hardDelete") {
    const message = 'the user needs the permission "Bulk API Hard Delete", which no profile has by default'
    findings.add({ severity: "note", code: "PERMISSION_NEEDED", message })
  }
  return object
})

/** Objects that are no records of the org, by how their names end. */
const unsupported: ReadonlyArray<readonly [suffix: string, why: string]> = [
  ["__x", "the records of an external object are in another system"],
  ["__mdt", "custom metadata is deployed, not loaded"]
]
