import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import {
  addHop,
  createForwarding,
  type Forwarding,
  type ForwardingReader,
  verifyForwarding,
} from '../../src/tokens/forwarding-assertion.ts'
import { keySetOf } from '../../src/tokens/key-set.ts'
import { aParty, EES1, forge, fqdn, NOW, refused, SECONDS, STRANGER, scope } from './parties.ts'

/** ECSs in a row, each with its key, and all known to each other. */
const ROW = ['a', 'b', 'c', 'd', 'e', 'f'].map((label) => ({ name: fqdn(`ecs.${label}.example.com`), ...aParty() }))
const KEYS = new Map(ROW.map(({ name, publicKey }) => [name, keySetOf([publicKey])]))
const at = (index: number) => ROW[index % ROW.length] ?? assert.fail()

const REQUEST = {
  sub: EES1.fqdn,
  target: fqdn('ees.far.example.com'),
  scope: scope('eees-eeccontextreloc eees-easdiscovery'),
  eecId: 'eec-1' as EecId,
  certificateThumbprint: EES1.certificateThumbprint,
  srcEcs: at(0).name,
}

/** The request as it arrives after so many messages along the row. */
async function travelled(messages: number): Promise<Forwarding> {
  const issuance = { signer: at(0).signer, now: NOW, jti: 'jti-1' }
  let forwarding: Forwarding = await createForwarding(REQUEST, at(1).name, issuance)
  for (let hop = 1; hop < messages; hop += 1) {
    forwarding = await addHop(forwarding, { iss: at(hop).name, to: at(hop + 1).name }, at(hop).signer)
  }
  return forwarding
}

function readerAt(index: number, changes: Partial<ForwardingReader> = {}): ForwardingReader {
  const keysOf = (ecs: Fqdn) => KEYS.get(ecs)
  return { own: at(index).name, from: at(index + 5).name, keysOf, mostHops: 5, now: NOW, ...changes }
}

