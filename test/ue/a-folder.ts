import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../src/http/log.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { formatAKid } from '../../src/spec/a-kid.ts'
import { parseKedgeId } from '../../src/spec/kedge-id.ts'
import type { KeyProfile } from '../../src/spec/messages/eec-authentication.ts'
import { type EecId, parseEecId, type RoutingIndicator } from '../../src/spec/subscriber-identifiers.ts'
import { readCard } from '../../src/ue/adapters/card.ts'
import { keyFile } from '../../src/ue/adapters/key-file.ts'
import { allowEec, credentialFile, insertUsim, serveUe, type UeFolder } from '../../src/ue/index.ts'
import type { EstablishedKeys } from '../../src/ue/primary-authentication.ts'
import { key, parsed } from '../keys/octets.ts'
import akma from '../vectors/keys/akma.json' with { type: 'json' }
import vectors from '../vectors/keys/kedge.json' with { type: 'json' }
import { aSubscription } from './a-home-network.ts'

/** What UE and AUSF have after the authentication of the vector: MILENAGE test set 1. */
export const VECTOR = parsed(vectors.vectors[0])

/** The keys of AKMA after the same authentication. */
export const AKMA = parsed(akma.vectors[0])
export const A_KID = formatAKid({
  routingIndicator: '0' as RoutingIndicator,
  homeNetwork: { mcc: '001', mnc: '01' },
  aTid: AKMA.aTid,
})

export const EEC_1 = parsed(parseEecId(VECTOR.eecId))
export const EEC_2 = parsed(parseEecId('eec-2'))

export const establishedKeys = (): EstablishedKeys => ({
  kedge: key('Kedge', VECTOR.kedge),
  kedgeId: parsed(parseKedgeId(VECTOR.kedgeId)),
  kakma: key('KAKMA', AKMA.kakma),
  aKid: A_KID,
  authType: '5G_AKA',
  establishedAt: 1_700_000_000_000,
})

export const insertion = (change: object = {}) => ({
  random: systemRandom,
  keyProfile: 'bound' as const,
  replace: false,
  ...change,
})

/** A folder that is not there yet, and the way to remove what becomes of it. */
export async function aPlace(): Promise<{ folder: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'ue-'))
  return { folder: join(parent, 'U'), remove: () => rm(parent, { recursive: true, force: true }) }
}

/** Takes the keys of the vector into use. */
export async function putKeys(ue: UeFolder, keys = establishedKeys()): Promise<void> {
  await keyFile(ue, (await readCard(ue)).id).replace(keys)
}

/** A UE that has the keys of the vector and answers two EECs; the first may also be permitted EAP-AKA. */
export async function aServingUe({ keyProfile = 'bound' as KeyProfile, keys = true, entitlement = false } = {}) {
  const { folder, remove } = await aPlace()
  const ue = await insertUsim(folder, aSubscription(), insertion({ keyProfile }))
  if (keys) await putKeys(ue)
  await allowEec(ue, EEC_1, systemRandom, { entitlement })
  await allowEec(ue, EEC_2, systemRandom)
  const logged: string[] = []
  const serving = await serveUe(ue, aLog(logged))
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= serving.close()
    return stopped
  }
  return {
    ue,
    credential: (eecId: EecId) => credentialFile(ue.folder, eecId),
    socket: serving.listeners.edge,
    logged,
    stop,
    async close() {
      await stop()
      await remove()
    },
  }
}

export type AServingUe = Awaited<ReturnType<typeof aServingUe>>

/** A log that is kept in the test. */
export function aLog(lines: string[]) {
  const log = createLog('ue', 'debug')
  const keep = (...parts: unknown[]) => {
    lines.push(JSON.stringify(parts))
  }
  return Object.assign(Object.create(log), { info: keep, warn: keep, error: keep, debug: keep }) as typeof log
}
