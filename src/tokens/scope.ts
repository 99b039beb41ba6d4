import { type Fqdn, parseFqdn } from '../spec/identifiers.ts'

/** Names of services and operations, without order or repetition: at least one. */
export type Scope = ReadonlySet<string>

const SCOPE = /^([a-zA-Z0-9_:-]+)( [a-zA-Z0-9_:-]+)*$/
const EDGE_SCOPE = /^edge:(\S+)$/

/**
 * @returns undefined unless the text follows the pattern of `AccessTokenReq.scope` (TS 29.510), the one of RFC 6749 3.3
 *   narrowed
 */
export function parseScope(text: string): Scope | undefined {
  return SCOPE.test(text) ? new Set(text.split(' ')) : undefined
}

/** `edge:<FQDN>`: what an entitlement token is for, the one server that takes it (D-12). */
export function edgeScope(server: Fqdn): Scope {
  return new Set([`edge:${server}`])
}

/** @returns undefined unless the text is the one name that `edgeScope` makes, letter by letter */
export function parseEdgeScope(text: string): Fqdn | undefined {
  const name = EDGE_SCOPE.exec(text)?.[1] ?? ''
  const server = parseFqdn(name)
  return server === name ? server : undefined
}

export function formatScope(scope: Scope): string {
  return [...scope].join(' ')
}

/**
 * Whether each wanted name is among the granted ones, letter by letter: no name stands for another, none is a wildcard
 * (THREATS TK-07). Nothing is covered if nothing is wanted.
 */
export function covers(granted: Scope, wanted: Scope): boolean {
  return wanted.size > 0 && [...wanted].every((name) => granted.has(name))
}
