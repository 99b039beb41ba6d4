import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createIssuer, createRoot } from '../src/certificates/authority.ts'
import { x5tS256 } from '../src/certificates/certificate.ts'
import { issueCertificate } from '../src/certificates/issue.ts'
import { drawSerial, templateFor } from '../src/certificates/template.ts'
import { Guard } from '../src/ees/guard/guard.ts'
import { systemClock } from '../src/ports/clock.ts'
import { systemRandom } from '../src/ports/random.ts'
import { signerOf } from '../src/ports/signer.ts'
import type { Fqdn, RegistrationId } from '../src/spec/identifiers.ts'
import { issueAccessToken } from '../src/tokens/access-token.ts'
import { keySetOf } from '../src/tokens/key-set.ts'
import { atOnce, bareVerifications, processorTime } from './at-once.ts'
import { eachOf, inTurn, partOf } from './in-turn.ts'
import { against, type Result } from './result.ts'

const newSigner = () => signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const AUDIENCE = 'ees2.example.com' as Fqdn
const CLIENT = 'ees1.example.com' as Fqdn
const ISSUER = 'https://ecs1.example.com'

/** Verifications each second in the guard: of tokens at first sight, against bare crypto.verify, and of one seen before. */
export async function benchGuard(count: number): Promise<Result[]> {
  const now = systemClock.now()
  const domain = 'example.com' as Fqdn
  const crlDistributionPoint = 'https://ecs1.example.com/crl'
  const root = await createRoot(domain, { signer: newSigner(), now, random: systemRandom })
  const issuer = await createIssuer('ees-issuer', root, {
    signer: newSigner(),
    now,
    random: systemRandom,
    crlDistributionPoint,
  })
  const spki = newSigner().publicKey.export({ type: 'spki', format: 'der' })
  const subject = { role: 'ees', fqdn: CLIENT, registrationId: systemRandom.uuid() as RegistrationId } as const
  const issuance = { issuer: issuer.certificate, spki, serial: drawSerial(systemRandom), now, crlDistributionPoint }
  const der = await issueCertificate(templateFor(subject, issuance), issuer.signer)

  const signer = newSigner()
  const grant = {
    iss: ISSUER,
    sub: CLIENT,
    aud: AUDIENCE,
    scope: new Set(['eees-eeccontextreloc']),
    certificateThumbprint: x5tS256(der),
  }
  const tokens = await Promise.all(
    Array.from({ length: count }, () => issueAccessToken(grant, { signer, now, jti: randomBytes(16).toString('hex') })),
  )
  const authorities = [{ certificate: issuer.certificate }]
  const guard = new Guard({
    issuers: new Map([[ISSUER, keySetOf([signer.publicKey])]]),
    audience: AUDIENCE,
    authorities: () => authorities,
    clock: systemClock,
  })
  const connection = {}
  const authorize = (token: string) =>
    guard.authorize({
      connection,
      certificate: () => der,
      authorization: `Bearer ${token}`,
      scope: 'eees-eeccontextreloc',
    })
  const each = eachOf(count)
  const verify = (some: readonly string[]) => atOnce(each, (n) => authorize(some[n] ?? ''))
  const [firstSight, bare] = await inTurn(
    each,
    { round: (n) => verify(partOf(tokens, n)), used: processorTime },
    { round: bareVerifications(each), used: processorTime },
  )
  const known = tokens.slice(-1)
  const [seen] = await inTurn(count, { round: () => atOnce(count, () => authorize(known[0] ?? '')) })
  return [
    against('token verifications per second, first sight, against crypto.verify', firstSight, bare, 0.6),
    against('token verifications per second, seen before, against first sight', seen, firstSight, 20),
  ]
}
