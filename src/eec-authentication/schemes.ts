import type { Scheme } from '../http/problem.ts'

/**
 * How EECs show their tokens: with a proof (RFC 9449 7.1), and without one only if some entitlement server may issue
 * tokens that are bound to no key.
 */
export function eecSchemes(ents: readonly { readonly unbound: 'refused' | 'allowed' }[]): readonly Scheme[] {
  return ents.some(({ unbound }) => unbound === 'allowed') ? ['DPoP', 'Bearer'] : ['DPoP']
}
