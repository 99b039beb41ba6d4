import { Refusal, refuseUnless } from '../spec/refusal.ts'
import { parseSupi, type RoutingIndicator, type Supi, withoutTypePrefix } from '../spec/subscriber-identifiers.ts'
import { type EciesPrivateKey, type EciesPublicKey, eciesDecrypt, eciesEncrypt } from './ecies.ts'
import { NULL_SCHEME, type SuciParts } from './suci-forms.ts'

/** TS 33.501 C.3.4.1, C.3.4.2. */
const SCHEME = { A: 1, B: 2 } as const

/** What the USIM or the ME knows of the home network: TS 33.501 5.2.5. */
export interface ConcealmentSettings {
  readonly routingIndicator: RoutingIndicator
  /** of the IMSI; nothing in the digits tells it */
  readonly mncLength: 2 | 3
  /** without it the null scheme is used, and the SUPI is readable by everyone */
  readonly homeNetworkPublicKey?: EciesPublicKey & {
    /** 1 to 255 */
    readonly id: number
  }
}

/**
 * In the UE: SUCI from SUPI. Only MSIN or user name are concealed; home network and routing indicator stay readable.
 *
 * @param ephemeral - of the profile of the home network's key and used once; in the null scheme it is not needed
 * @throws TypeError if there is a home network public key and no ephemeral key of its profile
 * @see TS 33.501 6.12.2, C.2, C.3.2
 */
export function concealSupi(supi: Supi, settings: ConcealmentSettings, ephemeral?: EciesPrivateKey): SuciParts {
  const { routingIndicator, mncLength, homeNetworkPublicKey } = settings
  const { home, concealed, schemeInput } = takeApart(supi, mncLength)
  if (homeNetworkPublicKey === undefined) {
    return {
      ...home,
      routingIndicator,
      protectionScheme: NULL_SCHEME,
      homeNetworkPublicKeyId: 0,
      schemeOutput: concealed,
    }
  }
  if (ephemeral === undefined) throw new TypeError('a SUPI is concealed with an ephemeral key')
  return {
    ...home,
    routingIndicator,
    protectionScheme: SCHEME[homeNetworkPublicKey.profile],
    homeNetworkPublicKeyId: homeNetworkPublicKey.id,
    schemeOutput: eciesEncrypt(homeNetworkPublicKey, ephemeral, schemeInput).toString('hex'),
  }
}

/**
 * In the SIDF of the home network: SUPI from SUCI. One refusal for a bad point, a damaged tag and a wrong length,
 * so that nobody learns which it was.
 *
 * @param privateKeyOf - the home network's key of this identifier, undefined if there is none
 * @throws Refusal UNSUPPORTED_PROTECTION_SCHEME, INVALID_HN_PUBLIC_KEY_IDENTIFIER or INVALID_SCHEME_OUTPUT
 * @see TS 33.501 6.12.5, C.2, C.3.3
 */
export function revealSupi(suci: SuciParts, privateKeyOf: (id: number) => EciesPrivateKey | undefined): Supi {
  const { protectionScheme, homeNetworkPublicKeyId, schemeOutput } = suci
  if (protectionScheme === NULL_SCHEME) return putTogether(suci, schemeOutput)
  refuseUnless(protectionScheme <= SCHEME.B, 'UNSUPPORTED_PROTECTION_SCHEME', 'only the schemes of TS 33.501 Annex C')
  const key = privateKeyOf(homeNetworkPublicKeyId)
  refuseUnless(
    key !== undefined && SCHEME[key.profile] === protectionScheme,
    'INVALID_HN_PUBLIC_KEY_IDENTIFIER',
    'no key of this identifier and protection scheme',
  )
  const schemeInput = eciesDecrypt(key, Buffer.from(schemeOutput, 'hex'))
  return putTogether(suci, schemeInput && clearText(suci, schemeInput))
}

/**
 * MSIN as scheme input: packed BCD, the first digit in the low half of an octet, F as filler (TS 24.501 9.11.3.4).
 *
 * @param msin - 1 to 10 digits
 * @throws RangeError if they are more or fewer
 */
export function packMsin(msin: string): Buffer {
  if (!/^\d{1,10}$/.test(msin)) throw new RangeError('an MSIN has 1 to 10 digits')
  const digits = msin.length % 2 === 0 ? msin : `${msin}f`
  return Buffer.from(digits.replaceAll(/(.)(.)/g, '$2$1'), 'hex')
}

/** @returns undefined unless the octets are what {@link packMsin} makes of 1 to 10 digits */
function unpackMsin(octets: Buffer): string | undefined {
  const digits = octets.toString('hex').replaceAll(/(.)(.)/g, '$2$1')
  const [, msin] = /^(\d{1,10})f?$/.exec(digits) ?? []
  return msin
}

function takeApart(supi: Supi, mncLength: 2 | 3) {
  const value = withoutTypePrefix(supi)
  if (supi.startsWith('imsi-')) {
    const homeNetwork = { mcc: value.slice(0, 3), mnc: value.slice(3, 3 + mncLength) }
    const msin = value.slice(3 + mncLength)
    return { home: { supiType: 'imsi', homeNetwork }, concealed: msin, schemeInput: packMsin(msin) } as const
  }
  const [user = '', realm = ''] = value.split('@')
  return { home: { supiType: 'nai', realm }, concealed: user, schemeInput: Buffer.from(user, 'utf8') } as const
}

function clearText({ supiType }: SuciParts, schemeInput: Buffer): string | undefined {
  if (supiType === 'imsi') return unpackMsin(schemeInput)
  const user = schemeInput.toString('utf8')
  return Buffer.from(user, 'utf8').equals(schemeInput) ? user : undefined
}

function putTogether(suci: SuciParts, clear: string | undefined): Supi {
  const supi =
    clear === undefined
      ? undefined
      : parseSupi(
          suci.supiType === 'imsi'
            ? `imsi-${suci.homeNetwork.mcc}${suci.homeNetwork.mnc}${clear}`
            : `nai-${clear}@${suci.realm}`,
        )
  if (supi === undefined) throw new Refusal('INVALID_SCHEME_OUTPUT', 'the scheme output reveals no SUPI')
  return supi
}
