import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { appendFile, copyFile, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Type } from 'typebox'
import { readCertificate, readCertificateList } from '../../src/certificates/certificate.ts'
import { checkChain } from '../../src/certificates/chain.ts'
import { issueCrl, readCrl } from '../../src/certificates/crl.ts'
import { openPeer, type Peer } from '../../src/http/client.ts'
import { freePorts } from '../../src/http/free-ports.ts'
import { createLog, type Log } from '../../src/http/log.ts'
import {
  CORE_AUTHORITIES,
  createCoreAuthority,
  createNfFolder,
  createOperator,
  type Making,
  openCoreAuthority,
} from '../../src/nf/adapters/core-authority.ts'
import { type NfFolder, openNfFolder } from '../../src/nf/adapters/folder.ts'
import { operatorPair, readOperatorCredential } from '../../src/nf/adapters/operator-credential.ts'
import { renewCoreAuthority } from '../../src/nf/adapters/renew-authority.ts'
import { renewNf } from '../../src/nf/adapters/renew-nf.ts'
import {
  type NfConfiguration,
  PEER_MEMBERS,
  type PeerEntry,
  SERVER_DEFAULTS,
  SERVER_MEMBERS,
} from '../../src/nf/configuration.ts'
import { warnOfEnd } from '../../src/nf/server/certificate-end.ts'
import { serveNf } from '../../src/nf/server/serve-nf.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import type { NfInstanceId } from '../../src/spec/identifiers.ts'
import { clientTls } from '../../src/tls/client.ts'
import { peerCertificate } from '../../src/tls/connection.ts'
import { anNf, certified, environment, fqdn, READER, SERVER } from './a-network.ts'

const DAY = 86_400_000
const MONTH = 30 * DAY
const KIND = {
  name: 'udm',
  schema: Type.Object(SERVER_MEMBERS, { additionalProperties: false }),
  defaults: SERVER_DEFAULTS,
}

/** The folders of a core with one network function, made some days ago. */
async function aCore(daysAgo: number) {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-'))
  let ahead = -daysAgo * DAY
  const clock = { now: () => systemClock.now() + ahead, monotonic: systemClock.monotonic }
  const making: Making = { clock, random: systemRandom }
  const ca = join(folder, 'ca')
  const authority = await createCoreAuthority(ca, fqdn('core.example'), making)
  const home = join(folder, 'udm')
  const [mtls = 0] = await freePorts('127.0.0.1', 1)
  const nfInstanceId = systemRandom.uuid() as NfInstanceId
  const nf = { nfInstanceId, nfType: 'UDM', fqdn: SERVER, listen: { address: '127.0.0.1', mtls }, resolve: {}, own: {} }
  await createNfFolder(home, 'udm', { nf, peers: [READER] }, authority, making)
  await createOperator(home, authority, making)
  ahead = 0
  const open = () => openNfFolder<NfConfiguration>(home, KIND, undefined)
  return {
    ca,
    home,
    mtls,
    authority,
    making,
    open,
    async renew(notice = MONTH) {
      const renewal = await renewCoreAuthority(ca, notice, making)
      return [...renewal.renewed, ...(await renewNf(await open(), notice, renewal.authority, making))]
    },
    read: async (name: string) => readCertificateList(await readFile(join(folder, name), 'utf8')),
    remove: () => rm(folder, { recursive: true }),
  }
}

function serve(nf: NfFolder<NfConfiguration>, log: Log = createLog('nf', 'silent')) {
  const entry = Type.Object(PEER_MEMBERS, { additionalProperties: false })
  return serveNf<object, PeerEntry>(nf, { ...environment(), log }, entry, () => ({
    routes: [],
    authenticators: () => ({}),
  }))
}

/** What a server writes to its log as warnings. */
function listeningLog() {
  const warnings: (readonly [object, string])[] = []
  const log = createLog('nf', 'silent')
  log.warn = (...[fields, message]: unknown[]) => void warnings.push([Object(fields), String(message)])
  return { log, warnings }
}

