import { parseFqdn } from '../spec/identifiers.ts'
import { type PlmnId, parseRoutingIndicator, type RoutingIndicator, type Suci } from '../spec/subscriber-identifiers.ts'

/** TS 33.501 C.1 and Annex C: 0 null, 1 Profile A, 2 Profile B; 3 to 15 are reserved or the operator's own. */
export const NULL_SCHEME = 0

interface SuciOfAnyType {
  readonly routingIndicator: RoutingIndicator
  /** 0 to 15 */
  readonly protectionScheme: number
  /** 1 to 255; 0 in the null scheme */
  readonly homeNetworkPublicKeyId: number
  /** in the null scheme the MSIN or the user name as it is, else hexadecimal digits in lower case */
  readonly schemeOutput: string
}

/** SUPI type 0: an IMSI of this home network. */
export interface SuciOfImsi extends SuciOfAnyType {
  readonly supiType: 'imsi'
  readonly homeNetwork: PlmnId
}

/** SUPI type 1, a network specific identifier: a NAI of this realm. */
export interface SuciOfNai extends SuciOfAnyType {
  readonly supiType: 'nai'
  /** in lower case */
  readonly realm: string
}

/** A SUCI taken apart: TS 23.003 2.2B. */
export type SuciParts = SuciOfImsi | SuciOfNai

const HEX = '(?:[0-9a-fA-F]{2})+'
const NULL_TAIL = '0-0-(?<clear>.+)'
const CONCEALED_TAIL = String.raw`(?<scheme>[1-9a-fA-F])-(?<keyId>\d{1,3})-(?<output>${HEX})`
const TAIL = String.raw`-(?<rid>\d{1,4})-(?:${NULL_TAIL}|${CONCEALED_TAIL})$`
const IMSI_FORM = new RegExp(String.raw`^suci-0-(?<mcc>\d{3})-(?<mnc>\d{2,3})${TAIL}`)
const NAI_FORM = new RegExp(`^suci-1-(?<realm>[0-9a-z.-]+?)${TAIL}`)
const TAIL_OF_NULL_SCHEME = /-\d{1,4}-0-0-/
const MSIN = /^\d{1,10}$/

const NULL_USER = String.raw`0\.userid(?<clear>[^@]+)`
const ECC_OUTPUT = String.raw`ecckey(?<key>${HEX})\.cip(?<cip>${HEX})\.mac(?<mac>${HEX})`
const ECC_USER = String.raw`(?<scheme>[12])\.hnkey(?<keyId>\d{1,3})\.${ECC_OUTPUT}`
const NAI = new RegExp(String.raw`^type1\.rid(?<rid>\d{1,4})\.schid(?:${NULL_USER}|${ECC_USER})@(?<realm>[0-9a-z.-]+)$`)
/** Octets of the ephemeral public key in a scheme output: TS 33.501 C.3.4. */
const PUBLIC_KEY_OCTETS: Readonly<Record<number, number>> = { 1: 32, 2: 33 }
const TAG_DIGITS = 16

/** Longer than any SUCI that carries an IMSI or a NAI of 253 octets. */
const LONGEST = 1000

/**
 * The form in which a SUCI travels between network functions: TS 29.503 Annex C.
 *
 * @returns undefined unless it is a SUCI of type 0 or 1 and can be read in one way only
 */
export function parseSuci(text: string): SuciParts | undefined {
  if (text.length > LONGEST) return undefined
  const imsi = IMSI_FORM.exec(text)?.groups
  const nai = NAI_FORM.exec(text)?.groups
  const common = commonParts(imsi ?? nai)
  if (common === undefined) return undefined
  if (imsi !== undefined) {
    const { mcc = '', mnc = '' } = imsi
    if (common.protectionScheme === NULL_SCHEME && !MSIN.test(common.schemeOutput)) return undefined
    return { supiType: 'imsi', homeNetwork: { mcc, mnc }, ...common }
  }
  // A realm and a user name may both hold what looks like the tail; then nobody can say where the realm ends.
  if (common.protectionScheme === NULL_SCHEME && TAIL_OF_NULL_SCHEME.test(common.schemeOutput)) return undefined
  return withRealm(common, nai?.['realm'])
}

