import { generateKeyPairSync } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { PresentedRequest } from '../src/eec-authentication/presented-token.ts'
import { ReplayCache } from '../src/eec-authentication/replay-cache.ts'
import { verifyEntitlement } from '../src/eec-authentication/verify-entitlement.ts'
import { rateLimit } from '../src/nf/rate-limit.ts'
import { systemClock } from '../src/ports/clock.ts'
import { systemRandom } from '../src/ports/random.ts'
import { type Signer, signerOf } from '../src/ports/signer.ts'
import type { Fqdn } from '../src/spec/identifiers.ts'
import { type EecId, parseEecId } from '../src/spec/subscriber-identifiers.ts'
import { createDpopProof } from '../src/tokens/dpop-proof.ts'
import { type EntitlementTokenClaims, issueEntitlementToken } from '../src/tokens/entitlement-token.ts'
import { jwkThumbprint } from '../src/tokens/jwk.ts'
import { keySetOf } from '../src/tokens/key-set.ts'
import { edgeScope } from '../src/tokens/scope.ts'
import { atOnce, bareVerifications, processorTime } from './at-once.ts'
import { eachOf, inTurn, partOf } from './in-turn.ts'
import { against, type Result } from './result.ts'

const ECS = 'ecs1.example.com' as Fqdn
const ISSUER = 'https://ent.example.com'
/** EECs, each with a key of its own that it proves with all its requests. */
const EECS = 200
/** What a server lets one EEC do is not measured here. */
const NO_LIMIT = { perSecond: 1e6, burst: 1e6 }

/** The keys are at hand here, and no certificate is looked at. */
const THUMBPRINT = `${'A'.repeat(42)}A`

const newSigner = () => signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

/**
 * Authentications each second at an ECS by entitlement token, each with a new token and a proof of its key, against two
 * bare crypto.verify for each.
 */
export async function benchEecTokens(count: number): Promise<Result> {
  const replays = new ReplayCache(systemClock.now())
  const ent = newSigner()
  const eecs = Array.from({ length: EECS }, (_, n) => anEec(`eec-${n}`))
  const requests = await Promise.all(eecs.flatMap((eec) => requestsOf(eec, ent, Math.ceil(count / EECS))))
  const server = {
    fqdn: ECS,
    issuers: new Map([[ISSUER, { issuer: ISSUER, unbound: 'refused' as const, keys: keySetOf([ent.publicKey]) }]]),
    clock: systemClock,
    replays,
    read: new LRUCache<string, EntitlementTokenClaims>({ max: 20_000 }),
    mayGoOn: rateLimit(NO_LIMIT, systemClock.monotonic),
  }
  const authenticate = (some: readonly PresentedRequest[]) =>
    atOnce(some.length, async (n) => {
      const request = some[n]
      if (request !== undefined) await verifyEntitlement(server, request)
    })
  const each = eachOf(requests.length)
  const [ours, bare] = await inTurn(
    each,
    { round: (n) => authenticate(partOf(requests, n)), used: processorTime },
    { round: bareVerifications(each, 2), used: processorTime },
  )
  const name = 'EEC token authentications per second, token and proof new, against two crypto.verify'
  return against(name, ours, bare, 0.6)
}

interface Eec {
  readonly eecId: EecId
  readonly signer: Signer
  readonly jkt: string
}

function anEec(name: string): Eec {
  const eecId = parseEecId(name)
  if (eecId === undefined) throw new Error(`${name} is no EEC ID`)
  const signer = newSigner()
  return { eecId, signer, jkt: jwkThumbprint(signer.publicKey) }
}

function requestsOf({ eecId, signer, jkt }: Eec, ent: Signer, count: number): Promise<PresentedRequest>[] {
  const grant = { iss: ISSUER, eecId, aud: ECS, scope: edgeScope(ECS), jkt, certificateThumbprint: THUMBPRINT }
  const request = { method: 'POST', uri: `https://${ECS}/eecs-serviceprovisioning/v1/request` }
  return Array.from({ length: count }, async () => {
    const now = systemClock.now()
    const token = await issueEntitlementToken(grant, { signer: ent, now, jti: systemRandom.uuid() })
    const dpop = await createDpopProof({ ...request, token }, { signer, now, jti: systemRandom.uuid() })
    return { ...request, headers: { authorization: `DPoP ${token}`, dpop } }
  })
}
