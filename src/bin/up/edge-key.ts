import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AuthenticationStepFailed,
  authenticate,
  type ECSServProvResp,
  type EcsSession,
  RefusedByServer,
  readCredential,
} from '../../eec/index.ts'
import type { Arrow } from '../../ports/progress.ts'
import { EDGE_KEY_RETRIEVAL, NAANF_AKMA, NAUSF_UE_AUTHENTICATION } from '../../spec/core-operations.ts'
import { parseEecId } from '../../spec/subscriber-identifiers.ts'
import { readPrivateFile } from '../../store/private-file.ts'
import { authenticateUe, credentialFile, openUeFolder, servingNetworkOf } from '../../ue/index.ts'
import { EEC, FOREIGN_EEC as FOREIGN, OTHER_EEC as OTHER } from './core.ts'
import type { EcsOfEdge, Edge } from './edge.ts'
import { type Audience, type Figure, play, type Stage } from './figure.ts'
import { answeredSince, markLog } from './server-log.ts'

/** P5, steps 0 to 2: the UE authenticates to its network, and both ends have Kedge. */
export function playPrimaryAuthentication(edge: Edge, audience: Audience): Promise<Figure> {
  return play('P5', 'primary authentication: UE and AUSF derive Kedge', audience, async (stage) => {
    const network = await servingNetworkOf(join(edge.folder, 'core', 'amf'), undefined)
    const ue = await openUeFolder(edge.ue, undefined)
    await authenticateUe(ue, { ...network, resolve: new Map([...edge.resolve, ...(network.resolve ?? [])]) }, stage)
  })
}

/** The credential of one EEC with the name of another. */
async function claimOther(file: string) {
  const own = JSON.parse((await readPrivateFile(file)).toString()) as object
  return readCredential(JSON.stringify({ ...own, eecId: OTHER }))
}

/** The way of the key request: figure 6.x.2-1, or 6.x.2-2. */
type Way = 'ausf' | 'nef'

const CASES: Record<Way, string> = {
  ausf: 'inside the domain: the ECS asks the AUSF for the key',
  nef: 'outside the domain: the ECS asks for the key through the NEF',
}

/** P5, steps 3 to 7 at one ECS, and what the EEC does with its connection. */
export function playEdgeKey(edge: Edge, ecs: EcsOfEdge, way: Way, audience: Audience): Promise<Figure> {
  return play('P5', `${CASES[way]}, ${ecs.name}`, audience, async (stage) => {
    const options = await optionsAt(edge, ecs)
    const credential = credentialOf(edge, EEC)
    const progress = withKeyRequest(stage, edge, ecs, way)
    const session = await authenticate({ ...options, credential, progress })
    try {
      await provision(session, stage)
      await stage.refused(
        { clause: 'TR 33.839 6.x.2.1 step 3', from: 'EEC', to: 'UE' },
        'an EEC that claims to be another one gets no key, and nothing else is tried',
        async () => authenticate({ ...options, credential: await claimOther(credential) }),
        (error) => error instanceof AuthenticationStepFailed,
      )
      await stage.refused(
        { clause: 'TR 33.839 6.x.2.1 step 6', from: 'AUSF', to: ecs.server.fqdn },
        'an EEC ID that is not of this subscriber: no key for it, whatever the UE says',
        () => authenticate({ ...options, credential: credentialOf(edge, FOREIGN) }),
        (error) => error instanceof AuthenticationStepFailed && error.step === 4,
      )
    } finally {
      session.close()
    }
  })
}

/** P2 without a token: a subscriber with AKMA authenticates by it, at an ECS that takes it and at no other one. */
export function playAkma(edge: Edge, audience: Audience): Promise<Figure> {
  const { ecs1, ecs2 } = edge
  return play('P2', `AKMA instead of a token, ${ecs1.name}`, audience, async (stage) => {
    const methods = ['TLS_AKMA'] as const
    const credential = credentialOf(edge, EEC)
    const { fqdn } = ecs1.server
    const keyRequest = {
      log: edge.serverOf('ausf').log,
      operation: NAANF_AKMA.id,
      arrow: { clause: 'TS 33.535 6.2.1 steps 2 to 4', from: fqdn, to: 'AUSF' },
    }
    const isSessionRequest = ({ clause, to }: Arrow) => clause === 'TS 33.535 6.2.1 step 1' && to === fqdn
    const progress = tellAlso(stage, isSessionRequest, [keyRequest], 'key request with A-KID')
    const session = await authenticate({ ...(await optionsAt(edge, ecs1)), credential, methods, progress })
    await provision(session, stage).finally(() => session.close())
    const elsewhere = await optionsAt(edge, ecs2)
    await stage.refused(
      { clause: 'TS 33.558 6.2', from: 'EEC', to: ecs2.server.fqdn },
      'an ECS that does not offer AKMA: the EEC stops, and nothing else is tried',
      () => authenticate({ ...elsewhere, credential, methods }),
      (error) => error instanceof AuthenticationStepFailed && error.step === 'negotiation',
    )
  })
}

