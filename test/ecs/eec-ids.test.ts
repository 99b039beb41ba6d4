import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { aKedge, runEcsWithKeyServices } from './a-key-service.ts'
import { anEec, ask, authenticated, byPsk, provision } from './an-eec.ts'
import { notLetIn, refusedWith } from './refusals.ts'

/** What the network says of an EEC ID (D-21), and what the ECS makes of it when it has the key already. */
describe('NG-04: the EEC ID of another subscriber, at an ECS', () => {
  const started: { close(): void | Promise<void> }[] = []
  after(async () => {
    for (const each of started.reverse()) await each.close()
  })

  for (const keyProfile of ['bound', 'literal'] as const) {
    for (const via of ['ausf', 'nef'] as const) {
      test(`NG-04: ${keyProfile}, ${via}: who has a key of its own, and a connection, gets nothing by the name of another`, async () => {
        const running = await runEcsWithKeyServices(`${keyProfile}-${via}.example.com`, { keyProfile })
        started.push(running)
        const { ecs } = running
        const network = running[via]
        const victim = anEec(ecs, network, { keyProfile, eecId: 'eec-a', eecIds: ['eec-a'] })
        const subscriber = { keyProfile, kedge: aKedge(), kedgeId: network.newKedgeId(), eecIds: ['eec-b'] } as const
        const own = anEec(ecs, network, { ...subscriber, eecId: 'eec-b' })
        const claimed = anEec(ecs, network, { ...subscriber, eecId: 'eec-a' })

        const connection = await authenticated(ecs, own)
        started.push(connection)
        assert.equal((await provision(connection, own.eecId)).status, 204)
        const refused = refusedWith(await ask(ecs, claimed), 'KEDGE_NOT_FOUND')
        const unknown = refusedWith(await ask(ecs, { ...claimed, kedgeId: network.newKedgeId() }), 'KEDGE_NOT_FOUND')
        assert.deepEqual(refused, unknown, 'NG-06')
        assert.deepEqual(network.asked.at(-2)?.body.eecId, 'eec-a', 'the key that is held is asked for again')

        const another = byPsk(ecs, own)
        started.push(another)
        for (const peer of [connection, another]) {
          refusedWith(await provision(peer, claimed.eecId), 'EEC_MISMATCH')
          assert.equal((await provision(peer, own.eecId)).status, 204, 'its own name is as good as before')
        }
        if (keyProfile === 'bound') await notLetIn(byPsk(ecs, claimed).socket())
        const honest = await authenticated(ecs, victim)
        started.push(honest)
        assert.equal((await provision(honest, victim.eecId)).status, 204)
      })
    }
  }
})
