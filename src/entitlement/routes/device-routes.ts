import { Type } from 'typebox'
import { refuseInvalidContent } from '../../http/admission.ts'
import { dpopProof } from '../../http/bearer-token.ts'
import { isMediaType } from '../../http/response.ts'
import { type Answer, type Route, type RouteRequest, routesOf } from '../../http/route.ts'
import { sourceOf } from '../../nf/source.ts'
import { decodeBase64 } from '../../octets/base64.ts'
import { EAP_RELAY, ENTITLEMENT } from '../../spec/entitlement-operations.ts'
import { EapRelayMessage } from '../../spec/messages/entitlement.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { verifyDpopProof } from '../../tokens/dpop-proof.ts'
import type { DevicePeers } from '../peers.ts'
import { answerEapPacket, answerRequest, type DeviceAnswer, type DevicePorts } from '../ts43/answer-device.ts'
import { documentTypeFor, takesEapRelay, writeDocument } from '../ts43/document.ts'
import { clearedCookie, sessionCookie, sessionOf } from './session-cookie.ts'

export interface DeviceRoutePorts extends DevicePorts {
  /** @param source - where the request came from. @returns whether that may ask once more now */
  mayAsk(source: string): boolean
}

const route = routesOf<DevicePeers>()

/** The parts of a request that both methods have. */
interface Head extends Pick<RouteRequest<undefined, unknown>, 'headers' | 'socket'> {
  readonly method: 'GET' | 'POST'
}

/** Both messages are objects; which of them it is says the media type. */
const AnyObject = Type.Record(Type.String(), Type.Unknown())

/** TS.43 2.2: one path, two methods. XML is never taken, so there is nothing to expand in it (THREATS EN-05). */
export function deviceRoutes(ent: DeviceRoutePorts): Route<DevicePeers>[] {
  return [
    route({
      operation: ENTITLEMENT.GetEntitlement,
      credential: 'public',
      handle: ({ query, headers, socket }) => answerParameters(ent, { method: 'GET', headers, socket }, query),
    }),
    route({
      operation: ENTITLEMENT.PostEntitlement,
      credential: 'public',
      content: { mediaType: ['application/json', EAP_RELAY], schema: AnyObject, limit: 16_384 },
      handle({ body, headers, socket }) {
        const head = { method: 'POST', headers, socket } as const
        const isRelay = isMediaType(headers['content-type'], EAP_RELAY)
        return isRelay ? answerRelay(ent, head, body) : answerParameters(ent, head, body)
      },
    }),
  ]
}

async function answerParameters(ent: DeviceRoutePorts, head: Head, parameters: object): Promise<Answer> {
  refuseFlood(ent, head)
  const { headers } = head
  const documentType = documentTypeFor(headers.accept)
  const answer = await answerRequest(ent, {
    parameters: { ...parameters },
    userAgent: userAgentOf(head),
    takesEapRelay: takesEapRelay(headers.accept),
    jkt: await provenKey(ent, head),
  })
  return toAnswer(answer, documentType)
}

async function answerRelay(ent: DeviceRoutePorts, head: Head, body: object): Promise<Answer> {
  refuseFlood(ent, head)
  refuseInvalidContent(EapRelayMessage, body)
  const documentType = documentTypeFor(head.headers.accept)
  const octets = decodeBase64((body as EapRelayMessage)['eap-relay-packet'])
  refuseUnless(octets !== undefined, 'MANDATORY_IE_INCORRECT', 'the EAP packet is not base64')
  const session = sessionOf(head.headers.cookie)
  refuseUnless(session !== undefined, 'EAP_EXCHANGE_INVALID', 'no such authentication is under way')
  const answer = await answerEapPacket(ent, { session, userAgent: userAgentOf(head), octets })
  return toAnswer(answer, documentType)
}

function refuseFlood(ent: DeviceRoutePorts, { socket }: Head): void {
  refuseUnless(
    ent.mayAsk(sourceOf(socket.remoteAddress)),
    'TOO_MANY_REQUESTS',
    'too many requests come from this address',
  )
}

const userAgentOf = ({ headers }: Head) => headers['user-agent'] ?? ''

/**
 * RFC 9449 4.3. That the same proof comes twice does no harm here: it authenticates nobody, and what it can add to an
 * authenticated request is its own key.
 */
async function provenKey(ent: DeviceRoutePorts, { method, headers }: Head): Promise<string | undefined> {
  const proof = dpopProof(headers)
  if (proof === undefined) return undefined
  const authority = headers[':authority'] ?? headers.host
  const uri = `https://${String(authority)}${ENTITLEMENT.PostEntitlement.path}`
  return (await verifyDpopProof(proof, { method, uri, now: ent.now() })).jkt
}

/** What came by a link must not leave by one: the query may hold a token (THREATS EN-04). */
const CONFIDENTIAL = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }

function toAnswer(answer: DeviceAnswer, documentType: ReturnType<typeof documentTypeFor>): Answer {
  if (answer.outcome === 'challenged') {
    const headers = { ...CONFIDENTIAL, 'content-type': EAP_RELAY, 'set-cookie': sessionCookie(answer.session) }
    return { status: 200, headers, body: { 'eap-relay-packet': answer.eapPacket.toString('base64') } }
  }
  const headers = { ...CONFIDENTIAL, 'content-type': documentType, 'set-cookie': clearedCookie() }
  return { status: 200, headers, body: Buffer.from(writeDocument(answer.document, documentType)) }
}
