/** What Salesforce says when something fails, and what usually is the cause. */

interface Symptom {
  /** What is found in its code, or its words. */
  readonly words: RegExp
  /** What to do about it. */
  readonly advice: string
}

/** The first one that is found counts: what is special stands before what is general. */
const symptoms: ReadonlyArray<Symptom> = [
  {
    // the first bytes of gzip, read as text
    words: /not found : \p{Cc}[\p{Cc}\ufffd]/u,
    advice: "the org took a compressed upload for CSV: leave gzip out"
  },
  {
    words: /Field name not found|No such column|INVALID_FIELD\b.*No such column/i,
    advice:
      "the name is misspelled or lacks its namespace or __c, or the field is hidden from this user: check field-level security"
  },
  {
    words: /LineEnding is invalid/i,
    advice: "the lines of the file, also those within quotes, must end as the job's lineEnding says"
  },
  {
    words: /unescaped quote|Not expecting more text after end quote|EOF reached before closing/i,
    advice:
      "the file is no CSV as RFC 4180 has it: a byte order mark, a blank next to a quote, or a quote that is not doubled"
  },
  {
    words: /type is not needed for non polymorphic/i,
    advice: "write the column as Relationship.Field: only a lookup to several objects takes Object:Relationship.Field"
  },
  {
    words: /Unable to find relationship/i,
    advice: "the part before the dot is the name of a relationship, like Parent__r, not that of a field or an object"
  },
  {
    words: /'delete' batch|delete.*only.*'?Id'?\b/i,
    advice: "a file of records to delete holds the column Id alone"
  },
  {
    words: /hardDelete operation requires/i,
    advice: 'the user needs the permission "Bulk API Hard Delete", which no profile has by default'
  },
  {
    words: /multipe contents/i,
    advice: "a job takes one upload: abort it and load into a new one"
  },
  {
    words: /Aborting already/i,
    advice: "the job has ended: read its state and its results"
  },
  {
    words: /the job is not terminated/i,
    advice: "abort the job, or wait until it has ended, before it is deleted"
  },
  {
    words: /compound data not supported/i,
    advice: "select the parts of an address or a location, like BillingCity, instead of the whole"
  },
  {
    words: /Aggregate Relationships not supported/i,
    advice: "bulk queries have no subqueries: query the children by themselves, with the parent's id"
  },
  {
    words: /is not supported by the Bulk API|does not support query/i,
    advice: "this object can be read by the REST API only"
  },
  {
    words: /Implementation restriction/i,
    advice: "this object asks for a filter, or for a user who may view all data"
  },
  {
    words: /Unable to find object|INVALID_?ENTITY/i,
    advice: "the object's API name is misspelled or lacks its namespace or __c, or this user may not see it"
  },
  {
    words: /FEATURE_?NOT_?ENABLED/i,
    advice: "the user lacks a permission, or the org the feature: see the user's permission sets"
  },
  {
    words: /API_?(DISABLED_FOR_ORG|CURRENTLY_DISABLED)|API is not enabled/i,
    advice: 'the user needs the permission "API Enabled", and the org an edition with API access'
  },
  {
    words: /TXN_?SECURITY|Transaction_?Security/i,
    advice:
      'a transaction security policy stands in the way: the permission "Exempt from Transaction Security" lifts it'
  },
  {
    words: /REQUEST_?LIMIT_?EXCEEDED/i,
    advice: "the org's API calls of 24 hours are used up: wait, or poll less often; Limits.daily shows what is left"
  },
  {
    words: /LIMIT_?EXCEEDED|EXCEEDED_?QUOTA|per 24 hrs has been/i,
    advice: "an allowance of 24 hours is used up, it fills again hour by hour; Limits.daily shows what is left"
  },
  {
    words: /TooManyLockFailure|UNABLE_TO_LOCK_ROW|exclusive access to this record/i,
    advice: "rows of one parent are in several batches: sort the records by parent, and load into fewer jobs at a time"
  },
  {
    words: /This session is not valid for use with the REST API|Connected app is not attached/i,
    advice:
      "another token of this app would be refused as well: it lacks the scope api, or the session was made for another use"
  },
  {
    words: /INVALID_?AUTH_?HEADER/i,
    advice: "the access token is no token: a placeholder, or cut off when it was copied"
  },
  {
    words: /INVALID_?SESSION_?ID/i,
    advice: "the session has expired, was ended, or its token belongs to another org"
  },
  {
    words: /INVALID_?VERSION|HTTP_410|\bGONE\b/i,
    advice: "this API version is retired: give a newer apiVersion"
  },
  {
    words: /HTTP_409/,
    advice: "results are read with the API version that the job was created with"
  },
  {
    words: /HTTP_415|UNSUPPORTED_?(MEDIA|CONTENT)_?TYPE/i,
    advice: "the org does not take this kind of body; it may be the compression of an upload: leave gzip out"
  },
  {
    words: /HTTP_413/,
    advice: "the upload is larger than one job may carry: 100 MB of CSV"
  },
  {
    words: /NOT_?FOUND/i,
    advice: "it was deleted, is older than 7 days, or belongs to another org"
  }
]

/** What to do about a failure, by the code and the words that came with it. */
export const adviceFor = (text: string): string | undefined => symptoms.find(({ words }) => words.test(text))?.advice

/** The same of refusals to sign in, by words of OAuth's code or description. */
const signInSymptoms: ReadonlyArray<readonly [words: string, hint: string]> = [
  ["request not supported on this domain", "client credentials go to the org's My Domain, not to a login host"],
  ["no client credentials user enabled", "set the user that the app runs as in its policies"],
  ["user hasn't approved this consumer", "the user or its profile must be pre-authorised for the app"],
  ["user is inactive", "an administrator must activate the user"],
  ["user is locked", "the user is locked out: wait, or have an administrator unlock it"],
  [
    "expired authorization code",
    "a code is good once and for some minutes; for an assertion: check this machine's clock"
  ],
  ["invalid code verifier", "the verifier is not the one that this authorization began with"],
  ["redirect_uri_mismatch", "the redirect URI must be one that is set in the app, letter by letter"],
  ["rate_limit_exceeded", "too many sign-ins: wait some minutes"],
  ["audience is invalid", "production takes https://login.salesforce.com, sandboxes https://test.salesforce.com"],
  ["invalid assertion", "check the certificate of the app, and this machine's clock"],
  ["expired access/refresh token", "the refresh token was revoked, rotated or has expired: sign in anew"],
  ["invalid_client_id", "the consumer key is unknown there: a new app takes some minutes to be known"],
  ["invalid_client", "the consumer secret does not belong to this consumer key"]
]

/** What to do about a refusal to sign in, by its code and description. */
export const signInAdviceFor = (text: string): string | undefined =>
  signInSymptoms.find(([words]) => text.includes(words))?.[1]
