import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { addressFinder, parseNotificationUri } from '../../src/http/notification-target.ts'
import { createNotifier } from '../../src/http/notifier.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import { clientTls } from '../../src/tls/client.ts'
import { fqdn } from '../certificates/a-domain.ts'

const PORT = 65_000
const TARGETS = { hosts: ['eec.example', '.devices.example'], networks: [] }

/** Spellings of hosts of this machine and its surroundings, which some parser takes for an address. */
const HOSTS = [
  ...['127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001'],
  ...['127.0.0.1.', '127.000.000.001', '0', '0.0.0.0', '00.0.0.0', '10.0.0.1', '192.168.0.1', '172.16.0.1'],
  ...['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '100.64.0.1', '198.18.0.1', '224.0.0.1'],
  ...[
    '255.255.255.255',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
  ],
  ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fe80::1%25eth0]', '[fc00::1]', '[fd00::1]', '[ff02::1]'],
  ...[
    'localhost',
    'localhost.',
    'LOCALHOST',
    'localhost.localdomain',
    'ip6-localhost',
    'metadata',
    'metadata.google.internal',
  ],
  ...[
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    'ⓔxample.com',
    '127.0.0.1.nip.example',
    'other.example',
    'eec.example.attacker.example',
  ],
  ...['eec.exampleattacker.example', 'attackereec.example', 'xdevices.example', 'devices.example', '*.devices.example'],
  ...[
    'eec.example%00.attacker.example',
    'eec.example%2eattacker.example',
    'eec.example\\.attacker.example',
    'a..devices.example',
  ],
  ...[
    '-a.devices.example',
    'a_b.devices.example',
    'xn--.devices.example',
    `${'a'.repeat(64)}.devices.example`,
    '.devices.example',
  ],
]

/** What makes the same host be read as another. */
const FORMS = [
  (host: string) => `https://${host}:${PORT}/notify`,
  (host: string) => `https://eec.example@${host}:${PORT}/notify`,
  (host: string) => `https://${host}:${PORT}/?https://eec.example/`,
  (host: string) => `https://${host}:${PORT}/#@eec.example/`,
]

const OTHERS = [
  ...['', ' ', 'eec.example', '//eec.example/', 'http://eec.example/', 'HTTP://eec.example/', 'ftp://eec.example/'],
  ...[
    'file:///etc/passwd',
    'gopher://eec.example/',
    'javascript:0',
    'data:,x',
    'unix:/x',
    'https:eec.example',
    'https:/eec.example/',
  ],
  ...['https:///eec.example/', 'https:\\\\eec.example\\', 'https://', 'https://:443/', 'https://eec.example:0x1bb/'],
  ...[
    'https://eec.example:99999/',
    'https://eec.example:-1/',
    'https://user:pass@eec.example/',
    'https://@eec.example/',
  ],
  ...['https://eec.example/#fragment', 'https://eec.example\\@attacker.example/', 'https://eec.example/\r\nx: y'],
  ...['https://eec.example/\t', ' https://eec.example/', 'https://eec.example/ x', 'https://eec.example/\u0000'],
  ...[
    'https://eec.example/é',
    'https://eec%2eexample/',
    'https://e\u00adec.example/',
    `https://eec.example/${'a'.repeat(1_100)}`,
  ],
]

