import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EASBundleInfo } from '../../src/spec/messages/eas-bundle.ts'
import { ACRScenario, EESProfile } from '../../src/spec/messages/ees-registration.ts'
import { EndPoint } from '../../src/spec/messages/end-point.ts'
import { OnboardingInformation } from '../../src/spec/messages/onboarding-information.ts'
import { AuthResult, UEAuthenticationCtx } from '../../src/spec/messages/ue-authentication.ts'
import { ourValidator } from './validators.ts'

/** What the compiler refuses here, the validator must refuse as well, and the other way round. */
describe('the forms of data types are types and schemas alike', () => {
  test('exactly one of some members', () => {
    const accepts = ourValidator(EndPoint)
    const byName: EndPoint = { fqdn: 'ees-1.example.com' }
    // @ts-expect-error two ways to reach it
    const both: EndPoint = { fqdn: 'ees-1.example.com', uri: 'https://ees-1.example.com' }
    // @ts-expect-error none
    const none: EndPoint = {}
    assert.deepEqual(
      [byName, both, none].map((endPoint) => accepts(endPoint)),
      [true, false, false],
    )
  })

  test('at least one of some members', () => {
    const accepts = ourValidator(EASBundleInfo)
    const one: EASBundleInfo = { bdlType: 'PROXY', bdlId: 'b' }
    const both: EASBundleInfo = { bdlType: 'PROXY', bdlId: 'b', easIdsList: ['eas-1'] }
    // @ts-expect-error neither
    const none: EASBundleInfo = { bdlType: 'PROXY' }
    assert.deepEqual(
      [one, both, none].map((info) => accepts(info)),
      [true, true, false],
    )
  })

  test('an open enumeration takes any string, a closed one its own', () => {
    const future: ACRScenario = 'DECIDED_BY_A_LATER_RELEASE'
    // @ts-expect-error not one of them
    const unknown: AuthResult = 'AUTHENTICATION_PERHAPS'
    assert.ok(ourValidator(ACRScenario)(future))
    assert.ok(!ourValidator(AuthResult)(unknown))
  })

  test('one of two schemas', () => {
    const context: UEAuthenticationCtx = { authType: 'EAP_AKA_PRIME', '5gAuthData': null, _links: {} }
    // @ts-expect-error a number is neither a vector nor an EAP packet
    const number: UEAuthenticationCtx = { authType: 'EAP_AKA_PRIME', '5gAuthData': 7, _links: {} }
    assert.deepEqual(
      [context, number].map((ctx) => ourValidator(UEAuthenticationCtx)(ctx)),
      [true, false],
    )
  })

  test('a map may lack any key', () => {
    const profile: EESProfile = { eesId: 'ees-1', endPt: { uri: 'https://ees-1.example.com' }, eecRegConf: false }
    const withLoad: EESProfile = { ...profile, easLoadInfoList: { 'eas-1': { loadLevel: 7 } } }
    // @ts-expect-error there may be no such EAS
    const load = () => withLoad.easLoadInfoList?.['eas-2'].loadLevel
    assert.throws(load, TypeError)
    assert.ok(ourValidator(EESProfile)(withLoad))
  })

  test('a member that must be absent', () => {
    // @ts-expect-error a request and a proof
    const both: OnboardingInformation = { csr: 'AAAA', proof: 'e30.e30.AAAA' }
    assert.ok(!ourValidator(OnboardingInformation)(both))
  })
})
