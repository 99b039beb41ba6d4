import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AuthenticationStepFailed, authenticate, readCredential } from '../../eec/index.ts'
import { parseEecId } from '../../spec/subscriber-identifiers.ts'
import { readPrivateFile } from '../../store/private-file.ts'
import { authenticateUe, credentialFile, openUeFolder, servingNetworkOf } from '../../ue/index.ts'
import { EEC } from './core.ts'
import type { EcsOfEdge, Edge } from './edge.ts'
import { type Audience, type Figure, play } from './figure.ts'

/** P5, steps 0 to 2: the UE authenticates to its network, and both ends have Kedge. */
export function playPrimaryAuthentication(edge: Edge, audience: Audience): Promise<Figure> {
  return play('P5', 'primary authentication: UE and AUSF derive Kedge', audience, async (stage) => {
    const network = await servingNetworkOf(join(edge.folder, 'core', 'amf'), undefined)
    const ue = await openUeFolder(edge.ue, undefined)
    await authenticateUe(ue, { ...network, resolve: new Map([...edge.resolve, ...(network.resolve ?? [])]) }, stage)
  })
}

/** An EEC on the same UE that was never allowed. */
const OTHER = 'eec-2'

/** The credential of one EEC with the name of another. */
async function claimOther(file: string) {
  const own = JSON.parse((await readPrivateFile(file)).toString()) as object
  return readCredential(JSON.stringify({ ...own, eecId: OTHER }))
}

/** P5, steps 3 to 7 at one ECS, and what the EEC does with its connection. */
export function playEdgeKey(edge: Edge, name: string, ecs: EcsOfEdge, audience: Audience): Promise<Figure> {
  return play('P5', name, audience, async (stage) => {
    const eecId = parseEecId(EEC)
    if (eecId === undefined) throw new Error('the EEC has no EEC ID')
    const { port } = new URL(ecs.server.listeners['server'] ?? '')
    const options = {
      ecs: `https://${ecs.server.fqdn}:${port}`,
      root: await readFile(join(ecs.folder, 'ca', 'root.crt'), 'utf8'),
      resolve: edge.resolve,
    }
    const credential = credentialFile(edge.ue, eecId)
    const session = await authenticate({ ...options, credential, progress: stage })
    try {
      const arrow = { clause: 'TS 24.558 6.2', from: 'EEC', to: ecs.server.fqdn }
      const seen = (found: Awaited<ReturnType<typeof session.provision>>) =>
        `service provisioning: ${(found?.ednCnfgInfo ?? []).flatMap(({ eess }) => eess.map(({ eesId }) => eesId)).join(', ') || 'no EES'}`
      await stage.step(arrow, seen, () => session.provision({}))
      await stage.refused(
        { clause: 'TR 33.839 6.x.2.1 step 3', from: 'EEC', to: 'UE' },
        'the key of another EEC is not handed out, and nothing else is tried',
        async () => authenticate({ ...options, credential: await claimOther(credential) }),
        (error) => error instanceof AuthenticationStepFailed,
      )
    } finally {
      session.close()
    }
  })
}
