import { sha256 } from '../../octets/digest.ts'
import { type Authorities, certificatesOf, type Standing } from '../certificate-authority/authorities.ts'
import {
  type RollOverPorts,
  retireAuthority,
  stageAuthority,
  switchAuthority,
} from '../certificate-authority/roll-over.ts'
import type { AuthorityDescription, AuthorityStanding, OperatorCommands } from '../operator/commands.ts'
import { holdersOf } from './certificate-store.ts'
import type { EcsContext } from './context.ts'
import { type OpenEcs, reserveKeys } from './open-ecs.ts'

/** An EES looks every minute at the latest; other ECSs as often as our trust bundle tells them. */
const EES_LOOKS = 60

type AuthorityCommands = Pick<
  OperatorCommands,
  'showAuthorities' | 'stageAuthority' | 'switchAuthority' | 'retireAuthority'
>

/** The certificate authority in the operator's hands. */
export function authorityCommands(ecs: OpenEcs & EcsContext): AuthorityCommands {
  const ports = rollOverPorts(ecs)
  const step = (work: () => Promise<Standing>) =>
    ecs.ca.inTurn(async () => {
      const standing = await work()
      // Also when nothing was left to record: the one who asks again may do so because this has failed.
      await ecs.authoritiesChanged()
      return describe(ports, standing)
    })
  return {
    showAuthorities: () => describe(ports, ecs.ca.standing()),
    stageAuthority: () => step(() => stageAuthority(ports)),
    switchAuthority: (options) => step(() => switchAuthority(ports, options)),
    retireAuthority: (options) => step(() => retireAuthority(ports, options)),
  }
}

function rollOverPorts(ecs: OpenEcs & EcsContext): RollOverPorts {
  const { ca, clock, random, store, configuration } = ecs
  return {
    now: clock.now,
    standing: ca.standing,
    async make() {
      const next = await ca.files.make(ca.present(), { now: clock.now(), random, crls: `${ecs.urls().apiRoot}/crl` })
      await reserveKeys(store, certificatesOf(next))
      return next
    },
    record: ca.record,
    holders: ({ id }) => holdersOf(store, id, clock.now()),
    notice: 2_000 * Math.max(configuration.federation.refresh, EES_LOOKS),
  }
}

async function describe(ports: RollOverPorts, { stage, present, other, since }: Standing): Promise<AuthorityStanding> {
  const shown = async (authorities: Authorities): Promise<AuthorityDescription> => ({
    root: sha256(authorities.root.der).toString('hex'),
    notAfter: new Date(authorities.root.notAfter).toISOString(),
    folder: authorities.id === '' ? 'ca' : `ca/${authorities.id}`,
    crossCertified: authorities.cross !== undefined,
    holders: (await ports.holders(authorities)).length,
  })
  return {
    stage,
    ...(since > 0 && { since: new Date(since).toISOString() }),
    ...(stage === 'staged' && { switchAfter: new Date(since + ports.notice).toISOString() }),
    present: await shown(present),
    ...(other && { other: await shown(other) }),
  }
}
