import { created, noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { hexOf } from '../../keys/key.ts'
import { decodeBase64 } from '../../octets/base64.ts'
import { NAUSF_UE_AUTHENTICATION as NAUSF } from '../../spec/core-operations.ts'
import {
  AuthenticationInfo,
  ConfirmationData,
  type ConfirmationDataResponse,
  DeregistrationInfo,
  EapSession,
  type UEAuthenticationCtx,
} from '../../spec/messages/ue-authentication.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { parseSupi, type Supi } from '../../spec/subscriber-identifiers.ts'
import { type ConfirmationPorts, type Confirmed, confirm5gAka } from '../authentication/confirm-5g-aka.ts'
import { type EapOutcome, eapSession } from '../authentication/eap-session.ts'
import { type Started, type StartPorts, startAuthentication } from '../authentication/start-authentication.ts'
import { type TakeBackPorts, takeBackResult } from '../authentication/take-back.ts'
import type { AusfPeers } from '../peers.ts'

const route = routesOf<AusfPeers>()
const mediaType = 'application/json'
/** TS 29.501 5.2.4: JSON with links. */
const HAL = { 'content-type': 'application/3gppHal+json' }

export interface UeAuthenticationPorts extends StartPorts, ConfirmationPorts, TakeBackPorts {
  /** Deletes what is kept of a subscriber. */
  forget(supi: Supi): Promise<void>
}

/** Nausf_UEAuthentication: TS 29.509 6.1. @param apiRoot - `https://FQDN:PORT` */
export function ueAuthenticationRoutes(ausf: UeAuthenticationPorts, apiRoot: string): Route<AusfPeers>[] {
  const resource = (authCtxId: string) => `${apiRoot}${NAUSF.Authenticate.path}/${authCtxId}`
  return [
    route({
      operation: NAUSF.Authenticate,
      credential: 'seaf',
      content: { mediaType, schema: AuthenticationInfo },
      async handle({ peer, body }) {
        const { servingNetworkNames = [] } = peer.entry
        const started = await startAuthentication(ausf, { fqdn: peer.fqdn, servingNetworkNames }, body)
        const uri = resource(started.authCtxId)
        return created(uri, { ...toContext(started, uri), servingNetworkName: body.servingNetworkName }, HAL)
      },
    }),
    route({
      operation: NAUSF.Confirm5gAka,
      credential: 'seaf',
      content: { mediaType, schema: ConfirmationData },
      async handle({ peer, params, body }) {
        const resStar = body.resStar === null ? undefined : Buffer.from(body.resStar, 'hex')
        return ok(toConfirmation(await confirm5gAka(ausf, peer.fqdn, { authCtxId: idOf(params), resStar })))
      },
    }),
    route({
      operation: NAUSF.EapAuthMethod,
      credential: 'seaf',
      content: { mediaType, schema: EapSession },
      async handle({ peer, params, body }) {
        const authCtxId = idOf(params)
        const octets = body.eapPayload === null ? undefined : decodeBase64(body.eapPayload)
        const outcome = await eapSession(ausf, peer.fqdn, { authCtxId, octets })
        return outcome.authResult === 'AUTHENTICATION_ONGOING'
          ? ok(toSession(outcome, resource(authCtxId)), HAL)
          : ok(toSession(outcome))
      },
    }),
    takeBackRoute(ausf, NAUSF.Delete5gAkaAuthenticationResult, '5G_AKA'),
    takeBackRoute(ausf, NAUSF.DeleteEapAuthenticationResult, 'EAP_AKA_PRIME'),
    route({
      operation: NAUSF.Deregister,
      credential: 'udm',
      content: { mediaType, schema: DeregistrationInfo },
      async handle({ body }) {
        const supi = parseSupi(body.supi)
        refuseUnless(supi !== undefined, 'MANDATORY_IE_INCORRECT', 'supi is not a SUPI')
        await ausf.forget(supi)
        return noContent()
      },
    }),
  ]
}

function takeBackRoute(
  ausf: TakeBackPorts,
  operation: Route<AusfPeers>['operation'],
  authType: '5G_AKA' | 'EAP_AKA_PRIME',
) {
  return route({
    operation,
    credential: 'seaf',
    async handle({ peer, params }) {
      await takeBackResult(ausf, peer.fqdn, { authCtxId: idOf(params), authType })
      return noContent()
    },
  })
}

const idOf = (params: Readonly<Record<string, string>>) => params['authCtxId'] ?? ''

function toContext(started: Started, uri: string): UEAuthenticationCtx {
  if (started.method === 'EAP_AKA_PRIME') {
    const _links = { 'eap-session': { href: `${uri}/eap-session` } }
    return { authType: 'EAP_AKA_PRIME', '5gAuthData': started.eapPacket.toString('base64'), _links }
  }
  const [rand, autn, hxresStar] = [started.rand, started.autn, started.hxresStar].map((each) => each.toString('hex'))
  return {
    authType: '5G_AKA',
    '5gAuthData': { rand: rand ?? '', autn: autn ?? '', hxresStar: hxresStar ?? '' },
    _links: { '5g-aka': { href: `${uri}/5g-aka-confirmation` } },
  }
}

function toConfirmation(confirmed: Confirmed): ConfirmationDataResponse {
  if (confirmed.authResult === 'AUTHENTICATION_FAILURE') return confirmed
  const { authResult, supi, kseaf } = confirmed
  return { authResult, supi, kseaf: hexOf(kseaf) }
}

/** @param uri - where the answer to a further request goes */
function toSession({ eapPacket, authResult, ...outcome }: EapOutcome, uri?: string): EapSession {
  const session = { eapPayload: eapPacket.toString('base64'), authResult }
  if ('kseaf' in outcome) {
    return { ...session, supi: outcome.supi, kSeaf: hexOf(outcome.kseaf) }
  }
  return uri === undefined ? session : { ...session, _links: { 'eap-session': { href: `${uri}/eap-session` } } }
}
