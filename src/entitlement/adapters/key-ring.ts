import type { KeyObject } from 'node:crypto'
import { readCertificate } from '../../certificates/certificate.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signer } from '../../ports/signer.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { LedgerEntry } from '../../store/store.ts'
import type { AuditEvent } from '../audit.ts'
import { type Certification, installSigningKey, type SigningKey, signingKeyAt } from '../signing/signing-keys.ts'
import {
  destroyRetiredKeys,
  hasPrivateKey,
  loadSigningKeys,
  makeSigningKey,
  openSigner,
  type SigningKeyStore,
  storeSigningKey,
} from './signing-key-store.ts'

/** The keys for tokens, at hand. */
export interface KeyRing {
  all(): readonly SigningKey[]
  /** the key that signs now. @throws Refusal NF_CONGESTION */
  current(): Promise<{ readonly key: SigningKey; readonly signer: Signer }>
  /** @returns the public half of a key that waits for its certificate */
  make(): Promise<KeyObject>
  /** @throws Refusal SIGNING_KEY_NOT_ACCEPTED */
  install(certification: Certification): Promise<SigningKey>
  /** Destroys the private halves that sign no more. */
  retire(): Promise<void>
}

interface Options extends SigningKeyStore {
  readonly clock: Clock
  readonly fqdn: Fqdn
  /** PEM */
  readonly root: string
  /** milliseconds */
  readonly publishedBefore: number
}

/** @throws Error if what is stored cannot be read */
export async function openKeyRing(options: Options): Promise<KeyRing> {
  const { clock, fqdn, publishedBefore } = options
  const root = readCertificate(options.root)
  const signers = new Map<string, Signer>()
  let keys = await loadSigningKeys(options)
  return {
    all: () => keys,
    async current() {
      const key = signingKeyAt(keys, clock.now())
      const signer = signers.get(key.kid) ?? (await openSigner(options, key.kid))
      signers.set(key.kid, signer)
      return { key, signer }
    },
    make: () => makeSigningKey(options),
    async install(certification) {
      const ports = {
        fqdn,
        root,
        publishedBefore,
        now: clock.now,
        signingKeys: () => keys,
        hasPrivateKey: (kid: string) => hasPrivateKey(options, kid),
        storeSigningKey: (key: SigningKey, othersEndAt: number) => {
          const now = clock.now()
          return storeSigningKey(options, key, { othersEndAt, now, entry: noteOf(key, now) })
        },
      }
      const key = await installSigningKey(ports, certification)
      keys = await loadSigningKeys(options)
      return key
    },
    async retire() {
      if (keys.length < 2) return
      const { kid, signsFrom } = signingKeyAt(keys, clock.now())
      await destroyRetiredKeys(options, signsFrom)
      for (const other of signers.keys()) if (other !== kid) signers.delete(other)
    },
  }
}

/** For the ledger. */
export function noteOf({ kid, signsFrom }: SigningKey, at: number): LedgerEntry {
  const entry: AuditEvent = { event: 'signing-key', kid, signsFrom }
  return { at, entry }
}
