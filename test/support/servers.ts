// Servers of the tests' own, for what no org does.
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import * as http from "node:http"
import * as https from "node:https"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"

export type OnRequest = (request: http.IncomingMessage, response: http.ServerResponse) => void

const listening = (server: http.Server | https.Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** A server on a free loopback port, for as long as the scope lasts; gives the port. */
export const serve = (onRequest: OnRequest) => Effect.suspend(() => listening(http.createServer(onRequest)))

/** The same with https, and a certificate. */
export const serveTls = (certificate: Certificate, onRequest: OnRequest) =>
  Effect.suspend(() => listening(https.createServer({ key: certificate.key, cert: certificate.pem }, onRequest)))

export interface Certificate {
  readonly key: string
  readonly pem: string
}

// --- just enough of X.509 ----------------------------------------------------

const der = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const sequence = (...parts: ReadonlyArray<Uint8Array>) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"))
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"))
const time = (date: Date) => der(0x18, Buffer.from(`${date.toISOString().replace(/\D/g, "").slice(0, 14)}Z`))

/** A certificate that signed itself, for 127.0.0.1 or a name, good until a date. */
export const selfSigned = (options: { readonly host?: string; readonly until?: Date } = {}): Certificate => {
  const { host = "127.0.0.1", until = new Date(Date.now() + 86_400_000) } = options
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const spki = publicKey.export({ type: "spki", format: "der" })
  const name = sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(host)))))
  const address = host.split(".").map(Number)
  const alternative = address.some(Number.isNaN) ? der(0x82, Buffer.from(host)) : der(0x87, Buffer.from(address))
  const serial = Buffer.concat([Buffer.from([1]), createHash("sha256").update(spki).digest().subarray(0, 8)])
  const toSign = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(time(new Date(until.getTime() - 2 * 86_400_000)), time(until)),
    name,
    spki,
    der(0xa3, sequence(sequence(oid("551d11"), der(0x04, sequence(alternative)))))
  )
  const certificate = sequence(toSign, ecdsaWithSha256, der(0x03, Buffer.from([0]), signed(toSign, privateKey)))
  const base64 = certificate.toString("base64").replace(/.{64}/g, "$&\n")
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    pem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
  }
}

const signed = (bytes: Uint8Array, key: KeyObject) => sign("sha256", bytes, key)
