import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { deriveATid, deriveKaf, deriveKakma } from '../../src/keys/akma.ts'
import { withOctets } from '../../src/keys/key.ts'
import { formatAKid, parseAKid } from '../../src/spec/a-kid.ts'
import { NAANF_AKMA, NAUSF_UE_AUTHENTICATION as NAUSF } from '../../src/spec/core-operations.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { AkmaAfKeyData } from '../../src/spec/messages/akma.ts'
import type { RoutingIndicator } from '../../src/spec/subscriber-identifiers.ts'
import { officialSchema, withoutOfficialFiles } from '../spec/official.ts'
import { officialValidator } from '../spec/validators.ts'
import { authenticated, type Caller, ECS1, HOME, type RunningCore, runCore, SET_1, SUPI } from './a-core.ts'

const OTHER = 'ecs2.other.example' as Fqdn
const REALM = 'akma.5gc.mnc001.mcc001.3gppnetwork.org'

/** What the UE derives: TS 33.535 6.1. */
function akmaOf({ kausf }: Awaited<ReturnType<typeof authenticated>>) {
  const aTid = deriveATid(kausf, SUPI).toString('hex')
  const kafOf = (af: Fqdn) => withOctets(deriveKaf(deriveKakma(kausf, SUPI), af), (octets) => octets.toString('hex'))
  return { aKId: formatAKid({ routingIndicator: '0' as RoutingIndicator, homeNetwork: HOME, aTid }), kafOf }
}

describe('Naanf_AKMA_ApplicationKey_Get: TS 33.535 6.2.1, TS 29.535', () => {
  let core: RunningCore
  let ecs: Caller
  const retrieve = (caller: Caller, body: object) =>
    caller.call<AkmaAfKeyData>(NAANF_AKMA.method, NAANF_AKMA.path, body)
  before(async () => {
    core = await runCore({ subscribers: [{ ...SET_1, sqn: '000000000000', akma: true } as typeof SET_1] })
    ecs = await core.trustedEcs()
    await core.trustedEcs(OTHER)
    await core.changePeers((peers) =>
      peers.map((peer) =>
        peer.fqdn === ECS1 ? { ...peer, scopes: [...peer.scopes, 'naanf-akma:applicationkeyget'] } : peer,
      ),
    )
  })
  after(() => core.close())

  test('the AF of the certificate gets KAF of its own name, and neither SUPI nor GPSI', async () => {
    const { aKId, kafOf } = akmaOf(await authenticated(await core.seafAgain()))
    for (const afId of [ECS1, ECS1.toUpperCase(), `${ECS1}:0100000007`]) {
      const { status, body, headers } = await retrieve(ecs, { afId, aKId })
      assert.deepEqual([status, body.kaf, headers['cache-control']], [200, kafOf(ECS1), 'no-store'])
      assert.deepEqual(Object.keys(body).sort(), ['expiry', 'kaf'])
      assert.ok(Date.parse(body.expiry) > Date.now())
    }
  })

  test('the answer is AkmaAfKeyData of TS 29.522', { skip: withoutOfficialFiles }, async () => {
    const { aKId } = akmaOf(await authenticated(await core.seafAgain()))
    const accepts = officialValidator(officialSchema('TS29522_AKMA.yaml', 'AkmaAfKeyData'))
    assert.ok(accepts((await retrieve(ecs, { afId: ECS1, aKId })).body), JSON.stringify(accepts.errors))
  })

  test('KE-04: KAF of another AF is out of reach', async () => {
    const { aKId } = akmaOf(await authenticated(await core.seafAgain()))
    const already = core.ausf.alarms.count('foreign-ecs-named')
    for (const afId of [OTHER, '', 'a b', `${OTHER}:0100000007`]) {
      const { status, body } = await retrieve(ecs, { afId, aKId })
      assert.deepEqual([status, body.cause], [403, 'ECS_NOT_AUTHORIZED'], afId)
    }
    assert.equal(core.ausf.alarms.count('foreign-ecs-named'), already + 4)
    assert.equal((await retrieve(ecs, { afId: `${ECS1}:0100011301`, aKId })).body.cause, 'MANDATORY_IE_INCORRECT')
  })

  test('KE-06: an ECS that may have keys of the edge has none of AKMA, unless its entry says so', async () => {
    const { aKId } = akmaOf(await authenticated(await core.seafAgain()))
    const another = await core.trustedEcs('ecs3.other.example')
    const { status, body } = await retrieve(another, { afId: 'ecs3.other.example', aKId })
    assert.deepEqual([status, body.cause], [403, 'ECS_NOT_AUTHORIZED'])
  })

  test('KE-07: unknown, ended and foreign A-KIDs get the same 204', async () => {
    const { aKId } = akmaOf(await authenticated(await core.seafAgain()))
    const none = `rid0.atid${randomBytes(32).toString('hex')}@${REALM}`
    const elsewhere = aKId.replace('mnc001', 'mnc002')
    const otherRoute = aKId.replace('rid0', 'rid7')
    for (const unknown of [none, elsewhere, otherRoute]) {
      const { status, text } = await retrieve(ecs, { afId: ECS1, aKId: unknown })
      assert.deepEqual([status, text], [204, ''], unknown)
    }
    const udm = await core.udmCaller()
    assert.equal((await udm.call('POST', NAUSF.Deregister.path, { supi: SUPI })).status, 204)
    assert.equal((await retrieve(ecs, { afId: ECS1, aKId })).status, 204)
  })

  test('KE-14: what is no A-KID is refused before anything is looked up', async () => {
    const good = `rid0.atid${'a'.repeat(64)}@${REALM}`
    for (const aKId of ['', good.slice(1), `${good}\u0000`, good.replace('aaaa', 'AAAA'), `../${good}`, '__proto__']) {
      assert.equal(parseAKid(aKId), undefined)
      assert.equal((await retrieve(ecs, { afId: ECS1, aKId })).body.cause, 'MANDATORY_IE_INCORRECT', aKId)
    }
    assert.equal(parseAKid(good.replace(REALM, REALM.toUpperCase())), good)
  })

  test('KE-12: what was confirmed outlives a restart', async () => {
    const { aKId, kafOf } = akmaOf(await authenticated(await core.seafAgain()))
    await core.restartAusf()
    assert.equal((await retrieve(ecs, { afId: ECS1, aKId })).body.kaf, kafOf(ECS1))
  })
})
