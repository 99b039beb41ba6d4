import { prepared, statement } from '../../store/queries.ts'
import { hashedTokenId } from '../audit.ts'
import { offeredMethods } from '../authentication/offered-methods.ts'
import { firstToken } from '../authorization-server/request-token.ts'
import type { IssuedToken } from '../certificate-authority/certify.ts'
import type { Registration } from '../registrar/registration.ts'
import type { AuthorizationServer } from '../routes/authorization-server-routes.ts'
import type { EcsUrls } from '../urls.ts'
import { findByThumbprint, guardClock } from './certificate-store.ts'
import type { OpenEcs } from './open-ecs.ts'
import { commit, db, findByRegistrationId, findLiveByFqdn } from './registration-store.ts'

export function authorizationServerPorts(ecs: OpenEcs, { apiRoot, mtlsRoot }: EcsUrls): AuthorizationServer {
  const { store, clock, random, configuration } = ecs
  const { fqdn, tokens } = configuration
  const { eecCertificates } = configuration.authentication
  return {
    issuer: apiRoot,
    mtlsRoot,
    offered: offeredMethods(configuration),
    eecRoot: eecCertificates && `https://${fqdn}:${eecCertificates.port}`,
    fqdn,
    lifetimes: { atEcs: tokens.accessLifetime, atEes: Math.min(300, tokens.accessLifetime) },
    random,
    now: clock.now,
    policy: ecs.currentPolicy,
    signer: ecs.tokenSigner,
    verificationKeys: ecs.verificationKeys,
    async findEes(target) {
      const found =
        'fqdn' in target
          ? await findLiveByFqdn(store, target.fqdn)
          : await findByRegistrationId(store, target.registrationId)
      return found !== undefined && isAlive(found, clock.now()) ? { eesId: found.eesId, fqdn: found.fqdn } : undefined
    },
    async recordTokenIssue(issue) {
      const now = clock.now()
      await commit(store, now, [guardClock(now)], { event: 'token-issued', ...issue })
    },
    async tokenStanding(jti, thumbprint) {
      const known = await findByThumbprint(store, thumbprint)
      const { registration } = known ?? {}
      const ended = registration && registration.state === 'live' && !isAlive(registration, clock.now())
      return {
        revoked: await isTokenRevoked(ecs, jti),
        certificate: known?.certificate.state,
        registration: ended ? 'expired' : registration?.state,
      }
    },
    async revokeToken(jti, until) {
      const insert = db
        .insertInto('revoked_token')
        .values({ jti, expires_at: until })
        .onConflict((conflict) => conflict.doNothing())
      await commit(store, clock.now(), [statement(insert)], { event: 'token-revoked', token: hashedTokenId(jti) })
    },
  }
}

function isAlive({ state, expiresAt }: Pick<Registration, 'state' | 'expiresAt'>, now: number): boolean {
  return state === 'live' && expiresAt > now
}

const revoked = prepared(({ jti }: { jti: string }) =>
  db.selectFrom('revoked_token').select('jti').where('jti', '=', jti),
)

export async function isTokenRevoked({ store }: Pick<OpenEcs, 'store'>, jti: string): Promise<boolean> {
  return (await store.read(revoked({ jti }))).length > 0
}

/** Forgets what has expired by itself. */
export async function forgetExpiredTokens({ store, clock }: OpenEcs): Promise<void> {
  await store.commit([statement(db.deleteFrom('revoked_token').where('expires_at', '<', clock.now()))])
}

/**
 * The token that comes with the answer to an onboarding (TR 33.839 6.Y.2 step 5), decided like any other. Its line in
 * the audit trail is left to the caller, who commits it with the certificate.
 */
export async function issueFirstToken(
  ecs: OpenEcs,
  urls: EcsUrls,
  registration: Registration,
  thumbprint: string,
): Promise<IssuedToken | undefined> {
  const { eesId, fqdn } = registration
  let issue: IssuedToken['issue'] | undefined
  const recordTokenIssue: AuthorizationServer['recordTokenIssue'] = async (line) => {
    issue = { event: 'token-issued', ...line }
  }
  const ports = { ...authorizationServerPorts(ecs, urls), recordTokenIssue }
  const token = await firstToken(ports, { eesId, fqdn, thumbprint, registration })
  if (token === undefined || issue === undefined) return undefined
  return { accessToken: token.access_token, expiresIn: token.expires_in, scope: token.scope, issue }
}
