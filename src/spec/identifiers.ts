/**
 * Identifiers of the field, branded: a string becomes one only through its parser here.
 *
 * @see D-32: FQDNs are compared in lower case, without trailing dot, never with a wildcard
 */
declare const brand: unique symbol
export type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Strict LDH host name with at least two labels, lower case, at most 253 octets (RFC 1123 2.1). */
export type Fqdn = Branded<'Fqdn'>
/** EESProfile.eesId (TS 29.558), as printable ASCII of 1 to 128 characters. */
export type EesId = Branded<'EesId'>
/** The resource identifier of one EES registration: a version 4 UUID in lower case, 122 random bits. */
export type RegistrationId = Branded<'RegistrationId'>
/** One instance of a network function (TS 29.571 NfInstanceId): a version 4 UUID in lower case. */
export type NfInstanceId = Branded<'NfInstanceId'>

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const ENTITY_ID = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** @returns the name in lower case, or undefined if it is not a fully qualified LDH host name */
export function parseFqdn(text: string): Fqdn | undefined {
  if (text.length === 0 || text.length > 253) return undefined
  const name = text.toLowerCase()
  const labels = name.split('.')
  // The last label is never all digits: "192.0.2.1" is an address, not a name (RFC 3696 2).
  const wellFormed =
    labels.length >= 2 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
  return wellFormed ? (name as Fqdn) : undefined
}

/** The form that EES IDs and EEC IDs share: printable ASCII of 1 to 128 characters that no path can mistake. */
export function isEntityId(text: string): boolean {
  return ENTITY_ID.test(text) && !text.includes('..')
}

/** @returns undefined if it is not of the form of an {@link EesId}; the letters stay as they are */
export function parseEesId(text: string): EesId | undefined {
  return isEntityId(text) ? (text as EesId) : undefined
}

/** @returns undefined if it is not a version 4 UUID in lower case */
export function parseNfInstanceId(text: string): NfInstanceId | undefined {
  return UUID.test(text) ? (text as NfInstanceId) : undefined
}

/** @returns undefined if it is not a version 4 UUID in lower case */
export function parseRegistrationId(text: string): RegistrationId | undefined {
  return UUID.test(text) ? (text as RegistrationId) : undefined
}
