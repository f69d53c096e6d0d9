import { Effect, Schema } from "effect"
import { type DuckDb, literal } from "./warehouse.ts"

/** How much contacts engage, from the least to the most. */
export const bands = ["cold", "warm", "hot", "devoted"] as const

/** The scores of each band, of 100. */
export const ranges = { cold: "under 15", warm: "15 to 35", hot: "35 to 60", devoted: "60 and more" } as const

/** The contacts of an industry in a region: how many there are, with which score, and of each band. */
export const Segment = Schema.Struct({
  region: Schema.String,
  industry: Schema.String,
  contacts: Schema.Number,
  score: Schema.Number,
  cold: Schema.Number,
  warm: Schema.Number,
  hot: Schema.Number,
  devoted: Schema.Number
})
export type Segment = typeof Segment.Type

/**
 * Scores each contact from 0 to 100: a click and a visit say twice as much as an opened
 * mail, an event ten times as much; and what was long ago counts less. Age is reckoned
 * from the last engagement of all, so that the same contacts have the same scores.
 */
const sql = (folder: string) => `
  WITH history AS NOT MATERIALIZED (FROM read_parquet(${literal(`${folder}/*.parquet`)})),
  scored AS (
    SELECT
      coalesce(Region__c, '(none)') AS region,
      coalesce(Industry__c, '(none)') AS industry,
      least(100, (
        coalesce(Emails_Opened__c, 0) + 2 * coalesce(Links_Clicked__c, 0)
        + 2 * coalesce(Site_Visits__c, 0) + 10 * coalesce(Events_Attended__c, 0)
      ) * CASE
        WHEN Last_Engaged__c >= newest - 180 THEN 1
        WHEN Last_Engaged__c >= newest - 730 THEN 0.7
        ELSE 0.3
      END) AS score
    FROM history, (SELECT max(Last_Engaged__c) AS newest FROM history)
  )
  SELECT
    region, industry, count(*)::DOUBLE AS contacts, avg(score)::DOUBLE AS score,
    (count(*) FILTER (score < 15))::DOUBLE AS cold,
    (count(*) FILTER (score >= 15 AND score < 35))::DOUBLE AS warm,
    (count(*) FILTER (score >= 35 AND score < 60))::DOUBLE AS hot,
    (count(*) FILTER (score >= 60))::DOUBLE AS devoted
  FROM scored
  GROUP BY region, industry
  ORDER BY region, contacts DESC, industry`

/** The segments of the contacts in a folder of Parquet files, region by region. */
export const segmentsIn = (duckDb: DuckDb, folder: string) =>
  Effect.flatMap(duckDb(sql(folder)), Schema.decodeUnknownEffect(Schema.Array(Segment)))

const count = (n: number) => n.toLocaleString("en-US")
const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(0)} %`

/** The segments as a table of text. */
export const table = (segments: ReadonlyArray<Segment>): string => {
  const line = (region: string, industry: string, ...cells: ReadonlyArray<string>) =>
    [region.padEnd(10), industry.padEnd(16), ...cells.map((cell) => cell.padStart(9))].join("")
  return [
    line("Region", "Industry", "contacts", "score", ...bands),
    ...segments.map((segment, i) =>
      line(
        segments[i - 1]?.region === segment.region ? "" : segment.region,
        segment.industry,
        count(segment.contacts),
        segment.score.toFixed(1),
        ...bands.map((band) => percent(segment[band], segment.contacts))
      )
    )
  ].join("\n")
}
