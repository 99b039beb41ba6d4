import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Selectable } from 'kysely'
import { readCertificateList } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { newSigningKey, pkcs8 } from '../../nf/adapters/own-keys.ts'
import { openSecret, sealSecret } from '../../nf/sealing.ts'
import type { Random } from '../../ports/random.ts'
import { type Signer, signerOf } from '../../ports/signer.ts'
import { queriesOn, statement } from '../../store/queries.ts'
import type { LedgerEntry, Store } from '../../store/store.ts'
import { jwkThumbprint } from '../../tokens/jwk.ts'
import type { SigningKey } from '../signing/signing-keys.ts'
import type { EntitlementTables } from '../tables.ts'

const db = queriesOn<EntitlementTables>()
type Row = Selectable<EntitlementTables['signing_key']>

export interface SigningKeyStore {
  readonly store: Store
  readonly dataKey: KeyObject
  readonly random: Pick<Random, 'octets'>
}

/** @returns the public half of a new key; the private one is stored, and does nothing until the key is certified */
export async function makeSigningKey({ store, dataKey, random }: SigningKeyStore): Promise<KeyObject> {
  const key = newSigningKey()
  const publicKey = createPublicKey(key)
  const kid = jwkThumbprint(publicKey)
  const octets = pkcs8(key)
  const sealed = sealSecret(dataKey, octets, Buffer.from(kid), random.octets(12))
  octets.fill(0)
  const row: Row = { kid, sealed_key: sealed, certificate_chain: null, signs_from: null, published_until: null }
  await store.commit([statement(db.insertInto('signing_key').values(row))])
  return publicKey
}

/** Those that are certified. */
export async function loadSigningKeys({ store }: Pick<SigningKeyStore, 'store'>): Promise<SigningKey[]> {
  const rows = await store.read<Row>(db.selectFrom('signing_key').selectAll().compile())
  return rows.flatMap(({ kid, certificate_chain: chain, signs_from: signsFrom, published_until: end }) => {
    const [leaf, ...issuers] = chain === null ? [] : readCertificateList(chain)
    if (leaf === undefined || signsFrom === null) return []
    return [{ kid, publicKey: leaf.publicKey, chain: [leaf, ...issuers], signsFrom, publishedUntil: end ?? undefined }]
  })
}

export async function hasPrivateKey({ store }: Pick<SigningKeyStore, 'store'>, kid: string): Promise<boolean> {
  return (await readSealed(store, kid)) !== undefined
}

/** @throws Error if there is none, or it was sealed with another data key */
export async function openSigner({ store, dataKey }: Omit<SigningKeyStore, 'random'>, kid: string): Promise<Signer> {
  const sealed = await readSealed(store, kid)
  if (sealed === undefined) throw new Error(`the private half of the signing key ${kid} is not here`)
  const der = openSecret(dataKey, sealed, Buffer.from(kid))
  try {
    return signerOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  } finally {
    der.fill(0)
  }
}

/** The key is there and all others end; what has ended before `now` is forgotten. */
export async function storeSigningKey(
  { store }: Pick<SigningKeyStore, 'store'>,
  { kid, chain, signsFrom }: SigningKey,
  { othersEndAt, now, entry }: { readonly othersEndAt: number; readonly now: number; readonly entry: LedgerEntry },
): Promise<void> {
  const certificateChain = chain.map(({ der }) => writePem('CERTIFICATE', der)).join('')
  const others = db.updateTable('signing_key').where('kid', '!=', kid).where('certificate_chain', 'is not', null)
  await store.commit(
    [
      statement(others.where('published_until', 'is', null).set({ published_until: othersEndAt })),
      statement(others.where('published_until', '>', othersEndAt).set({ published_until: othersEndAt })),
      statement(
        db
          .updateTable('signing_key')
          .set({ certificate_chain: certificateChain, signs_from: signsFrom, published_until: null })
          .where('kid', '=', kid)
          .where('sealed_key', 'is not', null),
        { rows: 1, otherwise: 'KEY_GONE' },
      ),
      statement(db.deleteFrom('signing_key').where('published_until', '<=', now)),
    ],
    [entry],
  )
}

/** A key that signs no more has no reason to exist: what is left of it is its certificate. */
export async function destroyRetiredKeys(
  { store }: Pick<SigningKeyStore, 'store'>,
  activeSince: number,
): Promise<void> {
  const retired = db.updateTable('signing_key').set({ sealed_key: null }).where('signs_from', '<', activeSince)
  await store.commit([statement(retired.where('sealed_key', 'is not', null))])
}

async function readSealed(store: Store, kid: string): Promise<Uint8Array | undefined> {
  const query = db.selectFrom('signing_key').select('sealed_key').where('kid', '=', kid)
  const [row] = await store.read<Pick<Row, 'sealed_key'>>(query.compile())
  return row?.sealed_key ?? undefined
}
