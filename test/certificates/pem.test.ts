import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readPem, readPemList, writePem } from '../../src/certificates/pem.ts'

const DER = Buffer.alloc(100, 0x5a)
const PEM = writePem('CERTIFICATE', DER)
const [begin = '', first = '', second = '', third = '', end = ''] = PEM.split('\n')

describe('PEM: RFC 7468', () => {
  test('reads what it wrote, with LF or CR LF, with or without the last line end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), (octets) => {
        for (const label of ['CERTIFICATE', 'CERTIFICATE REQUEST', 'X509 CRL'] as const) {
          const pem = writePem(label, octets)
          assert.deepEqual(readPem(label, pem), Buffer.from(octets))
          assert.deepEqual(readPem(label, pem.replaceAll('\n', '\r\n')), Buffer.from(octets))
          assert.deepEqual(readPem(label, pem.trimEnd()), Buffer.from(octets))
        }
      }),
    )
  })

  test('a list keeps its order', () => {
    const other = Buffer.from('other')
    assert.deepEqual(readPemList('CERTIFICATE', PEM + writePem('CERTIFICATE', other)), [DER, other])
    assert.deepEqual(readPemList('CERTIFICATE', ''), [])
  })

  const refused: Readonly<Record<string, string>> = {
    'an empty text': '',
    'two texts': PEM + PEM,
    'another label': writePem('X509 CRL', DER),
    'an old label': PEM.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'),
    'text before': `subject: CN = ees\n${PEM}`,
    'text after': `${PEM}subject: CN = ees\n`,
    'an empty line before': `\n${PEM}`,
    'a label that changes': PEM.replace('END CERTIFICATE', 'END X509 CRL'),
    'no end': [begin, first, second, third].join('\n'),
    'no begin': [first, second, third, end].join('\n'),
    'no content': [begin, end].join('\n'),
    'an empty line': [begin, first, '', second, third, end].join('\n'),
    'a line cut short': [begin, first.slice(1), second, third, end].join('\n'),
    'lines of 60': [begin, ...((first + second + third).match(/.{1,60}/g) ?? []), end].join('\n'),
    'lines of 76': [begin, ...((first + second + third).match(/.{1,76}/g) ?? []), end].join('\n'),
    'one long line': [begin, first + second + third, end].join('\n'),
    'white space at a line end': [begin, `${first} `, second, third, end].join('\n'),
    'a header line': [begin, 'Proc-Type: 4,ENCRYPTED', first, second, third, end].join('\n'),
    base64url: [begin, `${first.slice(0, -1)}_`, second, third, end].join('\n'),
    'padding inside': [begin, `${first.slice(0, -1)}=`, second, third, end].join('\n'),
    'a non-canonical ending': [begin, first, second, third.replace(/.==$/, 'h=='), end].join('\n'),
  }
  for (const [title, text] of Object.entries(refused)) {
    test(`CA-09: refuses ${title}`, () => {
      assert.notEqual(text, PEM)
      assert.throws(() => readPem('CERTIFICATE', text), { name: 'Malformed' })
    })
  }

  test('CA-09: refuses more than the limit before it decodes', () => {
    const large = writePem('X509 CRL', Buffer.alloc(20_000))
    assert.throws(() => readPem('X509 CRL', large), { name: 'Malformed' })
    assert.equal(readPem('X509 CRL', large, 20_000).length, 20_000)
  })
})
