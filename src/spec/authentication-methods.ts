import { refuseUnless } from './refusal.ts'

/**
 * How an EEC authenticates. The first names are those of 3GPP's open enumerations, the others are ours. There is no
 * name for "not at all": what cannot be said cannot be chosen (THREATS NG-01).
 */

/** `EcsAuthMethod` (TS 29.503), with the PSK from Kedge and the entitlement token (D-14). */
export const ECS_METHODS = ['TLS_CLIENT_SERVER_CERTIFICATE', 'TLS_AKMA', 'TLS_KEDGE', 'ENTITLEMENT_TOKEN'] as const

/** `EesAuthMethod` (TS 24.558 `EESInfo.eesAuthMethods`), with the entitlement token and the ECS's token for one EES. */
export const EES_METHODS = [
  'TLS_CLIENT_SERVER_CERTIFICATE',
  'TLS_WITH_AKMA',
  'ENTITLEMENT_TOKEN',
  'EDGE_ACCESS_TOKEN',
] as const

export type EcsMethod = (typeof ECS_METHODS)[number]
export type EesMethod = (typeof EES_METHODS)[number]
export type Method = EcsMethod | EesMethod

/** With a pre-shared key that the UE has and its network knows. */
export const PSK_METHODS: readonly EcsMethod[] = ['TLS_KEDGE', 'TLS_AKMA']

/** Ours (D-15), in requests and answers: what was offered, and what was chosen of it. */
export const METHODS_HEADER = 'edge-auth-methods'

export function methodsLine(offered: readonly string[], chosen: Method): string {
  return `offered="${offered.join(' ')}"; chosen="${chosen}"`
}

/** More than all published and own names together: a longer offer is not one. */
const MAX_OFFER = 16
const NAME = /^[A-Za-z0-9_-]{1,64}$/

/**
 * The client's choice from a server's offer (D-15). The enumerations are open, so names that we do not know are passed
 * over; an offer without any that we want is the end, never a try without authentication (THREATS NG-01, NG-03).
 *
 * @param offer - as received
 * @param wanted - best first; what is not in it is below the floor
 * @throws Refusal AUTHENTICATION_METHOD_NOT_ACCEPTED
 */
export function chooseMethod<Wanted extends Method>(offer: unknown, wanted: readonly Wanted[]): Wanted {
  const code = 'AUTHENTICATION_METHOD_NOT_ACCEPTED'
  refuseUnless(isOffer(offer), code, 'the offer is not a list of different method names')
  const chosen = wanted.find((method) => offer.includes(method))
  refuseUnless(chosen, code, 'no method that is offered is acceptable')
  return chosen
}

function isOffer(offer: unknown): offer is readonly string[] {
  return (
    Array.isArray(offer) &&
    offer.length > 0 &&
    offer.length <= MAX_OFFER &&
    offer.every((name) => typeof name === 'string' && NAME.test(name)) &&
    new Set(offer).size === offer.length
  )
}
