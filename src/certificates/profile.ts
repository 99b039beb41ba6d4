import type { BasicConstraints, KeyUsage } from './extension-reader.ts'

/** What a certificate makes its holder. */
export type LeafRole = 'ees' | 'ecs' | 'nf' | 'operator' | 'eas' | 'eec'
/**
 * An issuing CA signs certificates of one role only, so a certificate of one role cannot pass for another
 * (THREATS CA-11).
 */
export type IssuerRole = `${LeafRole}-issuer`
export type Role = 'root' | IssuerRole | LeafRole

/** What a certificate of a role says, whoever its holder is. */
export interface Profile {
  readonly issuedBy: 'root' | IssuerRole
  readonly basicConstraints: BasicConstraints
  readonly keyUsage: readonly KeyUsage[]
  /** in a CA certificate: the purposes of what it issues; the root is not limited */
  readonly extendedKeyUsage: readonly ('serverAuth' | 'clientAuth')[]
  /** milliseconds */
  readonly lifetime: { readonly usual: number; readonly longest: number }
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const YEAR = 365.25 * DAY

const ISSUER = {
  issuedBy: 'root',
  basicConstraints: { ca: true, pathLength: 0 },
  keyUsage: ['keyCertSign', 'cRLSign'],
  lifetime: { usual: 5 * YEAR, longest: 10 * YEAR },
} as const

/** TS 33.310 6.1.3c.3, which asks for nfTypes in a network function alone (D-5); lifetimes of D-6. */
const LEAF = {
  basicConstraints: { ca: false },
  keyUsage: ['digitalSignature'],
  lifetime: { usual: 30 * DAY, longest: 398 * DAY },
} as const

const SERVER_AND_CLIENT = { extendedKeyUsage: ['serverAuth', 'clientAuth'] } as const
const CLIENT = { extendedKeyUsage: ['clientAuth'] } as const

export const PROFILES: Readonly<Record<Role, Profile>> = {
  root: {
    issuedBy: 'root',
    basicConstraints: { ca: true, pathLength: 1 },
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: [],
    lifetime: { usual: 20 * YEAR, longest: 30 * YEAR },
  },
  'ees-issuer': { ...ISSUER, ...SERVER_AND_CLIENT },
  'ecs-issuer': { ...ISSUER, ...SERVER_AND_CLIENT },
  'nf-issuer': { ...ISSUER, ...SERVER_AND_CLIENT },
  'operator-issuer': { ...ISSUER, ...CLIENT },
  'eas-issuer': { ...ISSUER, ...CLIENT },
  'eec-issuer': { ...ISSUER, ...CLIENT },
  ees: { ...LEAF, ...SERVER_AND_CLIENT, issuedBy: 'ees-issuer' },
  ecs: { ...LEAF, ...SERVER_AND_CLIENT, issuedBy: 'ecs-issuer' },
  nf: { ...LEAF, ...SERVER_AND_CLIENT, issuedBy: 'nf-issuer' },
  operator: { ...LEAF, ...CLIENT, issuedBy: 'operator-issuer' },
  eas: { ...LEAF, ...CLIENT, issuedBy: 'eas-issuer' },
  eec: { ...LEAF, ...CLIENT, issuedBy: 'eec-issuer' },
}

/** The commonName by which a CA of ours is told from the others of its domain. */
export const AUTHORITY_NAMES: Readonly<Record<'root' | IssuerRole, string>> = {
  root: 'Edgeward root CA',
  'ees-issuer': 'Edgeward EES issuing CA',
  'ecs-issuer': 'Edgeward ECS issuing CA',
  'nf-issuer': 'Edgeward NF issuing CA',
  'operator-issuer': 'Edgeward operator issuing CA',
  'eas-issuer': 'Edgeward EAS issuing CA',
  'eec-issuer': 'Edgeward EEC issuing CA',
}

/** Whether certificates of this role sign others. */
export function isAuthority(role: Role): role is 'root' | IssuerRole {
  return Object.hasOwn(AUTHORITY_NAMES, role)
}
