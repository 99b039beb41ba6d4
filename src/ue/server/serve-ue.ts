import { join } from 'node:path'
import type { Log } from '../../http/log.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemRandom } from '../../ports/random.ts'
import { lockExclusively } from '../../store/exclusive-lock.ts'
import { findCard } from '../adapters/card.ts'
import { readAllowed } from '../adapters/eec-list.ts'
import { FILES } from '../adapters/files.ts'
import { keyFile } from '../adapters/key-file.ts'
import { subscriberOf } from '../adapters/subscriber.ts'
import type { UeFolder } from '../adapters/ue-folder.ts'
import { EapRelay } from '../edge-interface/relay-eap.ts'
import { serveEdgeSocket } from './edge-socket.ts'

/** A UE that answers its EECs. */
export interface ServingUe {
  /** `edge`: path of the Unix socket */
  readonly listeners: { readonly edge: string }
  close(): Promise<void>
}

/**
 * Answers EECs until closed. USIM, keys and EECs are read for each request, so what "ue authenticate", "ue allow" and
 * "ue init" change meanwhile holds at once.
 *
 * @throws CannotOpenStore `locked` if another process does that already
 */
export async function serveUe(ue: UeFolder, log: Log): Promise<ServingUe> {
  const { folder, configuration } = ue
  const unlock = lockExclusively(join(folder, FILES.socketLock))
  const path = join(folder, FILES.socket)
  const ports = {
    profile: configuration.edge,
    allowed: () => readAllowed(folder),
    edgeKeys: async () => {
      const card = await findCard(ue)
      return card && keyFile(ue, card.id).load()
    },
    eap: new EapRelay({ subscriber: () => subscriberOf(ue), clock: systemClock, random: systemRandom }),
  }
  try {
    const socket = await serveEdgeSocket(path, ports, log)
    return { listeners: { edge: path }, close: () => socket.close().finally(unlock) }
  } catch (error) {
    unlock()
    throw error
  }
}
