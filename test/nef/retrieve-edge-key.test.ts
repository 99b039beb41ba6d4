import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { systemRandom } from '../../src/ports/random.ts'
import { EDGE_KEY_RETRIEVAL, NAUSF_UE_AUTHENTICATION } from '../../src/spec/core-operations.ts'
import type { RegistrationId } from '../../src/spec/identifiers.ts'
import { anotherDomain, certified, fqdn } from '../nf/a-network.ts'
import malformed from '../vectors/keys/malformed-kedge-ids.json' with { type: 'json' }
import {
  type ANef,
  aNef,
  type Caller,
  credentialOf,
  delivered,
  ECS1,
  ECS2,
  EEC,
  honest,
  KEDGE_ID,
  KEY,
  newKedgeId,
  says,
} from './a-nef.ts'

const { path } = EDGE_KEY_RETRIEVAL

describe('the relay of the NEF: TR 33.839 6.x.2, figure 6.x.2-2, steps 5.1 to 6.2', () => {
  let a: ANef
  let ecs1: Awaited<ReturnType<ANef['nef']['trustedEcs']>>
  let ecs2: Caller
  const alarms = (name: Parameters<ANef['nef']['serving']['alarms']['count']>[0]) => a.nef.serving.alarms.count(name)
  before(async () => {
    a = await aNef()
    await a.nef.configure({ keyRequests: { perSecond: 1_000, burst: 10_000 } })
    ecs1 = await a.nef.trustedEcs(ECS1)
    ecs2 = await a.nef.trustedEcs(ECS2, { afId: 'af-2' })
  })
  after(() => a.close())
  afterEach(() => {
    a.ausf.answer = honest
    a.ausf.asked.length = 0
  })

  test('step 6.2: the key goes out as the AUSF gave it, with nothing beside it, for no cache', async () => {
    const expiry = '2040-01-01T00:00:00Z'
    a.ausf.answer = says(200, delivered({ kedge: KEY.toUpperCase(), expiry, supi: 'imsi-001010000000001' }))
    const { status, body, headers } = await ecs1.retrieve()
    assert.equal(status, 200)
    assert.deepEqual(body, {
      kedge: KEY.toUpperCase(),
      kedgeId: KEDGE_ID,
      keyScope: 'ECS',
      expiry: '2040-01-01T00:00:00.000Z',
    })
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['content-type'], 'application/json')
  })

  test('step 5.2: the AUSF sees the NEF by its certificate, and the ECS in the member for it', async () => {
    await ecs1.retrieve()
    assert.deepEqual(
      a.ausf.asked.map(({ caller, path, body }) => ({ caller, path, body })),
      [
        {
          caller: 'nef.5gc.mnc001.mcc001.3gppnetwork.org',
          path: NAUSF_UE_AUTHENTICATION.KeyRequest.path,
          body: { kedgeId: KEDGE_ID, eecId: EEC, ecsFqdn: ECS1 },
        },
      ],
    )
  })

  test('step 6.2: a GPSI goes to whom its own scope allows it, a SUPI to nobody', async () => {
    a.ausf.answer = says(200, delivered({ gpsi: 'msisdn-4912345678', supi: 'imsi-001010000000001' }))
    assert.equal((await ecs1.retrieve()).body.gpsi, undefined)
    const scopes = ['3gpp-edge-key', '3gpp-edge-key:gpsi-access']
    await a.nef.changePeers((peer) => (peer['fqdn'] === ECS1 ? { ...peer, scopes } : peer))
    const allowed = await ecs1.retrieve()
    assert.equal(allowed.body.gpsi, 'msisdn-4912345678')
    assert.ok(!allowed.text.includes('001010000000001'))
    assert.equal((await ecs2.retrieve({ afId: 'af-2' })).body.gpsi, undefined)
    await a.nef.changePeers((peer) => ({ ...peer, scopes: ['3gpp-edge-key'] }))
  })

  test('KE-07: unknown, ended and refused by the AUSF are one answer, octet by octet', async () => {
    const already = alarms('key-id-unknown')
    const unknown = await ecs1.retrieve({ kedgeId: newKedgeId() })
    a.ausf.answer = says(200, delivered({ expiry: new Date(Date.now() - 1_000).toISOString() }))
    const ended = await ecs1.retrieve({ eecId: 'eec-of-ended' })
    a.ausf.answer = says(403, { status: 403, cause: 'ECS_NOT_AUTHORIZED', detail: 'the caller does not speak for it' })
    const refused = await ecs1.retrieve({ eecId: 'eec-of-refused' })
    assert.equal(unknown.status, 404)
    assert.deepEqual(JSON.parse(unknown.text), {
      type: 'urn:edgeward:problem:kedge-not-found',
      title: 'No Kedge under this Kedge ID',
      status: 404,
      detail: 'there is no key under this Kedge ID',
      instance: path,
      cause: 'KEDGE_NOT_FOUND',
    })
    const headersOf = ({ date: _date, ...headers }: Record<string, unknown>) => headers
    for (const other of [ended, refused]) {
      assert.equal(other.text, unknown.text)
      assert.deepEqual(headersOf(other.headers), headersOf(unknown.headers))
    }
    assert.equal(alarms('key-id-unknown'), already + 2)
  })

  test('KE-10: an afId that is not that of the certificate gets nothing, like a caller without the right', async () => {
    const already = alarms('caller-refused')
    const answers = [await ecs1.retrieve({ afId: 'af-2' }), await ecs2.retrieve({ afId: ECS1 })]
    await a.nef.changePeers((peer) => (peer['fqdn'] === ECS1 ? { ...peer, scopes: ['3gpp-akma'] } : peer))
    answers.push(await ecs1.retrieve())
    await a.nef.changePeers((peer) => ({ ...peer, scopes: ['3gpp-edge-key'] }))
    for (const { status, text } of answers) {
      assert.equal(status, 403)
      assert.equal(text, answers[0]?.text)
    }
    assert.match(answers[0]?.text ?? '', /ECS_NOT_AUTHORIZED/)
    assert.equal(alarms('caller-refused'), already + 3)
    assert.equal(a.ausf.asked.length, 0)
    assert.equal((await ecs2.retrieve({ afId: 'af-2' })).status, 200)
  })

  test('KE-10: a member or a header that names another ECS changes nothing, and is told', async () => {
    const members = [{ ecsFqdn: ECS2 }, { requesterFqdn: ECS2.toUpperCase() }, { ecs: `https://${ECS2}:443/` }]
    const headers = [
      { 'x-forwarded-client-cert': `By=https://nef;Subject="CN=${ECS2},O=x"` },
      { 'ssl-client-s-dn': `CN=${ECS2}.` },
      { forwarded: `for=192.0.2.1;host=${ECS2}` },
      { '3gpp-sbi-originating-network-id': ECS2 },
      { from: `admin@${ECS2}` },
    ]
    const already = alarms('foreign-ecs-named')
    for (const member of members) assert.equal((await ecs1.retrieve(member)).status, 200)
    for (const header of headers) assert.equal((await ecs1.retrieve({}, header)).status, 200)
    const count = members.length + headers.length
    assert.deepEqual(
      a.ausf.asked.map(({ body }) => body['ecsFqdn']),
      Array.from({ length: count }, () => ECS1),
    )
    for (const { text, headers: sent } of a.ausf.asked) {
      assert.ok(!`${text} ${JSON.stringify(sent)}`.toLowerCase().includes(ECS2))
    }
    assert.equal(alarms('foreign-ecs-named'), already + count)
    await ecs1.retrieve({ ecsFqdn: ECS1 }, { 'x-forwarded-host': `${ECS1}, not-${ECS2}` })
    assert.equal(alarms('foreign-ecs-named'), already + count, 'who names itself, or nobody, claims nothing')
  })

  test('KE-14: what is no Kedge ID or no EEC ID is refused by its form, and the AUSF is not asked', async () => {
    assert.ok(malformed.vectors.length >= 200)
    for (const { kedgeId } of malformed.vectors) {
      const { status } = await ecs1.retrieve({ kedgeId })
      assert.equal(status, 400, JSON.stringify(kedgeId))
    }
    for (const eecId of ['', 'a b', '../x', 'a\u0000', 'é', '__proto__', 'x'.repeat(129)]) {
      const { status, body } = await ecs1.retrieve({ eecId })
      assert.deepEqual([status, body.cause], [400, 'MANDATORY_IE_INCORRECT'], eecId)
    }
    for (const change of [{ kedgeId: undefined }, { eecId: undefined }, { afId: undefined }]) {
      assert.equal((await ecs1.retrieve(change)).body.cause, 'MANDATORY_IE_MISSING')
    }
    for (const change of [{ kedgeId: 7 }, { eecId: [EEC] }, { afId: { afId: ECS1 } }, { kedgeId: [KEDGE_ID] }]) {
      assert.equal((await ecs1.retrieve(change)).body.cause, 'MANDATORY_IE_INCORRECT')
    }
    assert.equal(a.ausf.asked.length, 0)
    const { status, body } = await ecs1.retrieve({ kedgeId: KEDGE_ID.replace(/@.*/, (realm) => realm.toUpperCase()) })
    assert.deepEqual([status, body.kedgeId], [200, KEDGE_ID], 'a realm has no case')
  })

  test('KE-06: only an ECS of the list, with its own root and the scope, gets further than its certificate', async () => {
    const { issuers } = ecs1.domain
    const other = await anotherDomain('evil.example', 'ecs-issuer')
    const registrationId = systemRandom.uuid() as RegistrationId
    const named = { role: 'ecs', fqdn: fqdn(ECS1) } as const
    const showing = async (...[issuer, subject]: Parameters<typeof certified>) =>
      a.nef.caller((await certified(issuer, subject)).credential, ECS1)
    const network = async (name: 'amf' | 'udm' | 'ausf') => a.nef.caller(await credentialOf(a.core, name), ECS1)

    const cut = 'no connection'
    const table: [who: string, caller: Caller, retrieve: number | typeof cut][] = [
      ['an ECS of the list', ecs1, 200],
      [
        'an ECS under a listed root, not on the list',
        await showing(issuers['ecs-issuer'], { ...named, fqdn: fqdn('ecs9.outside.example') }),
        403,
      ],
      [
        'the name of another listed ECS, under this root',
        await showing(issuers['ecs-issuer'], { ...named, fqdn: fqdn(ECS2) }),
        403,
      ],
      ['the name of a listed ECS, under an unknown root', await showing(other.issuers['ecs-issuer'], named), cut],
      [
        'an EES with the name of its ECS',
        await showing(issuers['ees-issuer'], { role: 'ees', fqdn: fqdn(ECS1), registrationId }),
        cut,
      ],
      ['an operator of the ECS', await showing(issuers['operator-issuer'], { role: 'operator', name: 'admin' }), cut],
      ['the SEAF', await network('amf'), cut],
      ['the UDM', await network('udm'), cut],
      ['the AUSF', await network('ausf'), cut],
      ['nobody', a.nef.caller(undefined, ECS1), cut],
    ]
    const routes = [
      ['GET', path, 405],
      ['DELETE', path, 405],
      ['POST', '/3gpp-akma/v1/retrieve', 404],
      ['POST', NAUSF_UE_AUTHENTICATION.KeyRequest.path, 404],
    ] as const
    const [refused, certificates] = [alarms('caller-refused'), alarms('certificate-refused')]
    for (const [who, caller, expected] of table) {
      if (expected === cut) {
        await assert.rejects(caller.retrieve(), { name: 'PeerUnavailable' }, who)
        continue
      }
      const { status, body } = await caller.retrieve()
      assert.equal(status, expected, who)
      if (expected === 403) assert.equal(body.cause, 'ECS_NOT_AUTHORIZED', who)
      for (const [method, other, status] of routes) {
        const answer = await caller.call(method, other, method === 'POST' ? {} : undefined)
        assert.equal(answer.status, status, `${who}: ${method} ${other}`)
      }
    }
    assert.equal(a.ausf.asked.length, 1, 'the one of the ECS of the list')
    assert.equal(alarms('caller-refused'), refused + 2)
    assert.ok(alarms('certificate-refused') >= certificates + 5, 'of all that came with a certificate of a known root')
  })

  test('KE-09: plain HTTP is not spoken', async () => {
    await assert.rejects(fetch(a.nef.serving.listeners.mtls.replace('https:', 'http:')))
  })
})
