import type { TbsCertificate } from './certificate.ts'
import { findings } from './findings.ts'
import type { Role } from './profile.ts'

/**
 * What a certificate of a role must say, from D-5 and RFC 5280. Stated again on purpose, not read from the
 * profiles that templates are made of: a profile that changes by mistake meets the old rule here (THREATS CA-05).
 */
interface Rule {
  readonly ca: boolean
  readonly pathLength?: number
  readonly purposes: string
  readonly dnsNames: number
  /** of the one URI, or undefined where there is none */
  readonly uri?: RegExp
  readonly nfTypes?: true
}

const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const OPERATOR = /^urn:edgeward:operator:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const EAS = /^urn:edgeward:eas:[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/
const EEC = /^urn:edgeward:eec:[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/

const RULES: Readonly<Record<Role, Rule>> = {
  root: { ca: true, pathLength: 1, purposes: '', dnsNames: 0 },
  'ees-issuer': { ca: true, pathLength: 0, purposes: 'clientAuth serverAuth', dnsNames: 0 },
  'ecs-issuer': { ca: true, pathLength: 0, purposes: 'clientAuth serverAuth', dnsNames: 0 },
  'nf-issuer': { ca: true, pathLength: 0, purposes: 'clientAuth serverAuth', dnsNames: 0 },
  'operator-issuer': { ca: true, pathLength: 0, purposes: 'clientAuth', dnsNames: 0 },
  'eas-issuer': { ca: true, pathLength: 0, purposes: 'clientAuth', dnsNames: 0 },
  'eec-issuer': { ca: true, pathLength: 0, purposes: 'clientAuth', dnsNames: 0 },
  ees: { ca: false, purposes: 'clientAuth serverAuth', dnsNames: 1, uri: UUID },
  ecs: { ca: false, purposes: 'clientAuth serverAuth', dnsNames: 1 },
  nf: { ca: false, purposes: 'clientAuth serverAuth', dnsNames: 1, uri: UUID, nfTypes: true },
  operator: { ca: false, purposes: 'clientAuth', dnsNames: 0, uri: OPERATOR },
  eas: { ca: false, purposes: 'clientAuth', dnsNames: 0, uri: EAS },
  eec: { ca: false, purposes: 'clientAuth', dnsNames: 0, uri: EEC },
}

/** Where a certificate differs from what its role demands; an empty list if nowhere. */
export function deviations(certificate: TbsCertificate, role: Role): string[] {
  const { basicConstraints, keyUsage = [], extendedKeyUsage = [], subjectAltNames, nfTypes } = certificate
  const rule = RULES[role]
  return findings([
    [basicConstraints?.ca === rule.ca, 'basicConstraints of another role'],
    [basicConstraints?.pathLength === rule.pathLength, 'path length of another role'],
    [keyUsage.join(' ') === (rule.ca ? 'keyCertSign cRLSign' : 'digitalSignature'), 'key usage of another role'],
    [extendedKeyUsage.toSorted().join(' ') === rule.purposes, 'extended key usage of another role'],
    [subjectAltNames.dnsNames.length === rule.dnsNames, 'dNSNames of another role'],
    [urisFit(subjectAltNames.uris, rule.uri), 'URIs of another role'],
    [(nfTypes !== undefined) === (rule.nfTypes ?? false), 'nfTypes of another role'],
  ])
}

function urisFit(uris: readonly string[], form: RegExp | undefined): boolean {
  const [uri, ...others] = uris
  if (form === undefined) return uri === undefined
  return uri !== undefined && others.length === 0 && form.test(uri)
}
