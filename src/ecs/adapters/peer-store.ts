import type { Fqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { statement } from '../../store/queries.ts'
import type { Store } from '../../store/store.ts'
import type { PeerEcs } from '../federation/peer-ecs.ts'
import { commit, db } from './registration-store.ts'

/** A peer with the last trust bundle of it that was believed. */
export interface StoredPeer {
  readonly peer: PeerEcs
  readonly bundle: string | undefined
}

interface PeerRow {
  fqdn: string
  api_root: string
  roots_json: string
  name_space_json: string
  via: string | null
  bundle: string | null
}

/** In the order of their names. */
export async function listPeers(store: Store): Promise<StoredPeer[]> {
  const rows = await store.read<PeerRow>(db.selectFrom('peer').selectAll().orderBy('fqdn').compile())
  return rows.map(({ fqdn, api_root, roots_json, name_space_json, via, bundle }) => ({
    peer: {
      fqdn: fqdn as Fqdn,
      apiRoot: api_root,
      roots: JSON.parse(roots_json) as string[],
      nameSpace: JSON.parse(name_space_json) as Fqdn[],
      ...(via !== null && { via: via as Fqdn }),
    },
    bundle: bundle ?? undefined,
  }))
}

/** Takes the place of what was said of this ECS before, what was learned of it included. */
export async function storePeer(store: Store, { fqdn, apiRoot, roots, nameSpace, via }: PeerEcs, now: number) {
  const values = {
    api_root: apiRoot,
    roots_json: JSON.stringify(roots),
    name_space_json: JSON.stringify(nameSpace),
    via: via ?? null,
    bundle: null,
  }
  const insert = db
    .insertInto('peer')
    .values({ fqdn, ...values })
    .onConflict((conflict) => conflict.column('fqdn').doUpdateSet(values))
  await commit(store, now, [statement(insert)], { event: 'peer-added', peer: fqdn, apiRoot, nameSpace })
}

/** @throws Refusal PEER_NOT_FOUND */
export async function removePeer(store: Store, fqdn: string, now: number): Promise<void> {
  const known = (await listPeers(store)).some(({ peer }) => peer.fqdn === fqdn)
  refuseUnless(known, 'PEER_NOT_FOUND', 'there is no such peer')
  const remove = db.deleteFrom('peer').where('fqdn', '=', fqdn)
  await commit(store, now, [statement(remove)], { event: 'peer-removed', peer: fqdn })
}

/**
 * What was learned of a peer: the roots of the bundle take the place of those that it was under.
 *
 * @param digest - of the bundle, for the audit trail
 */
export async function storeBundle(
  store: Store,
  learned: {
    readonly peer: Fqdn
    readonly bundle: string
    readonly roots: readonly string[]
    readonly digest: string
  },
  now: number,
): Promise<void> {
  const { peer, bundle, roots, digest } = learned
  const update = db
    .updateTable('peer')
    .set({ bundle, roots_json: JSON.stringify(roots) })
    .where('fqdn', '=', peer)
  await commit(store, now, [statement(update)], { event: 'peer-trust', peer, digest })
}
