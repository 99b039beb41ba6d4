import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { readCertificationRequest } from '../../src/certificates/certification-request.ts'
import { eesFolder } from '../../src/ees/adapters/ees-folder.ts'
import { onboard, openRegistration, type Registration } from '../../src/ees/index.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { anEcs, type Ecs, EES_ID, ONBOARDING_TOKEN, PROFILE, plain } from './an-ecs.ts'
import { ecsCredential, overTls } from './ecs-over-tls.ts'

const parent = mkdtempSync(join(tmpdir(), 'edgeward-sdk-'))
after(() => rmSync(parent, { recursive: true }))
let folders = 0
const aFolder = () => join(parent, String(folders++))

const domain = await aDomain()
const elsewhere = await aDomain()
const honest = await ecsCredential(domain)

const rogues = {
  'under another root': await ecsCredential(elsewhere),
  'under the right root, with another name': await ecsCredential(domain, fqdn('ecs2.ecsp.example')),
  'under the right root, with a name below the right one': await ecsCredential(domain, fqdn('a.ecs1.ecsp.example')),
}

type Network = Awaited<ReturnType<typeof overTls>>

/** Closes what a test has opened, whatever became of it. */
async function withEcs(
  given: { credential?: typeof honest; answers?: Ecs['answers']; changes?: Parameters<typeof overTls>[2] },
  work: (stage: { ecs: Ecs; network: Network; store: string; join: () => Promise<Registration> }) => Promise<void>,
): Promise<void> {
  const ecs = await anEcs({ domain, ...(given.answers && { answers: given.answers }) })
  const network = await overTls(ecs, given.credential ?? honest, given.changes)
  const store = aFolder()
  const { resolve } = network
  const join = () => onboard(JSON.stringify(ecs.bundleFile()), { eesProf: PROFILE }, { store, resolve })
  try {
    await work({ ecs, network, store, join })
  } finally {
    network.close()
  }
}

describe('the SDK over TLS', () => {
  test('from the bundle to the end of the registration', async () => {
    await withEcs({}, async ({ ecs, network, store, join }) => {
      const registration = await join()
      assert.equal(registration.record.eesId, EES_ID)
      assert.equal((await join()).record.registrationId, registration.record.registrationId)
      await registration.update({ eesProf: { ...PROFILE, easIds: ['eas-1'] } })
      await registration.renew({ newKey: true })
      assert.equal(readFileSync(`${store}/ees.key`, 'utf8'), registration.credential.privateKey)
      registration.close()

      const later = await openRegistration({ store, resolve: network.resolve })
      const { eesProf } = await later.show()
      assert.deepEqual(plain(eesProf), { ...PROFILE, easIds: ['eas-1'] })
      const token = await later.token({ scope: 'eees-eeccontextreloc', target: 'ees2.ecsp.example' })
      assert.equal(token.expiresIn, 300)
      await later.deregister()
      await assert.rejects(openRegistration({ store }), { name: 'NotUsable' })
      assert.ok(ecs.paths().length > 8)
    })
  })

  test('ON-03: the certification request names the connection that the ECS sees', async () => {
    await withEcs({}, async ({ ecs, join }) => {
      const registration = await join()
      await registration.renew()
      registration.close()
      const [first, ...others] = ecs.asked
      const { csr } = JSON.parse(String(first?.message.body)).onboardingInformation
      assert.equal(readCertificationRequest(csr).challengePassword, first?.channelBinding?.toString('base64url'))
      const renewal = others.find(({ message }) => message.path.endsWith('/simplereenroll'))
      const renewed = readCertificationRequest(Buffer.from(String(renewal?.message.body), 'base64'))
      assert.equal(renewed.challengePassword, renewal?.channelBinding?.toString('base64url'))
      assert.ok(renewal?.certificate && !first?.certificate)
    })
  })

  for (const [name, credential] of Object.entries(rogues)) {
    test(`ON-07: an ECS ${name} gets a connection, and no token`, async () => {
      await withEcs({ credential }, async ({ ecs, network, join }) => {
        await assert.rejects(join(), { name: 'PeerUnavailable', phase: 'connect' })
        assert.ok(network.connections() > 0)
        assert.deepEqual(ecs.asked, [])
      })
    })
  }

  test('ON-07: without TLS 1.3 no token is sent', async () => {
    await withEcs({ changes: { maxVersion: 'TLSv1.2' } }, async ({ ecs, join }) => {
      await assert.rejects(join(), { name: 'AnswerNotAccepted', message: /TLS 1\.3/ })
      assert.deepEqual(ecs.asked, [])
    })
  })

  test('ON-07, HT-06: a redirect is not followed, and the token stays where it was', async () => {
    const canary = await anEcs({ domain })
    const canaryNetwork = await overTls(canary, honest)
    const POST = 'POST /eecs-eesregistration/v1/registrations'
    for (const status of [301, 302, 303, 307, 308]) {
      const answers = {
        [POST]: () => ({ status, headers: { location: canary.origins.server }, body: Buffer.alloc(0) }),
      }
      await withEcs({ answers }, async ({ ecs, join }) => {
        await assert.rejects(join(), { name: 'AnswerNotAccepted' })
        assert.equal(ecs.asked.length, 1)
      })
    }
    assert.equal(canaryNetwork.connections(), 0)
    canaryNetwork.close()
  })

  test('ON-07: after onboarding, too, the root of the bundle alone is trusted', async () => {
    await withEcs({}, async ({ store, join }) => {
      const registration = await join()
      registration.close()
      const rogue = await anEcs({ domain })
      const network = await overTls(rogue, rogues['under another root'])
      try {
        await moveTo(rogue.origins.mtls, store)
        const moved = await openRegistration({ store, resolve: network.resolve })
        for (const attempt of [() => moved.show(), () => moved.renew(), () => moved.token({ scope: 'x' })]) {
          await assert.rejects(attempt(), { name: 'PeerUnavailable', phase: 'connect' })
        }
        assert.ok(network.connections() > 0)
        assert.deepEqual(rogue.asked, [])
      } finally {
        network.close()
      }
    })
  })

  test('ON-16: neither errors nor records hold the onboarding token', async () => {
    await withEcs({ credential: rogues['under another root'] }, async ({ join }) => {
      const error = await join().then(() => assert.fail(), String)
      assert.ok(!error.includes(ONBOARDING_TOKEN))
    })
    await withEcs({}, async ({ store, join }) => {
      const registration = await join()
      registration.close()
      assert.ok(!readFileSync(`${store}/registration.json`, 'utf8').includes(ONBOARDING_TOKEN))
    })
  })
})

/** Where a name leads is not what makes a server the right one. */
async function moveTo(apiRoot: string, store: string): Promise<void> {
  const folder = eesFolder(store)
  const stored = await folder.load()
  assert.ok(stored)
  const { record } = stored
  const tokenEndpoint = `${apiRoot}/oauth2/token`
  const estUrl = `${apiRoot}/.well-known/est`
  await folder.saveRecord({ ...record, authInfo: { ...record.authInfo, apiRoot, tokenEndpoint, estUrl } })
}
