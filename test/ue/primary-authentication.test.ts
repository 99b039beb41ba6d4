import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deriveAKid, deriveKakma } from '../../src/keys/akma.ts'
import { writeEapPacket } from '../../src/keys/eap.ts'
import { identityRequest, NOTIFICATION, notificationRequest } from '../../src/keys/eap-packets.ts'
import { eciesPrivateKey } from '../../src/keys/ecies.ts'
import { deriveKedge, deriveKedgeId } from '../../src/keys/kedge.ts'
import { newUsimSqnState } from '../../src/keys/sqn.ts'
import { hexOf, key } from '../keys/octets.ts'
import { aSubscription, type Cheats, HomeNetwork, json, type Method, problem } from './a-home-network.ts'
import { Ue } from './a-ue.ts'

const METHODS = ['5G_AKA', 'EAP_AKA_PRIME'] as const

/** @returns why it failed, and that no keys came out of it */
async function failureOf(home: HomeNetwork, ue = new Ue()): Promise<string> {
  const before = ue.keys
  const error = await ue.authenticateAt(home).then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  )
  assert.equal(ue.keys, before)
  assert.ok(error instanceof Error)
  return 'reason' in error ? String(error.reason) : `${error.name}: ${error.message}`
}

describe('primary authentication: TR 33.839 6.x.2.1 steps 0 and 1', () => {
  for (const method of METHODS) {
    test(`${method}: UE and AUSF share KAUSF, and the UE holds Kedge, KAKMA and their names derived from it`, async () => {
      const [home, ue] = [new HomeNetwork(method), new Ue()]
      const authenticated = await ue.authenticateAt(home)
      const kausf = home.kausf ?? assert.fail('the AUSF has no KAUSF')
      assert.equal(authenticated.authType, method)
      assert.ok(ue.keys)
      assert.equal(hexOf(ue.keys.kedge), hexOf(deriveKedge(kausf, ue.settings.supi)))
      assert.equal(ue.keys.kedgeId, deriveKedgeId(kausf, ue.settings))
      assert.equal(hexOf(ue.keys.kakma), hexOf(deriveKakma(kausf, ue.settings.supi)))
      assert.equal(ue.keys.aKid, deriveAKid(kausf, ue.settings))
      assert.equal(authenticated.kedgeId, ue.keys.kedgeId)
      assert.deepEqual(home.supis, [ue.settings.supi])
    })

    test(`${method}: a new authentication brings another Kedge, under another Kedge ID`, async () => {
      const [home, ue] = [new HomeNetwork(method), new Ue()]
      const first = await ue.authenticateAt(home)
      const second = await ue.authenticateAt(home)
      assert.notEqual(first.kedgeId, second.kedgeId)
      assert.equal(ue.keys?.kedgeId, second.kedgeId)
    })

    test(`${method}: a stale SQN is resynchronised once, and then it succeeds (TS 33.501 6.1.3.3)`, async () => {
      const [home, ue] = [new HomeNetwork(method), new Ue()]
      await ue.sqns.save({ seqMs: newUsimSqnState().seqMs.map(() => 1_000) })
      const { kedgeId } = await ue.authenticateAt(home)
      assert.equal(ue.keys?.kedgeId, kedgeId)
      const calls = method === '5G_AKA' ? ['POST', 'POST', 'PUT /ID/5g-aka-confirmation'] : ['POST', SESSION, SESSION]
      assert.deepEqual(home.calls, calls)
    })

    test(`${method}: a SQN that is stale after a resynchronisation as well ends it; there is no second one`, async () => {
      const home = new HomeNetwork(method, { staleSqn: 32 })
      const ue = new Ue()
      await ue.sqns.save({ seqMs: newUsimSqnState().seqMs.map(() => 1_000) })
      assert.equal(await failureOf(home, ue), 'synchronisation-failure')
      const resynchronisations = home.asked.filter(({ path, body }) =>
        method === '5G_AKA' ? String(body).includes('auts') : path.endsWith('eap-session'),
      )
      assert.equal(resynchronisations.length, 1)
    })

    test(`${method}: a replayed challenge is never answered with RES`, async () => {
      const ue = new Ue()
      let first: { rand: Buffer; autn: Buffer } | undefined
      const recording = new HomeNetwork(method, { vector: ({ rand, autn }) => (first = { rand, autn }) })
      await ue.authenticateAt(recording)
      const replaying = new HomeNetwork(method, { vector: () => first ?? assert.fail('nothing was recorded') })
      replaying.sqn = recording.sqn
      const [seen, saved] = [replaying.asked, ue.sqns.saved.length]
      await ue.authenticateAt(replaying).then(
        () => assert.fail('it succeeded'),
        () => undefined,
      )
      assert.equal(ue.sqns.saved.length, saved)
      assert.ok(seen.every(({ body }) => !/"resStar":"/.test(String(body))))
    })

    for (const [octet, part] of [
      [0, 'SQN xor AK'],
      [6, 'AMF'],
      [8, 'MAC-A'],
    ] as const) {
      test(`${method}: a challenge with a changed ${part} ends it, and SQN stays as it is`, async () => {
        const cheats: Cheats = {
          vector: ({ rand, autn }) => {
            const changed = Buffer.from(autn)
            changed[octet] = (changed[octet] ?? 0) ^ 1
            return { rand, autn: changed }
          },
        }
        const ue = new Ue()
        assert.equal(await failureOf(new HomeNetwork(method, cheats), ue), 'mac-failure')
        assert.deepEqual(ue.sqns.saved, [])
      })
    }

    test(`${method}: a vector without the separation bit is not taken (TS 33.501 6.1.3.2 step 7)`, async () => {
      assert.equal(await failureOf(new HomeNetwork(method, { amf: 0x7fff })), 'non-5g-authentication')
    })

    test(`${method}: success with another KSEAF is none`, async () => {
      const home = new HomeNetwork(method, {
        answer: (_message, response) => {
          const content = JSON.parse(response.body.toString())
          if (content.authResult !== 'AUTHENTICATION_SUCCESS') return response
          const name = method === '5G_AKA' ? 'kseaf' : 'kSeaf'
          return json({ ...content, [name]: '00'.repeat(32) })
        },
      })
      assert.equal(await failureOf(home), 'anchor-key-mismatch')
    })

    test(`${method}: success for another SUPI is none`, async () => {
      const home = new HomeNetwork(method, {
        answer: (_message, response) => {
          const content = JSON.parse(response.body.toString())
          return content.supi === undefined ? response : json({ ...content, supi: 'imsi-001010000000002' })
        },
      })
      assert.equal(await failureOf(home), 'anchor-key-mismatch')
    })

    test(`${method}: what the AUSF refuses is told as it says it`, async () => {
      const home = new HomeNetwork(method, { answer: () => problem(404, 'USER_NOT_FOUND') })
      assert.equal(await failureOf(home), 'RefusedByServer: 404 USER_NOT_FOUND')
    })

    test(`${method}: a failure leaves the keys of the success before in use`, async () => {
      const ue = new Ue()
      await ue.authenticateAt(new HomeNetwork(method))
      const { keys } = ue
      await failureOf(new HomeNetwork(method, { amf: 0 }), ue)
      assert.ok(keys)
      assert.equal(ue.keys, keys)
    })

    for (const [name, href] of [
      ['another API', '/nudm-ueau/v1/x/5g-aka-confirmation'],
      ['nothing', ''],
      ['another resource', '/nausf-auth/v1/ue-authentications/1/../2/deregister'],
      ['no URL', 'https://['],
    ] as const) {
      test(`HT-06: ${method}: a link to ${name} is not followed`, async () => {
        const home = new HomeNetwork(method, {
          answer: (_message, response) => {
            const content = JSON.parse(response.body.toString())
            const _links = { '5g-aka': { href }, 'eap-session': { href } }
            return json({ ...content, _links }, response.status)
          },
        })
        assert.match(await failureOf(home), /AnswerNotAccepted/)
        assert.equal(home.asked.length, 1)
      })
    }
  }

  test('5G_AKA: the SEAF refuses a RES* that does not fit HXRES*, and sends it to nobody', async () => {
    const home = new HomeNetwork('5G_AKA', {
      answer: (_message, response) => {
        const content = JSON.parse(response.body.toString())
        if (content['5gAuthData'] === undefined) return response
        const data = { ...content['5gAuthData'], hxresStar: '00'.repeat(16) }
        return json({ ...content, '5gAuthData': data }, response.status)
      },
    })
    assert.equal(await failureOf(home), 'hres-mismatch')
    assert.deepEqual(home.calls, ['POST'])
  })

  test('5G_AKA: the AUSF hears of a UE that gives no RES* (TS 33.501 6.1.3.2 step 9)', async () => {
    const home = new HomeNetwork('5G_AKA', { amf: 0 })
    await failureOf(home)
    assert.equal(home.asked.at(-1)?.body, '{"resStar":null}')
  })

  test('5G_AKA: a failure that the AUSF answers is one', async () => {
    const home = new HomeNetwork('5G_AKA', {
      answer: ({ method }, response) => (method === 'PUT' ? json({ authResult: 'AUTHENTICATION_FAILURE' }) : response),
    })
    assert.equal(await failureOf(home), 'rejected')
  })

  test("a method that is neither 5G AKA nor EAP-AKA' is refused", async () => {
    const home = new HomeNetwork('5G_AKA', {
      answer: (_message, response) => json({ ...JSON.parse(response.body.toString()), authType: 'EAP_TLS' }, 201),
    })
    assert.match(await failureOf(home), /AnswerNotAccepted: authType/)
  })
})

const SESSION = 'POST /ID/eap-session'
const success = () => writeEapPacket({ code: 'success', identifier: 7 })

describe("EAP-AKA' in the ME: TS 33.501 6.1.3.1, RFC 9048", () => {
  const rejected = (name: string, reason: string, cheats: Cheats, method: Method = 'EAP_AKA_PRIME') =>
    test(name, async () => assert.equal(await failureOf(new HomeNetwork(method, cheats)), reason))

  rejected('a challenge for another network name is not taken (RFC 9048 3.1)', 'network-name-mismatch', {
    networkName: '5G:mnc002.mcc001.3gppnetwork.org',
  })
  rejected('a packet whose MAC is wrong is not taken', 'mac-failure', {
    eap: (challenge) => {
      const changed = Buffer.from(challenge)
      changed[challenge.length - 1] = (changed.at(-1) ?? 0) ^ 1
      return changed
    },
  })
  rejected('who asks for the identity gets none, and no success after it', 'method-not-supported', {
    eap: () => identityRequest("EAP-AKA'", 7, 'AT_PERMANENT_ID_REQ'),
  })
  rejected('a success without a challenge is none', 'rejected', { eap: success })
  rejected('a packet of EAP-AKA is not taken', 'method-not-supported', {
    eap: () => identityRequest('EAP-AKA', 7, 'AT_ANY_ID_REQ'),
  })
  rejected('what is no EAP packet is not taken', 'method-not-supported', { eap: () => Buffer.from('00', 'hex') })
  rejected('a notification that nobody has authenticated ends it', 'method-not-supported', {
    eap: () => notificationRequest("EAP-AKA'", { identifier: 7, notification: NOTIFICATION.notSubscribed }, ANY_KEY),
  })

  test('the SUPI is in no message, in any form', async () => {
    const subscription = { homeNetworkPublicKey: { profile: 'A', id: 1, key: HN_PUBLIC } }
    const card = aSubscription(subscription)
    const homeNetworkKey = eciesPrivateKey('A', Buffer.from(HN_PRIVATE, 'hex'))
    const home = new HomeNetwork('EAP_AKA_PRIME', { subscription: card, homeNetworkKey })
    const ue = new Ue(card)
    await ue.authenticateAt(home)
    await ue.authenticateAt(home)
    assert.deepEqual(home.supis, [card.settings.supi, card.settings.supi])
    const sent = home.asked.map(({ path, body }) => `${path} ${body}`).join('\n')
    assert.ok(!sent.includes('0000000001'))
    const sucis = home.asked.flatMap(({ body }) => /"supiOrSuci":"([^"]+)"/.exec(String(body))?.[1] ?? [])
    assert.equal(new Set(sucis).size, 2)
  })
})

const ANY_KEY = key("EAP-AKA' K_aut", '11'.repeat(32))
const HN_PRIVATE = 'c53c22208b61860b06c62e5406a7b330c2b577aa5558981510d128247d38bd1d'
const HN_PUBLIC = '5a8d38864820197c3394b92613b20b91633cbd897119273bf8e4a6f4eec0a650'
