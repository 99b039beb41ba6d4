import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { type Message, PeerUnavailable, type Response } from '../../src/http/client.ts'
import type { EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { refusedWith, withoutTrace } from './refusals.ts'
import {
  bodyOf,
  csrOf,
  newEesKey,
  onboard,
  onboardingMessage,
  profileOf,
  type RunningEcs,
  runEcs,
} from './running-ecs.ts'

describe('EES onboarding over TLS: TR 33.839 6.Y.2', () => {
  let ecs: RunningEcs
  before(async () => {
    ecs = await runEcs()
  })
  after(() => ecs.close())

  test('ON-01: of 100 clients with one token, each with its own key, exactly one is registered; not even a restart revives it', async () => {
    const bundle = await ecs.invite({ eesId: 'ees-on01', fqdn: 'ees-on01.example.com' })
    const peer = ecs.anybody()
    const messages = await Promise.all(Array.from({ length: 100 }, () => onboardingMessage(bundle, newEesKey())))
    const statuses = (await Promise.all(messages.map((message) => peer.request(message)))).map(({ status }) => status)
    assert.deepEqual(
      [201, 401].map((status) => statuses.filter((each) => each === status).length),
      [1, 99],
    )
    await ecs.restart()
    const replay = await onboardingMessage(bundle, newEesKey())
    refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(replay)), 'ONBOARDING_TOKEN_USED')
    const { ees } = await ecs.operator.list()
    assert.equal(ees.filter(({ eesId }) => eesId === 'ees-on01').length, 1)
    const other = await onboard(ecs, { eesId: 'ees-on01b', fqdn: 'b.example.com' })
    assert.equal((await other.request({ method: 'GET' })).status, 200)
  })

  test('ON-01: a token of before a revocation never admits again, one of after it does', async () => {
    const who = { eesId: 'ees-barred', fqdn: 'ees-barred.example.com' }
    await onboard(ecs, who)
    const spare = await ecs.invite(who)
    await ecs.operator.revoke('ees-barred')
    const late = await onboardingMessage(spare, newEesKey())
    refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(late)), 'ONBOARDING_TOKEN_INVALID')
    await onboard(ecs, who)
  })

  test('ON-02: of 5 identities and 5 tokens only the diagonal passes', async () => {
    const names = Array.from({ length: 5 }, (_, n) => ({ eesId: `ees-on02-${n}`, fqdn: `on02-${n}.example.com` }))
    const bundles = await Promise.all(names.map((name) => ecs.invite(name)))
    const peer = ecs.anybody()
    for (const bundle of bundles) {
      for (const other of names.filter(({ eesId }) => eesId !== bundle.eesId)) {
        const claims = await onboardingMessage(bundle, newEesKey(), { eesProf: profileOf(other) })
        refusedWith(await withoutTrace(ecs, () => peer.request(claims)), 'EES_NOT_ENTITLED')
        const address = { eesProf: { ...profileOf(bundle), endPt: { fqdn: other.fqdn } } }
        const poses = await onboardingMessage(bundle, newEesKey(), address)
        const refused = refusedWith(await withoutTrace(ecs, () => peer.request(poses)), 'MANDATORY_IE_INCORRECT')
        assert.equal(refused.invalidParams?.[0]?.param, '/eesProf/endPt')
      }
    }
    for (const [n, bundle] of bundles.entries()) {
      // What another one's name in the certification request is worth: nothing.
      const csr = await csrOf(newEesKey(), names[(n + 1) % 5]?.fqdn)
      const honest = await onboardingMessage(bundle, newEesKey(), { onboardingInformation: { csr } })
      const { eesCertificate = '' } = informationOf(await peer.request(honest))
      assert.deepEqual(readCertificate(firstOf(eesCertificate)).subjectAltNames.dnsNames, [bundle.fqdn])
    }
  })

  test('ON-05: the answer is lost after the commit; ten retries bring one registration and one certificate', async () => {
    const bundle = await ecs.invite({ eesId: 'ees-on05', fqdn: 'on05.example.com' })
    const message = await onboardingMessage(bundle, newEesKey())
    await sendAndCut(message, 'ees-on05')
    const answers: Response[] = []
    while (answers.length < 10) {
      const answer = await ecs.anybody().request(message)
      // The first one may still be under way.
      if (answer.status === 503) refusedWith(answer, 'NF_CONGESTION')
      else answers.push(answer)
    }
    await ecs.restart()
    answers.push(await ecs.anybody().request(message))
    const results = answers.map((answer) => informationOf(answer))
    assert.equal(new Set(results.map(({ registrationId }) => registrationId)).size, 1)
    assert.equal(new Set(results.map(({ eesCertificate }) => eesCertificate)).size, 1)
    assert.equal(new Set(results.map(({ authInfo }) => authInfo?.renewAfter)).size, 1)
    assert.equal((await ecs.operator.show('ees-on05')).certificates.length, 1)
    const otherKey = await onboardingMessage(bundle, newEesKey())
    refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(otherKey)), 'ONBOARDING_TOKEN_USED')
  })

  test('ON-05: who asks again after a renewal gets the certificate of the key it has proven, not of the new one', async () => {
    const bundle = await ecs.invite({ eesId: 'ees-on05b', fqdn: 'on05b.example.com' })
    const key = newEesKey()
    const message = await onboardingMessage(bundle, key)
    const { eesCertificate = '' } = informationOf(await ecs.anybody().request(message))
    const renewed = await ecs.withCertificate(eesCertificate, key).request({
      method: 'POST',
      path: '/.well-known/est/simplereenroll',
      headers: { 'content-type': 'application/pkcs10' },
      body: await csrOf(newEesKey(), bundle.fqdn),
    })
    assert.equal(renewed.status, 200)
    assert.equal(informationOf(await ecs.anybody().request(message)).eesCertificate, eesCertificate)
  })

  /** Sends, and breaks the connection as soon as the registration is on record: its certificate is not signed by then. */
  async function sendAndCut(message: Message, eesId: string): Promise<void> {
    const peer = ecs.anybody()
    const socket = await peer.socket()
    const lost = assert.rejects(peer.request(message), (error) => error instanceof PeerUnavailable)
    const query = { sql: 'select 1 from registration where ees_id = ?', parameters: [eesId] }
    while ((await ecs.opened.store.read(query)).length === 0) await turn()
    socket.destroy()
    await lost
  }
})

function informationOf(response: Response) {
  assert.equal(response.status, 201, response.body.toString('utf8'))
  return bodyOf<EESRegistrationResp>(response).onboardingInformation ?? assert.fail('no onboardingInformation')
}

function firstOf(chain: string): string {
  return chain.slice(0, chain.indexOf('-----END CERTIFICATE-----') + '-----END CERTIFICATE-----\n'.length)
}
