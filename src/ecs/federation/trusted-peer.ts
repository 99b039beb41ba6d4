import type { Fqdn } from '../../spec/identifiers.ts'
import type { PeerEcs } from './peer-ecs.ts'
import type { TrustBundle } from './trust-bundle.ts'

/** A peer of which there is a trust bundle: only then it is trusted with anything. */
export interface TrustedPeer<Bundle extends TrustBundle = TrustBundle> extends PeerEcs {
  readonly bundle: Bundle
}

/** What the operator gave it, narrowed by what it says of itself, if it says anything. */
export function withOwnNameSpace<Bundle extends TrustBundle>(peer: PeerEcs, bundle: Bundle): TrustedPeer<Bundle> {
  const said = bundle.nameSpace
  const isSaid = (name: Fqdn) => said.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))
  return { ...peer, bundle, nameSpace: said.length === 0 ? peer.nameSpace : peer.nameSpace.filter(isSaid) }
}
