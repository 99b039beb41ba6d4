import { createPublicKey, type KeyObject } from 'node:crypto'
import { writePem } from '../../src/certificates/pem.ts'
import type { Subject, Template } from '../../src/certificates/template.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { ServerCredential } from '../../src/tls/profile.ts'
import { aDomain, aKey, type Domain, forge, fqdn, SUBJECTS, spkiOf } from '../certificates/a-domain.ts'

export const NAME = fqdn('ecs1.ecsp.example')

export const certificatePem = (der: Uint8Array) => writePem('CERTIFICATE', der)

/** A root with its issuers, and what the parties of a test show each other. */
export async function someCredentials(domain?: Domain) {
  const { root, issuers, issue, template, now } = domain ?? (await aDomain())
  const chainOf = (leaf: Uint8Array, role: 'ees' | 'ecs') =>
    certificatePem(leaf) + certificatePem(issuers[role].certificate.der)
  const credential = async (subject: Subject): Promise<ServerCredential> => {
    const key = aKey()
    const { der } = await issue(subject, { spki: spkiOf(signerOf(key)) })
    return { certificateChain: chainOf(der, subject.role as 'ees' | 'ecs'), privateKey: pemOf(key) }
  }
  return {
    now,
    rootPem: certificatePem(root.certificate.der),
    eesIssuerPem: certificatePem(issuers.ees.certificate.der),
    server: await credential(SUBJECTS.ecs),
    client: await credential(SUBJECTS.ees),
    /** A server's credential whose certificate the CA would never have signed. */
    async forged(change: Partial<Template>, key: KeyObject = aKey()): Promise<ServerCredential> {
      const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
      const wrong = { ...template(SUBJECTS.ecs, { spki }), ...change }
      const der = await forge(wrong, issuers.ecs.signer)
      return { certificateChain: chainOf(der, 'ecs'), privateKey: pemOf(key) }
    },
  }
}

export type Credentials = Awaited<ReturnType<typeof someCredentials>>

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
