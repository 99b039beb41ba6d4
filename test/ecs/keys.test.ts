import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { writeCertificationRequest } from '../../src/certificates/certification-request.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { spkiSha256 } from '../../src/certificates/public-key.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { type Message, openPeer, type Peer, type Response } from '../../src/http/client.ts'
import { readSealedPrivateKey } from '../../src/nf/adapters/own-keys.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { clientTls } from '../../src/tls/client.ts'
import { channelBinding } from '../../src/tls/connection.ts'
import { createProof } from '../../src/tokens/proof-of-possession.ts'
import { aRequest } from '../certificates/a-request.ts'
import { BAD_KEYS } from '../certificates/weak-keys.ts'
import { problemOf, refusedWith, withoutTrace } from './refusals.ts'
import {
  bodyOf,
  csrOf,
  newEesKey,
  onboard,
  onboardingMessage,
  profileOf,
  type RunningEcs,
  runEcs,
} from './running-ecs.ts'

const spkiOf = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'der' })
const requestText = (der: Buffer) => writePem('CERTIFICATE REQUEST', der)

describe('the key that an EES brings: TR 33.839 6.Y.2 steps 3 and 4', () => {
  let ecs: RunningEcs
  before(async () => {
    ecs = await runEcs()
  })
  after(() => ecs.close())

  const invite = (name: string) => ecs.invite({ eesId: `ees-${name}`, fqdn: `${name}.example.com` })
  const bindingOf = async (peer: Peer) => channelBinding(await peer.socket()) ?? assert.fail('no TLS 1.3')

  async function proofMessage(bundle: Bundle, key: KeyObject, peer: Peer, change: object = {}): Promise<Message> {
    const { onboardingToken } = bundle
    const eesProf = profileOf(bundle)
    const context = { ecs: ecs.fqdn, onboardingToken, exporter: await bindingOf(peer), eesProf, ...change }
    return onboardingMessage(bundle, key, { onboardingInformation: await createProof(context, signerOf(key)) })
  }

  test('ON-03: a certification request that names its connection is worth nothing on another one', async () => {
    const bundle = await invite('on03a')
    const [mine, thiefs] = [ecs.anybody(), ecs.anybody()]
    const binding = (await bindingOf(mine)).toString('base64url')
    const csr = await csrOf(newEesKey(), bundle.fqdn, binding)
    const message = await onboardingMessage(bundle, newEesKey(), { onboardingInformation: { csr } })
    refusedWith(await withoutTrace(ecs, () => thiefs.request(message)), 'PROOF_OF_POSSESSION_FAILED')
    certified(await mine.request(message))
  })

  test('ON-03: a proof is worth nothing on another connection, with another token, for another profile or another ECS', async () => {
    const bundle = await invite('on03b')
    const other = await invite('on03c')
    const key = newEesKey()
    const [mine, thiefs] = [ecs.anybody(), ecs.anybody()]
    const stolen = await proofMessage(bundle, key, mine)
    const attacks: [Peer, Message][] = [
      [thiefs, stolen],
      [mine, await proofMessage(bundle, key, mine, { onboardingToken: other.onboardingToken })],
      [mine, await proofMessage(bundle, key, mine, { eesProf: profileOf(other) })],
      [mine, await proofMessage(bundle, key, mine, { ecs: 'ecs2.example.com' })],
    ]
    for (const [peer, message] of attacks) {
      refusedWith(await withoutTrace(ecs, () => peer.request(message)), 'PROOF_OF_POSSESSION_FAILED')
    }
    const certificate = certified(await mine.request(stolen))
    assert.deepEqual(certificate.publicKey.export({ type: 'spki', format: 'der' }), spkiOf(key))
  })

  test("ON-03: another EES's key, copied from its certificate, cannot be registered without its private half", async () => {
    const victim = await onboard(ecs, { eesId: 'ees-on03d', fqdn: 'on03d.example.com' })
    const copied = spkiOf(victim.key)
    const bundle = await invite('on03e')
    const peer = ecs.anybody()
    const proven = await createProof(
      {
        ecs: ecs.fqdn,
        onboardingToken: bundle.onboardingToken,
        exporter: await bindingOf(peer),
        eesProf: profileOf(bundle),
      },
      signerOf(newEesKey()),
    )
    const publicKey = createPublicKey(victim.key).export({ format: 'jwk' })
    const claims = [
      { csr: requestText(aRequest({ key: newEesKey(), spki: copied })) },
      { publicKey, proof: proven.proof },
      { publicKey },
    ]
    for (const onboardingInformation of claims) {
      const message = await onboardingMessage(bundle, newEesKey(), { onboardingInformation })
      refusedWith(await withoutTrace(ecs, () => peer.request(message)), 'PROOF_OF_POSSESSION_FAILED')
    }
    certified(await peer.request(await onboardingMessage(bundle, newEesKey())))
  })

  test('ON-03: over TLS 1.2 there is no binding: a proof or a bound request is refused, a plain request is not', async () => {
    const bundle = await invite('on03f')
    const { port } = new URL(ecs.serving.listeners.server)
    const tls = { ...clientTls([ecs.opened.ca.root()]), maxVersion: 'TLSv1.2' as const }
    const old = openPeer(`https://${ecs.fqdn}:${port}`, tls, new Map([[ecs.fqdn, '127.0.0.1']]))
    const binding = await bindingOf(ecs.anybody())
    const csr = await csrOf(newEesKey(), bundle.fqdn, binding.toString('base64url'))
    const bound = await onboardingMessage(bundle, newEesKey(), { onboardingInformation: { csr } })
    for (const message of [await proofMessage(bundle, newEesKey(), ecs.anybody()), bound]) {
      refusedWith(await withoutTrace(ecs, () => old.request(message)), 'PROOF_OF_POSSESSION_FAILED')
    }
    certified(await old.request(await onboardingMessage(bundle, newEesKey())))
    old.close()
  })

  test('ON-04: a key serves one registration: onboarding and renewal with the key of another are refused', async () => {
    const first = await onboard(ecs, { eesId: 'ees-on04a', fqdn: 'on04a.example.com' })
    const bundle = await invite('on04b')
    const again = await onboardingMessage(bundle, first.key)
    refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(again)), 'PUBLIC_KEY_IN_USE')

    const second = await onboard(ecs, { eesId: 'ees-on04c', fqdn: 'on04c.example.com' })
    const csr = await csrOf(first.key, 'on04c.example.com')
    refusedWith(await withoutTrace(ecs, () => second.request(reenrolment(csr))), 'PUBLIC_KEY_IN_USE')
    // The token of the first attempt is as good as before, and a key of its own passes.
    certified(await ecs.anybody().request(await onboardingMessage(bundle, newEesKey())))
    assert.equal((await second.request(reenrolment(await csrOf(newEesKey(), 'on04c.example.com')))).status, 200)
  })

  test('ON-04: the key of a revoked EES is never certified again, that of one that left is free', async () => {
    const revoked = await onboard(ecs, { eesId: 'ees-on04d', fqdn: 'on04d.example.com' })
    await ecs.operator.revoke('ees-on04d')
    const left = await onboard(ecs, { eesId: 'ees-on04e', fqdn: 'on04e.example.com' })
    assert.equal((await left.request({ method: 'DELETE' })).status, 204)
    const bundle = await invite('on04f')
    const distrusted = await onboardingMessage(bundle, revoked.key)
    refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(distrusted)), 'PUBLIC_KEY_IN_USE')
    certified(await ecs.anybody().request(await onboardingMessage(bundle, left.key)))
  })

  test("ON-04: the keys of the authorities and of the server are nobody else's", async () => {
    const bundle = await invite('on04g')
    for (const authority of ['root', 'ees-issuer', 'ecs-issuer', 'operator-issuer']) {
      const key = await readSealedPrivateKey(join(ecs.folder, 'ca', `${authority}.key`), ecs.opened.secret)
      const csr = requestText(await writeCertificationRequest({ fqdn: ecs.fqdn, signer: signerOf(key) }))
      const message = await onboardingMessage(bundle, newEesKey(), { onboardingInformation: { csr } })
      refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(message)), 'PUBLIC_KEY_IN_USE')
    }
    // The server's key is in its memory alone: what keeps others from it is on record under the key of its certificate.
    const shown = (await ecs.anybody().socket()).getPeerX509Certificate() ?? assert.fail('no certificate')
    const spki = spkiSha256(shown.publicKey.export({ type: 'spki', format: 'der' }))
    const query = { sql: 'select registration_id from registered_key where spki_sha256 = ?', parameters: [spki] }
    const rows = await ecs.opened.store.read<{ registration_id: string }>(query)
    assert.deepEqual(
      rows.map(({ registration_id }) => registration_id),
      ['ecs'],
    )
    certified(await ecs.anybody().request(await onboardingMessage(bundle, newEesKey())))
  })

  test('ON-06: of the corpus of bad keys none is taken at onboarding or renewal, and none reaches the signer', async () => {
    assert.ok(BAD_KEYS.size >= 60)
    const bundle = await invite('on06')
    const ees = await onboard(ecs, { eesId: 'ees-on06b', fqdn: 'on06b.example.com' })
    const peer = ecs.anybody()
    const expected = ['PUBLIC_KEY_NOT_ACCEPTED', 'CERTIFICATION_REQUEST_MALFORMED']
    await withoutTrace(ecs, async () => {
      for (const [name, spki] of BAD_KEYS) {
        const csr = requestText(aRequest({ key: newEesKey(), spki }))
        const message = await onboardingMessage(bundle, newEesKey(), { onboardingInformation: { csr } })
        for (const answer of [await peer.request(message), await ees.request(reenrolment(csr))]) {
          const { status, cause } = problemOf(answer)
          assert.ok(status === 400 && expected.includes(cause), `${name}: ${status} ${cause}`)
        }
      }
    })
    certified(await peer.request(await onboardingMessage(bundle, newEesKey())))
  })

  test('D-3: with channelBinding required, a certification request that is not bound is refused', async () => {
    const file = join(ecs.folder, 'ecs.yaml')
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace('channelBinding: when-present', 'channelBinding: required'),
    )
    await ecs.restart()
    const bundle = await invite('d3')
    const peer = ecs.anybody()
    const unbound = await onboardingMessage(bundle, newEesKey())
    refusedWith(await withoutTrace(ecs, () => peer.request(unbound)), 'PROOF_OF_POSSESSION_FAILED')
    const csr = await csrOf(newEesKey(), bundle.fqdn, (await bindingOf(peer)).toString('base64url'))
    certified(await peer.request(await onboardingMessage(bundle, newEesKey(), { onboardingInformation: { csr } })))
  })
})

function reenrolment(csr: string) {
  const headers = { 'content-type': 'application/pkcs10' }
  return { method: 'POST', path: '/.well-known/est/simplereenroll', headers, body: csr } as const
}

function certified(response: Response): X509Certificate {
  assert.equal(response.status, 201, response.body.toString('utf8'))
  const { eesCertificate = '' } = bodyOf<EESRegistrationResp>(response).onboardingInformation ?? {}
  return new X509Certificate(eesCertificate)
}
