import { spkiSha256 } from '../../certificates/public-key.ts'
import { statement } from '../../store/queries.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { issueOwn, pemOfKey } from '../adapters/own-keys.ts'
import { db } from '../adapters/registration-store.ts'
import { chainOf, crlUrl } from '../certificate-authority/authorities.ts'
import type { EcsUrls } from '../urls.ts'

export interface OwnCredential extends ServerCredential {
  /** milliseconds since 1970: two thirds of its life */
  readonly renewAfter: number
}

/**
 * A new key and certificate for the listeners. The key lives in memory only: clients trust the root and the name,
 * so a new one at every start and every renewal costs them nothing.
 */
export async function newServerCredential(ecs: OpenEcs, urls: Pick<EcsUrls, 'apiRoot'>): Promise<OwnCredential> {
  const { clock, random, ca, store, configuration } = ecs
  const { ecsIssuer } = ca.present()
  const now = clock.now()
  const crlDistributionPoint = crlUrl(urls, ecsIssuer.certificate)
  const subject = { role: 'ecs', fqdn: configuration.fqdn } as const
  const { pem, key, certificate } = await issueOwn(ecsIssuer, subject, { now, crlDistributionPoint }, random)
  const reserved = { spki_sha256: spkiSha256(certificate.spki), registration_id: 'ecs' }
  await store.commit([statement(db.insertInto('registered_key').values(reserved))])
  return {
    certificateChain: pem + chainOf(ca.standing(), ecsIssuer),
    privateKey: pemOfKey(key),
    renewAfter: now + ((certificate.notAfter - now) * 2) / 3,
  }
}
