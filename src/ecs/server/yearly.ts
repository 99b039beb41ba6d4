import { warnOfEnd } from '../../nf/server/certificate-end.ts'
import { regularly } from '../../nf/server/upkeep.ts'
import { renewOfflineLists } from '../adapters/offline-lists.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { watchedOperator } from '../adapters/operator-credential.ts'

const DAY = 86_400_000

/** What comes due once a year, looked at now and each day. @returns how to stop it */
export async function keepYearly(ecs: OpenEcs): Promise<() => void> {
  await renewOfflineLists(ecs).catch((error: unknown) =>
    ecs.log.error({ err: error }, 'upkeep failed; it is tried again'),
  )
  const stops = [
    regularly(ecs, DAY, 'revocation lists in files', () => renewOfflineLists(ecs)),
    await warnOfEnd(ecs, () => watchedOperator(ecs.folder)),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
