import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { readCertificate, readCertificateList } from '../../src/certificates/certificate.ts'
import { readCertsOnly } from '../../src/certificates/certs-only.ts'
import { readCrl } from '../../src/certificates/crl.ts'
import { revocationListOf } from '../../src/ecs/certificate-authority/authorities.ts'
import { openPeer } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { bodyOf, newEesKey, onboard, onboardingMessage, type RunningEcs, runEcs } from './running-ecs.ts'

const MINUTE = 60_000
const AUTHORITY_STAGE = { name: 'Refusal', code: 'AUTHORITY_STAGE' }

describe('the roll-over of a certificate authority: RFC 4210 4.4, THREATS CA-12', () => {
  let ecs: RunningEcs
  beforeEach(async () => {
    ecs = await runEcs()
  })
  afterEach(() => ecs.close())

  const stage = async () => (await ecs.operator.showAuthorities()).stage
  const issuerOf = (chain: string) => readCertificateList(chain)[1] ?? assert.fail('no issuer')
  const serialOf = (chain: string) => readCertificateList(chain)[0]?.serial ?? assert.fail('no certificate')
  const get = (path: string) => ecs.anybody().request({ method: 'GET', path })

  async function events(): Promise<unknown[]> {
    const rows = await ecs.opened.store.read<{ entry: string }>({
      sql: 'select entry from ledger order by seq',
      parameters: [],
    })
    const names = rows.map(({ entry }) => (JSON.parse(entry) as { event: string }).event)
    return names.filter((name) => name.startsWith('authority-'))
  }

  test('step by step, each of them once, recorded, and kept by a restart', async () => {
    const { present } = await ecs.operator.showAuthorities()
    await assert.rejects(ecs.operator.switchAuthority({ force: true }), AUTHORITY_STAGE)
    assert.equal((await ecs.operator.retireAuthority()).stage, 'settled')
    const staged = await ecs.operator.stageAuthority()
    assert.deepEqual(await ecs.operator.stageAuthority(), staged)
    assert.deepEqual([staged.present, staged.other?.crossCertified], [present, true])
    await ecs.restart()
    assert.deepEqual(await ecs.operator.showAuthorities(), staged)

    // Whoever asks as often as told has heard of it by then, and nobody before.
    await assert.rejects(ecs.operator.switchAuthority(), AUTHORITY_STAGE)
    ecs.advance(9 * MINUTE)
    await assert.rejects(ecs.operator.switchAuthority(), AUTHORITY_STAGE)
    ecs.advance(2 * MINUTE)
    const switched = await ecs.operator.switchAuthority()
    assert.deepEqual(await ecs.operator.switchAuthority(), switched)
    assert.deepEqual([switched.present.root, switched.other?.root], [staged.other?.root, present.root])
    await assert.rejects(ecs.operator.stageAuthority(), AUTHORITY_STAGE)
    await ecs.restart()
    assert.deepEqual(await ecs.operator.showAuthorities(), switched)

    const settled = await ecs.operator.retireAuthority()
    assert.deepEqual(await ecs.operator.retireAuthority(), settled)
    await ecs.restart()
    assert.deepEqual(await ecs.operator.showAuthorities(), settled)
    assert.deepEqual([settled.present.root, settled.other], [staged.other?.root, undefined])
    assert.deepEqual(await events(), ['authority-staged', 'authority-switched', 'authority-retired'])
    assert.equal((await ecs.operator.verifyAudit()).ok, true)
  })

  test('two operators at once take one step', async () => {
    const [one, other] = await Promise.all([ecs.operator.stageAuthority(), ecs.operator.stageAuthority()])
    assert.deepEqual(one, other)
    assert.deepEqual(await events(), ['authority-staged'])
    const later = readdirSync(join(ecs.folder, 'ca'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert.equal(later.length, 1)
  })

  test('of the retired authority no private key is left, and the next roll-over begins like the first', async () => {
    for (const round of [1, 2]) {
      const { folder } = (await ecs.operator.showAuthorities()).present
      const key = join(ecs.folder, folder, 'ees-issuer.key')
      assert.ok(existsSync(key))
      await ecs.operator.stageAuthority()
      await ecs.operator.switchAuthority({ force: true })
      assert.ok(existsSync(key))
      await ecs.operator.retireAuthority()
      assert.ok(!existsSync(key), `round ${round}`)
      const keys = readdirSync(join(ecs.folder, 'ca'), { recursive: true }).filter((name) =>
        String(name).endsWith('.key'),
      )
      assert.equal(keys.length, 4, keys.join())
      const root = readCertificate(ecs.opened.ca.root())
      assert.ok(ecs.opened.ca.present().root.der.equals(root.der))
      await ecs.restart()
      await onboard(ecs, { eesId: `ees-${round}`, fqdn: `ees${round}.example.com` }).then((ees) =>
        ees.request({ method: 'DELETE' }),
      )
    }
  })

  test('CA-06: a certificate is on the list of the authority that signed it, and on no other', async () => {
    const before = await onboard(ecs, { eesId: 'ees-1', fqdn: 'ees1.example.com' })
    await ecs.operator.stageAuthority()
    await ecs.operator.switchAuthority({ force: true })
    const after = await onboard(ecs, { eesId: 'ees-2', fqdn: 'ees2.example.com' })
    assert.notDeepEqual(issuerOf(before.certificateChain).der, issuerOf(after.certificateChain).der)
    await ecs.operator.revoke('ees-1')
    await ecs.operator.revoke('ees-2')
    for (const [one, other] of [
      [before, after],
      [after, before],
    ] as const) {
      const list = readCrl((await get(`/crl/${revocationListOf(issuerOf(one.certificateChain))}`)).body)
      assert.ok(list.revoked.has(serialOf(one.certificateChain)))
      assert.ok(!list.revoked.has(serialOf(other.certificateChain)))
    }
    await ecs.operator.retireAuthority()
    assert.equal((await get(`/crl/${revocationListOf(issuerOf(before.certificateChain))}`)).status, 404)
    assert.equal((await get(`/crl/${revocationListOf(issuerOf(after.certificateChain))}`)).status, 200)
  })

  test('CA-12: retired in spite of an EES that has no other certificate, it is refused on its open connection as well', async () => {
    const left = await onboard(ecs, { eesId: 'ees-1', fqdn: 'ees1.example.com' })
    await ecs.operator.stageAuthority()
    await ecs.operator.switchAuthority({ force: true })
    const moved = await onboard(ecs, { eesId: 'ees-2', fqdn: 'ees2.example.com' })
    assert.equal((await left.request({ method: 'GET' })).status, 200)
    await assert.rejects(ecs.operator.retireAuthority(), /1 EESs have no certificate of another authority: ees-1/)
    await ecs.operator.retireAuthority({ force: true })
    const refused = await left.request({ method: 'GET' })
    assert.deepEqual([refused.status, bodyOf<{ cause: string }>(refused).cause], [401, 'CERTIFICATE_NOT_ACCEPTED'])
    assert.equal((await moved.request({ method: 'GET' })).status, 200)
  })

  test('RFC 7030 4.1.3: the CA certificates are both authorities, and the new root as the old one certifies it', async () => {
    const certificates = async () => {
      const { body } = await get('/.well-known/est/cacerts')
      return readCertsOnly(Buffer.from(body.toString(), 'base64')).map((der) => readCertificate(der))
    }
    assert.equal((await certificates()).length, 2)
    const old = ecs.opened.ca.present().root
    await ecs.operator.stageAuthority()
    const both = await certificates()
    const ofRoots = both.filter(({ subject }) => subject.equals(old.subject))
    const [cross] = ofRoots.filter(
      ({ subjectKeyId: own, authorityKeyId: signed }) => own && signed && !own.equals(signed),
    )
    assert.deepEqual(cross?.authorityKeyId, old.subjectKeyId)
    assert.deepEqual([both.length, ofRoots.length], [5, 3])
    await ecs.operator.switchAuthority({ force: true })
    await ecs.operator.retireAuthority()
    assert.equal((await certificates()).length, 2)
  })

  test('a bundle from before the switch still leads in after it, and one from after it names the new root', async () => {
    const bundle = await ecs.invite()
    await ecs.operator.stageAuthority()
    await ecs.operator.switchAuthority({ force: true })
    const { port } = new URL(ecs.serving.listeners.server)
    const resolve = new Map([[ecs.fqdn, '127.0.0.1']])
    const peer = openPeer(`https://${ecs.fqdn}:${port}`, clientTls([bundle.root]), resolve)
    const answer = await peer.request(await onboardingMessage(bundle, newEesKey())).finally(() => peer.close())
    const { onboardingInformation } = bodyOf<{ onboardingInformation: { eesCertificate: string } }>(answer)
    // With it comes what leads from the new root to the one that this EES trusts.
    assert.equal(readCertificateList(onboardingInformation.eesCertificate).length, 3)
    assert.notEqual((await ecs.invite({ eesId: 'ees-2', fqdn: 'ees2.example.com' })).root, bundle.root)
  })

  test('CA-12: where the key of the root is somewhere else, the next root stands by itself', async () => {
    rmSync(join(ecs.folder, 'ca', 'root.key'))
    const { other } = await ecs.operator.stageAuthority()
    assert.equal(other?.crossCertified, false)
    await ecs.operator.switchAuthority({ force: true })
    assert.equal((await onboard(ecs)).answer.eesProf.eesId, 'ees-1')
  })

  test('what cannot be recorded has not happened', async () => {
    const { store } = ecs.opened
    const commit = store.commit.bind(store)
    for (const step of [
      () => ecs.operator.stageAuthority(),
      () => ecs.operator.switchAuthority({ force: true }),
      () => ecs.operator.retireAuthority(),
    ]) {
      const before = await stage()
      store.commit = () => Promise.reject(new Error('the disk is full'))
      await assert.rejects(step(), /the disk is full/)
      store.commit = commit
      assert.equal(await stage(), before)
      await onboard(ecs, { eesId: `ees-${before}`, fqdn: `${before}.example.com` }).then((ees) =>
        ees.request({ method: 'DELETE' }),
      )
      await step()
    }
    assert.equal(await stage(), 'settled')
  })
})
