import { openPeer, type Resolve } from '../../http/client.ts'
import { systemClock } from '../../ports/clock.ts'
import { type Progress, unheard } from '../../ports/progress.ts'
import { systemRandom } from '../../ports/random.ts'
import type { EecId, ServingNetworkName } from '../../spec/subscriber-identifiers.ts'
import { clientTls } from '../../tls/client.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { type Authenticated, performPrimaryAuthentication } from '../primary-authentication.ts'
import { readCard } from './card.ts'
import { readAllowed } from './eec-list.ts'
import { keyFile } from './key-file.ts'
import { sqnFile } from './sqn-file.ts'
import { exclusively, type UeFolder } from './ue-folder.ts'

/** The network that the UE is in, as its SEAF reaches the AUSF of the home network. */
export interface ServingNetworkAccess {
  readonly name: ServingNetworkName
  /** `https://FQDN:PORT` of the AUSF */
  readonly ausf: string
  /** PEM: the only root that is trusted for it */
  readonly root: string
  /** what the serving network shows */
  readonly credential: ServerCredential
  readonly resolve?: Resolve
}

/**
 * Primary authentication of the UE in a folder: TR 33.839 6.x.2.1, steps 0 and 1.
 *
 * @throws as {@link performPrimaryAuthentication}; NotUsable; CannotOpenStore `locked` while another one runs
 */
export async function authenticateUe(
  ue: UeFolder,
  { name, ausf, root, credential, resolve }: ServingNetworkAccess,
  progress: Progress = unheard,
): Promise<Authenticated> {
  return exclusively(ue, async () => {
    const { id, subscription } = await readCard(ue)
    const { settings, keys } = subscription
    const peer = openPeer(ausf, clientTls([root], credential), resolve)
    const authenticating = {
      settings,
      usim: { keys, sqn: sqnFile(ue.folder, id) },
      profile: ue.configuration.edge,
      replaceKeys: keyFile(ue, id).replace,
    }
    const ports = { random: systemRandom, clock: systemClock, progress }
    return performPrimaryAuthentication(authenticating, { name, ausf: peer }, ports).finally(() => peer.close())
  })
}

/** What may be shown of a UE. */
export interface UeDescription {
  readonly homeNetwork: { readonly mcc: string; readonly mnc: string; readonly nid?: string }
  readonly routingIndicator: string
  /** of the SUCI: `A`, `B` or `null` (TS 33.501 C.1) */
  readonly protectionScheme: 'A' | 'B' | 'null'
  readonly keyProfile: string
  /** of the last primary authentication; `establishedAt` in RFC 3339 */
  readonly edgeKeys?: Authenticated & { readonly establishedAt: string }
  readonly eecs: readonly EecId[]
  /** those among them that may authenticate the subscriber to an entitlement server */
  readonly entitlementEecs: readonly EecId[]
}

/** What can be shown of a UE: no SUPI, no key. @throws NotUsable, FileRefused */
export async function describeUe(ue: UeFolder): Promise<UeDescription> {
  const { id, subscription } = await readCard(ue)
  const { homeNetwork, routingIndicator, homeNetworkPublicKey } = subscription.settings
  const keys = await keyFile(ue, id).load()
  const allowed = [...(await readAllowed(ue.folder))]
  return {
    homeNetwork,
    routingIndicator,
    protectionScheme: homeNetworkPublicKey?.profile ?? 'null',
    keyProfile: ue.configuration.edge.keyProfile,
    ...(keys && {
      edgeKeys: {
        authType: keys.authType,
        kedgeId: keys.kedgeId,
        establishedAt: new Date(keys.establishedAt).toISOString(),
      },
    }),
    eecs: allowed.map(([eecId]) => eecId),
    entitlementEecs: allowed.filter(([, { entitlement }]) => entitlement).map(([eecId]) => eecId),
  }
}
