import { publicOctetsOf } from '../../keys/ecies.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { parseSupi } from '../../spec/subscriber-identifiers.ts'
import type { AuthEventPorts } from '../authentication/auth-events.ts'
import type { AuthDataPorts } from '../authentication/generate-auth-data.ts'
import type { UdmCommands } from '../operator/commands.ts'
import { readEecIds, readSubscriber } from '../subscriber.ts'
import { inTurn } from './in-turn.ts'
import type { OpenUdm } from './open-udm.ts'
import {
  addSubscribers,
  findSubscriber,
  hasSubscriber,
  listSubscribers,
  removeAuthStatus,
  removeSubscriber,
  setEecIds,
  storeAuthStatus,
  storeSqn,
} from './subscriber-store.ts'

/** So many that the answer stays below 1 MiB, whatever they have. */
const PAGE = 300

/** For vectors: requests for one subscriber wait for each other, so that none sees a stale SQN_HE. */
export function authDataPorts(udm: OpenUdm): AuthDataPorts {
  return {
    random: udm.random,
    acceptsNullScheme: udm.configuration.nullScheme === 'accepted',
    homeNetworkKey: (id) => udm.homeNetworkKeys.get(id),
    findSubscriber: (supi) => findSubscriber(udm, supi),
    storeSqn: (supi, was, becomes) => storeSqn(udm, supi, was, becomes),
    inTurn: inTurn(),
  }
}

/** For results of authentications. */
export function authEventPorts(udm: OpenUdm): AuthEventPorts {
  return {
    newEventId: () => udm.random.uuid(),
    hasSubscriber: (supi) => hasSubscriber(udm, supi),
    storeAuthStatus: (status) => storeAuthStatus(udm, status),
    removeAuthStatus: (supi, id, ausf) => removeAuthStatus(udm, supi, id, ausf),
  }
}

/** The operator's commands, on the store of this UDM. */
export function udmCommands(udm: OpenUdm): UdmCommands {
  return {
    async add(records) {
      await addSubscribers(
        udm,
        records.map((record) => readSubscriber(record, udm.configuration.routingIndicator)),
      )
      return { added: records.length }
    },
    async list(after = '') {
      const subscribers = await listSubscribers(udm, after, PAGE)
      const next = subscribers.length === PAGE ? subscribers.at(-1)?.supi : undefined
      return { subscribers, ...(next !== undefined && { next }) }
    },
    async remove(name) {
      const supi = parseSupi(name)
      refuseUnless(supi !== undefined, 'USER_NOT_FOUND', 'there is no such subscriber')
      await removeSubscriber(udm, supi)
    },
    async setEecIds(name, names) {
      const supi = parseSupi(name)
      refuseUnless(supi !== undefined, 'USER_NOT_FOUND', 'there is no such subscriber')
      await setEecIds(udm, supi, names === undefined ? [] : readEecIds(names))
    },
    async homeNetworkKeys() {
      const { homeNetwork, routingIndicator } = udm.configuration
      const keys = [...udm.homeNetworkKeys].map(([id, key]) => {
        return { id, profile: key.profile, key: publicOctetsOf(key).toString('hex') }
      })
      return { homeNetwork, routingIndicator, keys }
    },
  }
}
