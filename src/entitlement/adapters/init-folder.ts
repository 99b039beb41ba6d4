import { join } from 'node:path'
import { readCertificateList } from '../../certificates/certificate.ts'
import { type CoreAuthority, certifyKey, type Making } from '../../nf/adapters/core-authority.ts'
import { readDataKey, writeDataKey } from '../../nf/adapters/own-keys.ts'
import type { NewNf } from '../../nf/configuration.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { type PlmnId, plmnDomain } from '../../spec/subscriber-identifiers.ts'
import { openStore } from '../../store/open-store.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { jwkThumbprint } from '../../tokens/jwk.ts'
import { ENTITLEMENT_MIGRATIONS } from '../tables.ts'
import { noteOf } from './key-ring.ts'
import { ENTITLEMENT_DATA_KEY, ENTITLEMENT_STORE } from './open-entitlement.ts'
import { makeSigningKey, storeSigningKey } from './signing-key-store.ts'

/** In its certificate, where a network function has its type; TS 29.510 has none for it. */
export const ENTITLEMENT_NF_TYPE = 'ENT'

/** TS.43 2.1: `aes.mnc<MNC>.mcc<MCC>.pub.3gppnetwork.org`. */
export function entitlementFqdn(homeNetwork: PlmnId): Fqdn {
  return `aes.${plmnDomain(homeNetwork).replace(/3gppnetwork\.org$/, 'pub.3gppnetwork.org')}` as Fqdn
}

/** Adds to the folder of a new network function what makes it an entitlement server: store, data key, a signing key. */
export async function addEntitlementServer(
  folder: string,
  { nf, secret }: { readonly nf: NewNf; readonly secret: SealingSecret },
  authority: CoreAuthority,
  making: Making,
): Promise<void> {
  const { clock, random } = making
  const file = join(folder, ENTITLEMENT_DATA_KEY)
  await writeDataKey(file, secret, random)
  const store = await openStore({ file: join(folder, ENTITLEMENT_STORE), migrations: ENTITLEMENT_MIGRATIONS })
  try {
    const keys = { store, random, dataKey: await readDataKey(file, secret) }
    const publicKey = await makeSigningKey(keys)
    const { fqdn, nfInstanceId } = nf
    const subject = { role: 'nf', fqdn, nfInstanceId, nfType: ENTITLEMENT_NF_TYPE } as const
    const [leaf, ...issuers] = readCertificateList(await certifyKey(subject, publicKey, authority, making))
    if (leaf === undefined) throw new Error('the authority gave no certificate')
    const now = clock.now()
    const kid = jwkThumbprint(publicKey)
    const key = { kid, publicKey, chain: [leaf, ...issuers], signsFrom: now, publishedUntil: undefined } as const
    await storeSigningKey(keys, key, { othersEndAt: now, now, entry: noteOf(key, now) })
  } finally {
    await store.close()
  }
}
