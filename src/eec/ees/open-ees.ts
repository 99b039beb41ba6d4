import { fqdnOf } from '../../http/origin.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Progress } from '../../ports/progress.ts'
import { chooseMethod, type EesMethod } from '../../spec/authentication-methods.ts'
import { parseFqdn } from '../../spec/identifiers.ts'
import type { EESInfo } from '../../spec/messages/service-provisioning.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { at } from '../authentication/at-step.ts'
import { type BoundToken, HeldToken, withToken } from '../bound-token.ts'
import type { Connect } from '../connection.ts'
import { NotUsable } from '../errors.ts'
import type { ProofKey } from '../proof-key.ts'
import type { NotificationPorts } from '../subscriptions.ts'
import { type Ees, EesSession } from './ees-session.ts'

/** How this EEC can authenticate at EESs, best first. */
export type EesTokens = Partial<Readonly<Record<EesMethod, (ees: Ees) => Promise<BoundToken>>>>

export interface EesPorts {
  readonly eecId: EecId
  readonly connect: Pick<Connect, 'byCertificate'>
  readonly key: ProofKey
  readonly tokens: EesTokens
  readonly notifications: NotificationPorts
  readonly clock: Pick<Clock, 'now'>
  readonly progress: Progress
}

export interface EesOptions {
  /** best first; what is not named is below the floor. All that this EEC has, the token of the ECS first, unless stated */
  readonly methods?: readonly EesMethod[]
  /** `https://FQDN[:PORT]`, where `endPt` names no URL; of the same FQDN */
  readonly apiRoot?: string
}

const ORDER: readonly EesMethod[] = ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN']

/**
 * Authenticates at an EES that an ECS has named, by a method that the EES takes: TS 33.558 6.3. The offer came in an
 * authenticated answer of the ECS.
 *
 * @throws NotUsable before anything is sent; AuthenticationStepFailed
 */
export async function openEes(eec: EesPorts, info: EESInfo, options: EesOptions = {}): Promise<EesSession> {
  const ees = eesOf(info, options.apiRoot)
  const wanted = options.methods ?? ORDER.filter((method) => eec.tokens[method] !== undefined)
  const missing = wanted.find((method) => eec.tokens[method] === undefined)
  if (missing !== undefined) throw new NotUsable(`this EEC has nothing to authenticate with by ${missing}`)
  const method = await at('negotiation', async () => chooseMethod(info.eesAuthMethods, wanted))
  const token = new HeldToken(async () => (await eec.tokens[method]?.(ees)) ?? noToken(), eec.clock)
  const arrow = { clause: 'TS 33.558 6.3', from: 'EEC', to: ees.fqdn }
  const connection = eec.connect.byCertificate(ees.apiRoot)
  try {
    await at('token for the EES', () => token.get())
    await at('EES', () => eec.progress.step(arrow, 'TLS with the certificate of the EES', () => connection.open()))
  } catch (error) {
    connection.close()
    throw error
  }
  const authenticated = withToken(connection, ees.apiRoot, { token: () => token.get(), key: eec.key })
  return new EesSession(eec.eecId, ees, { method, connection: authenticated, notifications: eec.notifications })
}

/** @throws NotUsable */
export function eesOf({ eesId, endPt }: EESInfo, apiRoot?: string): Ees {
  const named = endPt?.fqdn === undefined ? fqdnOf(endPt?.uri ?? '') : parseFqdn(endPt.fqdn)
  if (named === undefined) throw new NotUsable(`${eesId} has no end point with a name`)
  const origin = apiRoot ?? endPt?.uri ?? `https://${named}`
  if (fqdnOf(origin) !== named) throw new NotUsable(`${origin} is not an https origin of ${named}`)
  return { eesId, fqdn: named, apiRoot: new URL(origin).origin }
}

function noToken(): never {
  throw new NotUsable('this EEC has no token for an EES')
}