describe('a forwarded token request: TS 33.501 13.4.1.1.3, D-19', () => {
  test('what the home ECS vouched for is what arrives, after one message and after five', async () => {
    for (const messages of [1, 2, 3, 4, 5]) {
      const { request, visited, jti, exp } = await verifyForwarding(await travelled(messages), readerAt(messages))
      assert.deepEqual(request, REQUEST)
      assert.deepEqual(
        visited,
        ROW.slice(0, messages).map(({ name }) => name),
      )
      assert.deepEqual([jti, exp], ['jti-1', SECONDS + 30])
    }
  })

  test('FW-01: too many hops, and an ECS that has seen it before, are refused before any key is asked for', async () => {
    const keysOf = () => assert.fail('a signature was looked at')
    const four = await travelled(4)
    for (const mostHops of [1, 2, 3])
      await refused(verifyForwarding(four, readerAt(4, { keysOf, mostHops })), 'FORWARDING_LOOP')
    for (const index of [0, 1, 2, 3]) {
      await refused(verifyForwarding(four, readerAt(4, { own: at(index).name, keysOf })), 'FORWARDING_LOOP')
    }
    const back = await addHop(four, { iss: at(0).name, to: at(1).name }, at(0).signer)
    await refused(verifyForwarding(back, { ...readerAt(5, { keysOf }), from: at(0).name }), 'FORWARDING_LOOP')
  })

  test('FW-10: one octet changed in any link is refused', async () => {
    const honest = await travelled(3)
    const links = [honest.assertion, ...honest.hops]
    const octet = fc.record({
      link: fc.integer({ min: 0, max: 2 }),
      place: fc.nat(),
      by: fc.integer({ min: 1, max: 127 }),
    })
    await fc.assert(
      fc.asyncProperty(octet, async ({ link, place, by }) => {
        const text = Buffer.from(links[link] ?? '', 'latin1')
        const index = place % text.length
        text.writeUInt8((text.readUInt8(index) ^ by) & 0x7f, index)
        const [assertion = '', ...hops] = links.with(link, text.toString('latin1'))
        await assert.rejects(verifyForwarding({ assertion, hops }, readerAt(3)), { name: 'Refusal' })
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 20_000 : 300 },
    )
  })

  test('FW-10: an ECS in between that signs anew, leaves out, reorders or swaps links is refused', async () => {
    const [one, two, three] = await Promise.all([travelled(1), travelled(2), travelled(3)])
    const other = await createForwarding({ ...REQUEST, scope: scope('eees-cea') }, at(1).name, {
      signer: at(0).signer,
      now: NOW,
      jti: 'jti-2',
    })
    const byAnother = await createForwarding({ ...REQUEST, scope: scope('eees-cea') }, at(1).name, {
      signer: at(1).signer,
      now: NOW,
      jti: 'jti-1',
    })
    const [first = '', second = ''] = three.hops
    const wrong: Forwarding[] = [
      { ...three, hops: [second] },
      { ...three, hops: [second, first] },
      { ...three, hops: [first, three.assertion] },
      { assertion: first, hops: [second] },
      { assertion: other.assertion, hops: three.hops },
      { assertion: byAnother.assertion, hops: three.hops },
      await addHop(two, { iss: at(2).name, to: at(4).name }, at(2).signer),
      await addHop(one, { iss: at(2).name, to: at(3).name }, at(2).signer),
      await addHop(two, { iss: at(2).name, to: at(3).name }, STRANGER.signer),
      one,
      two,
    ]
    for (const [index, forwarding] of wrong.entries())
      await refused(verifyForwarding(forwarding, readerAt(3)), 'FORWARDING_INVALID', /./, index)
  })

  test('FW-02: 30 s from its issue, and 60 where so configured, to the last millisecond', async () => {
    const forwarding = await travelled(2)
    await verifyForwarding(forwarding, readerAt(2, { now: NOW + 29_999 }))
    await verifyForwarding(forwarding, readerAt(2, { now: NOW - 30_000 }))
    for (const now of [NOW + 30_000, NOW + 3_600_000, NOW - 30_001, 0])
      await refused(verifyForwarding(forwarding, readerAt(2, { now })), 'FORWARDING_INVALID', /expired|not valid yet/)
    const longer = await createForwarding(REQUEST, at(1).name, {
      signer: at(0).signer,
      now: NOW,
      jti: 'x',
      lifetime: 60,
    })
    await refused(verifyForwarding(longer, readerAt(1)), 'FORWARDING_INVALID', /longer than allowed/)
    await verifyForwarding(longer, readerAt(1, { maxLifetime: 60 }))
  })

  test('FW-03: every ECS that it came through is trusted here, and the last one holds the connection', async () => {
    const forwarding = await travelled(3)
    for (const index of [0, 1, 2]) {
      const keysOf = (ecs: Fqdn) => (ecs === at(index).name ? undefined : KEYS.get(ecs))
      await refused(verifyForwarding(forwarding, readerAt(3, { keysOf })), 'FORWARDING_INVALID', /not trusted/)
    }
    await refused(verifyForwarding(forwarding, readerAt(3, { from: at(1).name })), 'FORWARDING_INVALID')
  })

  test('FW-02: claims that are missing, of another form, or of another ECS are refused though well signed', async () => {
    const claims = {
      iss: at(0).name,
      sub: REQUEST.sub,
      aud: at(1).name,
      target: REQUEST.target,
      scope: 'eees-eeccontextreloc',
      eecId: 'eec-1',
      cnf: { 'x5t#S256': REQUEST.certificateThumbprint },
      srcEcs: at(0).name,
      jti: 'jti-1',
      iat: SECONDS,
      exp: SECONDS + 30,
    }
    const sent = (change: object) => ({
      assertion: forge(
        { alg: 'ES256', typ: 'edge-forwarding+jwt', kid: at(0).kid },
        { ...claims, ...change },
        at(0).privateKey,
      ),
      hops: [],
    })
    await verifyForwarding(sent({}), readerAt(1))
    const names = Object.keys(claims).filter((name) => name !== 'eecId')
    const wrong: object[] = [
      ...names.map((name) => ({ [name]: undefined })),
      ...['sub', 'target', 'srcEcs', 'iss'].flatMap((name) => [{ [name]: 'ECS.A.example.com' }, { [name]: 'a' }]),
      { srcEcs: at(2).name },
      { aud: at(2).name },
      { aud: [at(1).name, at(2).name] },
      { eecId: 7 },
      { scope: '' },
      { scope: 'a,b' },
      { cnf: { jkt: REQUEST.certificateThumbprint } },
      { cnf: { 'x5t#S256': REQUEST.certificateThumbprint, jkt: REQUEST.certificateThumbprint } },
      { exp: SECONDS },
      { exp: SECONDS + 30.5 },
      { exp: String(SECONDS + 30) },
      { jti: 'a b' },
      { exp: SECONDS + 31 },
      { iat: SECONDS + 31, exp: SECONDS + 61 },
      { iat: SECONDS - 30, exp: SECONDS },
    ]
    for (const change of wrong)
      await refused(verifyForwarding(sent(change), readerAt(1)), 'FORWARDING_INVALID', /./, JSON.stringify(change))
  })
})
