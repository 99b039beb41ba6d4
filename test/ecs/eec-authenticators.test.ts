import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { eecAuthenticators } from '../../src/ecs/adapters/eec-authenticators.ts'
import { ReplayCache } from '../../src/eec-authentication/replay-cache.ts'
import { rateLimit } from '../../src/nf/rate-limit.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { EEC, refused } from '../tokens/parties.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const HOST = 'ecs1.example.com'
const OPERATION = { id: 'GetToken', api: 'oauth2', method: 'POST', path: '/oauth2/token', clause: 'none' } as const

describe('an EEC that its connection authenticates, and the key that its tokens shall be bound to: RFC 9449 5', () => {
  const KEY = 'the name of its key'
  const OTHER_KEY = 'the name of another key'

  function aListener(mayGoOn: (name: string) => boolean) {
    const replays = new ReplayCache(NOW)
    let networkKey = KEY
    const { psk } = eecAuthenticators({
      now: () => NOW,
      offered: ['TLS_KEDGE'],
      eecOf: () => ({ method: 'TLS_KEDGE', networkKey, eecIds: new Set([EEC.id]), gpsi: undefined }),
      entitlements: undefined,
      replays,
      mayGoOn,
    })
    const askWith = async (key: string) => {
      const request = { method: 'POST', uri: `https://${HOST}/oauth2/token` }
      const dpop = await createDpopProof(request, { signer: EEC.signer, now: NOW, jti: randomUUID() })
      const headers = { ':authority': HOST, dpop }
      networkKey = key
      return psk({ headers, operation: OPERATION, path: OPERATION.path, socket: new TLSSocket(new Socket()) })
    }
    return { replays, askWith }
  }

  test('HT-11: one EEC cannot use up the memory of proofs that is there for all', async () => {
    let left = 2
    const { replays, askWith } = aListener((name) => name === KEY && left-- > 0)
    assert.equal((await askWith(KEY)).jkt, EEC.kid)
    assert.equal((await askWith(KEY)).jkt, EEC.kid)
    await refused(askWith(KEY), 'TOO_MANY_REQUESTS')
    assert.equal(replays.size, 2)
  })

  test('HT-11: a UE that names the EEC of another one uses up nothing of that one', async () => {
    const { askWith } = aListener(rateLimit({ perSecond: 1, burst: 2 }, () => 0))
    for (let n = 0; n < 2; n++) await askWith(OTHER_KEY)
    await refused(askWith(OTHER_KEY), 'TOO_MANY_REQUESTS')
    assert.equal((await askWith(KEY)).jkt, EEC.kid)
  })
})
