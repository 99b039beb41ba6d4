import type { EecPolicy } from '../authorization-server/eec-policy.ts'
import type { EecTokenPorts } from '../authorization-server/request-eec-token.ts'
import type { EcsUrls } from '../urls.ts'
import { guardClock } from './certificate-store.ts'
import type { OpenEcs } from './open-ecs.ts'
import { commit, findLiveByFqdn, findRegistration } from './registration-store.ts'

export function eecTokenPorts(ecs: OpenEcs, { apiRoot }: EcsUrls, eecPolicy: EecPolicy): EecTokenPorts {
  const { store, clock, random } = ecs
  return {
    issuer: apiRoot,
    eecPolicy,
    random,
    now: clock.now,
    signer: ecs.tokenSigner,
    async findProducer(named) {
      const found =
        'fqdn' in named ? await findLiveByFqdn(store, named.fqdn) : await findRegistration(store, named.eesId)
      const isAlive = found?.state === 'live' && found.expiresAt > clock.now()
      return isAlive ? { eesId: found.eesId, fqdn: found.fqdn } : undefined
    },
    async recordEecTokens(issues) {
      const now = clock.now()
      await commit(
        store,
        now,
        [guardClock(now)],
        ...issues.map((issue) => ({ event: 'token-issued', ...issue }) as const),
      )
    },
  }
}
