import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { createIssuer, createRoot, type Issuer } from '../../src/certificates/authority.ts'
import { type Certificate, readCertificate } from '../../src/certificates/certificate.ts'
import { assemble, issueCertificate, toBeSigned } from '../../src/certificates/issue.ts'
import type { IssuerRole, LeafRole } from '../../src/certificates/profile.ts'
import { drawSerial, type Issuance, type Subject, type Template, templateFor } from '../../src/certificates/template.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import {
  type EesId,
  type Fqdn,
  parseEesId,
  parseFqdn,
  parseNfInstanceId,
  parseRegistrationId,
} from '../../src/spec/identifiers.ts'

export const random = { octets: (count: number) => randomBytes(count) }

export type CurveName = 'P-256' | 'P-384'

export function aKey(curve: CurveName = 'P-256'): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: curve }).privateKey
}

export function aSigner(curve: CurveName = 'P-256'): Signer {
  return signerOf(aKey(curve))
}

/** SubjectPublicKeyInfo of the signer's key, DER. */
export function spkiOf({ publicKey }: Pick<Signer, 'publicKey'>): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' })
}

/** A signer that counts: what must not be signed is seen not to be. */
export function counting(signer: Signer): Signer & { readonly signed: () => number } {
  let signed = 0
  return {
    publicKey: signer.publicKey,
    sign: (octets) => {
      signed += 1
      return signer.sign(octets)
    },
    signed: () => signed,
  }
}

export function fqdn(text: string): Fqdn {
  const name = parseFqdn(text)
  if (name === undefined) throw new Error(`${text} is no FQDN`)
  return name
}

export function eesId(text: string): EesId {
  const id = parseEesId(text)
  if (id === undefined) throw new Error(`${text} is no EES ID`)
  return id
}

const registrationId = parseRegistrationId('0e5a2b90-7d43-4c1a-9c3e-0123456789ab')
if (registrationId === undefined) throw new Error('no registration ID')
const nfInstanceId = parseNfInstanceId('6faf1bbc-6e4a-4454-a507-a14ef8e1bc5c')
if (nfInstanceId === undefined) throw new Error('no NF instance ID')

export const SUBJECTS: Readonly<Record<LeafRole, Subject>> = {
  ees: { role: 'ees', fqdn: fqdn('ees1.ecsp.example'), registrationId, eesId: eesId('ees-1') },
  ecs: { role: 'ecs', fqdn: fqdn('ecs1.ecsp.example') },
  nf: { role: 'nf', fqdn: fqdn('ausf.ecsp.example'), nfInstanceId, nfType: 'AUSF' },
  operator: { role: 'operator', name: 'alice' },
  eas: { role: 'eas', easId: 'eas-1.app.example' },
  eec: { role: 'eec', eecId: 'eec-1.device.example' },
}

export const LEAF_ROLES: readonly LeafRole[] = ['ees', 'ecs', 'nf', 'operator', 'eas', 'eec']

export function anEes(name: Fqdn): Subject {
  return { ...SUBJECTS.ees, fqdn: name } as Subject
}

/** Root, one issuing CA for each role, all begun at `now`. */
export async function aDomain({
  now = Date.now(),
  rootCurve = 'P-384',
  curve = 'P-256',
  domain = 'ecsp.example',
} = {}) {
  const root = await createRoot(fqdn(domain), { signer: aSigner(rootCurve as CurveName), random, now })
  const crlDistributionPoint = `http://ecs1.${domain}/crl/root`
  const issuer = (role: IssuerRole) =>
    createIssuer(role, root, { signer: aSigner(curve as CurveName), random, now, crlDistributionPoint })
  const issuers: Readonly<Record<LeafRole, Issuer>> = {
    ees: await issuer('ees-issuer'),
    ecs: await issuer('ecs-issuer'),
    nf: await issuer('nf-issuer'),
    operator: await issuer('operator-issuer'),
    eas: await issuer('eas-issuer'),
    eec: await issuer('eec-issuer'),
  }

  const template = (subject: Subject, changes: Partial<Issuance> = {}): Template => {
    const { certificate } = issuers[subject.role as LeafRole]
    const given = { issuer: certificate, spki: spkiOf(aSigner()), serial: drawSerial(random), now }
    return templateFor(subject, {
      ...given,
      crlDistributionPoint: `http://ecs1.${domain}/crl/${subject.role}`,
      ...changes,
    })
  }
  const issue = async (subject: Subject, changes: Partial<Issuance> = {}): Promise<Certificate> =>
    readCertificate(await issueCertificate(template(subject, changes), issuers[subject.role as LeafRole].signer))

  return { now, root, issuers, template, issue }
}

export type Domain = Awaited<ReturnType<typeof aDomain>>

/** A signature on whatever the template says, without any check: what a CA gone bad could do. */
export async function forge(template: Template, signer: Signer): Promise<Buffer> {
  return forgeOctets(toBeSigned(template), template, signer)
}

export async function forgeOctets(tbs: Buffer, { signatureAlgorithm }: Template, signer: Signer): Promise<Buffer> {
  return assemble(tbs, await signer.sign(tbs), signatureAlgorithm)
}
