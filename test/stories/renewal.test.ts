import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { edgeward, edgewardJson, logged, type Server, serve, storyFolder } from './program.ts'

const SUPI = 'imsi-001010000000001'

interface Renewal {
  readonly certificates: readonly { readonly file: string; readonly renewed: boolean; readonly until: string }[]
}

/** A core after a year: one UE, whose authentication goes through all of SEAF, AUSF and UDM. */
describe('certificates are renewed, and a store is restored, while subscribers authenticate', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  const servers = new Map<string, Server>()
  const dirOf = (name: string) => story.at('core', name)
  const start = async (name: 'udm' | 'ausf') => void servers.set(name, await serve(name, 'serve', '--dir', dirOf(name)))
  const running = (name: string) => servers.get(name) ?? assert.fail(`${name} does not run`)
  const authenticate = () => edgeward('ue', 'authenticate', '--dir', story.at('ue'), '--amf', dirOf('amf'))
  const renew = (...options: string[]) => edgewardJson<Renewal>('core', 'renew', '--dir', story.at('core'), ...options)
  const serialIn = (...file: string[]) => new X509Certificate(readFileSync(story.at('core', ...file))).serialNumber

  before(async () => {
    story = await storyFolder()
    await edgewardJson('core', 'init', '--dir', story.at('core'), '--mcc', '001', '--mnc', '01')
    const usim = story.at('usim.json')
    const subscriber = ['--supi', SUPI, '--new-usim', usim, '--edge']
    await edgewardJson('udm', 'subscriber', 'add', '--dir', dirOf('udm'), ...subscriber)
    await edgewardJson('ue', 'init', '--dir', story.at('ue'), '--subscription', usim)
    await Promise.all([start('udm'), start('ausf')])
  })
  after(async () => {
    await Promise.all([...servers.values()].map((server) => server.stop()))
    await story.remove()
  })

  test('nothing is renewed before it is time', async () => {
    const first = await authenticate()
    assert.equal(first.code, 0, first.stderr)
    const { certificates } = await renew()
    assert.equal(certificates.length, 7)
    assert.ok(certificates.every(({ renewed }) => !renewed))
    assert.doesNotMatch(running('udm').log() + running('ausf').log(), /ends soon/)
  })

  test('OP-04: servers take new certificates while they serve, and a UE is authenticated with them', async () => {
    const before = ['udm', 'ausf', 'amf'].map((name) => serialIn(name, 'nf.crt'))
    const { certificates } = await renew('--within', '400')
    assert.ok(certificates.every(({ renewed }) => renewed))
    for (const name of ['udm', 'ausf']) {
      await logged(running(name), 'the own certificate is another one now')
      assert.equal(await shownSerial(running(name)), serialIn(name, 'nf.crt'))
    }
    // Of the network function and of its operator: the keys of before are gone.
    assert.equal(readdirSync(dirOf('udm/pairs')).length, 2)
    const now = ['udm', 'ausf', 'amf'].map((name) => serialIn(name, 'nf.crt'))
    assert.equal(new Set([...before, ...now]).size, 6)
    const second = await authenticate()
    assert.equal(second.code, 0, second.stderr)
    // Over the `admin` listener, by the operator's new certificate.
    const list = ['udm', 'subscriber', 'list', '--dir', dirOf('udm')]
    assert.equal((await edgewardJson<{ subscribers: unknown[] }>(...list)).subscribers.length, 1)
  })

  test('one network function is renewed by its name, and a name that is none changes nothing', async () => {
    const before = [serialIn('ausf', 'nf.crt'), serialIn('nef', 'nf.crt')]
    const wrong = await edgeward('core', 'renew', '--dir', story.at('core'), '--name', 'nef', 'smf', '--all')
    assert.deepEqual([wrong.code, wrong.stderr], [1, 'Failed: smf is not the folder of a network function\n'])
    assert.deepEqual([serialIn('ausf', 'nf.crt'), serialIn('nef', 'nf.crt')], before)
    await renew('--name', dirOf('nef'), '--all')
    assert.equal(serialIn('ausf', 'nf.crt'), before[0])
    assert.notEqual(serialIn('nef', 'nf.crt'), before[1])
  })

  test('DB-04: a UDM that is restored knows an older SQN; the USIM resynchronises it (TS 33.102 6.3.5)', async () => {
    const copy = story.at('udm.copy')
    await edgewardJson('udm', 'backup', copy, '--dir', dirOf('udm'))
    for (let times = 0; times < 3; times++) assert.equal((await authenticate()).code, 0)
    await running('udm').stop()
    for (const suffix of ['', '-wal', '-shm', '-mark']) rmSync(dirOf(`udm/udm.db${suffix}`), { force: true })
    cpSync(copy, dirOf('udm/udm.db'))
    await start('udm')
    const after = await authenticate()
    assert.equal(after.code, 0, after.stderr)
    assert.match(after.stdout, /AUTS/)
    const next = await authenticate()
    assert.equal(next.code, 0, next.stderr)
    assert.doesNotMatch(next.stdout, /AUTS/)
  })

  test('the other stores are copied while they are in use and while they are not', async () => {
    for (const name of ['ausf', 'entitlement']) {
      const copy = story.at(`${name}.copy`)
      const { file } = await edgewardJson<{ file: string }>(name, 'backup', copy, '--dir', dirOf(name))
      assert.equal(file, copy)
      const again = await edgeward(name, 'backup', copy, '--dir', dirOf(name))
      assert.deepEqual(
        [again.code, again.stderr],
        [1, `Failed: ${copy} exists already and is never overwritten: take another name\n`],
      )
    }
    const none = await edgeward('ees', 'backup', story.at('ees.copy'), '--dir', dirOf('nef'))
    assert.match(none.stderr, /ees\.db is not there: check the name/)
  })
})

/** @returns the serial number of the certificate that its listener shows now */
function shownSerial({ ready }: Server): Promise<string> {
  const { hostname: host, port } = new URL(ready.listeners['mtls'] ?? '')
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
