import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { EesDescription } from '../../src/ecs/operator/describe-ees.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import type { RegistrationRecord } from '../../src/ees/registration/record.ts'
import { openPeer } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { needs } from '../judges.ts'
import { edgeward, edgewardJson, run, type Server, serve, storyFolder } from './program.ts'

/**
 * TR 33.839 6.Y.2, figure 6.Y.2-1, with real processes, real stores and real TLS: an operator, an ECS, a vendor with an
 * EES, and at the end somebody who cheats.
 */
describe('P1, an EES goes from a bundle to a registered, certified server: TR 33.839 6.Y.2', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let ecs: Server
  let bundle: Bundle
  const resolve = ['--resolve', 'ecs1.example.com=127.0.0.1']
  const profile = { eesId: 'ees-1', endPt: { fqdn: 'ees1.example.com' }, eecRegConf: true, easIds: ['eas-1'] }

  before(async () => {
    story = await storyFolder()
    await edgewardJson('ecs', 'init', '--dir', story.at('ecs1'), '--fqdn', 'ecs1.example.com')
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs1'))
    writeFileSync(story.at('profile.json'), JSON.stringify(profile))
  })
  after(async () => {
    await ecs.stop()
    await story.remove()
  })

  test('step 1: the EES obtains its onboarding credential out of band', async () => {
    const dir = story.at('ecs1')
    bundle = await edgewardJson('ecs', 'invite', '--dir', dir, '--ees-id', 'ees-1', '--fqdn', 'ees1.example.com')
    writeFileSync(story.at('bundle.json'), JSON.stringify(bundle))
    const root = new X509Certificate(bundle.root)
    assert.equal(root.fingerprint256.replaceAll(':', '').toLowerCase(), bundle.rootFingerprint)
    assert.equal(bundle.ecs.fqdn, 'ecs1.example.com')
    assert.ok(Date.parse(bundle.expires) - Date.now() <= 3_600_000)
  })

  test('steps 2 to 5: TLS, registration with token, profile and key; registration ID, certificate and token come back', async () => {
    const files = [
      '--bundle',
      story.at('bundle.json'),
      '--profile',
      story.at('profile.json'),
      '--dir',
      story.at('ees1'),
    ]
    const record = await edgewardJson<RegistrationRecord>('ees', 'onboard', ...files, ...resolve)
    assert.deepEqual(record.registration.eesProf, profile)
    const certificate = new X509Certificate(readFileSync(story.at('ees1', 'ees.crt')))
    assert.match(
      certificate.subjectAltName ?? '',
      new RegExp(`DNS:ees1.example.com, URI:urn:uuid:${record.registrationId}`),
    )
    assert.equal(statSync(story.at('ees1', 'ees.key')).mode & 0o777, 0o600)
    const again = await edgewardJson<RegistrationRecord>('ees', 'onboard', ...files, ...resolve)
    assert.equal(again.registrationId, record.registrationId, 'a second call finds the registration')
  })

  test('update: the profile is replaced', async () => {
    writeFileSync(story.at('profile.json'), JSON.stringify({ ...profile, easIds: ['eas-1', 'eas-2'] }))
    await edgewardJson('ees', 'update', '--dir', story.at('ees1'), '--profile', story.at('profile.json'))
    const shown = await edgewardJson<EesDescription>('ecs', 'ees', 'show', 'ees-1', '--dir', story.at('ecs1'))
    assert.deepEqual(shown.eesProf.easIds, ['eas-1', 'eas-2'])
  })

  test('renewal: a new key and certificate by the power of the old', async () => {
    const before = readFileSync(story.at('ees1', 'ees.key'), 'utf8')
    const { serial } = await edgewardJson<{ serial: string }>('ees', 'renew', '--dir', story.at('ees1'), '--new-key')
    assert.notEqual(readFileSync(story.at('ees1', 'ees.key'), 'utf8'), before)
    const { certificates } = await edgewardJson<EesDescription>(
      'ecs',
      'ees',
      'show',
      'ees-1',
      '--dir',
      story.at('ecs1'),
    )
    assert.equal(certificates.find((certificate) => certificate.serial === serial)?.state, 'issued')
  })

  test(
    'openssl verifies the certificate strictly, against the published revocation list',
    needs('openssl'),
    async () => {
      const crl = await fetchCrl(bundle)
      writeFileSync(story.at('ees-issuer.pem'), readFileSync(story.at('ecs1', 'ca', 'ees-issuer.crt')))
      writeFileSync(story.at('ees.crl'), crl)
      const anchors = [
        '-CAfile',
        story.at('ees1', 'ca.crt'),
        '-untrusted',
        story.at('ees-issuer.pem'),
        '-purpose',
        'sslclient',
      ]
      const verified = await run('openssl', [
        'verify',
        '-x509_strict',
        ...anchors,
        '-crl_check',
        '-CRLfile',
        story.at('ees.crl'),
        story.at('ees1', 'ees.crt'),
      ])
      assert.equal(verified.code, 0, verified.stderr)
    },
  )

  test('deregistration: the EES ends it, and nothing of it works any more', async () => {
    const record = JSON.parse(readFileSync(story.at('ees1', 'registration.json'), 'utf8')) as RegistrationRecord
    await edgewardJson('ees', 'deregister', '--dir', story.at('ees1'))
    const shown = await edgewardJson<EesDescription>(
      'ecs',
      'ees',
      'show',
      record.registrationId,
      '--dir',
      story.at('ecs1'),
    )
    assert.equal(shown.state, 'deregistered')
    assert.ok(shown.certificates.every(({ state }) => state === 'revoked'))
    assert.equal(existsSync(story.at('ees1', 'registration.json')), false)
  })

  test('the cheat: the same token with another key is refused, and changes nothing', async () => {
    const before = await edgewardJson('ecs', 'ees', 'list', '--dir', story.at('ecs1'))
    const files = [
      '--bundle',
      story.at('bundle.json'),
      '--profile',
      story.at('profile.json'),
      '--dir',
      story.at('thief'),
    ]
    const { code, stderr } = await edgeward('ees', 'onboard', ...files, ...resolve)
    assert.equal(code, 1)
    assert.match(stderr, /ONBOARDING_TOKEN_USED/)
    assert.deepEqual(await edgewardJson('ecs', 'ees', 'list', '--dir', story.at('ecs1')), before)
  })

  test('OP-02, OP-01: the audit trail is whole, the ECS stops when told to, and refuses to start in a dangerous setting', async () => {
    const verdict = await edgewardJson<{ ok: boolean; records: number }>(
      'ecs',
      'audit',
      'verify',
      '--dir',
      story.at('ecs1'),
    )
    assert.equal(verdict.ok, true)
    assert.equal(await ecs.stop(), 0)
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    const refused = await run(process.execPath, ['bin/edgeward.mjs', 'ecs', 'serve', '--dir', story.at('ecs1')], {
      env,
    })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /does not start: NODE_TLS_REJECT_UNAUTHORIZED=0/)
  })

  async function fetchCrl({ ecs: { apiRoot } }: Bundle): Promise<string> {
    const peer = openPeer(apiRoot, clientTls([bundle.root]), new Map([['ecs1.example.com', '127.0.0.1']]))
    const { body } = await peer.request({ method: 'GET', path: '/crl/ees-issuer.crl' })
    peer.close()
    return `-----BEGIN X509 CRL-----\n${body.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`
  }
})
