import { deriveKaf, UA_SHARED_KEY_TLS_1_3 } from '../../keys/akma.ts'
import type { Kaf, Kakma } from '../../keys/key.ts'
import type { Alarms } from '../../nf/alarms.ts'
import { type AKid, parseAKid } from '../../spec/a-kid.ts'
import { parseFqdn } from '../../spec/identifiers.ts'
import type { AkmaAfKeyRequest } from '../../spec/messages/akma.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type ApplicationKeyDelivery, hashedKeyId } from '../audit.ts'
import type { AusfPeer } from '../peers.ts'

export interface ApplicationKeyPorts {
  now(): number
  /** whether this caller may ask once more now */
  allow(caller: string): boolean
  readonly alarms: Alarms
  /** Always returns a key, and always takes the same steps to find it. @returns `until` if it is good now */
  findKakma(aKid: AKid, now: number): Promise<{ readonly kakma: Kakma; readonly until: number | undefined }>
  record(delivery: ApplicationKeyDelivery): Promise<void>
}

export interface ApplicationKey {
  readonly kaf: Kaf
  /** milliseconds since 1970 */
  readonly until: number
}

/** AF_ID of TS 33.535 A.4: FQDN, and the Ua* security protocol identifier where it is written. */
const AF_ID = /^(?<fqdn>[^:]{1,253})(?::(?<protocol>[0-9A-Fa-f]{10}))?$/

/**
 * Naanf_AKMA_ApplicationKey_Get: TS 33.535 6.2.1 steps 2 to 4. The AUSF stands in for the AAnF of its own subscribers.
 * An AF is the one of its certificate, so KAF of another is out of its reach (THREATS KE-04), and the only protocol is
 * shared-key TLS 1.3. Neither SUPI nor GPSI goes out.
 *
 * @returns undefined if there is no key, whatever the reason (THREATS KE-07)
 * @throws Refusal TOO_MANY_REQUESTS, MANDATORY_IE_INCORRECT, ECS_NOT_AUTHORIZED
 */
export async function retrieveApplicationKey(
  aanf: ApplicationKeyPorts,
  { fqdn }: AusfPeer,
  { afId, aKId }: AkmaAfKeyRequest,
): Promise<ApplicationKey | undefined> {
  if (!aanf.allow(fqdn)) {
    aanf.alarms.raise('rate-limit', fqdn)
    throw new Refusal('TOO_MANY_REQUESTS', 'the caller asks too often')
  }
  const aKid = parseAKid(aKId)
  refuseUnless(aKid !== undefined, 'MANDATORY_IE_INCORRECT', 'aKId is not an A-KID')
  const { fqdn: named = '', protocol = UA_SHARED_KEY_TLS_1_3.toString('hex') } = AF_ID.exec(afId)?.groups ?? {}
  const known = protocol === UA_SHARED_KEY_TLS_1_3.toString('hex')
  refuseUnless(known, 'MANDATORY_IE_INCORRECT', 'afId names another protocol than shared-key TLS 1.3')
  if (parseFqdn(named) !== fqdn) {
    aanf.alarms.raise('foreign-ecs-named', fqdn)
    throw new Refusal('ECS_NOT_AUTHORIZED', 'afId is not the name of the caller')
  }
  const { kakma, until } = await aanf.findKakma(aKid, aanf.now())
  const kaf = deriveKaf(kakma, fqdn)
  if (until === undefined) {
    aanf.alarms.raise('key-id-unknown', fqdn)
    return undefined
  }
  await aanf.record({ event: 'application-key-delivered', aKid: hashedKeyId(aKid), af: fqdn })
  return { kaf, until }
}
