import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { x5tS256 } from '../../src/certificates/certificate.ts'
import type { Peer, Response } from '../../src/http/client.ts'
import { issueAccessToken } from '../../src/tokens/access-token.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { officialDocument, officialSchema, withoutOfficialFiles } from '../spec/official.ts'
import { officialValidator } from '../spec/validators.ts'
import { eecId, scope } from '../tokens/parties.ts'
import { EES_FQDN } from './an-ecs.ts'
import { anEcsOnTls, anEec, ask, bodyOf, derOf, type Eec, RELOCATION, type RunningEes, runEes } from './running-ees.ts'

const FILES = {
  eec: 'TS24558_Eees_EECRegistration.yaml',
  eas: 'TS29558_Eees_EASRegistration.yaml',
  discovery: 'TS24558_Eees_EASDiscovery.yaml',
  relocation: 'TS29558_Eees_EECContextRelocation.yaml',
}
const SOURCE = fqdn('ees2.ecsp.example')
const GPSI = 'msisdn-491701234567'

/** What is answered is an answer that the file has for the operation, and of the type that it gives. */
function assertOfficial(response: Response, file: string, operationId: string, type?: string): void {
  const operations = Object.values(officialDocument(file).paths).flatMap((methods) => Object.values(methods))
  const operation = operations.find((each) => each.operationId === operationId) as { responses?: object } | undefined
  assert.ok(Object.hasOwn(operation?.responses ?? {}, response.status), `${operationId}: ${response.status}`)
  if (type === undefined) return
  const accepts = officialValidator(officialSchema(file, type))
  assert.ok(accepts(bodyOf(response)), `${type}: ${JSON.stringify(accepts.errors)} ${response.body}`)
}