describe('where notifications may go', () => {
  let canary: Server
  let connections = 0

  before(async () => {
    canary = createServer((socket) => {
      connections++
      socket.destroy()
    })
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  })
  after(() => canary.close())

  const portOfCanary = () => String((canary.address() as AddressInfo).port)

  test('HT-06: over 200 URIs for other hosts, however they are written: none is taken, none is called', async (t) => {
    const hostile = [...HOSTS.flatMap((host) => FORMS.map((form) => form(host))), ...OTHERS]
    assert.ok(hostile.length >= 200, String(hostile.length))
    const notifier = createNotifier({
      targets: TARGETS,
      tls: () => clientTls([]),
      timers: systemTimers,
      lookUp: async () => ['127.0.0.1'],
    })
    t.after(() => notifier.close())
    for (const uri of hostile.map((text) => text.replaceAll(String(PORT), portOfCanary()))) {
      assert.throws(() => notifier.check(uri), { code: 'NOTIFICATION_URI_NOT_ACCEPTED' }, uri)
      assert.equal(await notifier.send(uri, {}), false, uri)
    }
    assert.equal(connections, 0)
  })

  test('HT-06: allowed names are taken as they are, with `/` where there is no path', () => {
    const expected: [string, string, string][] = [
      ['https://eec.example', 'https://eec.example', '/'],
      ['https://EEC.example:8443/a?b=c', 'https://eec.example:8443', '/a?b=c'],
      ['https://one.two.devices.example/x', 'https://one.two.devices.example', '/x'],
    ]
    for (const [uri, origin, path] of expected) {
      assert.deepEqual(parseNotificationUri(uri, TARGETS), { origin, host: new URL(origin).hostname, path })
    }
  })

  test('HT-06: a name with one address that is not public is not called, unless its network is allowed', async () => {
    const host = fqdn('eec.example')
    const finderOf = (addresses: readonly string[], networks: readonly string[] = []) =>
      addressFinder({ hosts: [], networks }, { lookUp: async () => addresses })(host)
    const special = [
      '127.0.0.1',
      '10.1.2.3',
      '169.254.169.254',
      '::1',
      '::ffff:10.0.0.1',
      'fe80::1',
      'fd00::1',
      '0.0.0.0',
      '64:ff9b::1',
    ]
    for (const address of special) {
      await assert.rejects(finderOf([address]), { code: 'NOTIFICATION_URI_NOT_ACCEPTED' }, address)
      await assert.rejects(finderOf(['93.184.216.34', address]), { code: 'NOTIFICATION_URI_NOT_ACCEPTED' }, address)
    }
    assert.equal(await finderOf(['93.184.216.34']), '93.184.216.34')
    assert.equal(await finderOf(['2606:4700::1111']), '2606:4700::1111')
    assert.equal(await finderOf(['10.1.2.3'], ['10.1.0.0/16']), '10.1.2.3')
    await assert.rejects(finderOf(['10.2.2.3'], ['10.1.0.0/16']), { code: 'NOTIFICATION_URI_NOT_ACCEPTED' })
    await assert.rejects(finderOf([]), /no address/)
  })

  test('HT-06: a resolver that changes its mind: the address that was looked at is the one that is called', async (t) => {
    const answers = [['192.0.2.1'], ['127.0.0.1']]
    let asked = 0
    const failures: unknown[] = []
    const notifier = createNotifier({
      // Where nothing answers: documentation addresses are allowed here, those of this machine are not.
      targets: { hosts: ['eec.example'], networks: ['192.0.2.0/24'] },
      tls: () => clientTls([]),
      timers: { after: (_milliseconds, action) => systemTimers.after(1, action) },
      lookUp: async () => answers[Math.min(asked++, 1)] ?? [],
      failed: (error) => failures.push(error),
    })
    t.after(() => notifier.close())
    assert.equal(await notifier.send(`https://eec.example:${portOfCanary()}/`, {}), false)
    assert.equal(connections, 0)
    assert.equal(failures.length, 1)
    // Once it is asked again it says an address of this machine, which is refused.
    const refused = createNotifier({
      targets: { hosts: ['eec.example'], networks: [] },
      tls: () => clientTls([]),
      timers: systemTimers,
      lookUp: async () => ['127.0.0.1'],
      failed: (error) => failures.push(error),
    })
    t.after(() => refused.close())
    assert.equal(await refused.send(`https://eec.example:${portOfCanary()}/`, {}), false)
    assert.equal(connections, 0)
    assert.equal(failures.length, 2)
  })
})
