import { type Static, Type } from 'typebox'
import { findInvalidParam } from '../../http/schema.ts'
import { eciesPublicKey } from '../../keys/ecies.ts'
import { type Key, takeKey } from '../../keys/key.ts'
import { deriveOpc, type SubscriberKeys } from '../../keys/milenage.ts'
import type { ConcealmentSettings } from '../../keys/suci.ts'
import { closedEnum, hexDigits, matching } from '../../spec/messages/forms.ts'
import {
  type HomeNetwork,
  parseRoutingIndicator,
  parseSupi,
  type RoutingIndicator,
  type Supi,
  withoutTypePrefix,
} from '../../spec/subscriber-identifiers.ts'
import { NotUsable } from '../errors.ts'

const strict = { additionalProperties: false }

const HomeNetworkPublicKey = Type.Object(
  {
    /** protection scheme of TS 33.501 C.3.4 */
    profile: closedEnum(['A', 'B']),
    /** Home Network Public Key Identifier */
    id: Type.Integer({ minimum: 1, maximum: 255 }),
    /** 32 octets in Profile A, a compressed point in Profile B; hexadecimal */
    key: matching(/^([0-9A-Fa-f]{64}|0[23][0-9A-Fa-f]{64})$/),
  },
  strict,
)

/** What a USIM holds beside its keys: TS 33.501 5.2.5, TS 31.102. */
const SettingsMembers = {
  /** `imsi-...` or `nai-...` */
  supi: Type.String(),
  /** where the subscription is at home; the digits of an IMSI do not tell how long its MNC is */
  homeNetwork: Type.Object(
    { mcc: matching(/^\d{3}$/), mnc: matching(/^\d{2,3}$/), nid: Type.Optional(hexDigits(11)) },
    strict,
  ),
  /** `0` unless stated (TS 23.003 2.2B) */
  routingIndicator: Type.Optional(Type.String()),
  /** left out, the SUPI is sent in the null scheme, readable by everyone */
  homeNetworkPublicKey: Type.Optional(HomeNetworkPublicKey),
}

export const UsimSettingsRecord = Type.Object(SettingsMembers, strict)

/** A subscription as it is handed to the UE: the settings, K, and OPc or OP. Octets are hexadecimal. */
const SubscriptionFile = Type.Object(
  { ...SettingsMembers, k: hexDigits(32), opc: Type.Optional(hexDigits(32)), op: Type.Optional(hexDigits(32)) },
  strict,
)

/** Nothing secret apart from the SUPI; can be written as JSON. */
export interface UsimSettings {
  readonly supi: Supi
  readonly homeNetwork: HomeNetwork
  readonly routingIndicator: RoutingIndicator
  readonly homeNetworkPublicKey?: Static<typeof HomeNetworkPublicKey>
}

export interface Subscription {
  readonly settings: UsimSettings
  readonly keys: SubscriberKeys
}

/** @param text - JSON @throws NotUsable, which quotes nothing of the text */
export function readSubscription(text: string): Subscription {
  const file = parse(text)
  const invalid = findInvalidParam(SubscriptionFile, file)
  if (invalid !== undefined) throw new NotUsable(`the subscription: ${invalid.param || '/'} ${invalid.reason}`)
  const { k, opc, op, ...settings } = file as Static<typeof SubscriptionFile>
  requireThat((opc === undefined) !== (op === undefined), 'one of opc and op is needed')
  const key = takeKey('K', Buffer.from(k, 'hex'))
  return { settings: usimSettings(settings), keys: { k: key, opc: opcOf(key, opc, op) } }
}

/** @throws NotUsable */
export function usimSettings(record: Static<typeof UsimSettingsRecord>): UsimSettings {
  const { homeNetwork, homeNetworkPublicKey } = record
  const supi = required(parseSupi(record.supi), 'supi is not a SUPI')
  const routingIndicator = record.routingIndicator ?? '0'
  if (supi.startsWith('imsi-')) {
    const digits = withoutTypePrefix(supi)
    const { mcc, mnc } = homeNetwork
    requireThat(digits.startsWith(`${mcc}${mnc}`), 'the IMSI is not one of homeNetwork')
    requireThat(/^\d{1,10}$/.test(digits.slice(3 + mnc.length)), 'the IMSI has no MSIN of 1 to 10 digits')
  }
  if (homeNetworkPublicKey !== undefined) {
    const { profile, key } = homeNetworkPublicKey
    requireThat(eciesPublicKey(profile, Buffer.from(key, 'hex')), 'homeNetworkPublicKey.key is no key of its profile')
  }
  return {
    supi,
    homeNetwork,
    routingIndicator: required(parseRoutingIndicator(routingIndicator), 'routingIndicator has 1 to 4 digits'),
    ...(homeNetworkPublicKey && { homeNetworkPublicKey }),
  }
}

/** What concealing the SUPI takes: TS 33.501 6.12.2. */
export function concealmentSettings({ homeNetwork, routingIndicator, ...usim }: UsimSettings): ConcealmentSettings {
  const mncLength = homeNetwork.mnc.length === 2 ? 2 : 3
  if (usim.homeNetworkPublicKey === undefined) return { routingIndicator, mncLength }
  const { profile, id, key } = usim.homeNetworkPublicKey
  const publicKey = required(eciesPublicKey(profile, Buffer.from(key, 'hex')), 'no key of its profile')
  return { routingIndicator, mncLength, homeNetworkPublicKey: { ...publicKey, id } }
}

function opcOf(k: Key<'K'>, opc: string | undefined, op: string | undefined): Key<'OPc'> {
  if (opc !== undefined) return takeKey('OPc', Buffer.from(opc, 'hex'))
  return deriveOpc(k, takeKey('OP', Buffer.from(op ?? '', 'hex')))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the text, and with it a key.
    throw new NotUsable('the subscription is not JSON')
  }
}

function required<Value>(value: Value | undefined, otherwise: string): Value {
  requireThat(value !== undefined, otherwise)
  return value
}

function requireThat(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new NotUsable(`the subscription: ${otherwise}`)
}