describe('what an EES answers is what the OpenAPI files say', { skip: withoutOfficialFiles }, () => {
  let ecs: Awaited<ReturnType<typeof anEcsOnTls>>
  let ees: RunningEes
  let server: Peer
  let eas: Peer
  let eec: Eec

  before(async () => {
    ecs = await anEcsOnTls()
    ees = await runEes(ecs.ecs, { notifications: { hosts: ['eec.example'] } })
    const credential = await ees.credentialOfEas('eas-1')
    for (let attempt = 0; attempt < 100; attempt++) {
      eas = ees.connect('mtls', credential)
      const seen = await ask(eas, 'GET', '/eees-easregistration/v1/registrations/none').catch(() => undefined)
      if (seen !== undefined) break
      await wait(100)
    }
    server = ees.connect('server')
    eec = await anEec(ecs.ecs, 'eec-1', { gpsi: GPSI })
  })
  after(async () => {
    await ees.close()
    ecs.network.close()
  })

  test('Eees_EASRegistration', async () => {
    const root = '/eees-easregistration/v1/registrations'
    const easProf = { easId: 'eas-1', endPt: { fqdn: 'eas-1.app.example' }, provId: 'p1', easFeats: ['a'] }
    const created = await ask(eas, 'POST', root, { easProf, suppFeat: '1' })
    assertOfficial(created, FILES.eas, 'CreateEASRegistration', 'EASRegistration')
    const location = created.headers.location ?? ''
    assertOfficial(await ask(eas, 'GET', location), FILES.eas, 'ReadIndEASRegistration', 'EASRegistration')
    const put = await ask(eas, 'PUT', location, { easProf })
    assertOfficial(put, FILES.eas, 'UpdateIndEASRegistration', 'EASRegistration')
    const patched = await ask(eas, 'PATCH', location, { expTime: null })
    assertOfficial(patched, FILES.eas, 'ModifyIndEASRegistration', 'EASRegistration')
    const refused = await ask(eas, 'PUT', location, { easProf: { ...easProf, easId: 'eas-2' } })
    assertOfficial(refused, FILES.eas, 'UpdateIndEASRegistration')
  })

  test('Eees_EECRegistration', async () => {
    const content = { eecId: 'eec-1', ueId: GPSI, acProfs: [{ acId: 'ac-1' }], eecSvcContSupp: ['EEC_INITIATED'] }
    const created = await eec.ask(server, 'POST', '/eees-eecregistration/v1/registrations', content)
    assertOfficial(created, FILES.eec, 'CreateEECReg', 'EECRegistration')
    const location = created.headers.location ?? ''
    const put = await eec.ask(server, 'PUT', location, content)
    assertOfficial(put, FILES.eec, 'UpdateIndEECReg', 'EECRegistration')
    const patched = await eec.ask(server, 'PATCH', location, { ueMobilityReq: true })
    assertOfficial(patched, FILES.eec, 'ModifyIndEECReg', 'EECRegistration')
    assertOfficial(await eec.ask(server, 'DELETE', `${location}0`), FILES.eec, 'DeleteIndEECReg')
  })

  test('Eees_EASDiscovery', async () => {
    const asked = { requestorId: { eecId: 'eec-1' }, easDiscoveryFilter: { easChars: [{ easId: 'eas-1' }] } }
    const found = await eec.ask(server, 'POST', '/eees-easdiscovery/v1/eas-profiles/request-discovery', asked)
    assertOfficial(found, FILES.discovery, 'GetEASDiscInfo', 'EasDiscoveryResp')
    assert.equal(bodyOf(found).discoveredEas.length, 1)
    const subscription = {
      eecId: 'eec-1',
      easEventType: 'EAS_AVAILABILITY_CHANGE',
      notificationDestination: 'https://eec.example/notify',
      notificationSecret: 'a-secret-of-one-subscriber',
    }
    const created = await eec.ask(server, 'POST', '/eees-easdiscovery/v1/subscriptions', subscription)
    assertOfficial(created, FILES.discovery, 'CreateEASDiscSub', 'EasDiscoverySubscription')
    const location = created.headers.location ?? ''
    const put = await eec.ask(server, 'PUT', location, subscription)
    assertOfficial(put, FILES.discovery, 'UpdateIndEASDiscSub', 'EasDiscoverySubscription')
    const patched = await eec.ask(server, 'PATCH', location, { easEventType: 'EAS_DYNAMIC_INFO_CHANGE' })
    assertOfficial(patched, FILES.discovery, 'ModifyIndEASDiscSub', 'EasDiscoverySubscription')
    assertOfficial(await eec.ask(server, 'DELETE', location), FILES.discovery, 'DeleteIndEASDiscSub')
  })

  test('Eees_EECContextRelocation', async () => {
    const credential = await ecs.ecs.credentialFor(SOURCE)
    const peer = ees.connect('mtls', credential)
    const token = await issueAccessToken(
      {
        iss: ecs.ecs.origins.server,
        sub: SOURCE,
        aud: EES_FQDN,
        scope: scope(RELOCATION),
        certificateThumbprint: x5tS256(derOf(credential)),
        eecId: eecId('eec-2'),
      },
      { signer: ecs.ecs.tokenSigner, now: Date.now(), jti: 'one', lifetime: 300 },
    )
    const root = '/eees-eeccontextreloc/v1/eec-contexts'
    const eecCntx = {
      eecId: 'eec-2',
      cntxId: 'c-1',
      ueId: GPSI,
      acProfs: [{ acId: 'ac-1' }],
      eecSrvContSupp: { srvContSupp: true, acrScenarios: ['EEC_INITIATED'] },
      ueMobSuppInd: true,
    }
    const pushed = await ask(peer, 'POST', root, { eesId: SOURCE, eecCntx }, token)
    assertOfficial(pushed, FILES.relocation, 'PushEecContexts', 'EECContextPushRes')
    const [, held] = await ees.serving.operator.listEecs('', 10)
    const query = new URLSearchParams({ 'ees-id': SOURCE, 'eec-cntx-id': held?.contextId ?? '' })
    const pulled = await ask(peer, 'GET', `${root}?${query}`, undefined, token)
    assertOfficial(pulled, FILES.relocation, 'PullEecContexts', 'EECContext')
    const missing = await ask(peer, 'GET', `${root}?ees-id=${SOURCE}&eec-cntx-id=none`, undefined, token)
    assertOfficial(missing, FILES.relocation, 'PullEecContexts')
  })
})
