import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { buildAuts, verifyAutn } from '../../src/keys/aka.ts'
import { attributeOf, readEapPacket } from '../../src/keys/eap.ts'
import { takeKey, withOctets } from '../../src/keys/key.ts'
import { folderWith, needs } from '../judges.ts'
import {
  acquisition,
  naiOf,
  type RunningEntitlement,
  runEntitlement,
  SET_1,
  SUPI,
  TERMINAL,
  type Told,
} from './an-entitlement-server.ts'
import { type Next, radiusServer } from './radius.ts'

const SECRET = 'radius'
const INTERFACE = 'test'
const run = promisify(execFile)
const keys = { k: takeKey('K', Buffer.from(SET_1.k, 'hex')), opc: takeKey('OPc', Buffer.from(SET_1.opc, 'hex')) }
const hexOf = (key: Parameters<typeof withOctets>[0]) => withOctets(key, (octets) => octets.toString('hex'))

/** The USIM beside the peer, which knows MILENAGE and nothing of EAP; the answer in the words of the peer. */
type Usim = (rand: Buffer, autn: Buffer) => string
const accepts: Usim = (rand, autn) => {
  const verified = verifyAutn(keys, rand, autn)
  assert.ok(verified)
  return `UMTS-AUTH:${hexOf(verified.ik)}:${hexOf(verified.ck)}:${verified.res.toString('hex')}`
}
const isAhead: Usim = (rand) => `UMTS-AUTS:${buildAuts(keys, rand, 2 ** 40).toString('hex')}`
const hasAnotherKey: Usim = (rand, autn) => accepts(rand, autn).replace(/[0-9a-f]{16}$/, 'ab'.repeat(8))

const CONFIGURATION = (control: string) => `ctrl_interface=${control}
external_sim=1
network={
  key_mgmt=WPA-EAP
  eap=AKA
  identity="${naiOf(SUPI)}"
}
`

describe('EAP-AKA against the peer of wpa_supplicant: RFC 4187', needs('eapol_test', 'wpa_cli'), () => {
  let ent: RunningEntitlement
  before(async () => {
    ent = await runEntitlement()
    await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1' })
  })
  after(() => ent.close())

  /** Runs the peer; a RADIUS server of ours relays its packets to the entitlement server, as a terminal would. */
  async function runPeer(...usims: readonly Usim[]) {
    using folder = folderWith({})
    const control = folder.path('control')
    await writeFile(folder.path('peer.conf'), CONFIGURATION(control))
    const seen: Told[] = []
    const radius = await radiusServer(SECRET, async (eap): Promise<Next> => {
      const isIdentity = eap[4] === 1
      const told = isIdentity
        ? await start(eap.toString('utf8', 5))
        : await ent.device.relay(eap.toString('base64'), seen.at(-1)?.cookie ?? '')
      const usim = usims[seen.length]
      seen.push(told)
      const packet = told.body['eap-relay-packet']
      if (packet === undefined) return result(told.status === 200, eap[1] ?? 0)
      const challenge = Buffer.from(packet, 'base64')
      // The peer finds the answer of its USIM when it comes to ask.
      if (usim) await run('wpa_cli', ['-p', control, '-i', INTERFACE, 'sim', '0', answerOf(usim, challenge)])
      return { code: 'challenge', eap: challenge }
    })
    const address = ['-p', String(radius.port), '-s', SECRET]
    const args = ['-c', folder.path('peer.conf'), ...address, '-i', INTERFACE, '-n', '-t', '60']
    const peer = await run('eapol_test', args).catch((error: { stdout: string }) => error)
    radius.close()
    return { verdict: /(SUCCESS|FAILURE)\s*$/.exec(peer.stdout)?.[1], seen, said: peer.stdout }
  }

  const start = async (identity: string) => {
    const parameters = { ...TERMINAL, ...acquisition(), EAP_ID: identity }
    return ent.device.post(parameters, await ent.device.proof())
  }

  test('it accepts our challenge, and we its response', async () => {
    const { verdict, seen, said } = await runPeer(accepts)
    assert.equal(verdict, 'SUCCESS', said.slice(-2_000))
    assert.deepEqual(
      seen.map(({ status }) => status),
      [200, 200],
    )
    assert.ok(seen[1]?.body.ap2015['OperatorToken'])
  })

  test('we take its synchronisation failure, and it the challenge that follows', async () => {
    const { verdict, seen, said } = await runPeer(isAhead, accepts)
    assert.equal(verdict, 'SUCCESS', said.slice(-2_000))
    assert.deepEqual(
      seen.map(({ status }) => status),
      [200, 200, 200],
    )
    assert.ok(seen[2]?.body.ap2015['OperatorToken'])
  })

  test('a response with another RES is refused', async () => {
    const { verdict, seen } = await runPeer(hasAnotherKey)
    assert.equal(verdict, 'FAILURE')
    assert.deepEqual(
      seen.map(({ status }) => status),
      [200, 401],
    )
  })
})

function answerOf(usim: Usim, challenge: Buffer): string {
  const packet = readEapPacket(challenge)
  assert.ok(packet !== undefined && 'method' in packet)
  const [rand, autn] = [attributeOf(packet, 'AT_RAND'), attributeOf(packet, 'AT_AUTN')]
  assert.ok(rand && autn)
  return usim(rand, autn)
}

/** EAP-Success or EAP-Failure, which TS.43 says by its status. */
function result(isSuccess: boolean, identifier: number): Next {
  const code = isSuccess ? 'accept' : 'reject'
  return { code, eap: Buffer.of(isSuccess ? 3 : 4, identifier, 0, 4) }
}
