import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createNotifier, type Notifier } from '../../../src/http/notifier.ts'
import { systemTimers } from '../../../src/ports/timers.ts'
import { clientTls } from '../../../src/tls/client.ts'
import { type AReceiver, aReceiver } from './a-receiver.ts'
import { forbiddenUris } from './notification-uris.ts'

/** Retries come at once, so that all of them are seen. */
const timers = { after: (_: number, action: () => void) => systemTimers.after(0, action) }

describe('where notifications go', () => {
  let receiver: AReceiver
  let canary: Server
  let port: number
  let touched = 0
  const open = new Set<Notifier>()
  const notifierWith = (change: Partial<Parameters<typeof createNotifier>[0]>): Notifier => {
    const targets = { hosts: ['.apps.example'], networks: [] }
    const notifier = createNotifier({ targets, tls: () => clientTls([receiver.root]), timers, ...change })
    open.add(notifier)
    return notifier
  }
  before(async () => {
    receiver = await aReceiver()
    receiver.state.answer = async () => ({ status: 204 })
    canary = createServer((socket) => {
      touched += 1
      socket.destroy()
    })
    // Every address of this machine, of both families where there are both.
    await new Promise<void>((resolve) => canary.listen(0, resolve))
    const address = canary.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  after(async () => {
    for (const notifier of open) notifier.close()
    canary.close()
    await receiver.close()
  })

  test('HT-06: none of more than 200 addresses is accepted or called, not even if it is stored already', async () => {
    const uris = [...new Set(forbiddenUris(port))]
    assert.ok(uris.length >= 200, `${uris.length} addresses`)
    const asked: string[] = []
    const lookUp = async (host: string) => {
      asked.push(host)
      return ['127.0.0.1', '::1']
    }
    const notifier = notifierWith({ lookUp })
    for (const uri of uris) {
      assert.throws(
        () => notifier.check(uri),
        { name: 'Refusal', code: 'NOTIFICATION_URI_NOT_ACCEPTED' },
        JSON.stringify(uri),
      )
      assert.equal(await notifier.send(uri, {}), false, uri)
    }
    assert.deepEqual(asked, [])
    assert.equal(touched, 0)
  })

  test('HT-06: a name that leads to this machine, or to one beside it, is not called, whatever else it leads to', async () => {
    const addresses = [
      ['127.0.0.1'],
      ['::1'],
      ['::ffff:127.0.0.1'],
      ['::ffff:7f00:1'],
      ['10.0.0.1'],
      ['169.254.169.254'],
      ['fe80::1'],
      ['fd00::1'],
      ['0.0.0.0'],
      ['64:ff9b::7f00:1'],
      ['192.168.1.1', '127.0.0.1'],
      // A public address first does not make the second one good.
      ['8.8.8.8', '127.0.0.1'],
      [],
    ]
    for (const found of addresses) {
      const notifier = notifierWith({ lookUp: async () => found })
      assert.equal(await notifier.send(`https://cb1.apps.example:${port}/`, {}), false, found.join())
    }
    assert.equal(touched, 0)
  })

  test('HT-06: a name is looked up once for a connection, and the connection goes to what was found (rebinding)', async () => {
    // The network of the receiver is allowed here; the canary listens on other addresses of this machine as well.
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['169.254.169.254']]
    let asked = 0
    const lookUp = async () => answers[Math.min(asked++, 2)] ?? []
    const targets = { hosts: ['.apps.example'], networks: ['127.0.0.1/32'] }
    const notifier = notifierWith({ lookUp, targets })
    const before = receiver.state.requests
    for (let n = 0; n < 5; n++) assert.equal(await notifier.send(receiver.uri(), NOTIFICATION), true)
    assert.deepEqual([asked, receiver.state.requests - before], [1, 5])
    // Another port is another connection: the name leads elsewhere by now, and is not followed.
    assert.equal(await notifier.send(`https://${receiver.name}:${port}/`, NOTIFICATION), false)
    assert.ok(asked >= 2)
    assert.equal(touched, 0)
  })

  test('HT-06: a redirect is an answer like any other that is not 2xx: nobody goes there', async () => {
    const targets = { hosts: ['.apps.example'], networks: ['127.0.0.0/8'] }
    const notifier = notifierWith({ lookUp: async () => ['127.0.0.1'], targets })
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.state.answer = async () => ({ status, headers: { location: `https://cb2.apps.example:${port}/` } })
      assert.equal(await notifier.send(receiver.uri(), NOTIFICATION), false, `${status}`)
    }
    receiver.state.answer = async () => ({ status: 204 })
    assert.equal(touched, 0)
  })

  test('the host must have a certificate for the name by an authority that is trusted for it', async () => {
    const targets = { hosts: ['.apps.example'], networks: ['127.0.0.0/8'] }
    const lookUp = async () => ['127.0.0.1']
    const before = receiver.state.requests
    const other = notifierWith({ lookUp, targets })
    assert.equal(await other.send(receiver.uri().replace('cb1.', 'cb2.'), NOTIFICATION), false)
    const { root } = await aReceiver().then(async (another) => {
      await another.close()
      return another
    })
    const distrusting = notifierWith({ lookUp, targets, tls: () => clientTls([root]) })
    assert.equal(await distrusting.send(receiver.uri(), NOTIFICATION), false)
    assert.equal(receiver.state.requests, before)
  })
})

const NOTIFICATION = {
  subId: 'sub-1',
  ednCnfgInfo: [{ ednConInfo: {}, eess: [{ eesId: 'ees-1', eecRegConf: false }] }],
}
