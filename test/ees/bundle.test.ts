import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { readBundle } from '../../src/ees/onboarding/bundle.ts'
import { sha256 } from '../../src/octets/digest.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { anEcs, ECS_FQDN, EES_FQDN, EES_ID, ONBOARDING_TOKEN } from './an-ecs.ts'

const ecs = await anEcs()
const other = await aDomain()
const [leaf = ''] = await ecs.certify(other.root.certificate.spki)
const fingerprintOf = (pem: string) => sha256(readCertificate(pem).der).toString('hex')

describe('the bundle of onboarding information: TR 33.839 6.Y.2 step 1 (D-1)', () => {
  test('is read, with its fingerprint as people copy it', () => {
    const capitals = ecs
      .bundleFile()
      .rootFingerprint.toUpperCase()
      .replaceAll(/..(?=.)/g, '$&:')
    for (const rootFingerprint of [ecs.bundleFile().rootFingerprint, capitals]) {
      const bundle = ecs.bundle({ rootFingerprint })
      assert.deepEqual(bundle.ecs, { apiRoot: ecs.origins.server, fqdn: ECS_FQDN })
      assert.equal(bundle.eesId, EES_ID)
      assert.equal(bundle.fqdn, EES_FQDN)
      assert.equal(bundle.onboardingToken, ONBOARDING_TOKEN)
    }
  })

  test('ON-16: is printed and written as JSON without its token', () => {
    const bundle = ecs.bundle()
    const shown = `${inspect(bundle, { showHidden: true, depth: 9 })} ${JSON.stringify(bundle)} ${JSON.stringify({ ...bundle })}`
    assert.ok(shown.includes(EES_ID))
    assert.ok(!shown.includes(ONBOARDING_TOKEN))
  })

  test('ON-16: what is wrong with a bundle is told without its token', () => {
    for (const text of [`${ONBOARDING_TOKEN}`, JSON.stringify({ onboardingToken: ONBOARDING_TOKEN })]) {
      assert.throws(
        () => readBundle(text),
        (error: Error) => error.name === 'NotUsable' && !inspect(error).includes(ONBOARDING_TOKEN),
      )
    }
  })

  const unusable: Record<string, object> = {
    'the fingerprint of another root': { rootFingerprint: 'ab'.repeat(32) },
    'a part of the fingerprint': { rootFingerprint: ecs.bundleFile().rootFingerprint.slice(0, 32) },
    'no fingerprint': { rootFingerprint: '' },
    'another root under the same fingerprint': { root: other.root.certificate.der.toString('base64') },
    'a root that is no certificate authority': { root: leaf, rootFingerprint: fingerprintOf(leaf) },
    'two roots': { root: ecs.rootPem + ecs.rootPem },
    'an ECS without TLS': { ecs: { apiRoot: `http://${ECS_FQDN}`, fqdn: ECS_FQDN } },
    'an address of another host': { ecs: { apiRoot: 'https://ecs2.ecsp.example', fqdn: ECS_FQDN } },
    'a host before an @': { ecs: { apiRoot: `https://${ECS_FQDN}@evil.example`, fqdn: ECS_FQDN } },
    'a path after the origin': { ecs: { apiRoot: `https://${ECS_FQDN}/elsewhere`, fqdn: ECS_FQDN } },
    'an ECS that is an address': { ecs: { apiRoot: 'https://192.0.2.1', fqdn: '192.0.2.1' } },
    'an EES ID that is a path': { eesId: '../ees' },
    'no FQDN of the EES': { fqdn: undefined },
    'no token': { onboardingToken: '' },
    'an end without time': { expires: 'tomorrow' },
  }
  for (const [name, changes] of Object.entries(unusable)) {
    test(`ON-07: is refused with ${name}`, () => {
      assert.throws(() => ecs.bundle(changes), { name: 'NotUsable' })
    })
  }
})