function provision(session: EcsSession, stage: Stage) {
  const seen = (found: ECSServProvResp | undefined) =>
    `service provisioning: ${(found?.ednCnfgInfo ?? []).flatMap(({ eess }) => eess.map(({ eesId }) => eesId)).join(', ') || 'no EES'}`
  const arrow = { clause: 'TS 24.558 6.2', from: 'EEC', to: session.ecs.fqdn }
  return stage.step(arrow, seen, () => session.provision())
}

/**
 * Nobody may stand in for a key service that does not answer: no key, no access, and no other method (THREATS KE-13).
 */
export function playWithoutAusf(edge: Edge, audience: Audience): Promise<Figure> {
  return play('P5', 'with the AUSF stopped: refused', audience, async (stage) => {
    const [options, credential] = [await optionsAt(edge, edge.ecs1), credentialOf(edge, OTHER)]
    const arrow = { clause: 'TR 33.839 6.x.2.1 step 5', from: 'operator', to: 'AUSF' }
    await stage.step(arrow, 'the AUSF is stopped', () => edge.serverOf('ausf').stop())
    await stage.refused(
      { clause: 'TR 33.839 6.x.2.1 step 4', from: 'EEC', to: edge.ecs1.server.fqdn },
      'authentication request: 503, there is no key now; the EEC opens no connection, and tries nothing else',
      () => authenticate({ ...options, credential }),
      (error) => error instanceof AuthenticationStepFailed && error.step === 4 && isUnavailable(error.cause),
    )
    await stage.step(arrow, 'the AUSF is started again', () =>
      edge.start('ausf', 'ausf', 'serve', '--dir', join(edge.core.folder, 'ausf')),
    )
    const session = await authenticate({ ...options, credential, progress: stage })
    session.close()
  })
}

const isUnavailable = (cause: unknown) => cause instanceof RefusedByServer && cause.status === 503

async function optionsAt(edge: Edge, { server, folder }: EcsOfEdge) {
  const { port } = new URL(server.listeners['server'] ?? '')
  return {
    ecs: `https://${server.fqdn}:${port}`,
    root: await readFile(join(folder, 'ca', 'root.crt'), 'utf8'),
    resolve: edge.resolve,
  }
}

function credentialOf(edge: Edge, name: string): string {
  const eecId = parseEecId(name)
  if (eecId === undefined) throw new Error('the EEC has no EEC ID')
  return credentialFile(edge.ue, eecId)
}

/** Steps 5 and 6 are between servers: they are told as the logs of those who were asked have them. */
function withKeyRequest(stage: Stage, edge: Edge, { server }: EcsOfEdge, way: Way): Pick<Stage, 'step'> {
  const figure = 'TR 33.839 6.x.2.1 step'
  const ausf = (from: string, clause: string) => ({
    log: edge.serverOf('ausf').log,
    operation: NAUSF_UE_AUTHENTICATION.KeyRequest.id,
    arrow: { clause: `${figure}s ${clause}`, from, to: 'AUSF' },
  })
  const nef = {
    log: edge.serverOf('nef').log,
    operation: EDGE_KEY_RETRIEVAL.id,
    arrow: { clause: `${figure}s 5.1 and 6.2`, from: server.fqdn, to: 'NEF' },
  }
  const asked = way === 'ausf' ? [ausf(server.fqdn, '5 and 6')] : [nef, ausf('NEF', '5.2 and 6.1')]
  return tellAlso(stage, ({ clause }) => clause === `${figure} 4`, asked, 'key request with the Kedge ID')
}

interface Between {
  readonly log: string
  readonly operation: string
  readonly arrow: Arrow
}

/** Tells a step, and after it those that servers took meanwhile. */
function tellAlso(
  stage: Stage,
  isMeant: (arrow: Arrow) => boolean,
  between: readonly Between[],
  message: string,
): Pick<Stage, 'step'> {
  return {
    async step(arrow, told, act) {
      if (!isMeant(arrow)) return stage.step(arrow, told, act)
      const marked = await Promise.all(between.map(async (asked) => ({ ...asked, mark: await markLog(asked.log) })))
      const result = await stage.step(arrow, told, act)
      for (const { mark, operation, arrow: other } of marked) {
        const { status, ms } = await answeredSince(mark, operation)
        stage.recorded(other, `${message} over mutual TLS: ${status}`, ms)
      }
      return result
    },
  }
}
