import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  type EntitlementVerifier,
  entitlementVerifier,
} from '../../src/eec-authentication/adapters/entitlement-verifier.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import type { ServerCredential } from '../../src/tls/profile.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { fqdn } from '../nf/a-network.ts'
import {
  anEecKey,
  ECS,
  ENT,
  OTHER_SUPI,
  operatorToken,
  type RunningEntitlement,
  runEntitlement,
  SUPI,
} from './an-entitlement-server.ts'

const URI = `https://${ECS}/eecs-serviceprovisioning/v1/request`

describe('a token of the entitlement server at an ECS: TR 33.739 6.25.2 step 2, D-14', () => {
  let ent: RunningEntitlement
  let credential: ServerCredential
  const open: EntitlementVerifier[] = []
  let ahead = 0
  before(async () => {
    ent = await runEntitlement()
    credential = (await ent.verifier()).credential
    await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1', gpsi: 'msisdn-491700000001' })
    await ent.server.operator.allow({ supi: OTHER_SUPI, eecId: 'eec-2' })
  })
  after(async () => {
    for (const each of open) each.close()
    await ent.close()
  })

  async function verifier(verify: 'certificate' | 'introspection' | 'both', server: string = ECS) {
    const { listeners } = ent.server
    const rootAt = (listener: string) => `https://${ENT}:${new URL(listener).port}`
    const trusted = {
      issuer: `https://${ENT}`,
      apiRoot: rootAt(listeners.server),
      introspectionRoot: rootAt(listeners.mtls),
      anchors: [await readFile(join(ent.folder, 'ca', 'root.crt'), 'utf8')],
      verify,
      unbound: 'refused',
    } as const
    const clock = { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead }
    const resolve = new Map([[ENT, '127.0.0.1']])
    const made = entitlementVerifier({
      fqdn: fqdn(server),
      ents: [trusted],
      credential: () => credential,
      resolve,
      clock,
    })
    open.push(made)
    return made
  }

  /** A request of the EEC with this token, by this key. */
  async function presented(token: string, signer: ReturnType<typeof anEecKey>) {
    const by = { signer, now: systemClock.now() + ahead, jti: systemRandom.uuid() }
    const dpop = await createDpopProof({ method: 'POST', uri: URI, token }, by)
    return { method: 'POST', uri: URI, headers: { authorization: `DPoP ${token}`, dpop } }
  }

  for (const way of ['certificate', 'introspection', 'both'] as const) {
    test(`by ${way}: the EEC and its number are what the entitlement server says`, async () => {
      const signer = anEecKey()
      const token = await operatorToken(ent.device, { signer })
      const { eecId, gpsi } = await (await verifier(way)).verify(await presented(token, signer))
      assert.deepEqual([eecId, gpsi], ['eec-1', 'msisdn-491700000001'])
    })
  }

  test('EN-02: neither way takes it at another server, or from another device', async () => {
    const signer = anEecKey()
    const token = await operatorToken(ent.device, { signer })
    for (const way of ['certificate', 'introspection'] as const) {
      const refused = { name: 'Refusal', code: 'TOKEN_INVALID' }
      const elsewhere = await verifier(way, 'ecs2.edge.example.com')
      await assert.rejects(elsewhere.verify(await presented(token, signer)), refused)
      await assert.rejects((await verifier(way)).verify(await presented(token, anEecKey())), refused)
    }
  })

  test('EN-06: withdrawn, it is refused at once where the issuer is asked, and elsewhere when it ends', async () => {
    const signer = anEecKey()
    const token = await operatorToken(ent.device, { signer, eecId: 'eec-2', supi: OTHER_SUPI })
    const byCertificate = await verifier('certificate')
    assert.equal((await byCertificate.verify(await presented(token, signer))).eecId, 'eec-2')
    await ent.server.operator.withdraw(OTHER_SUPI)
    const refused = { name: 'Refusal', code: 'TOKEN_INVALID' }
    for (const way of ['introspection', 'both'] as const) {
      await assert.rejects((await verifier(way)).verify(await presented(token, signer)), refused, way)
    }
    ahead = 600_000
    await assert.rejects(byCertificate.verify(await presented(token, signer)), refused)
    ahead = 0
  })

  test('EN-07: a verifier that knew the keys before they changed takes the tokens of the new one', async () => {
    const early = await verifier('certificate')
    const signer = anEecKey()
    await early.verify(await presented(await operatorToken(ent.device, { signer }), signer))
    await ent.rotate()
    ent.advance(600_000)
    ahead = 600_000
    const token = await operatorToken(ent.device, { signer, ahead })
    assert.equal((await early.verify(await presented(token, signer))).eecId, 'eec-1')
  })
})