/** @throws TypeError if these parts cannot be written, or not be read again */
export function formatSuci(parts: SuciParts): Suci {
  const { routingIndicator, protectionScheme, homeNetworkPublicKeyId, schemeOutput } = parts
  const home = parts.supiType === 'imsi' ? `0-${parts.homeNetwork.mcc}-${parts.homeNetwork.mnc}` : `1-${parts.realm}`
  const scheme = protectionScheme.toString(16)
  const text = `suci-${home}-${routingIndicator}-${scheme}-${homeNetworkPublicKeyId}-${schemeOutput}`
  if (parseSuci(text) === undefined) throw new TypeError('not the parts of a SUCI')
  return text as Suci
}

/**
 * The form in which a UE sends a SUCI of type 1: a NAI, TS 23.003 28.7.3.
 *
 * @returns undefined unless it is one, with a protection scheme of TS 33.501
 */
export function parseSuciNai(text: string): SuciOfNai | undefined {
  const groups = text.length > LONGEST ? undefined : NAI.exec(text)?.groups
  if (groups === undefined) return undefined
  const { key, cip, mac, ...rest } = groups
  const concealed = key !== undefined
  if (concealed && (key.length !== publicKeyDigits(Number(rest['scheme'])) || mac?.length !== TAG_DIGITS))
    return undefined
  const common = commonParts(concealed ? { ...rest, output: `${key}${cip}${mac}` } : rest)
  return common && withRealm(common, groups['realm'])
}

/** @throws TypeError if these parts cannot be written, or not be read again */
export function formatSuciNai(parts: SuciOfNai): string {
  const { routingIndicator, protectionScheme, homeNetworkPublicKeyId, schemeOutput, realm } = parts
  const user =
    protectionScheme === NULL_SCHEME
      ? `userid${schemeOutput}`
      : `hnkey${homeNetworkPublicKeyId}.${eccUser(protectionScheme, schemeOutput)}`
  const text = `type1.rid${routingIndicator}.schid${protectionScheme}.${user}@${realm}`
  if (parseSuciNai(text) === undefined) throw new TypeError('not the parts of a SUCI')
  return text
}

/** `ecckey<public key>.cip<ciphertext>.mac<tag>`: TS 33.501 C.3. */
function eccUser(protectionScheme: number, output: string): string {
  const [key, end] = [publicKeyDigits(protectionScheme), output.length - TAG_DIGITS]
  return `ecckey${output.slice(0, key)}.cip${output.slice(key, end)}.mac${output.slice(end)}`
}

function publicKeyDigits(protectionScheme: number): number {
  return 2 * (PUBLIC_KEY_OCTETS[protectionScheme] ?? 0)
}

function withRealm(common: SuciOfAnyType, realm = ''): SuciOfNai | undefined {
  return parseFqdn(realm) === realm ? { supiType: 'nai', realm, ...common } : undefined
}

function commonParts(groups: { readonly [Name in string]?: string } | undefined): SuciOfAnyType | undefined {
  const routingIndicator = parseRoutingIndicator(groups?.['rid'] ?? '')
  if (groups === undefined || routingIndicator === undefined) return undefined
  const { clear, scheme = '', keyId = '', output = '' } = groups
  if (clear !== undefined) {
    return { routingIndicator, protectionScheme: NULL_SCHEME, homeNetworkPublicKeyId: 0, schemeOutput: clear }
  }
  const homeNetworkPublicKeyId = Number(keyId)
  if (homeNetworkPublicKeyId < 1 || homeNetworkPublicKeyId > 255 || keyId.startsWith('0')) return undefined
  const schemeOutput = output.toLowerCase()
  return { routingIndicator, protectionScheme: Number.parseInt(scheme, 16), homeNetworkPublicKeyId, schemeOutput }
}
