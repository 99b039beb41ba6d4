import type { KeyObject } from 'node:crypto'
import { type Certificate, readCertificate, x5tS256 } from '../certificates/certificate.ts'
import { checkChain } from '../certificates/chain.ts'
import { parseJsonContent } from '../http/content.ts'
import { isJsonObject } from '../octets/strict-json.ts'
import type { Clock } from '../ports/clock.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { Refusal } from '../spec/refusal.ts'
import type { FetchedKeys } from '../tokens/issuer-keys.ts'
import { jwkThumbprint, publicKeyOf } from '../tokens/jwk.ts'

/** More than an issuer has in use or in overlap (THREATS EN-07). */
const MOST_KEYS = 16
/** Standard base64 (RFC 4648 4), as RFC 7517 4.7 wants it. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

export interface CertificateExpectation {
  /** the host of the issuer: the certificate's dNSName */
  readonly fqdn: Fqdn
  /** roots that are trusted for this issuer alone */
  readonly anchors: readonly Certificate[]
  readonly clock: Pick<Clock, 'now'>
  /** hears of a key whose certificate is not accepted */
  readonly failed?: (error: unknown) => void
}

interface CertifiedKey {
  readonly key: KeyObject
  readonly notAfter: number
}

/**
 * A JWK Set whose keys come with their certificates (RFC 7517 4.7): `kid` is the RFC 7638 thumbprint, the first
 * certificate of `x5c` is of that very key, and its chain leads to an anchor (D-14).
 *
 * A key whose certificate is not accepted is left out: during a change of keys the old one may run out before the new
 * one has proven itself. A set of any other form is none.
 *
 * @param octets - the JSON text
 * @returns keys by `kid` and `x5t#S256`, each until its certificate ends
 * @throws TypeError if the text is anything else
 */
export function readCertifiedKeys(octets: Uint8Array, expected: CertificateExpectation): FetchedKeys {
  const set = parseJsonContent(octets)
  const entries = isJsonObject(set) ? set['keys'] : undefined
  if (!Array.isArray(entries) || entries.length > MOST_KEYS) throw new TypeError('not a set of certified keys')
  const keys = new Map<string, CertifiedKey>()
  for (const entry of entries) {
    const { kid, key, chain } = readEntry(entry)
    try {
      const { der, notAfter } = acceptChain(key, chain, expected)
      keys.set(nameOf(kid, x5tS256(der)), { key, notAfter })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      expected.failed?.(error)
    }
  }
  return {
    get(kid, certificateThumbprint) {
      const found = certificateThumbprint && keys.get(nameOf(kid, certificateThumbprint))
      return found && expected.clock.now() <= found.notAfter ? found.key : undefined
    },
  }
}

const nameOf = (kid: string, certificateThumbprint: string) => `${kid} ${certificateThumbprint}`

interface Entry {
  readonly kid: string
  readonly key: KeyObject
  readonly chain: readonly Buffer[]
}

function readEntry(entry: unknown): Entry {
  if (!isJsonObject(entry)) throw new TypeError('not a JWK')
  const { x5c, ...jwk } = entry
  const key = publicKeyOf(jwk)
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new TypeError('not a public P-256 key')
  if (!isChain(x5c)) throw new TypeError('x5c is not a list of certificates')
  return { kid: jwkThumbprint(key), key, chain: x5c.map((text) => Buffer.from(text, 'base64')) }
}

function isChain(x5c: unknown): x5c is readonly string[] {
  return Array.isArray(x5c) && x5c.every((text) => typeof text === 'string' && BASE64.test(text))
}

/** @throws Refusal CERTIFICATE_NOT_ACCEPTED */
function acceptChain(key: KeyObject, chain: readonly Buffer[], expected: CertificateExpectation): Certificate {
  const [leaf, ...intermediates] = chain.map((der) => readCertificate(der))
  const { fqdn, anchors, clock } = expected
  const isOfIssuer = leaf?.publicKey.equals(key) && leaf.subjectAltNames.dnsNames[0] === fqdn
  if (!leaf || !isOfIssuer) throw new Refusal('CERTIFICATE_NOT_ACCEPTED', 'the certificate is not of the issuer')
  // An entitlement server is a network function of its operator: dNSName, serverAuth and clientAuth (TS 33.310 6.1.3c).
  checkChain({ leaf, intermediates, anchors, role: 'nf', now: clock.now() })
  return leaf
}
