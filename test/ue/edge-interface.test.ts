import assert from 'node:assert/strict'
import { chmod, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { deriveKaf } from '../../src/keys/akma.ts'
import { deriveKecs } from '../../src/keys/kedge.ts'
import { encodeBase64url } from '../../src/octets/base64url.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { parseFqdn } from '../../src/spec/identifiers.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import { DEFAULTS } from '../../src/ue/configuration.ts'
import { EapRelay } from '../../src/ue/edge-interface/relay-eap.ts'
import { allowEec, disallowEec, openUeFolder, serveUe } from '../../src/ue/index.ts'
import { serveEdgeSocket } from '../../src/ue/server/edge-socket.ts'
import { hexOf, key, parsed } from '../keys/octets.ts'
import { A_KID, AKMA, type AServingUe, aLog, aServingUe, EEC_1, EEC_2, putKeys, VECTOR } from './a-folder.ts'
import { type Asked, askUe, credentialOf } from './ask-ue.ts'

const ECS = VECTOR.ecsFqdn
const asking = (eecId: string, ecsFqdn = ECS): Asked => ({ body: JSON.stringify({ eecId, ecsFqdn }) })

describe('the local interface of the UE: TR 33.839 6.x.2.1 step 3, D-27', () => {
  let ue: AServingUe
  const token = (eecId: EecId) => credentialOf(ue.credential(eecId)).token
  const ask = (asked: Asked, shown: string | undefined = token(EEC_1)) => askUe(ue.socket, shown, asked)

  before(async () => {
    ue = await aServingUe()
  })
  after(() => ue.close())

  test('an EEC gets Kedge ID, PSK identity and K_ECS of the vector, and nothing else', async () => {
    const { status, headers, body } = await ask(asking(EEC_1))
    assert.equal(status, 200)
    assert.equal(headers['cache-control'], 'no-store')
    assert.deepEqual(body, {
      kedgeId: VECTOR.kedgeId,
      pskIdentity: VECTOR.pskIdentity,
      psk: VECTOR.kecs,
      keyProfile: 'bound',
    })
  })

  test('KE-04: the key for one ECS is not the key for another, nor anything of Kedge', async () => {
    const names = ['ecs-a.example.com', 'ecs-b.example.com', 'a.ecs-a.example.com']
    const keys = await Promise.all(names.map(async (name) => (await ask(asking(EEC_1, name))).body['psk']))
    assert.equal(new Set(keys).size, 3)
    assert.ok(!keys.includes(VECTOR.kedge))
    const expected = names.map((name) => hexOf(deriveKecs(key('Kedge', VECTOR.kedge), parsed(parseFqdn(name)), EEC_1)))
    assert.deepEqual(keys, expected)
  })

  test('an ECS is one ECS in any case of its name', async () => {
    assert.equal((await ask(asking(EEC_1, ECS.toUpperCase()))).body['psk'], VECTOR.kecs)
  })

  test('KE-05: two EECs of one UE get two keys and two identities for one ECS', async () => {
    const first = (await ask(asking(EEC_1))).body
    const second = (await ask(asking(EEC_2), token(EEC_2))).body
    assert.notEqual(first['psk'], second['psk'])
    assert.notEqual(first['pskIdentity'], second['pskIdentity'])
    assert.equal(first['kedgeId'], second['kedgeId'])
  })

  test('NG-04: an EEC that names another one gets nothing', async () => {
    for (const [eecId, shown] of [
      [EEC_2, token(EEC_1)],
      [EEC_1, token(EEC_2)],
      ['eec-3', token(EEC_1)],
    ] as const) {
      const { status, body } = await ask(asking(eecId), shown)
      assert.deepEqual([status, body['cause'], body['psk']], [403, 'EEC_MISMATCH', undefined])
    }
  })

  const APPLICATION_KEY = '/application-key/v1/retrieve'

  test('an EEC gets A-KID, KAF of the vector and the PSK identity of TS 24.109 K.3, and nothing else', async () => {
    const { status, headers, body } = await ask({ ...asking(EEC_1), path: APPLICATION_KEY })
    assert.deepEqual([status, headers['cache-control']], [200, 'no-store'])
    assert.deepEqual(body, { aKId: A_KID, pskIdentity: `3GPP-AKMA${A_KID}`, psk: AKMA.kaf })
    assert.ok(Buffer.byteLength(String(body['pskIdentity'])) <= 128)
  })

  test('KE-04: KAF for one ECS is not KAF for another, nor KAKMA, nor a key of Kedge', async () => {
    const names = [ECS, 'ecs-a.example.com', 'a.ecs-a.example.com']
    const given = await Promise.all(
      names.map(async (name) => (await ask({ ...asking(EEC_1, name), path: APPLICATION_KEY })).body['psk']),
    )
    assert.deepEqual(
      given,
      names.map((name) => hexOf(deriveKaf(key('KAKMA', AKMA.kakma), parsed(parseFqdn(name))))),
    )
    for (const other of [AKMA.kakma, VECTOR.kedge, VECTOR.kecs]) assert.ok(!given.includes(other))
  })

  test('NG-04: an EEC that names another one, or shows no token, gets no KAF', async () => {
    const named = await ask({ ...asking(EEC_2), path: APPLICATION_KEY })
    assert.deepEqual([named.status, named.body['cause'], named.body['psk']], [403, 'EEC_MISMATCH', undefined])
    const nobody = await askUe(ue.socket, undefined, { ...asking(EEC_1), path: APPLICATION_KEY })
    assert.deepEqual([nobody.status, nobody.body['psk']], [401, undefined])
    const address = await ask({ ...asking(EEC_1, '192.0.2.1'), path: APPLICATION_KEY })
    assert.deepEqual([address.status, address.body['cause']], [400, 'MANDATORY_IE_INCORRECT'])
  })

  test('who shows no token, or one that is not known, gets nothing', async () => {
    const others = [encodeBase64url(systemRandom.octets(32)), token(EEC_1).toLowerCase(), `${token(EEC_1)}=`, 'x']
    for (const shown of others) {
      const { status, headers, body } = await ask(asking(EEC_1), shown)
      assert.equal(status, 401)
      assert.match(String(headers['www-authenticate']), /^Bearer/)
      assert.equal(body['psk'], undefined)
    }
    assert.equal((await askUe(ue.socket, undefined, asking(EEC_1))).body['cause'], 'CREDENTIAL_MISSING')
    const basic = { ...asking(EEC_1), headers: { authorization: `Basic ${token(EEC_1)}` } }
    assert.equal((await askUe(ue.socket, undefined, basic)).status, 401)
  })

  for (const [name, asked, status] of [
    ['another resource', { ...asking(EEC_1), path: '/edge-key/v1/retrieve/..' }, 404],
    ['another method', { method: 'GET' }, 405],
    ['another media type', { ...asking(EEC_1), headers: { 'content-type': 'text/plain' } }, 415],
    ['no content', { body: '' }, 400],
    ['no JSON', { body: '{' }, 400],
    ['no object', { body: '[]' }, 400],
    ['no ecsFqdn', { body: JSON.stringify({ eecId: EEC_1 }) }, 400],
    ['an address for ecsFqdn', asking(EEC_1, '192.0.2.1'), 400],
    ['a wildcard for ecsFqdn', asking(EEC_1, '*.example.com'), 400],
    ['a trailing dot in ecsFqdn', asking(EEC_1, 'ecs.example.com.'), 400],
    ['a number for ecsFqdn', { body: JSON.stringify({ eecId: EEC_1, ecsFqdn: 1 }) }, 400],
    ['a list for eecId', { body: JSON.stringify({ eecId: [EEC_1], ecsFqdn: ECS }) }, 400],
    ['a prototype', { body: `{"__proto__":{},"eecId":"${EEC_1}","ecsFqdn":"${ECS}"}` }, 400],
    ['too much', { body: JSON.stringify({ eecId: EEC_1, ecsFqdn: ECS, more: 'x'.repeat(5_000) }) }, 413],
  ] satisfies [string, Asked, number][]) {
    test(`refuses ${name} with ${status}`, async () => {
      const answered = await ask(asked)
      assert.equal(answered.status, status)
      assert.equal(answered.headers['content-type'], 'application/problem+json')
      assert.equal(answered.body['psk'], undefined)
    })
  }

  test('no content of any form gets a key for another EEC or a second ECS', async () => {
    const contents = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.record({ eecId: fc.constantFrom(EEC_1, EEC_2), ecsFqdn: fc.string() }).map((value) => JSON.stringify(value)),
    )
    await fc.assert(
      fc.asyncProperty(contents, async (body) => {
        fc.pre(!isItsQuestion(body))
        const answered = await ask({ body })
        assert.ok(answered.status === 400 || answered.status === 403, `${answered.status} for ${body}`)
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 5_000 : 100 },
    )
  })

  test('what is not HTTP ends without harm', async () => {
    const said = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connect(ue.socket, () => socket.end('\x16\x03\x01 this is not HTTP\r\n\r\n'))
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      socket.once('close', () => resolve(text))
    })
    assert.match(said, /^HTTP\/1\.1 400 /)
    assert.equal((await ask(asking(EEC_1))).status, 200)
  })

  test('the socket, the folder and the credentials are closed to everybody else', async () => {
    const modes = [ue.socket, ue.ue.folder, ue.credential(EEC_1), ue.credential(EEC_2)].map(async (file) => {
      return ((await stat(file)).mode & 0o777).toString(8)
    })
    assert.deepEqual(await Promise.all(modes), ['600', '700', '600', '600'])
  })

  test('KE-11: the log names no token, no key, no SUPI and no Kedge ID', async () => {
    await ask(asking(EEC_1))
    const text = ue.logged.join('\n')
    assert.match(text, /key handed out/)
    for (const secret of [VECTOR.kecs, VECTOR.kedge, VECTOR.kedgeId, token(EEC_1), '001010000000001', EEC_1])
      assert.ok(!text.includes(secret), secret)
  })
})

