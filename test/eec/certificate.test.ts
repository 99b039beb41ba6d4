import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { writePem } from '../../src/certificates/pem.ts'
import { ownCertificate } from '../../src/eec/authentication/by-certificate.ts'
import type { EecOptions } from '../../src/eec/index.ts'
import { freePorts } from '../../src/http/free-ports.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { runEcsWithEnts } from '../ecs/an-ent.ts'
import { onboard, type RunningEcs } from '../ecs/running-ecs.ts'
import { anNf, certified } from '../nf/a-network.ts'
import { type AServingUe, aServingUe, EEC_1, EEC_2, VECTOR } from '../ue/a-folder.ts'
import { anEcs, ECS, type EcsOptions } from './an-ecs.ts'
import { authenticateAt, K_ECS, recordedSteps } from './an-eec.ts'

const BY_CERTIFICATE = 'TLS_CLIENT_SERVER_CERTIFICATE'

describe('EEC authentication by certificate: TS 33.558 6.2, the side of the device', () => {
  let ue: AServingUe
  let domain: Awaited<ReturnType<typeof aDomain>>
  let ecs: RunningEcs
  const closing: (() => void)[] = []
  before(async () => {
    ue = await aServingUe()
    domain = await aDomain({ domain: 'device.example', rootCurve: 'P-256' })
    const authority = [domain.issuers.eec, domain.root].map(({ certificate: { der } }) => writePem('CERTIFICATE', der))
    const [port = 0] = await freePorts('127.0.0.1', 1)
    const eecCertificates = { port, authorities: ['eec-authority.crt'], refused: [EEC_2] }
    const files = { 'eec-authority.crt': authority.join('') }
    ecs = await runEcsWithEnts([], () => ({ authentication: { eecCertificates } }), files)
    await onboard(ecs)
  })
  after(async () => {
    for (const close of closing) close()
    await ecs.close()
    await ue.close()
  })

  const certificateOf = async (eecId: string, of = domain) =>
    (await certified(of.issuers.eec, { role: 'eec', eecId })).credential
  const atEcs = async (options: Partial<EecOptions> & { eecId?: typeof EEC_1 } = {}) => {
    const place = {
      apiRoot: `https://${ecs.fqdn}:${new URL(ecs.serving.listeners.server).port}`,
      root: ecs.opened.ca.root(),
      resolve: new Map([[ecs.fqdn as string, '127.0.0.1']]),
    }
    const session = await authenticateAt(place, ue, { methods: [BY_CERTIFICATE], ...options })
    closing.push(() => session.close())
    return session
  }

  test('both show certificates, the EEC is provisioned, and tokens for EESs are bound to its key', async () => {
    const { steps, progress } = recordedSteps()
    const session = await atEcs({ certificate: await certificateOf(EEC_1), progress })
    const found = await session.provision({}, { eesTokens: true })
    assert.equal(found?.ednCnfgInfo[0]?.eess.length, 1)
    assert.deepEqual(steps, [`TS 33.558 6.2: EEC -> ${ecs.fqdn}`, `TS 33.558 6.2: EEC -> ${ecs.fqdn}`])
    assert.ok(session.expiresAt > Date.now())
  })

  test('CA-11: the certificate of another authority, and of an EEC that is shut out, open nothing', async () => {
    const foreign = await aDomain({ domain: 'device.example', rootCurve: 'P-256' })
    for (const [eecId, certificate] of [
      [EEC_1, await certificateOf(EEC_1, foreign)],
      [EEC_2, await certificateOf(EEC_2)],
    ] as const) {
      const attempt = atEcs({ eecId, certificate }).then((session) => session.provision())
      await assert.rejects(attempt, ({ name }: Error) => /^(PeerUnavailable|AuthenticationStepFailed)$/.test(name))
    }
  })

  test('NG-04: an EEC does not begin with the certificate of another one, of an NF, or with none that is good', async () => {
    const ofNf = (await certified(domain.issuers.nf, anNf('nf1.device.example'))).credential
    const own = await certificateOf(EEC_1)
    for (const certificate of [await certificateOf(EEC_2), ofNf, { ...own, certificateChain: 'none' }]) {
      await assert.rejects(atEcs({ certificate }), { name: 'NotUsable' })
    }
    const { expiresAt } = ownCertificate(own, EEC_1, Date.now())
    assert.throws(() => ownCertificate(own, EEC_1, expiresAt + 1), { name: 'NotUsable', message: /not valid now/ })
    await assert.rejects(atEcs(), { name: 'NotUsable', message: /nothing to authenticate with/ })
  })

  const started = async (options: EcsOptions) => {
    const other = await anEcs({ offer: [BY_CERTIFICATE, 'TLS_KEDGE'], ...options })
    other.keys.set(VECTOR.pskIdentity, K_ECS)
    closing.push(other.close)
    return other
  }

  for (const [name, edge_eec_certificate_root] of [
    ['nowhere', undefined],
    ['at another host', 'https://other.example.com:8446'],
    ['at an address', 'https://127.0.0.1:8446'],
    ['without TLS', `http://${ECS}:80`],
  ] as const) {
    test(`NG-03: an ECS that takes certificates ${name} gets none, and Kedge is not tried in its place`, async () => {
      const other = await started({ metadata: { edge_eec_certificate_root } })
      const options = { methods: [BY_CERTIFICATE, 'TLS_KEDGE'] as const, certificate: await certificateOf(EEC_1) }
      await assert.rejects(authenticateAt(other, ue, options), { step: 'negotiation' })
      assert.deepEqual([other.received, other.offered], [[], []])
    })
  }

  test('NG-02: an ECS that offered more than the EEC has seen, or does not say, is not relied on', async () => {
    const certificate = await certificateOf(EEC_1)
    for (const repeated of [[BY_CERTIFICATE], [], null]) {
      const session = await authenticateAt(await started({ repeated }), ue, { methods: [BY_CERTIFICATE], certificate })
      closing.push(() => session.close())
      await assert.rejects(session.provision(), { name: 'AnswerNotAccepted', message: /offered/ })
    }
    const session = await authenticateAt(await started({}), ue, { methods: [BY_CERTIFICATE], certificate })
    closing.push(() => session.close())
    assert.ok(await session.provision())
  })
})
