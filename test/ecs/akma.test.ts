import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { deriveKaf } from '../../src/keys/akma.ts'
import { formatAkmaPskIdentity, parseAKid } from '../../src/spec/a-kid.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { key, parsed } from '../keys/octets.ts'
import { runEcsWithKeyServices } from './a-key-service.ts'
import { ask, byPsk, eecIdOf, provision } from './an-eec.ts'
import { bodyOf } from './running-ecs.ts'

const NAME = 'ecs1.example.com'
const anAKid = () =>
  parsed(parseAKid(`rid0.atid${randomBytes(32).toString('hex')}@akma.5gc.mnc001.mcc001.3gppnetwork.org`))

type Running = Awaited<ReturnType<typeof runEcsWithKeyServices>>

/** A subscriber with AKMA, and one EEC on its UE. */
function anAkmaEec({ ausf }: Running, eecId = 'eec-1', expiresAt = Date.now() + 3_600_000) {
  const [aKId, kakma] = [anAKid(), key('KAKMA', randomBytes(32).toString('hex'))]
  ausf.akmaKeys.set(aKId, { kakma, expiresAt })
  return { eecId: eecIdOf(eecId), aKId, identity: formatAkmaPskIdentity(aKId), key: deriveKaf(kakma, fqdn(NAME)) }
}

describe('an EEC with AKMA at an ECS that takes it: TS 33.535 6.2.1, TS 33.558 6.2', () => {
  let running: Running
  before(async () => {
    running = await runEcsWithKeyServices(NAME, { akma: true })
  })
  after(() => running.close())

  const asked = async (eec: { eecId: string; aKId?: string; kedgeId?: string }, at = running) => {
    const response = await ask(at.ecs, eec)
    return { status: response.status, body: bodyOf<Record<string, unknown>>(response) }
  }

  test('the ECS asks the AAnF under its own name, and the EEC comes in with KAF until it expires', async () => {
    const eec = anAkmaEec(running)
    const { status, body } = await asked(eec)
    assert.deepEqual([status, body['keyProfile']], [201, 'literal'])
    assert.equal(body['expiresAt'], new Date(running.ausf.akmaKeys.get(eec.aKId)?.expiresAt ?? 0).toISOString())
    assert.deepEqual(running.ausf.askedOfAkma.at(-1), { aKId: eec.aKId, afId: NAME, ecs: NAME })
    const peer = byPsk(running.ecs, eec)
    const { status: provisioned, headers } = await provision(peer, eec.eecId)
    peer.close()
    assert.ok(provisioned < 400)
    assert.equal(headers['edge-auth-methods'], 'offered="TLS_AKMA TLS_KEDGE"; chosen="TLS_AKMA"')
  })

  test('NG-04: EECs of one UE share KAF, and only those for which it was asked come in with it', async () => {
    const eec = anAkmaEec(running)
    assert.equal((await asked(eec)).status, 201)
    const second = eecIdOf('eec-2')
    assert.equal((await asked({ ...eec, eecId: second })).status, 201)
    const peer = byPsk(running.ecs, eec)
    assert.ok((await provision(peer, second)).status < 400)
    assert.equal((await provision(peer, eecIdOf('eec-3'))).status, 403)
    peer.close()
  })

  test('KE-04, PS-01: KAF of another ECS opens nothing', async () => {
    const eec = anAkmaEec(running)
    assert.equal((await asked(eec)).status, 201)
    const peer = byPsk(running.ecs, { ...eec, key: key('KAF', randomBytes(32).toString('hex')) })
    await assert.rejects(provision(peer, eec.eecId), { name: 'PeerUnavailable' })
    peer.close()
  })

  test('KE-07: an unknown A-KID, one that has expired and one of a foreign network are refused alike', async () => {
    const expired = anAkmaEec(running, 'eec-1', Date.now() - 1_000).aKId
    const refusals = []
    for (const aKId of [
      anAKid(),
      expired,
      anAKid().replace('mnc001', 'mnc002'),
      anAKid().replace('mnc001', 'mnc999'),
    ]) {
      refusals.push(await asked({ eecId: 'eec-1', aKId }))
    }
    for (const refusal of refusals) assert.deepEqual(refusal, refusals[0])
    assert.deepEqual([refusals[0]?.status, refusals[0]?.body['cause']], [404, 'KEDGE_NOT_FOUND'])
  })

  test('KE-14: what names no key, two keys, or a key of the other kind is refused before anybody is asked', async () => {
    const already = running.ausf.askedOfAkma.length
    const [aKId, kedgeId] = [anAKid(), running.ausf.newKedgeId()]
    for (const names of [{}, { aKId, kedgeId }, { aKId: kedgeId }, { kedgeId: aKId }, { aKId: `3GPP-AKMA${aKId}` }]) {
      assert.equal((await asked({ eecId: 'eec-1', ...names })).status, 400, JSON.stringify(names))
    }
    assert.equal(running.ausf.askedOfAkma.length, already)
  })
})

test('NG-05: an ECS that is not told to take AKMA neither offers it nor asks for its keys', async () => {
  const running = await runEcsWithKeyServices('ecs2.example.com')
  try {
    const { eecId, aKId } = anAkmaEec(running)
    assert.equal((await ask(running.ecs, { eecId, aKId })).status, 404)
    assert.deepEqual(running.ausf.askedOfAkma, [])
  } finally {
    await running.close()
  }
})
