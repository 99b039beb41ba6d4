import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readCertificateList, x5tS256 } from '../../src/certificates/certificate.ts'
import type { Peer } from '../../src/http/client.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { RegistrationId } from '../../src/spec/identifiers.ts'
import { issueAccessToken } from '../../src/tokens/access-token.ts'
import { keySetOf, toJwkSet } from '../../src/tokens/key-set.ts'
import {
  aNetwork,
  anNf,
  anotherDomain,
  type Caller,
  certified,
  fqdn,
  type Network,
  READER,
  SERVER,
} from './a-network.ts'

const ask = async (peer: Peer, headers: Record<string, string> = {}) => {
  const { status, body } = await peer.request({ method: 'GET', path: '/who', headers })
  return { status, body: JSON.parse(body.toString('utf8')) as Record<string, unknown> }
}

const cause = async (peer: Peer, headers?: Record<string, string>) => {
  const { status, body } = await ask(peer, headers)
  return [status, body['cause']]
}

describe('who may call a network function: TS 33.501 13.1.0, 13.3.0', () => {
  let network: Network
  let ecsDomain: Awaited<ReturnType<typeof anotherDomain<'ecs-issuer' | 'ees-issuer' | 'nf-issuer'>>>
  const ecs = { fqdn: 'ecs1.edge.example', nfType: 'ECS', root: 'trust-ecs1.crt', scopes: ['test:read'] }

  before(async () => {
    ecsDomain = await anotherDomain('edge.example', 'ecs-issuer', 'ees-issuer', 'nf-issuer')
    const deaf = { ...READER, fqdn: 'amf.core.example', nfType: 'AMF', scopes: ['test:write'] }
    const otherDomain = await anotherDomain('other.example', 'ecs-issuer')
    const other = { ...ecs, fqdn: 'ecs2.other.example', root: 'trust-ecs2.crt' }
    network = await aNetwork([READER, deaf, ecs, other], {}, async (folder) => {
      await writeFile(join(folder, 'trust-ecs1.crt'), ecsDomain.authorities)
      await writeFile(join(folder, 'trust-ecs2.crt'), otherDomain.authorities)
    })
  })
  after(() => network.close())

  test('a caller of the list is known by its certificate alone', async () => {
    const subject = anNf('ausf.core.example')
    const { credential } = await network.certified(subject)
    assert.deepEqual(await ask(network.connect(credential)), {
      status: 200,
      body: { fqdn: 'ausf.core.example', nfInstanceId: subject.nfInstanceId },
    })
  })

  test('an ECS comes with a certificate of its own domain', async () => {
    const subject = { role: 'ecs', fqdn: fqdn('ecs1.edge.example') } as const
    const { credential } = await certified(ecsDomain.issuers['ecs-issuer'], subject)
    assert.deepEqual(await ask(network.connect(credential)), {
      status: 200,
      body: { fqdn: 'ecs1.edge.example', nfInstanceId: null },
    })
  })

  test('without a certificate there is no connection', async () => {
    await assert.rejects(ask(network.connect()), { name: 'PeerUnavailable' })
  })

  test('KE-06: a name that is not on the list, the wrong type and the wrong scope are refused alike, and counted', async () => {
    const already = network.nf.alarms.count('caller-refused')
    const wrong = [anNf('smf.core.example', 'SMF'), anNf('ausf.core.example', 'SMF'), anNf('amf.core.example', 'AMF')]
    const answers = []
    for (const subject of wrong) {
      const { credential } = await network.certified(subject)
      answers.push((await ask(network.connect(credential))).body)
    }
    assert.deepEqual(answers[0], {
      type: 'urn:edgeward:problem:policy-denied',
      title: 'Policy does not allow this operation',
      status: 403,
      detail: 'the caller may not do this',
      instance: '/who',
      cause: 'POLICY_DENIED',
    })
    assert.deepEqual(answers[1], answers[0])
    assert.deepEqual(answers[2], answers[0])
    assert.equal(network.nf.alarms.count('caller-refused'), already + 3)
  })

  test('CA-11: the root of one ECS vouches neither for a network function nor for another ECS', async () => {
    const { issuers } = ecsDomain
    for (const name of ['ecs2.other.example', 'ecs9.edge.example', 'ausf.core.example']) {
      const { credential } = await certified(issuers['ecs-issuer'], { role: 'ecs', fqdn: fqdn(name) })
      assert.deepEqual(await cause(network.connect(credential)), [403, 'POLICY_DENIED'], name)
    }
  })

  test('CA-11: a certificate of another role under a trusted root does not keep its connection (R3)', async () => {
    const already = network.nf.alarms.count('certificate-refused')
    const { issuers } = ecsDomain
    const registrationId = systemRandom.uuid() as RegistrationId
    const callers: Caller[] = [
      await certified(issuers['ees-issuer'], { role: 'ees', fqdn: fqdn('ecs1.edge.example'), registrationId }),
      await certified(issuers['nf-issuer'], anNf('ausf.core.example')),
      await certified(network.authority.operatorIssuer, { role: 'operator', name: 'admin' }),
    ]
    for (const { credential } of callers) {
      await assert.rejects(ask(network.connect(credential)), { name: 'PeerUnavailable' })
    }
    assert.equal(network.nf.alarms.count('certificate-refused'), already + callers.length)
  })

  test('the allow-list is read again while it serves, and a list that is not well formed changes nothing', async () => {
    const { credential } = await network.certified(anNf('nef.core.example', 'NEF'))
    const late = network.connect(credential)
    assert.equal((await ask(late)).status, 403)
    const { credential: known } = await network.certified(anNf('ausf.core.example'))
    const early = network.connect(known)
    assert.equal((await ask(early)).status, 200)

    await network.writePeers([{ ...READER, fqdn: 'nef.core.example', nfType: 'NEF' }])
    const deadline = Date.now() + 60_000
    while ((await ask(late)).status !== 200 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 50))
    assert.equal((await ask(late)).status, 200)
    assert.equal((await ask(early)).status, 403, 'a connection that is open is no right')

    await writeFile(join(network.folder, 'peers.yaml'), '- fqdn: x\n')
    await assert.rejects(network.nf.reload(), /peers\.yaml: \/0/)
    assert.equal((await ask(late)).status, 200)
    await network.writePeers([READER, ecs])
    await network.nf.reload()
  })
})

