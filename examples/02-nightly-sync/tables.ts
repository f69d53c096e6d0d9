import { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"

/**
 * The warehouse's table, and three of the sync's own.
 *
 * A row says in which transaction it was changed last: a time would be that at which the
 * transaction began, so that what a long one commits late would be older than the
 * watermark, and never found.
 */
const statements = [
  `CREATE SCHEMA nightly`,
  `CREATE TABLE nightly.inventory (
     sku text PRIMARY KEY,
     name text NOT NULL,
     description text,
     unit text NOT NULL,
     warehouse text NOT NULL,
     on_hand integer NOT NULL,
     price numeric(12, 2) NOT NULL,
     counted date NOT NULL,
     changed_in xid8 NOT NULL DEFAULT pg_current_xact_id()
   )`,
  `CREATE INDEX ON nightly.inventory (changed_in)`,
  `CREATE FUNCTION nightly.changed() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN NEW.changed_in := pg_current_xact_id(); RETURN NEW; END $$`,
  `CREATE TRIGGER changed BEFORE UPDATE ON nightly.inventory
     FOR EACH ROW EXECUTE FUNCTION nightly.changed()`,
  // up to which transaction all is in Salesforce, or in left_over
  `CREATE TABLE nightly.watermark (changed_in xid8 NOT NULL)`,
  `INSERT INTO nightly.watermark VALUES ('0')`,
  // what a night could not load
  `CREATE TABLE nightly.left_over (sku text PRIMARY KEY, night integer NOT NULL, code text NOT NULL, message text NOT NULL)`,
  `CREATE TABLE nightly.history (
     night integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     started timestamptz NOT NULL DEFAULT now(),
     seconds double precision NOT NULL DEFAULT 0,
     status text NOT NULL DEFAULT 'running',
     loaded integer NOT NULL DEFAULT 0,
     refused integer NOT NULL DEFAULT 0,
     not_sent integer NOT NULL DEFAULT 0,
     failure_rate double precision GENERATED ALWAYS AS (refused::float / greatest(loaded + refused, 1)) STORED,
     jobs integer NOT NULL DEFAULT 0,
     upload_seconds double precision NOT NULL DEFAULT 0,
     queue_seconds double precision NOT NULL DEFAULT 0,
     processing_seconds double precision NOT NULL DEFAULT 0
   )`
]

/**
 * So many articles, with names in several scripts, quotes, line breaks and empty
 * descriptions. One in a thousand is counted by the dozen, which the org does not know,
 * and a few have names that are too long for it.
 */
const articles = (rows: number) => `
  INSERT INTO nightly.inventory (sku, name, description, unit, warehouse, on_hand, price, counted)
  SELECT
    'SKU-' || lpad(n::text, 7, '0'),
    CASE WHEN n % 2500 = 3 THEN rpad('Cable, coiled, ', 90, 'extra long ')
      ELSE (ARRAY['Bolt M8 × 40', 'Pipe 10", steel', 'Schraube, verzinkt', 'Чайник «Заря»', '六角ボルト', 'Vis à tête fraisée',
        'O''Brien''s hinge'])[1 + n % 7] || ' no. ' || n END,
    CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN 'Say "when";' || chr(10) || 'stack flat, not on edge' WHEN 2 THEN 'réf. ' || md5(n::text)
      ELSE 'Shelf ' || n % 400 || ', row ' || n % 9 END,
    CASE WHEN n % 1000 = 1 THEN 'Dozen' ELSE (ARRAY['Each', 'Box', 'Pallet'])[1 + n % 3] END,
    (ARRAY['Rotterdam', 'Łódź', '横浜', 'Newark, NJ'])[1 + n % 4],
    n % 100000 * 37 % 5000,
    n % 100000 * 7 / 100.0,
    DATE '2026-01-01' + n % 300
  FROM generate_series(1, ${rows}) AS n`

/** Makes the tables where they are not, and fills the warehouse's. */
export const makeTables = Effect.fnUntraced(function* (rows: number) {
  const sql = yield* PgClient.PgClient
  const found = yield* sql`SELECT 1 FROM information_schema.schemata WHERE schema_name = 'nightly'`
  if (found.length > 0) return
  yield* Effect.forEach([...statements, articles(rows)], (statement) => sql.unsafe(statement)).pipe(sql.withTransaction)
})

/** A day in the warehouse: one article in a hundred is sold, and half of what is counted by the dozen is packed in boxes. */
export const day = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  yield* sql`UPDATE nightly.inventory SET on_hand = on_hand + 1 WHERE right(sku, 2) = '07'`
  yield* sql`UPDATE nightly.inventory SET unit = 'Box' WHERE unit = 'Dozen' AND right(sku, 4) < '5000'`
})
