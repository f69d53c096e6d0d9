import { createServer, type ServerResponse } from "node:http"
import * as NodeSink from "@effect/platform-node/NodeSink"
import { Cause, Data, Exit, type ManagedRuntime, Stream } from "effect"
import { BulkError, type Connection, Query, soql } from "../../src/index.ts"

/** Nobody reads the answer any more. */
class BrowserGone extends Data.TaggedError("BrowserGone")<{ readonly message: string }> {}

/** The accounts of an industry, or all of them. What the browser says is bound, and cannot change the query. */
const accounts = (industry: string | null) => {
  const all = soql`SELECT Id, Name, Industry, BillingCity, AnnualRevenue FROM Account`
  return Query.csv(industry === null ? all : soql`${all} WHERE Industry = ${industry}`)
}

/** Writes as fast as the browser reads. When it goes away the stream is cut short, and its job aborted. */
const toBrowser = (response: ServerResponse) =>
  NodeSink.fromWritable({
    evaluate: () => response,
    endOnDone: false,
    onError: () => new BrowserGone({ message: "the browser went away" })
  })

/** Salesforce stands behind this server: what fails there may pass, or makes it a bad gateway. */
const statusOf = (error: unknown): number => {
  if (!(error instanceof BulkError.BulkError)) return 500
  return error.isRetryable || error.isLimit ? 503 : 502
}

/** Before the first byte a failure has a status; after it the answer breaks off, so that nobody takes a part for the whole. */
const finish = (response: ServerResponse, exit: Exit.Exit<void, unknown>): void => {
  if (Exit.isSuccess(exit)) response.end()
  else if (response.headersSent || response.destroyed) response.destroy()
  else {
    response.removeHeader("content-disposition")
    // why is in the log: browsers are told nothing of what is behind
    response
      .writeHead(statusOf(Cause.squash(exit.cause)), { "content-type": "text/plain" })
      .end("The accounts cannot be had now.\n")
  }
}

/**
 * Serves `GET /accounts.csv`, and `?industry=Energy` of it. Each request runs on the
 * program's one `ManagedRuntime`, which holds the connection to Salesforce; the rest of
 * the program need not know of Effect.
 */
export const accountsServer = <E>(
  runtime: ManagedRuntime.ManagedRuntime<Connection.Connection, E>,
  log: (line: string) => void
) => {
  const answering = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost")
    if (request.method !== "GET" || pathname !== "/accounts.csv") {
      response.writeHead(404).end("There is only GET /accounts.csv\n")
      return
    }
    response.setHeader("content-type", "text/csv; charset=utf-8")
    response.setHeader("content-disposition", 'attachment; filename="accounts.csv"')
    const answered = runtime
      .runPromiseExit(Stream.run(accounts(searchParams.get("industry")), toBrowser(response)))
      .then((exit) => {
        answering.delete(answered)
        if (Exit.isFailure(exit)) log(`${request.url}: ${Cause.squash(exit.cause)}`)
        finish(response, exit)
      })
    answering.add(answered)
  })
  return {
    /** Listens on a loopback port, and gives the URL of the accounts. */
    listen: (port: number) =>
      new Promise<string>((resolve, reject) => {
        server.once("error", reject).listen(port, "127.0.0.1", () => {
          const address = server.address()
          resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : port}/accounts.csv`)
        })
      }),
    /** Breaks off what is being answered, and waits until its jobs are aborted. */
    close: async () => {
      server.close()
      server.closeAllConnections()
      await Promise.all(answering)
    }
  }
}
