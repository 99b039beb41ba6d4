import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { writePem } from '../../src/certificates/pem.ts'
import type { StepName } from '../../src/eec/errors.ts'
import { AuthenticationStepFailed, authenticate, readCredential } from '../../src/eec/index.ts'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { disallowEec } from '../../src/ue/index.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { type AServingUe, aServingUe, EEC_1, EEC_2, VECTOR } from '../ue/a-folder.ts'
import { askUe, credentialOf } from '../ue/ask-ue.ts'
import { type AnEcs, anEcs, ECS, type EcsOptions, PROVISIONING } from './an-ecs.ts'
import { authenticateAt, K_ECS, recordedSteps } from './an-eec.ts'

const REQUESTS = '/eecs-authentication/v1/requests'
const PROVISION = '/eecs-serviceprovisioning/v1/request'

/** Messages have no prototype. */
const plain = (message: unknown) => JSON.parse(JSON.stringify(message))

describe('EEC authentication by Kedge: TR 33.839 6.x.2.1, the side of the device', () => {
  let ue: AServingUe
  const closing: (() => void | Promise<void>)[] = []
  const started = async (options: EcsOptions = {}) => {
    const ecs = await anEcs(options)
    ecs.keys.set(VECTOR.pskIdentity, K_ECS)
    closing.push(ecs.close)
    return ecs
  }
  const anotherUe = async (options: Parameters<typeof aServingUe>[0] = {}) => {
    const another = await aServingUe(options)
    closing.push(another.close)
    return another
  }

  before(async () => {
    ue = await aServingUe()
  })
  after(async () => {
    for (const close of closing) await close()
    await ue.close()
  })

  /** @returns the step that failed and why */
  async function failureOf(attempt: Promise<unknown>): Promise<{ step: StepName; reason: string }> {
    const error = await attempt.then(
      () => assert.fail('it succeeded'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof AuthenticationStepFailed, String(error))
    assert.match(error.message, /^T[RS] 33\.\d{3} [\w.]+( step \d)? \(/)
    return { step: error.step, reason: error.message }
  }

  test('steps 3, 4 and 7, then the EESs of the ECS', async () => {
    const ecs = await started()
    const { steps, progress } = recordedSteps()
    const session = await authenticateAt(ecs, ue, { progress })
    const provisioned = await session.provision()
    session.close()

    assert.deepEqual(steps, [
      `TS 33.558 6.2: EEC -> ${ECS}`,
      'TR 33.839 6.x.2.1 step 3: EEC -> UE',
      `TR 33.839 6.x.2.1 step 4: EEC -> ${ECS}`,
      `TR 33.839 6.x.2.1 step 7: EEC -> ${ECS}`,
    ])
    assert.deepEqual(ecs.received, [
      { path: REQUESTS, body: { eecId: EEC_1, kedgeId: VECTOR.kedgeId }, serverName: ECS },
      { path: PROVISION, body: { eecId: EEC_1 }, identity: VECTOR.pskIdentity, serverName: ECS },
    ])
    assert.deepEqual(ecs.offered, [VECTOR.pskIdentity])
    assert.deepEqual(plain(provisioned), PROVISIONING)
  })

  test('the EEC says which EES it wishes for, and never another EEC ID', async () => {
    const ecs = await started()
    const session = await authenticateAt(ecs, ue)
    await session.provision({ ecspIds: ['ecsp-1'], ...{ eecId: EEC_2 } })
    session.close()
    assert.deepEqual(ecs.received.at(-1)?.body, { ecspIds: ['ecsp-1'], eecId: EEC_1 })
  })

  test('an ECS without EESs for it is no error', async () => {
    const ecs = await started({ provisioning: undefined })
    const session = await authenticateAt(ecs, ue)
    assert.equal(await session.provision(), undefined)
    session.close()
  })

  test('in the profile literal Kedge is the key and Kedge ID its name, as the text has it', async () => {
    const literal = await anotherUe({ keyProfile: 'literal' })
    const ecs = await started({ keyProfile: 'literal' })
    ecs.keys.set(VECTOR.kedgeId, createSecretKey(Buffer.from(VECTOR.kedge, 'hex')))
    const session = await authenticateAt(ecs, literal)
    await session.provision()
    session.close()
    assert.deepEqual(ecs.offered, [VECTOR.kedgeId])
  })

  describe('NG-03: a failure is told with its step, and nothing else is tried', () => {
    const silent = (ecs: AnEcs) => assert.deepEqual([ecs.received, ecs.offered], [[], []])

    test('step 3: the UE does not serve', async () => {
      const ecs = await started()
      const away = await anotherUe()
      const credential = JSON.stringify(credentialOf(away.credential(EEC_1)))
      await away.stop()
      const { step, reason } = await failureOf(authenticateAt(ecs, ue, { credential: readCredential(credential) }))
      assert.equal(step, 3)
      assert.match(reason, /edgeward ue serve/)
      silent(ecs)
    })

    test('step 3: the UE has not been authenticated (the AUSF was down)', async () => {
      const [ecs, fresh] = [await started(), await anotherUe({ keys: false })]
      const { step, reason } = await failureOf(authenticateAt(ecs, fresh))
      assert.equal(step, 3)
      assert.match(reason, /404 KEDGE_NOT_FOUND/)
      silent(ecs)
    })

    test('step 3: the UE does not allow this EEC any more', async () => {
      const [ecs, strict] = [await started(), await anotherUe()]
      const credential = strict.credential(EEC_1)
      const kept = credentialOf(credential)
      await disallowEec(strict.ue, EEC_1)
      assert.equal((await askUe(strict.socket, kept.token, {})).status, 401)
      const attempt = authenticateAt(ecs, strict, { credential: readCredential(JSON.stringify(kept)) })
      assert.equal((await failureOf(attempt)).step, 3)
      silent(ecs)
    })

    for (const [name, answer, reason] of [
      ['knows no such key', { status: 404, body: { cause: 'KEDGE_NOT_FOUND', detail: 'no such key' } }, /KEDGE_NOT/],
      ['cannot ask for the key now', { status: 503, body: { cause: 'NF_CONGESTION' } }, /NF_CONGESTION/],
      ['sends the EEC elsewhere', { status: 307, body: {} }, /307/],
      ['says nothing of a key', { status: 201, body: {} }, /not of its type/],
    ] as const) {
      test(`step 4: the ECS ${name}`, async () => {
        const ecs = await started({ answer })
        const failed = await failureOf(authenticateAt(ecs, ue))
        assert.equal(failed.step, 4)
        assert.match(failed.reason, reason)
        assert.deepEqual([ecs.received.length, ecs.offered], [1, []])
      })
    }

    for (const [name, options, reason] of [
      ['of another host', { pskEndpoint: 'https://other.example.com:8443' }, /not an origin of the ECS/],
      ['of an address', { pskEndpoint: 'https://127.0.0.1:8443' }, /not an origin of the ECS/],
      ['without TLS', { pskEndpoint: `http://${ECS}:80` }, /not an origin of the ECS/],
      ['with a user', { pskEndpoint: `https://${ECS}@other.example.com` }, /not an origin of the ECS/],
      ['with a path', { pskEndpoint: `https://${ECS}/path` }, /not an origin of the ECS/],
      ['with a port only', { pskEndpoint: ':8443' }, /not an origin of the ECS/],
    ] as const) {
      test(`step 4: an endpoint ${name} is not followed (THREATS HT-06)`, async () => {
        const ecs = await started(options)
        const failed = await failureOf(authenticateAt(ecs, ue))
        assert.equal(failed.step, 4)
        assert.match(failed.reason, reason)
        assert.deepEqual(ecs.offered, [])
      })
    }

    test('step 4: an ECS that asks for Kedge itself does not get it', async () => {
      const ecs = await started({ keyProfile: 'literal' })
      const failed = await failureOf(authenticateAt(ecs, ue))
      assert.deepEqual([failed.step, ecs.offered], [4, []])
      assert.match(failed.reason, /profile literal, not bound/)
    })

    test('step 4: a key that has expired is not used', async () => {
      const ecs = await started({ expiresAt: '2020-01-01T00:00:00Z' })
      assert.equal((await failureOf(authenticateAt(ecs, ue))).step, 4)
      assert.deepEqual(ecs.offered, [])
    })

    test('another authority, or a certificate for another name: not a word is said', async () => {
      const ecs = await started()
      const stranger = writePem('CERTIFICATE', (await aDomain({ rootCurve: 'P-256' })).root.certificate.der)
      assert.equal((await failureOf(authenticateAt(ecs, ue, { root: stranger }))).step, 'negotiation')
      const name = fqdn('ecs2.example.com')
      const elsewhere = { ecs: ecs.apiRoot.replace(ECS, name), resolve: new Map([[name as string, '127.0.0.1']]) }
      const { step, reason } = await failureOf(authenticateAt(ecs, ue, elsewhere))
      assert.equal(step, 'negotiation')
      assert.match(reason, /certificate is not for ecs2\.example\.com/)
      silent(ecs)
    })

    test('step 7: the ECS does not know the key', async () => {
      const ecs = await started()
      ecs.keys.clear()
      assert.equal((await failureOf(authenticateAt(ecs, ue))).step, 7)
      assert.deepEqual(
        ecs.received.map(({ path }) => path),
        [REQUESTS],
      )
    })

    test('step 7: the ECS knows another key of that name', async () => {
      const ecs = await started()
      ecs.keys.set(VECTOR.pskIdentity, createSecretKey(Buffer.alloc(32, 1)))
      assert.equal((await failureOf(authenticateAt(ecs, ue))).step, 7)
      assert.deepEqual(
        ecs.received.map(({ path }) => path),
        [REQUESTS],
      )
      assert.deepEqual(ecs.failures, ['ERR_SSL_BINDER_DOES_NOT_VERIFY'])
    })
  })

  describe('before anything is sent', () => {
    for (const [name, ecs] of [
      ['http', `http://${ECS}`],
      ['an address', 'https://127.0.0.1:8443'],
      ['a path', `https://${ECS}/eecs`],
      ['nothing', ''],
    ] as const) {
      test(`${name} is no ECS`, async () => {
        const options = { credential: ue.credential(EEC_1), ecs, root: '' }
        await assert.rejects(authenticate(options), { name: 'NotUsable', message: /not an https origin/ })
      })
    }

    test('a credential that others can read is not used', async () => {
      const [ecs, open] = [await started(), await anotherUe()]
      await chmod(open.credential(EEC_1), 0o640)
      await assert.rejects(authenticateAt(ecs, open), { name: 'FileRefused' })
      assert.deepEqual(ecs.received, [])
    })

    test('a credential that is not there is told with what makes one', async () => {
      const missing = { credential: `${ue.ue.folder}/none.json`, ecs: `https://${ECS}`, root: '' }
      await assert.rejects(authenticate(missing), { name: 'NotUsable', message: /edgeward ue allow/ })
    })

    test('what is no credential is not quoted', async () => {
      const { token, socket } = credentialOf(ue.credential(EEC_1))
      for (const text of [token, JSON.stringify({ token }), JSON.stringify({ eecId: 'e c', token, socket })]) {
        assert.throws(() => readCredential(text), { name: 'NotUsable', message: 'not a credential of an EEC' })
      }
    })
  })

  describe('each key is for one ECS and one EEC', () => {
    test('KE-04: with the key for ECS A nobody is the UE at ECS B, nor B to the UE', async () => {
      const [a, b] = [fqdn('ecs-a.example.com'), fqdn('ecs-b.example.com')]
      const keyFor = async (ecsFqdn: string) => {
        const body = JSON.stringify({ eecId: EEC_1, ecsFqdn })
        const { psk } = (await askUe(ue.socket, credentialOf(ue.credential(EEC_1)).token, { body })).body
        return createSecretKey(Buffer.from(String(psk), 'hex'))
      }
      const ecsB = await started({ fqdn: b })
      // A took the key that it has, and shows itself as B.
      ecsB.keys.set(VECTOR.pskIdentity, await keyFor(a))
      assert.equal((await failureOf(authenticateAt(ecsB, ue))).step, 7)
      ecsB.keys.set(VECTOR.pskIdentity, await keyFor(b))
      const session = await authenticateAt(ecsB, ue)
      assert.deepEqual(plain(await session.provision()), PROVISIONING)
      session.close()
    })

    test('KE-05: the key of one EEC fails under the identity of another', async () => {
      const ecs = await started()
      const identityOf2 = `e${eecIdTag(EEC_2)}.${VECTOR.kedgeId}`
      ecs.keys.set(identityOf2, K_ECS)
      assert.equal((await failureOf(authenticateAt(ecs, ue, { eecId: EEC_2 }))).step, 7)
      assert.deepEqual(ecs.offered, [identityOf2])
      assert.deepEqual(ecs.failures, ['ERR_SSL_BINDER_DOES_NOT_VERIFY'])
    })
  })
})
