import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeCertificationRequest } from '../../certificates/certification-request.ts'
import { authenticate, type EasDiscoveryResp, type EcsSession, type EESInfo } from '../../eec/index.ts'
import { certifyEas } from '../../ees/adapters/eas-authority.ts'
import { openPeer } from '../../http/client.ts'
import { requireStatus } from '../../http/response.ts'
import { signerOf } from '../../ports/signer.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import { parseEecId } from '../../spec/subscriber-identifiers.ts'
import { clientTls } from '../../tls/client.ts'
import { credentialFile } from '../../ue/index.ts'
import { EEC } from './core.ts'
import { type EcsOfEdge, type Edge, EES1 } from './edge.ts'
import { admitTokensAtEes, type Verification } from './entitlement-server.ts'
import { type Audience, type Figure, play, type Stage } from './figure.ts'
import type { ServerProcess } from './process.ts'

const STEP = 'TR 33.739 6.25.2 step'
const EAS = 'eas-video.example.com'

const CASES: Record<Verification, string> = {
  certificate: 'the ECS verifies the token by the certificate of the entitlement server',
  introspection: 'the ECS asks the entitlement server about the token',
}

/** P2 at one ECS: a token of the entitlement server admits the device, and nothing else does. */
export function playEntitlement(edge: Edge, ecs: EcsOfEdge, way: Verification, audience: Audience): Promise<Figure> {
  return play('P2', `${CASES[way]}, ${ecs.name}`, audience, async (stage) => {
    const session = await authenticateByToken(edge, ecs, stage)
    try {
      await provision(session, stage)
      await refuseStranger(edge, ecs, stage)
    } finally {
      session.close()
    }
  })
}

/** P2, on to an EES of the ECS: the device registers there, and discovers an EAS. */
export function playDiscovery(edge: Edge, ecs: EcsOfEdge, audience: Audience): Promise<Figure> {
  return play('P2', 'UE, entitlement server, ECS, EES, discovered EAS', audience, async (stage) => {
    const folder = join(edge.folder, 'ees1')
    await admitTokensAtEes(edge.core.folder, folder)
    const eas = await makeEas(folder)
    const server = await edge.start('ees1', 'ees', 'serve', '--dir', folder)
    try {
      await registerEas(edge, ecs, server, eas, stage)
      const session = await authenticateByToken(edge, ecs, stage)
      try {
        const [info] = (await provision(session, stage)).filter(({ eesId }) => eesId === 'ees1')
        if (info === undefined) throw new Error('the ECS does not name the EES')
        for (const method of ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN'] as const) {
          await discover(session, { ...info, eesAuthMethods: [method] }, originOf(server, 'server'), stage)
        }
      } finally {
        session.close()
      }
    } finally {
      await server.stop()
    }
  })
}

async function authenticateByToken(edge: Edge, { server, folder }: EcsOfEdge, stage: Stage): Promise<EcsSession> {
  const eecId = parseEecId(EEC)
  if (eecId === undefined) throw new Error('the EEC has no EEC ID')
  return authenticate({
    credential: credentialFile(edge.ue, eecId),
    ecs: originOf(server, 'server'),
    root: await readFile(join(folder, 'ca', 'root.crt'), 'utf8'),
    methods: ['ENTITLEMENT_TOKEN'],
    entitlement: {
      server: originOf(edge.serverOf('entitlement'), 'server'),
      root: await readFile(join(edge.core.folder, 'ca', 'root.crt'), 'utf8'),
    },
    resolve: edge.resolve,
    progress: stage,
  })
}

function provision(session: EcsSession, stage: Stage): Promise<EESInfo[]> {
  const told = (eess: readonly EESInfo[]) =>
    `service provisioning, with the token and a proof: ${eess.map(({ eesId }) => eesId).join(', ') || 'no EES'}`
  return stage.step({ clause: `${STEP} 2`, from: 'EEC', to: session.ecs.fqdn }, told, async () => {
    const found = await session.provision()
    return (found?.ednCnfgInfo ?? []).flatMap(({ eess }) => eess)
  })
}

/** "No client authentication" is nothing that anybody could choose (THREATS NG-01). */
async function refuseStranger(edge: Edge, { server, folder }: EcsOfEdge, stage: Stage): Promise<void> {
  const root = await readFile(join(folder, 'ca', 'root.crt'), 'utf8')
  const peer = openPeer(originOf(server, 'server'), clientTls([root]), edge.resolve)
  const message = {
    method: 'POST',
    path: '/eecs-serviceprovisioning/v1/request',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ eecId: EEC }),
  } as const
  await stage.refused(
    { clause: `${STEP} 2`, from: 'stranger', to: server.fqdn },
    'the same request without a credential: 401',
    async () => requireStatus(await peer.request(message), 200),
    (error) => error instanceof Error && 'status' in error && error.status === 401,
  )
  peer.close()
}

async function discover(session: EcsSession, info: EESInfo, apiRoot: string, stage: Stage): Promise<void> {
  const ees = await session.openEes(info, { apiRoot })
  const arrow = (clause: string) => ({ clause, from: 'EEC', to: ees.ees.fqdn })
  const found = ({ discoveredEas }: EasDiscoveryResp) =>
    `EAS discovery: ${discoveredEas.map(({ eas }) => `${eas.easId} at ${eas.endPt.uri ?? eas.endPt.fqdn}`).join(', ') || 'no EAS'}`
  try {
    const { registrationId } = await stage.step(
      arrow('TS 24.558 5.2'),
      `EEC registration by ${ees.method}, with a proof`,
      () => ees.register(),
    )
    await stage.step(arrow('TS 24.558 5.3'), found, async () => {
      const answer = await ees.discover()
      if (answer.discoveredEas.length === 0) throw new Error('the EES has no EAS for this EEC')
      return answer
    })
    await stage.step(arrow('TS 24.558 5.2'), 'the registration ends', () => ees.deregister(registrationId))
  } finally {
    ees.close()
  }
}

interface Eas {
  /** PEM */
  readonly certificateChain: string
  readonly privateKey: string
}

/** An EAS with a certificate of the authority of its EES. @param folder - of the EES */
async function makeEas(folder: string): Promise<Eas> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const csr = await writeCertificationRequest({ fqdn: EAS as Fqdn, signer: signerOf(privateKey) })
  const certificateChain = await certifyEas(folder, EES1, { csr, easId: EAS })
  return { certificateChain, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

async function registerEas(edge: Edge, ecs: EcsOfEdge, server: ServerProcess, eas: Eas, stage: Stage): Promise<void> {
  const root = await readFile(join(ecs.folder, 'ca', 'root.crt'), 'utf8')
  const peer = openPeer(originOf(server, 'mtls'), clientTls([root], eas), edge.resolve)
  const { method, path } = OPERATIONS.CreateEASRegistration
  const body = JSON.stringify({ easProf: { easId: EAS, endPt: { uri: `https://${EAS}/` } } })
  await stage.step({ clause: 'TS 29.558 8.1', from: 'EAS', to: server.fqdn }, `${EAS} registers`, async () => {
    requireStatus(await peer.request({ method, path, headers: { 'content-type': 'application/json' }, body }), 201)
  })
  peer.close()
}

function originOf({ fqdn, listeners }: ServerProcess, listener: string): string {
  return `https://${fqdn}:${new URL(listeners[listener] ?? '').port}`
}
