import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { INTROSPECTION_SCOPE } from '../../spec/entitlement-operations.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { writePrivateFile } from '../../store/private-file.ts'
import { editPeers } from './edit-peers.ts'
import { readAuthorities } from './trust-ecs.ts'

/** An ECS or EES that is shown entitlement tokens. */
export interface TokenVerifier {
  readonly fqdn: Fqdn
  readonly type: 'ecs' | 'ees'
  /** PEM of its root, and of the authority that issued its certificate */
  readonly roots: readonly string[]
}

/** Lets it ask the entitlement server of a folder about them. @returns what stands on the list of callers now */
export async function trustVerifier(folder: string, { fqdn, type, roots }: TokenVerifier) {
  const root = `${type}-${fqdn}.crt`
  const authorities = await readAuthorities(roots, type)
  const entry = { fqdn, nfType: type.toUpperCase(), root, scopes: [INTROSPECTION_SCOPE] }
  await writePrivateFile(join(folder, root), Buffer.from(authorities), { replace: true })
  await editPeers(folder, (list) => [...list.filter((peer) => peer.fqdn !== fqdn), entry])
  return entry
}

/**
 * What an ECS has to be told to take tokens of this entitlement server: an entry of `authentication.entitlementServers`
 * in `ecs.yaml`, or of `eec.entitlementServers` in the `ees.yaml` of an EES.
 */
export async function entitlementServerOf(folder: string) {
  const { fqdn, listen } = parse(await readFile(join(folder, 'entitlement.yaml'), 'utf8')) as Served
  const at = (port: number) => `https://${fqdn}:${port}`
  return {
    issuer: `https://${fqdn}`,
    apiRoot: at(listen.server),
    introspectionRoot: at(listen.mtls),
    anchors: [resolve(folder, 'root.crt')],
    verify: 'certificate',
    unbound: 'refused',
  }
}

interface Served {
  readonly fqdn: string
  readonly listen: { readonly server: number; readonly mtls: number }
}
