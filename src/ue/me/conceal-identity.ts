import { type EciesPrivateKey, type EciesProfile, eciesPrivateKey } from '../../keys/ecies.ts'
import { concealSupi } from '../../keys/suci.ts'
import { formatSuci } from '../../keys/suci-forms.ts'
import type { Random } from '../../ports/random.ts'
import type { Suci } from '../../spec/subscriber-identifiers.ts'
import { concealmentSettings, type UsimSettings } from '../usim/subscription.ts'

/** Each draw fails once in 2^32: a source that fails so often is broken. */
const MOST_DRAWS = 4

/** SUCI, another one each time: TS 33.501 6.12.2. */
export function concealIdentity(usim: UsimSettings, random: Pick<Random, 'octets'>): Suci {
  const settings = concealmentSettings(usim)
  const profile = settings.homeNetworkPublicKey?.profile
  return formatSuci(concealSupi(usim.supi, settings, profile && ephemeralKey(profile, random)))
}

function ephemeralKey(profile: EciesProfile, random: Pick<Random, 'octets'>): EciesPrivateKey {
  for (let draw = 1; ; draw++) {
    try {
      return eciesPrivateKey(profile, random.octets(32))
    } catch (error) {
      if (!(error instanceof RangeError) || draw === MOST_DRAWS) throw error
    }
  }
}
