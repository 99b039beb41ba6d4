import type { NfClient } from '../../nf/adapters/nf-client.ts'
import { rateLimit } from '../../nf/rate-limit.ts'
import { ENTITLEMENT } from '../../spec/entitlement-operations.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal } from '../../spec/refusal.ts'
import { issueEntitlementToken, readEntitlementToken } from '../../tokens/entitlement-token.ts'
import { keySetOf } from '../../tokens/key-set.ts'
import { edgeScope } from '../../tokens/scope.ts'
import type { Grant, IssuedToken } from '../operator-token/acquire.ts'
import type { IntrospectionPorts } from '../operator-token/introspect.ts'
import { certificateThumbprint, LONGEST_LIFETIME, publishedKeys } from '../signing/signing-keys.ts'
import type { Asked, DevicePorts } from '../ts43/answer-device.ts'
import { findEntitlement } from './entitlement-store.ts'
import type { exchangeTable } from './exchange-table.ts'
import type { OpenEntitlement } from './open-entitlement.ts'
import { authenticationTokens, isOperatorTokenGood, noteOperatorToken } from './token-store.ts'
import { vectorsOf } from './udm-client.ts'

/** The parts of a running entitlement server. */
export interface EntitlementParts {
  readonly exchanges: ReturnType<typeof exchangeTable<Asked>>
  readonly udm: NfClient
}

/** `iss` of its tokens: without a port, because the name alone is certified. */
export const issuerOf = ({ configuration }: Pick<OpenEntitlement, 'configuration'>) => `https://${configuration.fqdn}`

export function devicePorts(ent: OpenEntitlement, { exchanges, udm }: EntitlementParts): DevicePorts {
  const { configuration, clock } = ent
  const { homeNetwork, authentication, operatorTokens, listen, fqdn } = configuration
  return {
    ...authenticationTokens(ent, {
      authenticationTokenLifetime: authentication.tokenLifetime * 1000,
      temporaryTokenLifetime: authentication.temporaryTokenLifetime * 1000,
    }),
    homeNetwork,
    exchanges,
    generateAv: vectorsOf(udm),
    entitlementVersions: configuration.entitlementVersions,
    validationUrl: `https://${fqdn}:${listen.mtls}${ENTITLEMENT.ValidateOperatorToken.path}`,
    audiences: operatorTokens.audiences,
    unboundTokens: operatorTokens.unbound,
    mayHaveToken: rateLimit(configuration.tokenRequests, clock.monotonic),
    findEntitlement: (supi, eecId) => findEntitlement(ent, supi, eecId),
    issue: (grant) => issue(ent, grant),
  }
}

async function issue(ent: OpenEntitlement, grant: Grant): Promise<IssuedToken> {
  const { keyRing, clock, random, configuration } = ent
  const { key, signer } = await keyRing.current()
  const now = clock.now()
  // No token outlives the certificate by which it is verified.
  const lifetime = Math.min(configuration.operatorTokens.lifetime, Math.floor((key.chain[0].notAfter - now) / 1000))
  const jti = random.uuid()
  const expiresAt = (Math.floor(now / 1000) + lifetime) * 1000
  await noteOperatorToken(ent, grant, { jti, expiresAt })
  const { entitlement, aud, jkt } = grant
  const said = {
    iss: issuerOf(ent),
    eecId: entitlement.eecId,
    aud,
    scope: edgeScope(aud),
    ...(entitlement.gpsi !== undefined && { gpsi: entitlement.gpsi }),
    ...(jkt !== undefined && { jkt }),
    certificateThumbprint: certificateThumbprint(key),
  }
  return { token: await issueEntitlementToken(said, { signer, now, jti, lifetime }), expiresAt }
}

export function introspectionPorts(ent: OpenEntitlement): IntrospectionPorts {
  return {
    readToken: (token, audience) => readOwnToken(ent, token, audience),
    isGood: (jti) => isOperatorTokenGood(ent, jti),
  }
}

/** As a verifier reads it; also what was signed before the configured lifetime was shortened. */
async function readOwnToken(ent: OpenEntitlement, token: string, audience: Fqdn) {
  const now = ent.clock.now()
  const keys = publishedKeys(ent.keyRing.all(), now).map(({ publicKey }) => publicKey)
  const issuers = new Map([[issuerOf(ent), keySetOf(keys)]])
  try {
    return await readEntitlementToken(token, { issuers, audience, maxLifetime: LONGEST_LIFETIME, now })
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
