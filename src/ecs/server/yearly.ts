import { resolve } from 'node:path'
import { type WatchedCertificate, warnOfEnd } from '../../nf/server/certificate-end.ts'
import { nowAndRegularly } from '../../nf/server/upkeep.ts'
import { renewOfflineLists } from '../adapters/offline-lists.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { watchedOperator } from '../adapters/operator-credential.ts'

const DAY = 86_400_000

/** What comes due after a year or more, looked at now and each day. @returns how to stop it */
export async function keepYearly(ecs: OpenEcs): Promise<() => void> {
  const stops = [
    await nowAndRegularly(ecs, DAY, 'revocation lists in files', () => renewOfflineLists(ecs)),
    await warnOfEnd(ecs, async () => watchedAuthorities(ecs)),
    await warnOfEnd(ecs, () => watchedOperator(ecs.folder)),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function watchedAuthorities({ ca, folder }: OpenEcs): WatchedCertificate[] {
  const { eesIssuer, ecsIssuer } = ca.present()
  const command = `edgeward ecs ca stage --dir ${resolve(folder)}`
  return [
    { name: 'the authority for EESs', certificate: eesIssuer.certificate, command },
    { name: 'the authority for this ECS', certificate: ecsIssuer.certificate, command },
  ]
}
