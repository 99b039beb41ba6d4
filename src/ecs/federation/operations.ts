import { Type } from 'typebox'
import { PARTNERS_PATH } from '../../spec/messages/partners.ts'
import type { Operation } from '../../spec/operation.ts'

/** What ECSs ask each other beside EDGE-10 (D-18, D-19). */
export const FEDERATION = {
  forward: operation('ForwardTokenRequest', 'POST', 'eecs-token-forwarding', '/eecs-token-forwarding/v1/token'),
  resolve: operation('ResolveEes', 'POST', 'eecs-ees-lookup', '/eecs-ees-lookup/v1/resolve'),
  trustBundle: operation('GetTrustBundle', 'GET', 'federation', '/.well-known/edge-federation/trust-bundle'),
  partners: operation('GetPartners', 'GET', 'federation', PARTNERS_PATH),
} as const

function operation(id: string, method: Operation['method'], api: string, path: string): Operation {
  return { id, api, method, path, clause: 'TS 33.501 13.4.1.1.3' }
}

/** A chain as it travels: each link is at most 8 KiB, and no ECS takes more than four. */
export const ForwardingMessage = Type.Object({
  assertion: Type.String({ minLength: 1, maxLength: 8_192 }),
  hops: Type.Array(Type.String({ minLength: 1, maxLength: 8_192 }), { maxItems: 8 }),
})

export const ResolveRequest = Type.Object({ fqdn: Type.String() })
export const ResolveAnswer = Type.Object({
  ecs: Type.String(),
  /** seconds that the answer may be kept */
  lifeTime: Type.Integer({ minimum: 0 }),
})

/** TS 29.500 5.2.3.3: other kinds of correlation than ours are for others. */
const CORRELATION = '3gpp-sbi-correlation-info'
const OUR_CORRELATION = /^edgeward-([\w-]{22})$/

export const correlationHeader = (correlation: string) => ({ [CORRELATION]: `edgeward-${correlation}` })

/** @returns undefined if there is none of ours */
export function correlationIn(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  return OUR_CORRELATION.exec(String(headers[CORRELATION] ?? ''))?.[1]
}
