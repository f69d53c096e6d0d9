import * as KeyFormat from "effect/crypto/KeyFormat"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as BulkError from "../BulkError.ts"

/** What a JWT says. */
export type Claims = Readonly<Record<string, string | number>>

/** Makes what signs claims as JWTs, by RS256, with an RSA key that is PEM text. */
export const jwtSigner = Effect.fnUntraced(
  function* (privateKey: Redacted.Redacted) {
    const key = yield* readKey(Redacted.value(privateKey))
    const signature = yield* Signature.Signature
    return (claims: Claims): Effect.Effect<Redacted.Redacted, BulkError.BulkError> => {
      const text = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`
      return signature.sign(key, new TextEncoder().encode(text)).pipe(
        Effect.map((signed) => Redacted.make(`${text}.${Base64Url.encode(signed)}`)),
        Effect.mapError((error) => refuse(`it cannot sign: ${error.message}`))
      )
    }
  },
  Effect.provide(Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto)))
)

const encode = (part: Claims): string => Base64Url.encode(JSON.stringify(part))

const readKey = Effect.fnUntraced(function* (text: string) {
  // tools like openssl write attributes around the block
  const [block, label] = /-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----/s.exec(text) ?? []
  if (block === undefined) return yield* refuse("it holds no PEM block")
  if (block.includes("ENCRYPTED")) {
    return yield* refuse("it is encrypted: decrypt it first, with `openssl pkey -in key.pem -out plain.pem`")
  }
  if (label !== "PRIVATE KEY" && label !== "RSA PRIVATE KEY") return yield* refuse(`a ${label} is no RSA private key`)
  const format = KeyFormat.pem(label === "PRIVATE KEY" ? KeyFormat.pkcs8 : KeyFormat.pkcs1)
  return yield* KeyFormat.decodePrivate(format, Signature.rsaPkcs1v15Sha256, block).pipe(
    Effect.mapError((error) => refuse(`it cannot be read as an RSA key: ${error.message}`))
  )
})

const refuse = (problem: string) => BulkError.make(new BulkError.InvalidOptions({ problem: `privateKey: ${problem}` }))
