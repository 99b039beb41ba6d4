import { createPublicKey, type KeyObject } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { newSigningKey, readSealedPrivateKey } from '../../nf/adapters/own-keys.ts'
import { type Signer, signerOf } from '../../ports/signer.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import type { Store } from '../../store/store.ts'
import { jwkOf, jwkThumbprint, publicKeyOf } from '../../tokens/jwk.ts'
import type { KeySchedule, SigningKey, SigningKeyPorts, SigningKeys } from '../authorization-server/signing-keys.ts'
import { writeSealedKey } from './own-keys.ts'
import { commit } from './registration-store.ts'
import { readSetting, writeSetting } from './settings.ts'

const SETTING = 'signing-keys'

/** The private halves, sealed, one file a key; which of them signs stands in the store. */
export interface SigningKeyFiles extends SigningKeyPorts {
  signerOf(publicKey: KeyObject): Promise<Signer>
}

export function signingKeyFiles(options: {
  readonly folder: string
  readonly secret: SealingSecret
  readonly store: Store
  readonly keySchedule: KeySchedule
  now(): number
}): SigningKeyFiles {
  const { folder, secret, store, keySchedule, now } = options
  const fileOf = (publicKey: KeyObject) => join(folder, `token-${jwkThumbprint(publicKey)}.key`)
  return {
    keySchedule,
    now,
    loadSigningKeys: () => load(store),
    async generateSigningKey() {
      const key = newSigningKey()
      const publicKey = createPublicKey(key)
      await writeSealedKey(fileOf(publicKey), key, secret)
      return publicKey
    },
    async storeSigningKeys(keys) {
      const value = JSON.stringify(toText(keys))
      const published = [...(keys.next ? [keys.next] : []), keys.active, ...keys.retired].map(kidOf)
      await commit(store, now(), [writeSetting(SETTING, value)], {
        event: 'signing-keys',
        active: kidOf(keys.active),
        published,
      })
      await destroyOthers(folder, [keys.active, ...(keys.next ? [keys.next] : [])].map(kidOf))
      return keys
    },
    signerOf: async (publicKey) => signerOf(await readSealedPrivateKey(fileOf(publicKey), secret)),
  }
}

const kidOf = ({ publicKey }: SigningKey) => jwkThumbprint(publicKey)

/** A key that signs no more has no reason to exist: what is left of it is its public half. */
async function destroyOthers(folder: string, kids: readonly string[]): Promise<void> {
  const keep = kids.map((kid) => `token-${kid}.key`)
  const files = (await readdir(folder)).filter((file) => file.startsWith('token-') && !keep.includes(file))
  await Promise.all(files.map((file) => rm(join(folder, file))))
}

async function load(store: Store): Promise<SigningKeys | undefined> {
  const value = await readSetting(store, SETTING)
  return value === undefined ? undefined : fromText(JSON.parse(value) as StoredKeys)
}

/** As the setting holds them: JWKs in the place of keys. */
interface StoredKeys {
  readonly next?: StoredKey
  readonly active: StoredKey & { readonly activeSince: number }
  readonly retired: readonly (StoredKey & { readonly retiredAt: number })[]
}

interface StoredKey {
  readonly jwk: object
  readonly publishedAt: number
}

function toText({ next, active, retired }: SigningKeys): StoredKeys {
  const stored = <Key extends SigningKey>({ publicKey, ...rest }: Key) => ({ jwk: jwkOf(publicKey), ...rest })
  return { ...(next && { next: stored(next) }), active: stored(active), retired: retired.map(stored) }
}

function fromText({ next, active, retired }: StoredKeys): SigningKeys {
  const opened = <Key extends StoredKey>({ jwk, ...rest }: Key) => {
    const publicKey = publicKeyOf(jwk)
    if (publicKey === undefined) throw new Error('the stored signing keys cannot be read')
    return { publicKey, ...rest }
  }
  return { ...(next && { next: opened(next) }), active: opened(active), retired: retired.map(opened) }
}
