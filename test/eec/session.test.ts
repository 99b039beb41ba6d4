import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { EcsSession } from '../../src/eec/session.ts'
import { type AServingUe, aServingUe, EEC_1, VECTOR } from '../ue/a-folder.ts'
import { type AnEcs, anEcs, ECS, type EcsOptions } from './an-ecs.ts'
import { authenticateAt, K_ECS, SESSION_PORTS } from './an-eec.ts'

describe('the session of an EEC at an ECS: D-25, D-28', () => {
  let ue: AServingUe
  const ecss: AnEcs[] = []
  const started = async (options: EcsOptions = {}) => {
    const ecs = await anEcs(options)
    ecs.keys.set(VECTOR.pskIdentity, K_ECS)
    ecss.push(ecs)
    return ecs
  }
  before(async () => {
    ue = await aServingUe()
  })
  after(async () => {
    for (const ecs of ecss) ecs.close()
    await ue.close()
  })

  test('one handshake serves many requests', async () => {
    const ecs = await started()
    const session = await authenticateAt(ecs, ue)
    await Promise.all([session.provision(), session.provision(), session.provision()])
    session.close()
    assert.equal(ecs.offered.length, 1)
  })

  test('PS-02: a broken connection is opened again with the key, not with a ticket that the ECS hands out', async () => {
    // An ECS that does what R1 forbids: it hands out tickets, and would take them.
    const ecs = await started({ pskTls: { secureOptions: 0 } })
    const session = await authenticateAt(ecs, ue)
    await session.provision()
    ecs.dropConnections()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await session.provision()
    assert.deepEqual(ecs.offered, [VECTOR.pskIdentity, VECTOR.pskIdentity])
    // Without its key no old ticket is of any use.
    ecs.keys.clear()
    ecs.dropConnections()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await assert.rejects(session.provision(), { name: 'PeerUnavailable', phase: 'connect' })
    session.close()
  })

  test('KE-11: a session, and the connection in it, print no key', async () => {
    const ecs = await started()
    const session = await authenticateAt(ecs, ue)
    await session.provision()
    const shown = `${inspect(session, { depth: 20, showHidden: true })}${JSON.stringify(session)}`.toLowerCase()
    session.close()
    for (const secret of [VECTOR.kecs, VECTOR.kecs.match(/../g)?.join(' ') ?? '', VECTOR.kedge])
      assert.ok(!shown.includes(secret))
    assert.ok(shown.includes(ECS))
  })

  test('after the key has expired nothing more is sent', async () => {
    let now = 0
    const sent: string[] = []
    const connection = {
      open: async () => {},
      request: async ({ path }: { path: string }) => {
        sent.push(path)
        return { status: 204, headers: {}, body: Buffer.alloc(0) }
      },
      close: () => sent.push('closed'),
    }
    const ecs = { fqdn: ECS, apiRoot: `https://${ECS}` }
    const session = new EcsSession(
      EEC_1,
      ecs,
      { connection, proven: connection, expiresAt: 1_000 },
      { clock: { now: () => now }, ...SESSION_PORTS },
    )
    now = 999
    await session.provision()
    now = 1_000
    await assert.rejects(session.provision(), { name: 'NotUsable', message: /expired/ })
    assert.deepEqual(sent, ['/eecs-serviceprovisioning/v1/request', 'closed'])
  })

  test('what the ECS refuses is told as it says it; an answer of another type is not taken', async () => {
    const ecs = await started({ provisioning: { ednCnfgInfo: 'none' } })
    const session = await authenticateAt(ecs, ue)
    await assert.rejects(session.provision(), { name: 'AnswerNotAccepted' })
    session.close()
  })
})
