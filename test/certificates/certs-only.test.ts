import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCertsOnly, writeCertsOnly } from '../../src/certificates/certs-only.ts'
import { contextConstructed, TAG } from '../../src/certificates/der-tags.ts'
import { element, explicit, integer, NULL, oid, sequence } from '../../src/certificates/der-writer.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { ask, folderWith, needs } from '../judges.ts'
import { aDomain, SUBJECTS } from './a-domain.ts'

describe('certs-only: RFC 7030 4.1.3, RFC 5652 5.1', async () => {
  const { issue, issuers, root } = await aDomain()
  const chain = [await issue(SUBJECTS.ees), issuers.ees.certificate, root.certificate].map(({ der }) => der)

  test('reads what it wrote, in the same order', () => {
    assert.deepEqual(readCertsOnly(writeCertsOnly(chain)), chain)
    assert.deepEqual(readCertsOnly(writeCertsOnly(chain.slice(0, 1))), chain.slice(0, 1))
  })

  test('OpenSSL prints the same certificates in the same order', needs('openssl'), () => {
    const { accepted, output, said } = ask(
      'openssl',
      ['pkcs7', '-inform', 'DER', '-print_certs'],
      writeCertsOnly(chain),
    )
    assert.ok(accepted, said)
    const texts = output.toString().match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----\n/g)
    assert.deepEqual(
      texts,
      chain.map((der) => writePem('CERTIFICATE', der)),
    )
  })

  test('GnuTLS reads it', needs('certtool'), () => {
    const { accepted, said } = ask('certtool', ['--p7-info', '--inder'], writeCertsOnly(chain))
    assert.ok(accepted && said.includes('Number of certificates: 3'), said)
  })

  test('reads what OpenSSL writes', needs('openssl'), () => {
    using folder = folderWith({ chain: chain.map((der) => writePem('CERTIFICATE', der)).join('') })
    const args = ['crl2pkcs7', '-nocrl', '-certfile', folder.path('chain'), '-outform', 'DER']
    const { accepted, output, said } = ask('openssl', args)
    assert.ok(accepted, said)
    assert.deepEqual(readCertsOnly(output), chain)
  })

  const set = element(TAG.set, [])
  const content = sequence([oid(OID.data)])
  const certificates = element(contextConstructed(0), chain)
  const message = (...parts: Uint8Array[]) => sequence([oid(OID.signedData), explicit(0, sequence(parts))])
  const refused: Readonly<Record<string, Uint8Array>> = {
    nothing: Buffer.alloc(0),
    'a certificate': chain[0] ?? Buffer.alloc(0),
    'data in place of SignedData': sequence([oid(OID.data), explicit(0, NULL)]),
    'version 3': message(integer(3), set, content, certificates, set),
    'no certificates': message(integer(1), set, content, set),
    'an empty list': writeCertsOnly([]),
    'an element that is no certificate': message(integer(1), set, content, element(contextConstructed(0), [NULL]), set),
    'a signer': message(integer(1), set, content, certificates, element(TAG.set, [sequence([integer(1)])])),
    'a digest algorithm': message(integer(1), element(TAG.set, [sequence([oid('1.2.3')])]), content, certificates, set),
    'content inside': message(integer(1), set, sequence([oid(OID.data), explicit(0, NULL)]), certificates, set),
    'content of another type': message(integer(1), set, sequence([oid('1.2.3')]), certificates, set),
    'octets behind': Buffer.concat([writeCertsOnly(chain), Buffer.of(0)]),
    'more than 64 KiB': writeCertsOnly(Array.from({ length: 150 }, () => chain[0] ?? Buffer.alloc(0))),
  }
  for (const [title, octets] of Object.entries(refused)) {
    test(`CA-09: refuses ${title}`, () => {
      assert.throws(() => readCertsOnly(octets), { name: 'Refusal', code: 'CERTIFICATE_NOT_ACCEPTED' })
    })
  }
})