describe('with a token as well: D-10, TS 33.501 13.4.1.1.2', () => {
  test('the token must be of an issuer that is configured, for this producer, this caller and this scope', async () => {
    const signer = signerOf((await certifiedKey()).key)
    const iss = 'https://nrf.core.example'
    const network = await aNetwork(
      [READER],
      { authorization: { mode: 'token+static', issuers: [{ iss, keys: 'nrf.json' }] } },
      (folder) => writeFile(join(folder, 'nrf.json'), JSON.stringify(toJwkSet(keySetOf([signer.publicKey])))),
    )
    try {
      const { credential } = await network.certified(anNf('ausf.core.example'))
      const [leaf] = readCertificateList(credential.certificateChain)
      assert.ok(leaf)
      const good = {
        iss,
        sub: fqdn('ausf.core.example'),
        aud: SERVER,
        scope: new Set(['test:read']),
        certificateThumbprint: x5tS256(leaf.der),
      }
      const bearer = async (change: Partial<typeof good>) => {
        const issuance = { signer, now: Date.now(), jti: systemRandom.uuid() }
        return { authorization: `Bearer ${await issueAccessToken({ ...good, ...change }, issuance)}` }
      }
      const peer = network.connect(credential)
      assert.deepEqual(await cause(peer), [401, 'CREDENTIAL_MISSING'])
      assert.equal((await ask(peer, await bearer({}))).status, 200)
      const invalid = [401, 'TOKEN_INVALID']
      assert.deepEqual(await cause(peer, await bearer({ sub: fqdn('amf.core.example') })), invalid)
      assert.deepEqual(await cause(peer, await bearer({ aud: fqdn('ausf.core.example') })), invalid)
      assert.deepEqual(await cause(peer, await bearer({ iss: 'https://nrf2.core.example' })), invalid)
      assert.deepEqual(await cause(peer, await bearer({ scope: new Set(['test:write']) })), [403, 'INSUFFICIENT_SCOPE'])
      const stranger = await network.certified(anNf('smf.core.example', 'SMF'))
      assert.deepEqual(await cause(network.connect(stranger.credential), await bearer({})), [403, 'POLICY_DENIED'])
    } finally {
      await network.close()
    }
  })
})

async function certifiedKey() {
  const { issuers } = await anotherDomain('nrf.example', 'nf-issuer')
  return certified(issuers['nf-issuer'], anNf('nrf.core.example', 'NRF'))
}
