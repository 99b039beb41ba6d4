import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type EciesProfile, eciesPrivateKey } from '../../keys/ecies.ts'
import type { Making } from '../../nf/adapters/core-authority.ts'
import { pkcs8, writeDataKey, writeSealed } from '../../nf/adapters/own-keys.ts'
import type { PlmnId } from '../../spec/subscriber-identifiers.ts'
import { openStore } from '../../store/open-store.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { UDM_MIGRATIONS } from '../tables.ts'
import { UDM_DATA_KEY, UDM_STORE } from './open-udm.ts'

const HOME_NETWORK_KEYS = [
  { id: 1, profile: 'A', file: 'keys/home-network-1.key' },
  { id: 2, profile: 'B', file: 'keys/home-network-2.key' },
] as const

/** What `udm.yaml` of a new UDM says beside what all network functions say. */
export const newUdmMembers = (homeNetwork: PlmnId, routingIndicator = '0') => ({
  homeNetwork,
  routingIndicator,
  homeNetworkKeys: HOME_NETWORK_KEYS,
  nullScheme: 'refused',
})

/** Adds to the folder of a new network function what makes it a UDM: store, data key, home network keys. */
export async function addUdm(folder: string, secret: SealingSecret, { random }: Making): Promise<void> {
  await mkdir(join(folder, 'keys'), { mode: 0o700 })
  await writeDataKey(join(folder, UDM_DATA_KEY), secret, random)
  for (const { profile, file } of HOME_NETWORK_KEYS) {
    const { key } = drawPrivateKey(profile, random)
    await writeSealed(join(folder, file), pkcs8(key), secret)
  }
  const store = await openStore({ file: join(folder, UDM_STORE), migrations: UDM_MIGRATIONS })
  await store.close()
}

function drawPrivateKey(profile: EciesProfile, random: Making['random']) {
  for (;;) {
    try {
      return eciesPrivateKey(profile, random.octets(32))
    } catch (error) {
      // One draw in 2^32 is no scalar of Profile B.
      if (!(error instanceof RangeError)) throw error
    }
  }
}