describe('who may ask', () => {
  const closing: (() => Promise<void>)[] = []
  const started = async (options: Parameters<typeof aServingUe>[0] = {}) => {
    const ue = await aServingUe(options)
    closing.push(ue.close)
    return ue
  }
  after(async () => {
    for (const close of closing) await close()
  })

  test('a second credential for one EEC ends the first, and disallowing ends both', async () => {
    const ue = await started()
    const { token } = credentialOf(ue.credential(EEC_1))
    const second = credentialOf(await allowEec(ue.ue, EEC_1, systemRandom))
    assert.equal((await askUe(ue.socket, token, asking(EEC_1))).status, 401)
    assert.equal((await askUe(ue.socket, second.token, asking(EEC_1))).status, 200)
    assert.equal(await disallowEec(ue.ue, EEC_1), true)
    assert.equal((await askUe(ue.socket, second.token, asking(EEC_1))).status, 401)
    assert.equal(await disallowEec(ue.ue, EEC_1), false)
    assert.equal((await askUe(ue.socket, credentialOf(ue.credential(EEC_2)).token, asking(EEC_2))).status, 200)
  })

  test('before the first authentication there is no key, and one after it without a restart', async () => {
    const ue = await started({ keys: false })
    const { token } = credentialOf(ue.credential(EEC_1))
    const { status, body } = await askUe(ue.socket, token, asking(EEC_1))
    assert.deepEqual([status, body['cause']], [404, 'KEDGE_NOT_FOUND'])
    await putKeys(ue.ue)
    assert.equal((await askUe(ue.socket, token, asking(EEC_1))).status, 200)
  })

  test('in the profile literal an EEC gets Kedge under the Kedge ID, as the text has it', async () => {
    const ue = await started({ keyProfile: 'literal' })
    const { body } = await askUe(ue.socket, credentialOf(ue.credential(EEC_1)).token, asking(EEC_1))
    assert.deepEqual(body, {
      kedgeId: VECTOR.kedgeId,
      pskIdentity: VECTOR.kedgeId,
      psk: VECTOR.kedge,
      keyProfile: 'literal',
    })
  })

  test('a UE whose folder others can enter does not serve, and two processes do not serve one UE', async () => {
    const ue = await started()
    await assert.rejects(serveUe(ue.ue, aLog([])), { name: 'CannotOpenStore', reason: 'locked' })
    await chmod(ue.ue.folder, 0o750)
    await assert.rejects(openUeFolder(ue.ue.folder, undefined), { name: 'NotUsable', message: /chmod 700/ })
    await chmod(ue.ue.folder, 0o700)
  })

  test('it ends soon and leaves no socket behind, also while somebody holds a connection', async () => {
    const ue = await started()
    const idle = connect(ue.socket)
    await new Promise((resolve) => idle.once('connect', resolve))
    const began = performance.now()
    await ue.stop()
    assert.ok(performance.now() - began < 5_000, 'before the caller would have been put out for being slow')
    await assert.rejects(stat(ue.socket), { code: 'ENOENT' })
  })

  test('a path that is too long for a socket is told as such', async () => {
    const eap = new EapRelay({ subscriber: async () => undefined, clock: systemClock, random: systemRandom })
    const ue = { profile: DEFAULTS.edge, allowed: async () => new Map(), edgeKeys: async () => undefined, eap }
    const path = `/tmp/${'x'.repeat(100)}/edge.sock`
    await assert.rejects(serveEdgeSocket(path, ue, aLog([])), { name: 'NotUsable', message: /too long/ })
  })
})

/** An EEC that is permitted may ask for the key for any ECS, and a string that is drawn may be an FQDN. */
function isItsQuestion(body: string): boolean {
  const asked: unknown = JSON.parse(body)
  if (typeof asked !== 'object' || asked === null || !('eecId' in asked) || !('ecsFqdn' in asked)) return false
  return asked.eecId === EEC_1 && typeof asked.ecsFqdn === 'string' && parseFqdn(asked.ecsFqdn) !== undefined
}
