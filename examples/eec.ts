import { readFile } from 'node:fs/promises'
import { authenticate } from '../src/eec/index.ts'

/**
 * An EEC in a program: it authenticates with the key of its UE and asks for EESs. The UE serves ("edgeward ue serve"), and
 * has allowed this EEC ("edgeward ue allow"); the address of the ECS and the root of its certificate come with the
 * configuration of the edge.
 */
export async function findEess(credential: string, ecs: string, rootFile: string): Promise<string[]> {
  const session = await authenticate({ credential, ecs, root: await readFile(rootFile, 'utf8') })
  try {
    const found = await session.provision({ ecspIds: ['ecsp-1'] })
    return (found?.ednCnfgInfo ?? []).flatMap(({ eess }) => eess.map(({ eesId }) => eesId))
  } finally {
    session.close()
  }
}
