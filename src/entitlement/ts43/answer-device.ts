import type { EntitlementDocument } from '../../spec/messages/entitlement.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { Supi } from '../../spec/subscriber-identifiers.ts'
import {
  type AuthenticationToken,
  type AuthenticationTokenPorts,
  authenticateFast,
  authenticateOnce,
} from '../authentication/authentication-token.ts'
import { type Challenged, continueRelay, type RelayPorts, startRelay } from '../authentication/eap-aka-relay.ts'
import { type AcquisitionPorts, acquireOperatorToken } from '../operator-token/acquire.ts'
import { type Credentials, type DeviceOperation, readEntitlementRequest, readOperation, type Wish } from './request.ts'

/** What a device wants, and the key that it has proven in the same request. */
export interface Asked {
  readonly wish: Wish
  /** RFC 7638 thumbprint */
  readonly jkt: string | undefined
}

export interface DevicePorts extends RelayPorts<Asked>, AuthenticationTokenPorts, AcquisitionPorts {
  readonly entitlementVersions: readonly string[]
  /** where those who are shown a token may ask about it */
  readonly validationUrl: string
}

export interface DeviceRequest {
  readonly parameters: Readonly<Record<string, unknown>>
  readonly userAgent: string
  readonly takesEapRelay: boolean
  readonly jkt: string | undefined
}

/** EAP for the terminal to answer, or the document. */
export type DeviceAnswer = Challenged | { readonly outcome: 'document'; readonly document: EntitlementDocument }

/**
 * A request with parameters: TS.43 2.2, 2.8. The terminal is authenticated by the token that it has, or else by
 * EAP-AKA; we offer no other method.
 *
 * @throws Refusal of the parts, AUTHENTICATION_REQUIRED
 */
export async function answerRequest(ent: DevicePorts, request: DeviceRequest): Promise<DeviceAnswer> {
  const { wish, credentials } = readEntitlementRequest(request.parameters, ent.entitlementVersions)
  const asked = { wish, jkt: request.jkt }
  const known = await authenticateByToken(ent, credentials, wish)
  if (known !== undefined) return answerKnown(ent, known, asked)
  const { eapId } = credentials
  refuseUnless(eapId !== undefined, 'AUTHENTICATION_REQUIRED', 'no good token is shown, and no EAP_ID')
  refuseUnless(request.takesEapRelay, 'NOT_ACCEPTABLE', 'EAP packets have a media type of their own')
  return startRelay(ent, { identity: eapId, userAgent: request.userAgent, asked })
}

/** A terminal goes on with EAP: TS.43 2.8.1. @throws Refusal of the parts */
export async function answerEapPacket(
  ent: DevicePorts,
  relayed: { readonly session: string; readonly userAgent: string; readonly octets: Buffer },
): Promise<DeviceAnswer> {
  const result = await continueRelay(ent, relayed)
  if (result.outcome === 'challenged') return result
  const { supi, asked } = result
  return answerKnown(ent, { supi, next: () => ent.newAuthenticationToken(supi, asked.wish.terminal) }, asked)
}

/** A subscriber that is authenticated, and the fast authentication token for next time. */
interface Known {
  readonly supi: Supi
  next?(): Promise<AuthenticationToken>
}

async function authenticateByToken(
  ent: DevicePorts,
  { token, temporaryToken }: Credentials,
  { terminal, operation }: Wish,
): Promise<Known | undefined> {
  if (temporaryToken !== undefined) {
    return { supi: await authenticateOnce(ent, temporaryToken, { terminal, operation }) }
  }
  const fast = token === undefined ? undefined : await authenticateFast(ent, token, terminal)
  return fast && { supi: fast.supi, next: async () => fast.next }
}

async function answerKnown(ent: DevicePorts, { supi, next }: Known, asked: Asked): Promise<DeviceAnswer> {
  const result = await perform(ent, supi, asked)
  const given = await next?.()
  const seconds = given && Math.max(0, Math.floor((given.expiresAt - ent.now()) / 1000))
  const validity = String(seconds ?? 0)
  const document = {
    Vers: { version: '1', validity },
    ...(given && { Token: { token: given.token, validity } }),
    ap2015: result,
  }
  return { outcome: 'document', document }
}

async function perform(ent: DevicePorts, supi: Supi, asked: Asked): Promise<EntitlementDocument['ap2015']> {
  const { operation } = asked.wish
  if (operation === 'AcquireOperatorToken') return performAcquisition(ent, supi, asked)
  if (operation === 'AcquireTemporaryToken') return performTemporaryToken(ent, supi, asked)
  return {}
}

async function performAcquisition(ent: DevicePorts, supi: Supi, { wish, jkt }: Asked) {
  const { token, expiresAt, eecId } = await acquireOperatorToken(ent, supi, { ...wish, jkt })
  return {
    OperatorToken: token,
    OperatorTokenExpiry: new Date(expiresAt).toISOString(),
    OperatorTokenAuthURL: ent.validationUrl,
    ClientID: eecId,
    OperationResult: '1',
  }
}

async function performTemporaryToken(ent: DevicePorts, supi: Supi, { wish }: Asked) {
  const targets = readTargets(wish.operationTargets)
  refuseUnless(ent.mayHaveToken(supi), 'TOO_MANY_REQUESTS', 'too many tokens are asked for')
  const { token, expiresAt } = await ent.newTemporaryToken(supi, wish.terminal, targets)
  return {
    TemporaryToken: token,
    TemporaryTokenExpiry: new Date(expiresAt).toISOString(),
    OperationTargets: targets.join(','),
    OperationResult: '1',
  }
}

/** One temporary token does not make another one. */
function readTargets(text: string | undefined): DeviceOperation[] {
  const names = text?.split(',').map((name) => name.trim()) ?? []
  const targets = [...new Set(names.map(readOperation))]
  const possible = targets.length > 0 && !targets.includes('AcquireTemporaryToken')
  if (!possible) throw new Refusal('MANDATORY_IE_INCORRECT', 'operation_targets names operations for which it can be')
  return targets
}
