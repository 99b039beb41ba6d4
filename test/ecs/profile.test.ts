import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Message, Response } from '../../src/http/client.ts'
import type { ApplicationError } from '../../src/spec/application-errors.ts'
import type { EESRegistration } from '../../src/spec/messages/ees-registration.ts'
import { refusedWith, withoutTrace } from './refusals.ts'
import {
  bodyOf,
  newEesKey,
  onboard,
  onboardingMessage,
  profileOf,
  type RunningEcs,
  type RunningEes,
  runEcs,
} from './running-ecs.ts'

const NAME = { eesId: 'ees-1', fqdn: 'ees1.example.com' }
const honest = profileOf(NAME)

const profile = (change: object) => ({ eesProf: { ...honest, ...change } })
const withEndPoint = (endPt: object) => profile({ endPt })
const withUri = (uri: string) => withEndPoint({ uri })
const without = (name: keyof typeof honest) => {
  const { [name]: _, ...rest } = honest
  return { eesProf: rest }
}

/** One row a class of constraint: what is wrong, the message, and the member that the refusal names. */
const POISONED: readonly (readonly [wrong: string, message: object, param: string])[] = [
  ['a mandatory member is missing', without('eecRegConf'), '/eesProf/eecRegConf'],
  ['a mandatory structure is missing', without('endPt'), '/eesProf/endPt'],
  ['the identity is missing', without('eesId'), '/eesProf/eesId'],
  ['text in the place of a boolean', profile({ eecRegConf: 'false' }), '/eesProf/eecRegConf'],
  ['a number in the place of text', profile({ provId: 7 }), '/eesProf/provId'],
  ['a list in the place of an object', { eesProf: [honest] }, '/eesProf'],
  ['an object in the place of a list', profile({ easIds: { 0: 'eas-1' } }), '/eesProf/easIds'],
  ['null', profile({ easIds: null }), '/eesProf/easIds'],
  ['an empty list', profile({ easIds: [] }), '/eesProf/easIds'],
  ['an empty map', profile({ easInstInfo: {} }), '/eesProf/easInstInfo'],
  ['an element of another type', profile({ easIds: ['eas-1', 7] }), '/eesProf/easIds/1'],
  [
    'a number below its range',
    profile({ easLoadInfoList: { 'eas-1': { loadLevel: -1 } } }),
    '/eesProf/easLoadInfoList/eas-1/loadLevel',
  ],
  [
    'a number above its range',
    profile({ easLoadInfoList: { 'eas-1': { loadLevel: 101 } } }),
    '/eesProf/easLoadInfoList/eas-1/loadLevel',
  ],
  [
    'a fraction of an integer',
    profile({ easLoadInfoList: { 'eas-1': { loadLevel: 0.5 } } }),
    '/eesProf/easLoadInfoList/eas-1/loadLevel',
  ],
  ['a value that is of no enumeration', profile({ svcContSupp: [3] }), '/eesProf/svcContSupp/0'],
  [
    'text off its pattern',
    profile({ allowedMNOsInfo: { 'eas-1': [{ mcc: '1', mnc: '01' }] } }),
    '/eesProf/allowedMNOsInfo/eas-1/0/mcc',
  ],
  ['features that are not hexadecimal', { ...profile({}), suppFeat: 'xyz' }, '/suppFeat'],
  ['a time that is none', { ...profile({}), expTime: 'tomorrow' }, '/expTime'],
  ['a time that has passed', { ...profile({}), expTime: '2001-01-01T00:00:00Z' }, '/expTime'],
  ['no alternative of a choice', withEndPoint({}), '/eesProf/endPt/uri'],
  ['two alternatives of a choice', withEndPoint({ fqdn: NAME.fqdn, uri: `https://${NAME.fqdn}/` }), '/eesProf/endPt'],
  ['a name that is none', withEndPoint({ fqdn: 'ees_1..example.com' }), '/eesProf/endPt/fqdn'],
  ['an IPv4 address that is none', withEndPoint({ ipv4Addrs: ['192.0.2.256'] }), '/eesProf/endPt'],
  ['an IPv6 address that is none', withEndPoint({ ipv6Addrs: ['2001:db8::g'] }), '/eesProf/endPt'],
  ['the name of another', withEndPoint({ fqdn: 'ees2.example.com' }), '/eesProf/endPt'],
  ['a name that ends alike', withEndPoint({ fqdn: 'evil-ees1.example.com' }), '/eesProf/endPt'],
  ['a name that begins alike', withEndPoint({ fqdn: 'ees1.example.com.evil.example' }), '/eesProf/endPt'],
  ['an address that was not admitted', withEndPoint({ ipv4Addrs: ['192.0.2.1'] }), '/eesProf/endPt'],
  ['the loopback address', withEndPoint({ ipv6Addrs: ['::1'] }), '/eesProf/endPt'],
  ['a URI on another host', withUri('https://ees2.example.com/'), '/eesProf/endPt'],
  ['a URI without TLS', withUri('http://ees1.example.com/'), '/eesProf/endPt/uri'],
  ['a URI with user information', withUri('https://ees1.example.com@evil.example/'), '/eesProf/endPt/uri'],
  ['a URI of an address', withUri('https://2130706433/'), '/eesProf/endPt/uri'],
  ['a URI without slashes', withUri('https:ees1.example.com/'), '/eesProf/endPt/uri'],
  ['a URI with a backslash', withUri('https:\\\\ees1.example.com/'), '/eesProf/endPt/uri'],
  ['a URI with a tab in its host', withUri('https://ees1.exam\tple.com/'), '/eesProf/endPt/uri'],
  ['a URI after a space', withUri(' https://ees1.example.com/'), '/eesProf/endPt/uri'],
  ['a URI with a line break', withUri('https://ees1.example.com/\r\nhost: evil.example'), '/eesProf/endPt/uri'],
  ['a URI with an escaped host', withUri('https://ees1%2eexample.com/'), '/eesProf/endPt/uri'],
  ['a URI with a host beyond ASCII', withUri('https://ees1.example。com/'), '/eesProf/endPt/uri'],
  ['a URI with a port that is none', withUri('https://ees1.example.com:99999/'), '/eesProf/endPt/uri'],
  [
    'a URI with a second host after its port',
    withUri('https://ees1.example.com:80@evil.example/'),
    '/eesProf/endPt/uri',
  ],
  ['a URI of a local name', withUri('https://localhost/'), '/eesProf/endPt/uri'],
  [
    'a load of an EAS that is not there',
    profile({ easLoadInfoList: { 'eas-9': { loadLevel: 1 } } }),
    '/eesProf/easLoadInfoList',
  ],
]