describe('the certificates of a core are renewed', () => {
  let core: Awaited<ReturnType<typeof aCore>>
  beforeEach(async () => {
    core = await aCore(370)
  })
  afterEach(() => core.remove())

  test('what ends within the notice has a new key and the names of before; once more changes nothing', async () => {
    const before = await core.read('udm/nf.crt')
    const old = await core.open()
    const renewed = await core.renew()
    assert.deepEqual(
      renewed.map(({ file, until }) => [file.slice(core.ca.length - 2), until > systemClock.now() + 360 * DAY]),
      [
        ['ca/root.crl', true],
        ['ca/nf-issuer.crl', true],
        ['ca/operator-issuer.crl', true],
        ['udm/nf.crt', true],
        ['udm/operator.crt', true],
      ],
    )
    const [leaf, issuer] = await core.read('udm/nf.crt')
    assert.ok(leaf && issuer && before[0])
    assert.ok(!leaf.spki.equals(before[0].spki))
    assert.deepEqual([leaf.subjectAltNames, leaf.nfTypes], [before[0].subjectAltNames, ['UDM']])
    const anchors = [readCertificate(core.authority.root)]
    checkChain({ leaf, intermediates: [issuer], anchors, role: 'nf', now: systemClock.now() + 390 * DAY })
    const now = await core.open()
    assert.notEqual(now.credential.current().privateKey, old.credential.current().privateKey)
    assert.ok(createPublicKey(now.credential.current().privateKey).equals(leaf.publicKey))
    assert.deepEqual(
      (await core.renew()).map((each) => 'renewed' in each && each.renewed),
      [false, false],
    )
  })

  test('one that is good for longer than the notice is left alone', async () => {
    assert.equal((await core.renew(20 * DAY)).filter((each) => 'renewed' in each && each.renewed).length, 0)
    assert.equal((await core.renew(Number.POSITIVE_INFINITY)).length, 5)
  })

  test('CA-12: the new key is sealed as the old one was, and for its owner alone', async () => {
    const keyFile = join(core.home, '..', 'medium.key')
    await rename(join(core.home, 'sealing.key'), keyFile)
    await appendFile(join(core.home, 'udm.yaml'), `sealing: { keyFile: ${keyFile} }\n`)
    await core.renew()
    await core.open()
    for (const name of ['nf.key', 'operator.key', 'nf.crt'])
      assert.equal((await stat(join(core.home, name))).mode & 0o777, 0o600, name)
    await writeFile(keyFile, Buffer.alloc(32, 1))
    await assert.rejects(core.open(), { name: 'FileRefused' })
  })

  test('CA-11: the folder of another core gets none', async () => {
    const other = await aCore(370)
    const { authority } = await renewCoreAuthority(other.ca, MONTH, other.making)
    const before = await core.read('udm/nf.crt')
    await assert.rejects(renewNf(await core.open(), MONTH, authority, core.making), {
      name: 'ConfigurationError',
      message: /is of another core/,
    })
    assert.deepEqual(await core.read('udm/nf.crt'), before)
    await other.remove()
  })

  test('CA-10: what the configuration says is no name: only that of the certificate before is certified again', async () => {
    const file = join(core.home, 'udm.yaml')
    const text = await readFile(file, 'utf8')
    const before = await core.read('udm/nf.crt')
    const { nfInstanceId } = (await core.open()).configuration
    for (const [said, instead] of [
      [`fqdn: ${SERVER}`, 'fqdn: ausf.core.example'],
      ['nfType: UDM', 'nfType: AUSF'],
      [nfInstanceId, systemRandom.uuid()],
    ] as const) {
      await writeFile(file, text.replace(said, instead))
      await assert.rejects(core.renew(), {
        name: 'ConfigurationError',
        message: /nf\.crt .* is for another network function/,
      })
      assert.deepEqual(await core.read('udm/nf.crt'), before)
    }
    await writeFile(file, text)
    await core.renew()
    assert.notDeepEqual(await core.read('udm/nf.crt'), before)
  })

  test('CA-10: a certificate that this authority has not issued is not renewed, whatever it says', async () => {
    const other = await aCore(370)
    const plants = [
      ['nf.crt', 'nf.key', 'sealing.key'],
      ['operator.crt', 'operator.key'],
    ] as const
    for (const names of plants) {
      const [certificate] = names
      const saved = await Promise.all(names.map((name) => readFile(join(core.home, name))))
      for (const name of names) await copyFile(join(other.home, name), join(core.home, name))
      await assert.rejects(core.renew(), { name: 'ConfigurationError', message: /is not by the authority/ })
      assert.deepEqual(await core.read(`udm/${certificate}`), await other.read(`udm/${certificate}`))
      for (const [index, name] of names.entries()) await writeFile(join(core.home, name), saved[index] ?? '')
    }
    await other.remove()
  })

  test('CA-10: the certificate of an operator without its key gets no other one', async () => {
    const other = await aCore(370)
    await copyFile(join(other.home, 'operator.key'), join(core.home, 'operator.key'))
    const before = await core.read('udm/operator.crt')
    await assert.rejects(core.renew(), /do not belong together/)
    assert.deepEqual(await core.read('udm/operator.crt'), before)
    await other.remove()
  })

  test('an issuing authority that would end before what it signs is certified again, for the key that it has', async () => {
    const old = await aCore(4 * 365)
    const [before] = await old.read('ca/nf-issuer.crt')
    await old.renew()
    const [after] = await old.read('ca/nf-issuer.crt')
    assert.ok(before && after)
    assert.ok(after.spki.equals(before.spki) && after.notAfter > before.notAfter + 3 * 365 * DAY)
    const [leaf, shown] = await old.read('udm/nf.crt')
    assert.ok(leaf && shown && leaf.notAfter > systemClock.now() + 390 * DAY)
    assert.ok(shown.der.equals(after.der))
    assert.ok((await old.read(`udm/${CORE_AUTHORITIES}`))[1]?.der.equals(after.der))
    // Whoever knows the issuer by its certificate of before accepts what it signs now, and the other way round.
    const anchors = [readCertificate(old.authority.root)]
    checkChain({ leaf, intermediates: [before], anchors, role: 'nf', now: systemClock.now() })
    const { credential } = await certified(old.authority.nfIssuer, anNf('ausf.core.example'))
    const [another] = readCertificateList(credential.certificateChain)
    assert.ok(another)
    checkChain({ leaf: another, intermediates: [after], anchors, role: 'nf', now: systemClock.now() })
    await old.remove()
  })

  test('CA-07: a revocation list is signed again under the next number, with what is on it', async () => {
    const file = join(core.ca, 'nf-issuer.crl')
    const { nfIssuer: issuer } = await openCoreAuthority(core.ca, undefined)
    const now = systemClock.now()
    const revokedAt = now - (now % 1000) - 5 * DAY
    const entries = [{ serial: '0a0b', revokedAt, reason: 'keyCompromise' as const }]
    await writeFile(file, await issueCrl({ issuer, number: 7n, thisUpdate: now - DAY, nextUpdate: now + DAY, entries }))
    await core.renew()
    const list = readCrl(await readFile(file))
    assert.equal(list.number, 8n)
    assert.ok(list.nextUpdate > now + 360 * DAY)
    assert.deepEqual([...list.revoked], [['0a0b', { revokedAt, reason: 'keyCompromise' }]])
  })

  test('CA-07: a revocation list that its authority has not signed is not signed, so that nothing on it is lost', async () => {
    const other = await aCore(370)
    for (const name of ['root', 'nf-issuer', 'operator-issuer']) {
      const file = join(core.ca, `${name}.crl`)
      const saved = await readFile(file)
      const planted = await readFile(join(other.ca, `${name}.crl`))
      await writeFile(file, planted)
      await assert.rejects(core.renew(), { name: 'FileRefused', message: /\.crl is not signed by its authority/ })
      assert.deepEqual(await readFile(file), planted)
      await writeFile(file, saved)
    }
    await other.remove()
  })

  test('TM-01: what was made while the clock was ahead is made again, and is good now', async () => {
    const now = systemClock.now()
    const clock = { ...systemClock, now: () => systemClock.now() + 6 * 365 * DAY }
    const making = { ...core.making, clock }
    const { authority } = await renewCoreAuthority(core.ca, MONTH, making)
    await renewNf(await core.open(), MONTH, authority, making)
    const [ahead] = await core.read('udm/nf.crt')
    assert.ok(ahead && ahead.notBefore > now)

    await core.renew()
    const lists = ['root', 'nf-issuer', 'operator-issuer'].map((name) => readFile(join(core.ca, `${name}.crl`)))
    for (const { number, thisUpdate, nextUpdate } of (await Promise.all(lists)).map(readCrl)) {
      assert.deepEqual([number, thisUpdate <= systemClock.now(), nextUpdate > now], [3n, true, true])
    }
    const anchors = await core.read('ca/root.crt')
    for (const [name, role] of [
      ['nf.crt', 'nf'],
      ['operator.crt', 'operator'],
    ] as const) {
      const [leaf, ...intermediates] = await core.read(`udm/${name}`)
      assert.ok(leaf)
      checkChain({ leaf, intermediates, anchors, role, now: systemClock.now() })
    }
  })

  test('CA-12: where the key of the root is kept elsewhere, what it alone can sign is left as it is', async () => {
    const old = await aCore(4 * 365)
    await rename(join(old.ca, 'root.key'), join(old.ca, '..', 'offline.key'))
    const [issuer] = await old.read('ca/nf-issuer.crt')
    const files = (await old.renew()).map(({ file }) => file.slice(old.ca.length - 2))
    assert.deepEqual(files, ['ca/nf-issuer.crl', 'ca/operator-issuer.crl', 'udm/nf.crt', 'udm/operator.crt'])
    assert.deepEqual(await old.read('ca/nf-issuer.crt'), issuer && [issuer])
    await old.remove()
  })
})

