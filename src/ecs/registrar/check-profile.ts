import { findInvalidParam } from '../../http/schema.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { EESProfile, type EESRegistration } from '../../spec/messages/ees-registration.ts'
import type { EndPoint } from '../../spec/messages/end-point.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { Admission, Registration } from './registration.ts'

/** What a credential allows an EES to say of itself. */
export interface ProfileBounds extends Admission {
  readonly eesId: string
  readonly fqdn: Fqdn
}

/** The same, of an EES that is registered. */
export function boundsOf({ eesId, fqdn, admission }: Registration): ProfileBounds {
  return { ...admission, eesId, fqdn }
}

/**
 * What the schema of TS 29.558 cannot say: the profile is of the EES that sends it, and its end point stays
 * within the name that the EES was admitted under (THREATS ON-10).
 *
 * @throws Refusal with the member named
 */
export function checkProfile({ eesProf, expTime }: EESRegistration, bounds: ProfileBounds, now: number): void {
  refuseMember(
    eesProf.eesId === bounds.eesId,
    'eesProf/eesId',
    'MODIFICATION_NOT_ALLOWED',
    'the EES identity cannot be changed',
  )
  refuseMember(
    bounds.provId === undefined || eesProf.provId === undefined || eesProf.provId === bounds.provId,
    'eesProf/provId',
    'MANDATORY_IE_INCORRECT',
    'the provider is not the one that the operator admitted',
  )
  checkEndPoint(eesProf.endPt, bounds)
  checkEasKeys(eesProf)
  refuseMember(
    expTime === undefined || Date.parse(expTime) > now,
    'expTime',
    'OPTIONAL_IE_INCORRECT',
    'the expiration time has passed',
  )
}

/** Two good profiles that are merged need not make a good one: an end point, for example, is reached in one way only. */
export function checkMergedProfile(eesProf: EESProfile): void {
  const invalid = findInvalidParam(EESProfile, eesProf)
  if (invalid === undefined) return
  const params = { invalidParams: [{ ...invalid, param: `/eesProf${invalid.param}` }] }
  throw new Refusal('MANDATORY_IE_INCORRECT', 'what the patch makes of the profile is none', params)
}

function checkEndPoint(endPt: EndPoint, bounds: ProfileBounds): void {
  const { uri, fqdn, ipv4Addrs, ipv6Addrs } = endPt
  const allowed = (host: string) => isWithin(host, bounds.fqdn) || bounds.endPoints?.includes(host) === true
  const hosts = [...(uri === undefined ? [] : [hostOfUri(uri)]), ...(fqdn === undefined ? [] : [fqdn.toLowerCase()])]
  for (const host of [...hosts, ...(ipv4Addrs ?? []), ...(ipv6Addrs ?? [])]) {
    refuseMember(
      typeof host === 'string' && allowed(host),
      'eesProf/endPt',
      'MANDATORY_IE_INCORRECT',
      'the end point is outside the name of the EES',
    )
  }
}

/**
 * Letters, digits and hyphens as host, a port, and what follows in printable ASCII: no parser reads another host in it
 * (THREATS HT-06). A URL parser would drop tabs, add slashes and map characters, and so see what others do not.
 */
const PLAIN_URI = /^https:\/\/([a-z0-9.-]{1,253})(?::\d{1,5})?(?:[/?#][!-[\]-~]*)?$/i

/** @returns the FQDN of an https URI */
function hostOfUri(uri: string): string {
  const [, name] = PLAIN_URI.exec(uri) ?? []
  const host = name !== undefined && URL.canParse(uri) ? parseFqdn(name) : undefined
  refuseMember(
    host !== undefined,
    'eesProf/endPt/uri',
    'MANDATORY_IE_INCORRECT',
    'the end point is not an https URI of a host name',
  )
  return host ?? ''
}

function isWithin(host: string, fqdn: Fqdn): boolean {
  const name = parseFqdn(host)
  return name !== undefined && (name === fqdn || name.endsWith(`.${fqdn}`))
}

/** Maps keyed by EAS speak of EASs that the profile names (TS 29.558 8.1.5.2.3). */
function checkEasKeys({ easIds, easLoadInfoList }: EESProfile): void {
  const strangers = Object.keys(easLoadInfoList ?? {}).filter((easId) => easIds?.includes(easId) !== true)
  refuseMember(
    strangers.length === 0,
    'eesProf/easLoadInfoList',
    'OPTIONAL_IE_INCORRECT',
    'load is told of an EAS that is not registered',
  )
}

function refuseMember(
  condition: boolean,
  param: string,
  code: 'MANDATORY_IE_INCORRECT' | 'OPTIONAL_IE_INCORRECT' | 'MODIFICATION_NOT_ALLOWED',
  detail: string,
): void {
  if (!condition) throw new Refusal(code, detail, { invalidParams: [{ param: `/${param}`, reason: detail }] })
}