/** As they are registered today, and as somebody could hope for. */
const SERVER_OWNED = [
  ...['registrationId', 'eesCertificate', 'authInfo', 'accessToken', 'tokenType', 'expiresIn'],
  ...['id', 'owner', 'scope', 'scopes', 'serial', 'state', 'version'],
]

describe('what an EES says of itself: TS 29.558 8.1, TR 33.839 6.Y.2', () => {
  let ecs: RunningEcs
  let ees: RunningEes
  before(async () => {
    ecs = await runEcs()
    ees = await onboard(ecs, NAME)
  })
  after(() => ecs.close())

  const put = (body: object) => ees.request(json('PUT', body))
  const patch = (body: object) => ees.request(json('PATCH', body))
  const current = async () => bodyOf<EESRegistration>(await ees.request({ method: 'GET' }))

  test('ON-10: each class of wrong profile is refused with the member named, at onboarding as in updates', async () => {
    assert.ok(POISONED.length >= 17)
    const bundle = await ecs.invite({ eesId: 'ees-on10', fqdn: 'on10.example.com' })
    const key = newEesKey()
    const peer = ecs.anybody()
    await withoutTrace(ecs, async () => {
      for (const [wrong, message, param] of POISONED) {
        const own = JSON.parse(
          JSON.stringify(message).replaceAll('ees-1', bundle.eesId).replaceAll(NAME.fqdn, bundle.fqdn),
        )
        const posted = await peer.request(await onboardingMessage(bundle, key, own))
        for (const [method, answer] of [
          ['POST', posted],
          ['PUT', await put(message)],
        ] as const) {
          assert.equal(answer.status, 400, `${method}: ${wrong}`)
          assert.deepEqual(invalidParamsOf(answer), [param], `${method}: ${wrong}`)
        }
        // In a patch nothing is mandatory but what it brings, and it has no features.
        if ('eesProf' in message && !('suppFeat' in message)) {
          const [named = ''] = invalidParamsOf(await patch(message))
          // The end point that is there already stands in the way as well.
          assert.ok(param === named || (named === '/eesProf/endPt' && param.startsWith(named)), `PATCH: ${wrong}`)
        }
      }
    })
    const within = [{ fqdn: `a.b.${NAME.fqdn}` }, { uri: `https://${NAME.fqdn.toUpperCase()}:8443/api` }, honest.endPt]
    for (const endPt of within) assert.equal((await put(profile({ endPt }))).status, 200)
    assert.equal((await peer.request(await onboardingMessage(bundle, key))).status, 201)
  })

  test('ON-10: what the operator admitted binds onboarding and every update, also after a restart', async () => {
    const admitted = { provId: 'ecsp-1', endPoints: ['192.0.2.7', 'backup.example.net'] }
    const name = { eesId: 'ees-admitted', fqdn: 'admitted.example.com' }
    const bundle = await ecs.invite({ ...name, ...admitted })
    const own = { ...profileOf(name), provId: 'ecsp-1', endPt: { ipv4Addrs: ['192.0.2.7'] } }
    const key = newEesKey()
    for (const wrong of [{ provId: 'ecsp-2' }, { endPt: { ipv4Addrs: ['192.0.2.8'] } }]) {
      const message = await onboardingMessage(bundle, key, { eesProf: { ...own, ...wrong } })
      refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(message)), 'MANDATORY_IE_INCORRECT')
    }
    const answer = await ecs.anybody().request(await onboardingMessage(bundle, key, { eesProf: own }))
    const { accessToken, eesCertificate = '', registrationId } = onboardingResult(answer)
    const update = async (method: 'PUT' | 'PATCH', change: object) => {
      const peer = ecs.withCertificate(eesCertificate, key)
      const { headers, ...message } = json(method, { eesProf: { ...own, ...change } })
      const authorization = `Bearer ${accessToken}`
      const path = `/eecs-eesregistration/v1/registrations/${registrationId}`
      return peer.request({ ...message, path, headers: { ...headers, authorization } })
    }
    await ecs.restart()
    for (const method of ['PUT', 'PATCH'] as const) {
      const provider = await withoutTrace(ecs, () => update(method, { provId: 'ecsp-2' }))
      assert.deepEqual(invalidParamsOf(provider), ['/eesProf/provId'])
      const stranger = await withoutTrace(ecs, () => update(method, { endPt: { ipv4Addrs: ['192.0.2.8'] } }))
      assert.deepEqual(invalidParamsOf(stranger), ['/eesProf/endPt'])
      assert.equal((await update(method, {})).status, 200)
    }
    assert.equal((await update('PUT', { endPt: { fqdn: 'backup.example.net' } })).status, 200)
    ees = await anew('ees-1')
  })

  test('ON-13: members that only the ECS sets are refused by name in every message, and not taken from the profile', async () => {
    const bundle = await ecs.invite({ eesId: 'ees-on13', fqdn: 'on13.example.com' })
    const peer = ecs.anybody()
    for (const name of SERVER_OWNED) {
      const onboarding = await onboardingMessage(bundle, newEesKey(), { [name]: 'mine' })
      const { onboardingInformation } = JSON.parse(String(onboarding.body)) as { onboardingInformation: object }
      const inside = { onboardingInformation: { ...onboardingInformation, [name]: 'mine' } }
      const attacks: (() => Promise<Response>)[] = [
        () => peer.request(onboarding),
        async () => peer.request(await onboardingMessage(bundle, newEesKey(), inside)),
        () => put({ ...profile({}), [name]: 'mine' }),
        () => patch({ [name]: 'mine' }),
      ]
      for (const attack of attacks) {
        const { invalidParams } = refusedWith(await withoutTrace(ecs, attack), 'SERVER_OWNED_MEMBER')
        assert.deepEqual(invalidParams, [{ param: `/${name}` }])
      }
    }
    const hidden = Object.fromEntries(SERVER_OWNED.map((name) => [name, 'mine']))
    const answer = await put({ ...profile(hidden), notAfter: '2099-01-01T00:00:00Z', fqdn: 'evil.example' })
    assert.equal(answer.status, 200)
    assert.deepEqual(await current(), { eesProf: honest, expTime: bodyOf<EESRegistration>(answer).expTime })
    assert.equal((await peer.request(await onboardingMessage(bundle, newEesKey()))).status, 201)
  })

  test('ON-13: a registration never outlives its certificate, however late an end the EES asks for', async () => {
    const { certificates } = await ecs.operator.show('ees-1')
    const end = certificates[0]?.notAfter
    for (const send of [put, patch]) {
      const answer = await send({ ...profile({}), expTime: '2099-01-01T00:00:00Z' })
      assert.equal(bodyOf<EESRegistration>(answer).expTime, end)
    }
    const soon = new Date(Date.now() + 3_600_000).toISOString()
    assert.equal(bodyOf<EESRegistration>(await put({ ...profile({}), expTime: soon })).expTime, soon)
    assert.equal(bodyOf<EESRegistration>(await patch({ expTime: null })).expTime, end)
  })

  test('ON-14: a patch is a merge patch: JSON Patch and plain JSON are not taken, whatever they would do', async () => {
    const operations = [
      { op: 'replace', path: '/eesProf/eesId', value: 'ees-2' },
      { op: 'test', path: '/eesProf/eesId', value: 'ees-1' },
      { op: 'move', from: '/eesProf/provId', path: '/eesProf/eesId' },
      { op: 'copy', from: '/eesProf/easIds/0', path: '/eesProf/eesId' },
      { op: 'add', path: '/owner', value: 'ees-2' },
      { op: 'remove', path: '/eesProf/endPt' },
    ]
    for (const mediaType of ['application/json-patch+json', 'application/json']) {
      for (const operation of operations) {
        const message = { ...json('PATCH', [operation]), headers: { 'content-type': mediaType } }
        refusedWith(await withoutTrace(ecs, () => ees.request(message)), 'UNSUPPORTED_MEDIA_TYPE')
      }
    }
  })

  test('ON-14: a merge patch cannot change who the EES is, nor make a profile that PUT would not take', async () => {
    const attacks: [object, ApplicationError][] = [
      [profile({ eesId: 'ees-2' }), 'MODIFICATION_NOT_ALLOWED'],
      [withEndPoint({ fqdn: 'ees2.example.com' }), 'MANDATORY_IE_INCORRECT'],
      // Merged with the FQDN that is there, this would be an end point with two addresses.
      [withUri(`https://${NAME.fqdn}/`), 'MANDATORY_IE_INCORRECT'],
      [{ eesProf: null }, 'MANDATORY_IE_INCORRECT'],
      [{ eesProf: { eesId: null } }, 'MANDATORY_IE_MISSING'],
      [[], 'MANDATORY_IE_INCORRECT'],
    ]
    for (const [body, code] of attacks) refusedWith(await withoutTrace(ecs, () => patch(body)), code)
    assert.equal((await put(withUri(`https://${NAME.fqdn}/`))).status, 200)
    assert.equal((await put(profile({}))).status, 200)
  })

  test('ON-14: an empty patch changes nothing, one of 64 KiB is cut off, one that is not JSON is refused', async () => {
    const before = await current()
    assert.equal((await patch({})).status, 200)
    assert.deepEqual(await current(), before)
    const many = Array.from({ length: 9_000 }, (_, index) => `eas-${index}`)
    refusedWith(await withoutTrace(ecs, () => patch(profile({ easIds: many }))), 'CONTENT_TOO_LARGE')
    for (const body of ['', '{', 'null null', '{"eesProf":{},"eesProf":{}}', '{"__proto__":{"eesProf":1}}']) {
      const message = { ...json('PATCH', {}), body }
      const { status } = await withoutTrace(ecs, () => ees.request(message))
      assert.equal(status, 400, body)
    }
    assert.equal((await patch(profile({ easIds: many.slice(0, 1_000) }))).status, 200)
  })

  /** The same EES after a restart of the ECS: its connection is new. */
  async function anew(eesId: string): Promise<RunningEes> {
    await ecs.operator.revoke(eesId)
    return onboard(ecs, NAME)
  }
})

function json(method: 'PUT' | 'PATCH', body: object): Omit<Message, 'path'> {
  const mediaType = method === 'PUT' ? 'application/json' : 'application/merge-patch+json'
  return { method, headers: { 'content-type': mediaType }, body: JSON.stringify(body) }
}

function invalidParamsOf(response: Response): string[] {
  assert.equal(response.status, 400, response.body.toString('utf8'))
  return bodyOf<{ invalidParams?: { param: string }[] }>(response).invalidParams?.map(({ param }) => param) ?? []
}

function onboardingResult(response: Response) {
  assert.equal(response.status, 201, response.body.toString('utf8'))
  type Result = { registrationId: string; eesCertificate?: string; accessToken?: string }
  return bodyOf<{ onboardingInformation: Result }>(response).onboardingInformation
}
