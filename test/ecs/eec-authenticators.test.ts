import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { eecAuthenticators } from '../../src/ecs/adapters/eec-authenticators.ts'
import { ReplayCache } from '../../src/eec-authentication/replay-cache.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { EEC, refused } from '../tokens/parties.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const HOST = 'ecs1.example.com'
const OPERATION = { id: 'GetToken', api: 'oauth2', method: 'POST', path: '/oauth2/token', clause: 'none' } as const

describe('an EEC that its connection authenticates, and the key that its tokens shall be bound to: RFC 9449 5', () => {
  test('HT-11: one EEC cannot use up the memory of proofs that is there for all', async () => {
    const replays = new ReplayCache(NOW)
    let left = 2
    const { psk } = eecAuthenticators({
      now: () => NOW,
      offered: ['TLS_KEDGE'],
      eecOf: () => ({ method: 'TLS_KEDGE', eecIds: new Set([EEC.id]), gpsi: undefined }),
      entitlements: undefined,
      replays,
      mayGoOn: (eecId) => eecId === EEC.id && left-- > 0,
    })
    const ask = async () => {
      const request = { method: 'POST', uri: `https://${HOST}/oauth2/token` }
      const dpop = await createDpopProof(request, { signer: EEC.signer, now: NOW, jti: randomUUID() })
      const headers = { ':authority': HOST, dpop }
      return psk({ headers, operation: OPERATION, path: OPERATION.path, socket: new TLSSocket(new Socket()) })
    }
    assert.equal((await ask()).jkt, EEC.kid)
    assert.equal((await ask()).jkt, EEC.kid)
    await refused(ask(), 'TOO_MANY_REQUESTS')
    assert.equal(replays.size, 2)
  })
})
