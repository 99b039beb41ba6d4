import type { Fqdn } from '../../spec/identifiers.ts'

/**
 * Whether texts that a caller sent name another ECS of the list: it changes nothing, but somebody should hear of it
 * (THREATS KE-10).
 */
export function namesAnother(texts: readonly unknown[], own: Fqdn, isListed: (name: string) => boolean): boolean {
  return texts
    .filter((text) => typeof text === 'string')
    .flatMap((text) => text.toLowerCase().split(/[^a-z0-9.-]+|\.(?![a-z0-9])/))
    .some((name) => name !== own && isListed(name))
}
