import { authenticate, type EecOptions } from '../src/eec/index.ts'

/**
 * An EEC in a program: it authenticates with the key of its UE, asks the ECS for EESs, registers at one of them and asks
 * which applications are there. The UE serves ("edgeward ue serve"), and has allowed this EEC ("edgeward ue allow"); the
 * address of the ECS and the root of its certificate come with the configuration of the edge.
 */
export async function useEdge(edge: EecOptions, eesId: string) {
  // If authentication fails this throws: no other method is tried than those that `edge.methods` names.
  const session = await authenticate(edge)
  try {
    // With the answer comes a token for each EES, bound to a key of this EEC.
    const found = await session.provision({}, { eesTokens: true })
    const eess = (found?.ednCnfgInfo ?? []).flatMap((info) => info.eess)
    const info = eess.find((each) => each.eesId === eesId)
    if (info === undefined) return undefined

    const ees = await session.openEes(info)
    try {
      const { registrationId } = await ees.register({})
      const { discoveredEas } = await ees.discover({})
      return { registrationId, easIds: discoveredEas.map(({ eas }) => eas.easId) }
    } finally {
      ees.close()
    }
  } finally {
    session.close()
  }
}
