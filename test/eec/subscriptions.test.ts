import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Notifier } from '../../src/eec/notification.ts'
import { type SubscriptionPatch, Subscriptions, type SubscriptionWishes } from '../../src/eec/subscriptions.ts'
import type { Message } from '../../src/http/client.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { type AServingUe, aServingUe, EEC_1, EEC_2, VECTOR } from '../ue/a-folder.ts'
import { anEcs, ECS } from './an-ecs.ts'
import { authenticateAt, K_ECS } from './an-eec.ts'
import { anEes, EES } from './an-ees.ts'

const SECRETS = ['c2VjcmV0LW9mLXN1YnNjcmlwdGlvbi0x', 'c2VjcmV0LW9mLXN1YnNjcmlwdGlvbi0y']
const DESTINATION = 'https://app.example.com/notify'
const json = { 'content-type': 'application/json' }

interface Kind<Role extends Notifier> {
  readonly server: Fqdn
  readonly path: string
  readonly wishes: SubscriptionWishes<Role>
  readonly patch: SubscriptionPatch[Role]
}

const KINDS: { readonly [Role in Notifier]: Kind<Role> } = {
  ecs: {
    server: fqdn('ecs1.example.com'),
    path: '/eecs-serviceprovisioning/v1/subscriptions',
    wishes: { notificationDestination: DESTINATION, ecspIds: ['ecsp-1'] },
    patch: { connInfo: [] },
  },
  ees: {
    server: fqdn('ees1.example.com'),
    path: '/eees-easdiscovery/v1/subscriptions',
    wishes: { notificationDestination: DESTINATION, easEventType: 'EAS_AVAILABILITY_CHANGE' },
    patch: { easEventType: 'EAS_DYNAMIC_INFO_CHANGE' },
  },
}

