import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { trustHandover } from '../../ecs/adapters/trust-handover.ts'
import { entitlementCommands } from '../../entitlement/adapters/commands.ts'
import { entitlementFqdn } from '../../entitlement/adapters/init-folder.ts'
import { openEntitlement } from '../../entitlement/adapters/open-entitlement.ts'
import { systemClock } from '../../ports/clock.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { entitlementServerOf, trustVerifier } from '../core/trust-verifier.ts'
import { entitlementHandover, writeHandover } from '../core/write-handover.ts'
import { systemEnvironment } from '../operator.ts'
import { EEC, PLMN, SUPI } from './core.ts'

/** The name under which the devices of this operator find it: TS.43 2.1. */
export const ENT: Fqdn = entitlementFqdn(PLMN)

/** Its folder, below that of the core. */
const FOLDER = 'entitlement'

/** The operator entitles its subscriber to use one EEC. @param core - the folder of the core */
export async function entitle(core: string): Promise<void> {
  const opened = await openEntitlement(join(core, FOLDER), systemEnvironment('silent'))
  try {
    await entitlementCommands(opened).allow({ supi: SUPI, eecId: EEC })
  } finally {
    await opened.close()
  }
}

/** How a server of the edge verifies tokens: TR 33.739 6.25.2 step 2. */
export type Verification = 'certificate' | 'introspection'

/** Each side is told about the other: the ECS whom to trust, the entitlement server who may ask about tokens. */
export async function admitTokens(core: string, folder: string, fqdn: Fqdn, verify: Verification): Promise<void> {
  await trustVerifier(join(core, FOLDER), { fqdn, type: 'ecs', roots: [join(folder, 'ca', 'root.crt')] })
  const file = join(core, `entitlement-for-${fqdn}.json`)
  const now = systemClock.now()
  await writeHandover(file, await entitlementHandover(join(core, FOLDER), fqdn), now)
  await trustHandover(folder, file, { now, verify, resolve: new Map([[ENT, '127.0.0.1']]) })
}

/** The same at an EES, which takes what the certificate proves. @param folder - of the EES */
export async function admitTokensAtEes(core: string, folder: string): Promise<void> {
  const entitlementServers = [await entitlementServerOf(join(core, FOLDER))]
  await writeFile(join(folder, 'ees.yaml'), stringify({ eec: { entitlementServers } }))
}
