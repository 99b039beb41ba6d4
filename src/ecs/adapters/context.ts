import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { Fqdn, RegistrationId } from '../../spec/identifiers.ts'
import type { EmbeddedStore } from '../../store/open-store.ts'
import type { IssuedToken } from '../certificate-authority/certify.ts'
import type { Configuration } from '../configuration.ts'
import type { EndingPorts } from '../registrar/end-registration.ts'
import type { Registration } from '../registrar/registration.ts'
import type { EcsUrls } from '../urls.ts'
import type { PeerStanding } from './federation.ts'
import type { LiveAuthorities } from './live-authorities.ts'

/** What the adapters of an ECS share. */
export interface EcsContext {
  readonly store: EmbeddedStore
  readonly clock: Clock
  readonly random: Random
  readonly configuration: Configuration & { readonly fqdn: Fqdn }
  readonly ca: LiveAuthorities
  urls(): EcsUrls
  /** the access token that comes with the answer to an onboarding */
  issueFirstToken(registration: Registration, thumbprint: string): Promise<IssuedToken | undefined>
  readonly cutOff: EndingPorts['cutOff']
  /** undefined while nobody is connected */
  peerStanding(peer: Fqdn): PeerStanding | undefined
  /** Acts on the authorities as they are now: shows a certificate of the one that signs, trusts what is to be trusted. */
  authoritiesChanged(): Promise<void>
  /** Acts on the peers as they are in the store now. */
  peersChanged(): Promise<void>
  /** Commits a change of a registration; when this returns, EECs are told what is stored, whether it succeeded or not. */
  changing(registrationId: RegistrationId, change: () => Promise<void>): Promise<void>
}
