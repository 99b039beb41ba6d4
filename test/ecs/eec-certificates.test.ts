import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { writePem } from '../../src/certificates/pem.ts'
import { openPeer, type Peer } from '../../src/http/client.ts'
import { freePorts } from '../../src/http/free-ports.ts'
import type { ECSServProvRespWithTokens } from '../../src/spec/messages/ees-tokens.ts'
import { featuresOf } from '../../src/spec/supported-features.ts'
import { clientTls } from '../../src/tls/client.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { anNf, certified } from '../nf/a-network.ts'
import { anEntitledEec, runEcsWithEnts } from './an-ent.ts'
import { notLetIn, refusedWith } from './refusals.ts'
import { bodyOf, onboard, type RunningEcs } from './running-ecs.ts'

const PATH = '/eecs-serviceprovisioning/v1/request'
const EEC_ID = 'eec-1.device.example'

describe('EEC authentication by certificate: TS 33.558 6.2, TLS_CLIENT_SERVER_CERTIFICATE', () => {
  let ecs: RunningEcs
  let domain: Awaited<ReturnType<typeof aDomain>>
  let port: number
  const peers: Peer[] = []
  before(async () => {
    domain = await aDomain({ domain: 'device.example', rootCurve: 'P-256' })
    port = (await freePorts('127.0.0.1', 1))[0] ?? 0
    const authority =
      writePem('CERTIFICATE', domain.issuers.eec.certificate.der) + writePem('CERTIFICATE', domain.root.certificate.der)
    const eecCertificates = { port, authorities: ['eec-authority.crt'], refused: ['eec-stolen'] }
    ecs = await runEcsWithEnts([], () => ({ authentication: { eecCertificates } }), { 'eec-authority.crt': authority })
    await onboard(ecs)
  })
  after(async () => {
    for (const peer of peers) peer.close()
    await ecs.close()
  })

  const connect = async (subject: Parameters<typeof certified>[1] | undefined, of = domain): Promise<Peer> => {
    const issuer = subject && of.issuers[subject.role as 'eec' | 'nf' | 'eas']
    const own = subject && issuer && (await certified(issuer, subject))
    const tls = clientTls([ecs.opened.ca.root()], own?.credential)
    const peer = openPeer(`https://${ecs.fqdn}:${port}`, tls, new Map([[ecs.fqdn, '127.0.0.1']]))
    peers.push(peer)
    return peer
  }
  const ask = (peer: Peer, body: object, headers: Record<string, string> = {}) => {
    const type = { 'content-type': 'application/json' }
    return peer.request({ method: 'POST', path: PATH, headers: { ...type, ...headers }, body: JSON.stringify(body) })
  }

  test('provisioning, with tokens for a key that is proven; the method is offered and repeated', async () => {
    const peer = await connect({ role: 'eec', eecId: EEC_ID })
    const { signer } = anEntitledEec()
    const request = { method: 'POST', uri: `https://${ecs.fqdn}:${port}${PATH}` }
    const dpop = await createDpopProof(request, { signer, now: Date.now(), jti: 'a-proof-that-is-used-once' })
    const response = await ask(peer, { eecId: EEC_ID, suppFeat: featuresOf([64]) }, { dpop })
    assert.equal(response.status, 200, response.body.toString())
    assert.equal(bodyOf<ECSServProvRespWithTokens>(response).eesTokens?.length, 1)
    const methods = 'offered="TLS_CLIENT_SERVER_CERTIFICATE"; chosen="TLS_CLIENT_SERVER_CERTIFICATE"'
    assert.equal(response.headers['edge-auth-methods'], methods)
    const anybody = ecs.anybody()
    const metadata = await anybody.request({ method: 'GET', path: '/.well-known/oauth-authorization-server' })
    const told = bodyOf<Record<string, unknown>>(metadata)
    assert.deepEqual(told['edge_eec_authentication_methods_supported'], ['TLS_CLIENT_SERVER_CERTIFICATE'])
    assert.equal(told['edge_eec_certificate_root'], `https://${ecs.fqdn}:${port}`)
    anybody.close()
  })

  test('NG-04: the EEC of the certificate speaks for itself alone, and for no UE', async () => {
    const peer = await connect({ role: 'eec', eecId: EEC_ID })
    refusedWith(await ask(peer, { eecId: 'eec-2.device.example' }), 'EEC_MISMATCH')
    refusedWith(await ask(peer, { eecId: EEC_ID, ueId: 'msisdn-491710000001' }), 'EEC_MISMATCH')
  })

  test('CA-11: nobody without a certificate, of another role, of another root, or whose EEC is refused, gets in', async () => {
    const foreign = await aDomain({ domain: 'device.example', rootCurve: 'P-256' })
    const strangers = [
      await connect(undefined),
      await connect({ role: 'eas', easId: EEC_ID }),
      await connect(anNf('eec.device.example')),
      await connect({ role: 'eec', eecId: EEC_ID }, foreign),
      await connect({ role: 'eec', eecId: 'eec-stolen' }),
    ]
    for (const peer of strangers) await notLetIn(ask(peer, { eecId: EEC_ID }))
  })
})
