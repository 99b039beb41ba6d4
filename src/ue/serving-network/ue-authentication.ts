import type { Message, Response } from '../../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import { type Kseaf, takeKey } from '../../keys/key.ts'
import { decodeBase64 } from '../../octets/base64.ts'
import { NAUSF_UE_AUTHENTICATION } from '../../spec/core-operations.ts'
import type { ResynchronizationInfo } from '../../spec/messages/authentication-vectors.ts'
import type { Link } from '../../spec/messages/ts29571/basic-types.ts'
import {
  type AuthenticationInfo,
  ConfirmationDataResponse,
  EapSession,
  UEAuthenticationCtx,
} from '../../spec/messages/ue-authentication.ts'
import { parseSupi, type ServingNetworkName, type Suci, type Supi } from '../../spec/subscriber-identifiers.ts'
import type { Challenge } from '../usim/authenticate.ts'

/** Nausf_UEAuthentication as the SEAF uses it: TS 29.509 5.2, TS 33.501 6.1.2 and 6.1.3. */

const COLLECTION = NAUSF_UE_AUTHENTICATION.Authenticate.path
/** TS 29.509 6.1.6.1; media types are compared in lower case. */
const HAL = 'application/3gpphal+json'
const JSON_OR_HAL = ['application/json', HAL]

/** 5G AKA; `confirmation` is the path to which RES* goes. */
interface FiveGAkaContext {
  readonly authType: '5G_AKA'
  readonly challenge: Challenge
  /** 16 octets */
  readonly hxresStar: Buffer
  readonly confirmation: string
}

/** EAP-AKA'; `session` is the path to which EAP responses go. */
interface EapContext {
  readonly authType: 'EAP_AKA_PRIME'
  readonly packet: Buffer
  readonly session: string
}

export type AuthenticationContext = FiveGAkaContext | EapContext

/** What the home network gives to the serving network at success. */
export interface AnchorKey {
  readonly supi: Supi
  readonly kseaf: Kseaf
}

/** @param resynchronisation - the challenge that the USIM found stale, and its AUTS of 14 octets */
export function authenticationRequest(
  suci: Suci,
  servingNetworkName: ServingNetworkName,
  resynchronisation?: { readonly rand: Buffer; readonly auts: Buffer },
): Message {
  const body: AuthenticationInfo = {
    supiOrSuci: suci,
    servingNetworkName,
    ...(resynchronisation && { resynchronizationInfo: resynchronizationInfo(resynchronisation) }),
  }
  return toAusf('POST', COLLECTION, body)
}

/** @throws RefusedByServer, AnswerNotAccepted */
export function processAuthenticationResponse(response: Response): AuthenticationContext {
  requireStatus(response, 201)
  const { authType, '5gAuthData': data, _links } = readJson(response, UEAuthenticationCtx, JSON_OR_HAL)
  if (authType === '5G_AKA') {
    acceptIf(typeof data === 'object' && data !== null, '5gAuthData is not a vector of 5G AKA')
    return {
      authType: '5G_AKA',
      challenge: { rand: octets(data.rand), autn: octets(data.autn) },
      hxresStar: octets(data.hxresStar),
      confirmation: pathOf(_links['5g-aka'], '5g-aka-confirmation'),
    }
  }
  acceptIf(authType === 'EAP_AKA_PRIME', 'authType is no method of this UE')
  acceptIf(typeof data === 'string', '5gAuthData is not an EAP packet')
  return { authType: 'EAP_AKA_PRIME', packet: eapPacket(data), session: pathOf(_links['eap-session'], 'eap-session') }
}

/** @param resStar - 16 octets, null if the UE gave no answer (TS 33.501 6.1.3.2 step 9) */
export function confirmationRequest({ confirmation }: FiveGAkaContext, resStar: Buffer | null): Message {
  return toAusf('PUT', confirmation, { resStar: resStar?.toString('hex') ?? null })
}

/** @returns undefined if the home network says that authentication failed @throws RefusedByServer, AnswerNotAccepted */
export function processConfirmationResponse(response: Response): AnchorKey | undefined {
  requireStatus(response, 200)
  const { authResult, supi, kseaf } = readJson(response, ConfirmationDataResponse)
  if (authResult === 'AUTHENTICATION_FAILURE') return undefined
  acceptIf(authResult === 'AUTHENTICATION_SUCCESS', 'authResult says neither success nor failure')
  return anchorKey(supi, kseaf)
}

/** @param session - the URI of the link `eap-session`: TS 29.509 6.1 */
export function eapSessionRequest(session: string, packet: Buffer): Message {
  return toAusf('POST', session, { eapPayload: packet.toString('base64') })
}

/**
 * `session` is where the next response goes, `anchorKey` what success brings; one of them, or neither after a failure.
 */
export interface EapSessionAnswer {
  readonly packet: Buffer
  readonly session?: string
  readonly anchorKey?: AnchorKey
}

/** @throws RefusedByServer, AnswerNotAccepted */
export function processEapSessionResponse(response: Response): EapSessionAnswer {
  requireStatus(response, 200)
  const { eapPayload, _links, authResult, supi, kSeaf } = readJson(response, EapSession, JSON_OR_HAL)
  acceptIf(eapPayload !== null, 'there is no EAP packet')
  const packet = eapPacket(eapPayload)
  if (authResult === 'AUTHENTICATION_SUCCESS') return { packet, anchorKey: anchorKey(supi, kSeaf) }
  if (authResult === 'AUTHENTICATION_FAILURE') return { packet }
  return { packet, session: pathOf(_links?.['eap-session'], 'eap-session') }
}

function toAusf(method: 'POST' | 'PUT', path: string, body: object): Message {
  const accept = 'application/3gppHal+json, application/json, application/problem+json'
  return { method, path, headers: { 'content-type': 'application/json', accept }, body: JSON.stringify(body) }
}

function resynchronizationInfo({ rand, auts }: { rand: Buffer; auts: Buffer }): ResynchronizationInfo {
  return { rand: rand.toString('hex'), auts: auts.toString('hex') }
}

function anchorKey(supi: string | undefined, kseaf: string | undefined): AnchorKey {
  const parsed = parseSupi(supi ?? '')
  acceptIf(parsed, 'success comes without the SUPI')
  acceptIf(kseaf, 'success comes without KSEAF')
  return { supi: parsed, kseaf: takeKey('KSEAF', octets(kseaf)) }
}

/** Only the path of a link counts: nothing that an AUSF says makes us talk to another server (THREATS HT-06). */
function pathOf(link: Link | readonly Link[] | undefined, resource: string): string {
  const [first] = [link].flat()
  const href = (first as Link | undefined)?.href ?? ''
  const base = 'https://ausf.invalid'
  acceptIf(URL.canParse(href, base), `there is no link to ${resource}`)
  const { pathname } = new URL(href, base)
  const wellFormed = new RegExp(`^${COLLECTION}/[\\w.~%-]{1,256}/${resource}$`).test(pathname)
  acceptIf(wellFormed, `the link to ${resource} is not one of this API`)
  return pathname
}

function eapPacket(payload: string): Buffer {
  const packet = decodeBase64(payload)
  acceptIf(packet, 'the EAP packet is not base64')
  return packet
}

const octets = (hexadecimal: string) => Buffer.from(hexadecimal, 'hex')
