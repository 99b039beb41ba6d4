import { type Fqdn, parseFqdn } from '../spec/identifiers.ts'

/**
 * An https URL whose host is exactly this name: nothing that another parser could read as another host
 * (THREATS HT-06).
 */
export function isUrlOf(text: string, fqdn: Fqdn): boolean {
  if (!/^https:\/\/[\x21-\x7e]+$/.test(text) || /[@\\#]/.test(text) || !URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' && hostname === fqdn
}

/** As {@link isUrlOf}, without path and query. */
export function isOriginOf(text: string, fqdn: Fqdn): boolean {
  return isUrlOf(text, fqdn) && new URL(text).origin === text.replace(/(:443)?\/?$/, '')
}

/** @returns the name that an https origin is reached by, or undefined if it is none */
export function fqdnOf(origin: string): Fqdn | undefined {
  const fqdn = URL.canParse(origin) ? parseFqdn(new URL(origin).hostname) : undefined
  return fqdn !== undefined && isOriginOf(origin, fqdn) ? fqdn : undefined
}
