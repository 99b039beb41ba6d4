import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { fingerprintsOfRoots } from '../../certificates/roots.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import type { EntitlementServerHandover, KeyServiceHandover, TrustHandover } from '../../spec/trust-handover.ts'
import { keyServiceOf } from './key-service.ts'
import type { TrustedEcs } from './trust-ecs.ts'
import { entitlementServerOf } from './trust-verifier.ts'

/** What an ECS takes with `edgeward ecs trust` to get keys from this core. @param core - its folder */
export async function keyServiceHandover(
  core: string,
  ecs: Pick<TrustedEcs, 'fqdn' | 'via' | 'afId' | 'akma'>,
): Promise<KeyServiceHandover> {
  const { root, ...keyService } = await keyServiceOf(core, ecs)
  const { edge } = parse(await readFile(join(core, 'ausf', 'ausf.yaml'), 'utf8')) as WithEdge
  const keyProfile = edge?.keyProfile ?? 'bound'
  return { ecsFqdn: ecs.fqdn, keyService, keyProfile, root: await readFile(root, 'utf8') }
}

interface WithEdge {
  readonly edge?: { readonly keyProfile?: KeyProfile }
}

/** The same to take tokens of an entitlement server. @param folder - of that server */
export async function entitlementHandover(folder: string, ecsFqdn: Fqdn): Promise<EntitlementServerHandover> {
  const { issuer, apiRoot, introspectionRoot, anchors } = await entitlementServerOf(folder)
  const root = (await Promise.all(anchors.map((file) => readFile(file, 'utf8')))).join('')
  return { ecsFqdn, entitlementServer: { issuer, apiRoot, introspectionRoot }, root }
}

/** Nothing in it is secret. @returns what people compare: the fingerprints of the roots in it */
export async function writeHandover(file: string, handover: TrustHandover, now: number): Promise<string[]> {
  const fingerprints = fingerprintsOfRoots(handover.root, now)
  await writeFile(file, `${JSON.stringify(handover, undefined, 2)}\n`)
  return fingerprints
}

export function handoverText(file: string, fingerprints: readonly string[]): string {
  const root = fingerprints.map((each) => `    ${each}`).join('\n')
  const roots = fingerprints.length === 1 ? 'the root' : `the ${fingerprints.length} roots`
  return `Hand ${file} to the operator of the ECS, for "edgeward ecs trust", and tell them the SHA-256 of ${roots}:\n${root}`
}
