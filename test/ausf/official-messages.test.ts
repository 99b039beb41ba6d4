import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { NUDM_UEAU, pathOf } from '../../src/spec/core-operations.ts'
import { officialSchema, withoutOfficialFiles } from '../spec/official.ts'
import { officialValidator } from '../spec/validators.ts'
import { runUdm, SET_1 as UDM_SET_1 } from '../udm/a-udm.ts'
import {
  authCtxIdOf,
  authenticate,
  authenticated,
  eapSession,
  eapUe,
  type RunningCore,
  runCore,
  SERVING_NETWORK,
  SET_1,
} from './a-core.ts'

const AUSF_FILE = 'TS29509_Nausf_UEAuthentication.yaml'
const UDM_FILE = 'TS29503_Nudm_UEAU.yaml'
const COMMON_FILE = 'TS29571_CommonData.yaml'

function assertOfficial(file: string, name: string, message: unknown): void {
  const accepts = officialValidator(officialSchema(file, name))
  assert.ok(accepts(message), `${name}: ${JSON.stringify(accepts.errors)}`)
}

describe('what UDM and AUSF answer is what the OpenAPI files say', { skip: withoutOfficialFiles }, () => {
  let core: RunningCore
  const eapSupi = 'imsi-001010000000002'
  before(async () => {
    const fresh = { ...SET_1, sqn: '000000000000' }
    core = await runCore({
      subscribers: [fresh, { ...fresh, supi: eapSupi as typeof SET_1.supi, authMethod: 'EAP_AKA_PRIME' }],
    })
  })
  after(() => core.close())

  test('UEAuthenticationCtx, ConfirmationDataResponse', async () => {
    assertOfficial(AUSF_FILE, 'UEAuthenticationCtx', (await authenticate(core.seaf)).body)
    assertOfficial(AUSF_FILE, 'ConfirmationDataResponse', (await authenticated(core.seaf)).confirmed.body)
  })

  test('EapSession, with a new challenge and at the end', async () => {
    const started = await authenticate(core.seaf, { supiOrSuci: eapSupi })
    assertOfficial(AUSF_FILE, 'UEAuthenticationCtx', started.body)
    const authCtxId = authCtxIdOf(started)
    const first = eapUe(String(started.body['5gAuthData']), eapSupi)
    const ongoing = await eapSession(core.seaf, authCtxId, first.syncFailure(2 ** 40))
    assertOfficial(AUSF_FILE, 'EapSession', ongoing.body)
    const done = await eapSession(core.seaf, authCtxId, eapUe(ongoing.body.eapPayload ?? '', eapSupi).response())
    assert.equal(done.body.authResult, 'AUTHENTICATION_SUCCESS')
    assertOfficial(AUSF_FILE, 'EapSession', done.body)
  })

  test('ProblemDetails', async () => {
    assertOfficial(COMMON_FILE, 'ProblemDetails', (await authenticate(core.seaf, { servingNetworkName: 7 })).body)
  })

  test('AuthenticationInfoResult, AuthEvent', async (t) => {
    const udm = await runUdm()
    t.after(() => udm.close())
    await udm.serving.operator.add([{ ...UDM_SET_1, edge: true, eecIds: ['eec-1'] }])
    assertOfficial(UDM_FILE, 'AuthenticationInfoResult', (await udm.generate(UDM_SET_1.supi)).body)
    const { ConfirmAuth } = NUDM_UEAU
    const event = {
      nfInstanceId: udm.ausf.nfInstanceId,
      success: false,
      timeStamp: new Date().toISOString(),
      authType: '5G_AKA',
      servingNetworkName: SERVING_NETWORK,
    }
    const confirmed = await udm.ask(ConfirmAuth, { supi: UDM_SET_1.supi }, event)
    assertOfficial(UDM_FILE, 'AuthEvent', confirmed.body)
    assert.match(
      confirmed.location ?? '',
      new RegExp(`${pathOf(ConfirmAuth, { supi: UDM_SET_1.supi })}/[0-9a-f-]{36}$`),
    )
  })
})