describe('a network function whose certificate ends', () => {
  test('OP-04: says so in its log, with the command that renews it, and not before', async () => {
    const core = await aCore(370)
    const first = listeningLog()
    const nf = await serve(await core.open(), first.log)
    await nf.close()
    const run = `edgeward core renew --dir ${join(core.home, '..')}`
    assert.deepEqual(
      first.warnings.map(([fields, message]) => [(fields as { run?: string }).run, message]),
      [
        [run, `the certificate of ${SERVER} ends soon: renew it`],
        [run, `the certificate of the operator of ${SERVER} ends soon: renew it`],
      ],
    )
    await core.renew()
    const second = listeningLog()
    await (await serve(await core.open(), second.log)).close()
    assert.deepEqual(second.warnings, [])
    await core.remove()
  })

  test('OP-04: says so of its own, whatever the file of its operator holds', async () => {
    const core = await aCore(370)
    await rm(join(core.home, 'operator.crt'))
    await writeFile(join(core.home, 'operator.crt'), '-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n')
    const { log, warnings } = listeningLog()
    await (await serve(await core.open(), log)).close()
    assert.deepEqual(
      warnings.map(([, message]) => message),
      [`the certificate of ${SERVER} ends soon: renew it`],
    )
    await core.remove()
  })

  test('says so each day while it serves', async () => {
    const { log, warnings } = listeningLog()
    const actions: (() => void)[] = []
    const every = (_: number, action: () => void) => {
      actions.push(action)
      return () => {}
    }
    const timers = { ...systemTimers, every }
    const certificate = { notAfter: systemClock.now() + 29 * DAY }
    await warnOfEnd({ clock: systemClock, timers, log }, async () => [{ name: 'x', certificate, command: 'y' }])
    for (const action of actions) action()
    await new Promise(setImmediate)
    assert.equal(warnings.length, 2)
  })

  test('OP-04: does not start once it is over; its operator is told what to run, and after that both work', async () => {
    const core = await aCore(399)
    await assert.rejects(serve(await core.open()), {
      name: 'ConfigurationError',
      message: new RegExp(`ended at .*: run edgeward core renew --dir ${join(core.home, '..')}$`),
    })
    const operator = () => readOperatorCredential(operatorPair(core.home), systemClock.now(), 'edgeward core renew')
    await assert.rejects(operator(), {
      name: 'FileRefused',
      message: /operator\.crt ended at .*: run edgeward core renew$/,
    })
    await core.renew()
    await operator()
    await (await serve(await core.open())).close()
    await core.remove()
  })
})

