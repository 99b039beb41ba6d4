import type { PeerEntry } from '../../nf/configuration.ts'
import { localUrl, type ServingNf, serveNf } from '../../nf/server/serve-nf.ts'
import { operatorListener } from '../../nf/server/serve-operator.ts'
import { HSS_VECTORS_SCOPE } from '../../spec/core-operations.ts'
import type { OpenUdm } from '../adapters/open-udm.ts'
import { authDataPorts, authEventPorts, udmCommands } from '../adapters/ports.ts'
import { UdmPeer } from '../configuration.ts'
import type { UdmCommands } from '../operator/commands.ts'
import { operatorRoutes } from '../routes/operator-routes.ts'
import { type UdmPeers, ueauRoutes } from '../routes/ueau-routes.ts'

/** Of all that is called, the SUCI of a NAI is the longest (TS 23.003 28.7.3). */
const LONGEST_PARAMETER = 1_000

export interface ServingUdm extends ServingNf {
  readonly listeners: { readonly mtls: string; readonly admin: string }
  /** the operator's commands, without a connection */
  readonly operator: UdmCommands
}

/** @throws ConfigurationError, Error with code EADDRINUSE or EACCES */
export async function serveUdm(udm: OpenUdm): Promise<ServingUdm> {
  const { fqdn, listen } = udm.configuration
  const operator = udmCommands(udm)
  const admin = await operatorListener(udm, udm, operatorRoutes(operator))
  const serving = await serveNf<UdmPeers, PeerEntry>(udm, udm, UdmPeer, () => ({
    routes: ueauRoutes({ ...authDataPorts(udm), ...authEventPorts(udm) }, `https://${fqdn}:${listen.mtls}`),
    authenticators: (callers) => ({
      ausf: callers.authorized('nudm-ueau'),
      hss: callers.authorized(HSS_VECTORS_SCOPE),
    }),
    longestParameter: LONGEST_PARAMETER,
  }))
  await admin.listen(listen.address, listen.admin)
  return {
    ...serving,
    listeners: { ...serving.listeners, admin: localUrl(listen.address, listen.admin) },
    operator,
    async close() {
      await Promise.all([serving.close(), admin.close()])
      await udm.close()
    },
  }
}
