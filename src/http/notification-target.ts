import { lookup } from 'node:dns/promises'
import { BlockList, isIPv6 } from 'node:net'
import { type Fqdn, parseFqdn } from '../spec/identifiers.ts'
import { Refusal } from '../spec/refusal.ts'
import type { Resolve } from './client.ts'
import { fqdnOf } from './origin.ts'

/**
 * Where notifications may go. What is not allowed here is refused: a subscriber chooses the address (THREATS HT-06).
 */
export interface NotificationTargets {
  /** FQDNs, and `.example.com` for every name below that domain */
  readonly hosts: readonly string[]
  /** `192.0.2.0/24`, `2001:db8::/32`: addresses that may be called although they are none of the public internet */
  readonly networks: readonly string[]
}

/** Addresses of this machine and its surroundings, and those that mean no single host (RFC 6890 2.2, RFC 4291 2). */
const SPECIAL = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '::/8', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23'],
  ...['2001:db8::/32', '2002::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]

/** One `https` resource that a peer wants to be notified at. */
export interface NotificationTarget {
  /** `https://FQDN[:PORT]` */
  readonly origin: string
  readonly host: Fqdn
  /** with its query */
  readonly path: string
}

/** Characters of one address. */
const LONGEST = 1_024

/**
 * One reading only: https, a name and no address in any of its spellings, no user, no fragment.
 *
 * @throws Refusal NOTIFICATION_URI_NOT_ACCEPTED
 */
export function parseNotificationUri(text: string, { hosts }: NotificationTargets): NotificationTarget {
  const isPlain = text.length <= LONGEST && /^https:\/\/[\x21-\x7e]+$/.test(text) && !/[@\\#]/.test(text)
  if (!isPlain || !URL.canParse(text)) throw notAccepted('it is not an https URI without user and fragment')
  const { origin, pathname, search } = new URL(text)
  const host = fqdnOf(origin)
  if (host === undefined || !text.toLowerCase().startsWith(origin)) throw notAccepted('its host is not a plain FQDN')
  if (!hosts.some((allowed) => isAllowed(host, allowed.toLowerCase()))) throw notAccepted('its host is not allowed')
  return { origin, host, path: `${pathname}${search}` }
}

function isAllowed(host: Fqdn, allowed: string): boolean {
  return allowed.startsWith('.') ? host.endsWith(allowed) : host === parseFqdn(allowed)
}

const notAccepted = (why: string) => new Refusal('NOTIFICATION_URI_NOT_ACCEPTED', `the notification URI: ${why}`)

/** All addresses of a name, as DNS tells them now. */
export type LookUp = (host: string) => Promise<readonly string[]>

const askDns: LookUp = async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4')

/**
 * Each family by itself: to a list of both, every IPv4 address is one of `::ffff:0:0/96` as well.
 *
 * @throws TypeError for a network that is none
 */
function membershipOf(networks: readonly string[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = familyOf(address)
    lists[family].addSubnet(address, Number(bits), family)
  }
  return (address) => lists[familyOf(address)].check(address, familyOf(address))
}

/**
 * Looks a name up once and says which address to connect to: what DNS says a moment later changes nothing (rebinding).
 * A name of which one address may not be called is not called at all.
 *
 * @returns a function that throws Refusal NOTIFICATION_URI_NOT_ACCEPTED, or Error if the name cannot be resolved
 */
export function addressFinder(
  { networks }: NotificationTargets,
  { resolve, lookUp = askDns }: { readonly resolve?: Resolve | undefined; readonly lookUp?: LookUp | undefined } = {},
): (host: Fqdn) => Promise<string> {
  const isSpecial = membershipOf(SPECIAL)
  const isAllowedHere = membershipOf(networks)
  const mayCall = (address: string) => isAllowedHere(address) || !isSpecial(address)
  return async (host) => {
    const configured = resolve?.get(host)
    const addresses = configured === undefined ? await lookUp(host) : [configured]
    const [address] = addresses
    if (address === undefined) throw new Error(`${host} has no address`)
    if (!addresses.every(mayCall)) throw notAccepted('the address of its host is not allowed')
    return address
  }
}