interface Answer {
  readonly status?: number
  readonly location?: string
  /** beside what was sent */
  readonly change?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** The subscriptions of an EEC at a server that keeps what it is sent, or answers something else. */
function subscriptionsAt<Role extends Notifier>(role: Role, answer: Answer = {}) {
  const { server, path } = KINDS[role]
  const sent: Message[] = []
  const subscriptions = new Subscriptions<Role>({
    eecId: EEC_1,
    role,
    server,
    root: 'the root',
    newSecret: () => SECRETS[sent.length] ?? assert.fail(),
    async request(message) {
      sent.push(message)
      if (message.method === 'DELETE') return { status: answer.status ?? 204, headers: {}, body: Buffer.alloc(0) }
      const { notificationSecret: _, ...told } = JSON.parse(String(message.body))
      const body = { eecId: EEC_1, ...KINDS[role].wishes, ...told, ...answer.change }
      const { status = message.method === 'POST' ? 201 : 200, location = `${path}/sub-1` } = answer
      return { status, headers: { ...json, location, ...answer.headers }, body: Buffer.from(JSON.stringify(body)) }
    },
  })
  const bodies = () => sent.map(({ body }) => JSON.parse(String(body ?? 'null')))
  return { subscriptions, sent, bodies }
}

function describeAt<Role extends Notifier>(role: Role, { server, path, wishes, patch }: Kind<Role>) {
  describe(`subscriptions of an EEC at an ${role.toUpperCase()}: TS 24.558`, () => {
    test('create, replace, modify, remove: always of this EEC, whatever the wishes say', async () => {
      const { subscriptions, sent, bodies } = subscriptionsAt(role)
      const created = await subscriptions.create({ ...wishes, ...{ eecId: EEC_2 } })
      assert.deepEqual([created.subscriptionId, created.subscription.eecId], ['sub-1', EEC_1])
      assert.equal((await subscriptions.replace('sub-1', wishes))?.eecId, EEC_1)
      assert.equal((await subscriptions.modify('sub-1', patch))?.eecId, EEC_1)
      await subscriptions.remove('sub-1')
      assert.deepEqual(
        sent.map(({ method, path: at }) => `${method} ${at}`),
        [`POST ${path}`, `PUT ${path}/sub-1`, `PATCH ${path}/sub-1`, `DELETE ${path}/sub-1`],
      )
      assert.deepEqual(bodies(), [
        { ...wishes, eecId: EEC_1, notificationSecret: SECRETS[0] },
        { ...wishes, eecId: EEC_1 },
        patch,
        null,
      ])
      assert.equal(sent[2]?.headers?.['content-type'], 'application/merge-patch+json')
    })

    test('HT-07: each subscription has a secret of its own, for the notifications of this server alone', async () => {
      const { subscriptions } = subscriptionsAt(role)
      const [first, second] = [await subscriptions.create(wishes), await subscriptions.create(wishes)]
      assert.deepEqual(first.expectation, { role, server, root: 'the root', secret: SECRETS[0] })
      assert.equal(second.expectation.secret, SECRETS[1])
    })

    for (const [name, answer] of [
      ['of another EEC', { change: { eecId: EEC_2 } }],
      ['that tells somebody else', { change: { notificationDestination: 'https://other.example.com/notify' } }],
      ['that tells nobody', { change: { notificationDestination: undefined } }],
      ['at another server', { location: `https://other.example.com${path}/sub-1` }],
      ['of another kind', { location: '/eecs-other/v1/subscriptions/sub-1' }],
      ['without a name', { location: path }],
      ['with a path for a name', { location: `${path}/../sub-1` }],
      ['that was not made', { status: 200 }],
      ['in another media type', { headers: { 'content-type': 'text/html' } }],
    ] as const) {
      test(`a subscription ${name} is none`, async () => {
        const { subscriptions } = subscriptionsAt(role, answer)
        await assert.rejects(subscriptions.create(wishes), { name: 'AnswerNotAccepted' })
      })
    }

    test('an update that the server does not repeat is one; a redirect is none', async () => {
      assert.equal(await subscriptionsAt(role, { status: 204 }).subscriptions.modify('sub-1', patch), undefined)
      const moved = subscriptionsAt(role, { status: 308 }).subscriptions
      await assert.rejects(moved.replace('sub-1', wishes), { name: 'AnswerNotAccepted' })
      await assert.rejects(moved.remove('sub-1'), { name: 'AnswerNotAccepted' })
    })

    test('no name leads out of the collection', async () => {
      const { subscriptions, sent } = subscriptionsAt(role)
      await subscriptions.remove('../registrations/r-1')
      assert.equal(sent[0]?.path, `${path}/..%2Fregistrations%2Fr-1`)
    })
  })
}

describeAt('ecs', KINDS.ecs)
describeAt('ees', KINDS.ees)

describe('subscriptions in a session', () => {
  let ue: AServingUe
  const closing: (() => void)[] = []
  before(async () => {
    ue = await aServingUe()
  })
  after(async () => {
    for (const close of closing) close()
    await ue.close()
  })

  test('at the ECS on the authenticated connection, at the EES with token and proof; each knows its server', async () => {
    const kept = (path: string, body: unknown) => ({
      status: 201,
      headers: { location: `${path}/sub-1` },
      body: body as object,
    })
    const ecs = await anEcs({
      change: async ({ path, body }) => (path === KINDS.ecs.path ? kept(path, body) : undefined),
    })
    ecs.keys.set(VECTOR.pskIdentity, K_ECS)
    const ees = await anEes(ecs, ({ path, body }) => (path === KINDS.ees.path ? kept(path, body) : undefined))
    const resolve = new Map([...ecs.resolve, [EES as string, '127.0.0.1']])
    const session = await authenticateAt(ecs, ue, { resolve })
    const atEes = await session.openEes(ees.info)
    closing.push(
      ecs.close,
      ees.close,
      () => session.close(),
      () => atEes.close(),
    )

    const atEcs = await session.subscriptions.create(KINDS.ecs.wishes)
    const there = await atEes.subscriptions.create(KINDS.ees.wishes)
    assert.deepEqual([atEcs.expectation.server, atEcs.expectation.root], [ECS, ecs.root])
    assert.deepEqual([there.expectation.server, there.expectation.root], [EES, ecs.root])
    const secrets = [atEcs, there].map(({ expectation: { secret } }) => secret)
    for (const secret of secrets) assert.match(secret, /^[\w-]{43}$/)
    assert.notEqual(secrets[0], secrets[1])
    assert.equal(ecs.received.at(-1)?.identity, VECTOR.pskIdentity)
    assert.match(ees.received[0]?.authorization ?? '', /^DPoP /)
  })
})
