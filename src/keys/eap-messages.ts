import type { Attribute, AttributeName } from './eap-attributes.ts'

/** How often each attribute stands in a message; one that is not named must not stand there. */
type Form = { readonly [Name in AttributeName]?: '1' | '0-1' | '1+' | '0+' }

/** The forms of each message, named by its code and subtype. */
type Messages = Readonly<Record<string, readonly Form[]>>

const CHALLENGE_REQUEST: Form = { AT_RAND: '1', AT_AUTN: '1', AT_CHECKCODE: '0-1', AT_MAC: '1' }
const CHALLENGE_RESPONSE: Form = { AT_RES: '1', AT_CHECKCODE: '0-1', AT_MAC: '1' }

/** RFC 4187 10.1. */
const COMMON: Messages = {
  'request identity': [{ AT_PERMANENT_ID_REQ: '1' }, { AT_FULLAUTH_ID_REQ: '1' }, { AT_ANY_ID_REQ: '1' }],
  'response identity': [{ AT_IDENTITY: '1' }],
  'response authentication-reject': [{}],
  'request notification': [{ AT_NOTIFICATION: '1', AT_MAC: '0-1' }],
  'response notification': [{ AT_MAC: '0-1' }],
  'response client-error': [{ AT_CLIENT_ERROR_CODE: '1' }],
}

const MESSAGES: Readonly<Record<string, Messages>> = {
  'EAP-AKA': {
    ...COMMON,
    'request challenge': [{ ...CHALLENGE_REQUEST, AT_BIDDING: '0-1' }],
    'response challenge': [CHALLENGE_RESPONSE],
    'response synchronization-failure': [{ AT_AUTS: '1' }],
  },
  // RFC 9048 3.1 and 3.2; the second form of the response asks for another key derivation function.
  "EAP-AKA'": {
    ...COMMON,
    'request challenge': [{ ...CHALLENGE_REQUEST, AT_KDF: '1+', AT_KDF_INPUT: '1' }],
    'response challenge': [CHALLENGE_RESPONSE, { AT_KDF: '1' }],
    'response synchronization-failure': [{ AT_AUTS: '1', AT_KDF: '0+' }],
  },
}

/** The P bit of AT_NOTIFICATION: set in a notification before the challenge, which nobody can authenticate yet. */
const BEFORE_CHALLENGE = 0x4000

/** Whether there is such a message, and these are its attributes. */
export function isMessage(packet: {
  readonly method: string
  readonly code: string
  readonly subtype: string
  readonly attributes: readonly Attribute[]
}): boolean {
  const forms = MESSAGES[packet.method]?.[`${packet.code} ${packet.subtype}`] ?? []
  return forms.some((form) => fits(form, packet.attributes)) && isAuthenticatedInItsPhase(packet.attributes)
}

function fits(form: Form, attributes: readonly Attribute[]): boolean {
  const counts = new Map<string, number>()
  for (const { name } of attributes) counts.set(name, (counts.get(name) ?? 0) + 1)
  return (
    attributes.every(({ name }) => name in form) &&
    Object.entries(form).every(([name, times]) => {
      const count = counts.get(name) ?? 0
      return (count > 0 || times.startsWith('0')) && (count <= 1 || times.endsWith('+'))
    })
  )
}

/** A notification has AT_MAC if and only if its P bit is not set: RFC 4187 6.1. */
function isAuthenticatedInItsPhase(attributes: readonly Attribute[]): boolean {
  const notification = attributes.find((attribute) => attribute.name === 'AT_NOTIFICATION')
  if (notification === undefined) return true
  const authenticated = attributes.some(({ name }) => name === 'AT_MAC')
  return authenticated === ((notification.value & BEFORE_CHALLENGE) === 0)
}