describe('a network function that is renewed while it serves', () => {
  test('shows the new certificate to whoever connects from then on; who is connected stays so', async (t) => {
    const core = await aCore(370)
    const nf = await serve(await core.open())
    const peers: Peer[] = []
    t.after(async () => {
      for (const peer of peers) peer.close()
      await nf.close()
      await core.remove()
    })
    const { credential } = await certified(core.authority.nfIssuer, anNf('ausf.core.example'))
    const tls = clientTls([core.authority.root], credential)
    const connect = () => {
      const peer = openPeer(`https://${SERVER}:${core.mtls}`, tls, new Map([[SERVER, '127.0.0.1']]))
      peers.push(peer)
      return peer
    }
    const shownTo = async (peer: Peer) => {
      const der = peerCertificate(await peer.socket())
      return der && readCertificate(der).serial
    }
    const serialOnDisk = async () => (await core.read('udm/nf.crt'))[0]?.serial
    const [first, serial] = [connect(), await serialOnDisk()]
    assert.equal(await shownTo(first), serial)
    const connected = await first.socket()
    await core.renew()
    await nf.reload()
    const second = connect()
    assert.equal(await shownTo(second), await serialOnDisk())
    assert.notEqual(await shownTo(second), serial)
    assert.equal((await first.request({ method: 'GET', path: '/' })).status, 404)
    assert.equal(await first.socket(), connected)
  })

  test('OP-04: one listener that cannot take it keeps no other one from taking it', async () => {
    const core = await aCore(370)
    const { credential } = await core.open()
    const taken: string[] = []
    credential.onRenewal(async () => void taken.push('first'))
    credential.onRenewal(async () => assert.fail('its list of callers is not well formed'))
    credential.onRenewal(() => assert.fail('it is closed'))
    credential.onRenewal(() => void taken.push('last'))
    await core.renew()
    await assert.rejects(credential.refresh(), /its list of callers is not well formed/)
    assert.deepEqual(taken, ['first', 'last'])
    await core.remove()
  })

  test('keeps what it has if the files do not fit, and takes them once they do', async () => {
    const core = await aCore(370)
    const opened = await core.open()
    const before = opened.credential.current()
    const [good, other] = [await readFile(join(core.home, 'nf.crt')), await readFile(join(core.home, 'operator.crt'))]
    await writeFile(join(core.home, 'nf.crt'), other)
    await assert.rejects(opened.credential.refresh(), { name: 'FileRefused', message: /do not belong together/ })
    assert.equal(opened.credential.current(), before)
    await writeFile(join(core.home, 'nf.crt'), good)
    await opened.credential.refresh()
    await core.renew()
    assert.equal(await opened.credential.refresh(), true)
    assert.notEqual(opened.credential.current().certificateChain, before.certificateChain)
    assert.equal(await opened.credential.refresh(), false)
    await core.remove()
  })
})
