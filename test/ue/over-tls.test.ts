import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { deriveKedgeId } from '../../src/keys/kedge.ts'
import { authenticateUe, describeUe, insertUsim, type UeFolder } from '../../src/ue/index.ts'
import { aPlace, insertion, putKeys, VECTOR } from './a-folder.ts'
import { aSubscription, HomeNetwork, NETWORK, problem } from './a-home-network.ts'
import { anAusf } from './an-ausf.ts'

describe('a UE in its folder, at an AUSF behind mutual TLS: TR 33.839 6.x.2.1 steps 0 and 1', () => {
  let ausf: Awaited<ReturnType<typeof anAusf>>
  let ue: UeFolder
  let remove: () => Promise<void>
  before(async () => {
    ausf = await started()
    const place = await aPlace()
    remove = place.remove
    ue = await insertUsim(place.folder, aSubscription(), insertion())
  })
  after(async () => {
    for (const close of closing) close()
    await remove()
  })
  const closing: (() => void)[] = []
  const started = async (home = new HomeNetwork()) => {
    const another = await anAusf(home)
    closing.push(another.close)
    return another
  }
  const access = (change: object = {}) => {
    const { url, root, seaf, resolve } = ausf
    return { name: NETWORK, ausf: url, root, credential: seaf, resolve, ...change }
  }

  test('the keys lie in its folder afterwards, and its sequence numbers have moved', async () => {
    const { kedgeId } = await authenticateUe(ue, access())
    const { edgeKeys } = await describeUe(ue)
    assert.equal(edgeKeys?.kedgeId, kedgeId)
    const { settings } = aSubscription()
    assert.equal(kedgeId, deriveKedgeId(ausf.home.kausf ?? assert.fail(), settings))
    const again = await authenticateUe(ue, access())
    assert.equal((await describeUe(ue)).edgeKeys?.kedgeId, again.kedgeId)
    assert.notEqual(again.kedgeId, kedgeId)
  })

  test('a failure leaves the keys in the folder as they are', async () => {
    await putKeys(ue)
    const stranger = await started(new HomeNetwork('5G_AKA', { subscription: aSubscription({ k: '00'.repeat(16) }) }))
    const { url, root, seaf } = stranger
    const attempt = authenticateUe(ue, access({ ausf: url, root, credential: seaf }))
    await assert.rejects(attempt, { name: 'AuthenticationFailed', reason: 'mac-failure' })
    const refusing = await started(new HomeNetwork('5G_AKA', { answer: () => problem(403, 'AUTHENTICATION_REJECTED') }))
    const refused = authenticateUe(ue, access({ ausf: refusing.url, root: refusing.root, credential: refusing.seaf }))
    await assert.rejects(refused, { name: 'RefusedByServer', code: 'AUTHENTICATION_REJECTED' })
    assert.equal((await describeUe(ue)).edgeKeys?.kedgeId, VECTOR.kedgeId)
  })

  test('no word is said to an AUSF of another authority', async () => {
    const other = await started()
    const asked = ausf.home.asked.length
    await assert.rejects(authenticateUe(ue, access({ root: other.root })), {
      name: 'PeerUnavailable',
      phase: 'connect',
    })
    assert.equal(ausf.home.asked.length, asked)
  })
})
