import { hash, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificate } from '../../certificates/certificate.ts'
import { spkiSha256 } from '../../certificates/public-key.ts'
import type { Log } from '../../http/log.ts'
import { readDataKey, writeDataKey } from '../../nf/adapters/own-keys.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { Signer } from '../../ports/signer.ts'
import type { Timers } from '../../ports/timers.ts'
import { type EmbeddedStore, openStore } from '../../store/open-store.ts'
import { statement } from '../../store/queries.ts'
import type { Store } from '../../store/store.ts'
import type { KeySet } from '../../tokens/key-set.ts'
import type { Policy } from '../authorization-server/policy.ts'
import {
  keepSigningKeys,
  keySchedule,
  type SigningKeys,
  verificationKeys,
} from '../authorization-server/signing-keys.ts'
import { certificatesOf } from '../certificate-authority/authorities.ts'
import { ECS_MIGRATIONS } from '../tables.ts'
import { authorityFiles } from './authority-files.ts'
import { revokeIntent, unfinishedIntents } from './certificate-store.ts'
import { type LiveAuthorities, openAuthorities } from './live-authorities.ts'
import { type EcsFolder, type LoadedPolicy, openFolder, readPolicy } from './open-folder.ts'
import { commit, db } from './registration-store.ts'
import { readSetting, writeSetting } from './settings.ts'
import { type SigningKeyFiles, signingKeyFiles } from './signing-key-files.ts'
import { turnsByName } from './turns.ts'

export interface EcsEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly log: Log
  /** opens the sealed keys in the place of a key file */
  readonly passphrase?: string | undefined
}

/** An ECS whose store is open and whose keys are at hand; it need not serve for its operator to work on it. */
export interface OpenEcs extends EcsEnvironment, EcsFolder {
  readonly store: EmbeddedStore
  readonly ca: LiveAuthorities
  /** onboarding tokens issued until then are void: they may have been used since the backup that this store is (milliseconds) */
  readonly onboardingSince: number
  /** the policy in force */
  currentPolicy(): Policy
  reloadPolicy(): Promise<{ digest: string }>
  /** the keys of access tokens as they are now */
  signingKeys(): SigningKeys
  verificationKeys(): KeySet
  tokenSigner(): Signer
  /** Does what is due with the signing keys. */
  keepKeys(change?: (keys: SigningKeys) => Promise<SigningKeys>): Promise<void>
  readonly keyFiles: SigningKeyFiles
  /** seals the secrets that the store holds */
  readonly dataKey: KeyObject
  close(): Promise<void>
}

/**
 * Opens an ECS: folder, store, what a crash left unfinished, keys.
 *
 * @throws ConfigurationError, FileRefused, CannotOpenStore
 */
export async function openEcs(path: string, environment: EcsEnvironment): Promise<OpenEcs> {
  const folder = await openFolder(path, environment.passphrase)
  const store = await openStore({ file: join(path, 'ecs.db'), migrations: ECS_MIGRATIONS })
  try {
    return await assemble(folder, store, environment)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function assemble(folder: EcsFolder, store: EmbeddedStore, environment: EcsEnvironment): Promise<OpenEcs> {
  const { clock } = environment
  await finishIntents(store, clock.now())
  const ca = await openAuthorities(authorityFiles(folder.folder, folder.secret), store, clock.now)
  await reserveKeys(store, [folder.operatorIssuer, ...ca.trusted().flatMap(certificatesOf)])
  const onboardingSince = await voidOlderTokens(store, clock.now())
  const policy = await keepPolicy(folder, store, clock)
  const keys = await keepTokenKeys(folder, store, clock)
  return {
    ...environment,
    ...folder,
    store,
    ca,
    onboardingSince,
    ...policy,
    ...keys,
    dataKey: await ownDataKey(folder, environment),
    close: () => store.close(),
  }
}

/** Made at the first opening. @throws FileRefused */
async function ownDataKey({ folder, secret }: EcsFolder, { random }: EcsEnvironment): Promise<KeyObject> {
  const file = join(folder, 'keys', 'data.key')
  if (!existsSync(file)) await writeDataKey(file, secret, random)
  return readDataKey(file, secret)
}

/** A certificate that was about to be signed when the ECS stopped may exist: its serial is revoked (THREATS CA-04). */
async function finishIntents(store: EmbeddedStore, now: number): Promise<void> {
  for (const serial of await unfinishedIntents(store)) {
    await commit(store, now, [revokeIntent(serial, now)], { event: 'certificate-abandoned', serial })
  }
}

/** A restored backup has forgotten which onboarding tokens were used after it was made (THREATS DB-04). */
async function voidOlderTokens(store: EmbeddedStore, now: number): Promise<number> {
  const known = Number((await readSetting(store, 'restored-in')) ?? 0)
  if (store.restoredIn > known) {
    await store.commit([
      writeSetting('restored-in', String(store.restoredIn)),
      writeSetting('onboarding-since', String(now)),
    ])
  }
  return Number((await readSetting(store, 'onboarding-since')) ?? 0)
}

/** No EES can register with a key of the authorities (THREATS ON-04). */
export async function reserveKeys(store: Store, authorities: readonly Certificate[]): Promise<void> {
  const rows = authorities.map(({ spki }) => ({
    spki_sha256: spkiSha256(spki),
    registration_id: 'ecs',
  }))
  const insert = db
    .insertInto('registered_key')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
  await store.commit([statement(insert)])
}

/** Every policy that was ever in force is in the audit trail by its digest. */
async function keepPolicy({ folder, policy }: EcsFolder, store: EmbeddedStore, clock: Clock) {
  await recordPolicy(store, clock, policy)
  let current = policy
  return {
    currentPolicy: () => current.policy,
    async reloadPolicy() {
      const read = await readPolicy(folder)
      const digest = await recordPolicy(store, clock, read)
      current = read
      return { digest }
    },
  }
}

async function recordPolicy(store: EmbeddedStore, clock: Clock, { text }: LoadedPolicy): Promise<string> {
  const digest = hash('sha256', text)
  const last = await readSetting(store, 'policy')
  if (last !== digest) {
    await commit(store, clock.now(), [writeSetting('policy', digest)], { event: 'policy-loaded', digest })
  }
  return digest
}

async function keepTokenKeys({ folder, secret, configuration }: EcsFolder, store: EmbeddedStore, clock: Clock) {
  const schedule = keySchedule(configuration.tokens.keyLifetime * 1000)
  const keyFiles = signingKeyFiles({
    folder: join(folder, 'keys'),
    secret,
    store,
    keySchedule: schedule,
    now: clock.now,
  })
  let keys = await keepSigningKeys(keyFiles)
  let signer = await keyFiles.signerOf(keys.active.publicKey)
  const inTurn = turnsByName()
  return {
    keyFiles,
    signingKeys: () => keys,
    verificationKeys: () => verificationKeys(keys),
    tokenSigner: () => signer,
    // One change at a time: of two at once, each would destroy the key that the other has just made.
    keepKeys: (change?: (keys: SigningKeys) => Promise<SigningKeys>) =>
      inTurn('signing-keys', async () => {
        const next = change === undefined ? await keepSigningKeys(keyFiles) : await change(keys)
        signer = await keyFiles.signerOf(next.active.publicKey)
        keys = next
      }),
  }
}
