import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { type PlmnId, plmnDomain } from '../../spec/subscriber-identifiers.ts'
import type { TrustedEcs } from './trust-ecs.ts'

/**
 * What an ECS has to be told to get keys from this core: an entry of `authentication.keyServices` in its configuration.
 */
export async function keyServiceOf(
  dir: string,
  { fqdn: ecs, via, afId = ecs, akma = false }: Pick<TrustedEcs, 'fqdn' | 'via' | 'afId' | 'akma'>,
) {
  const read = async (name: string) => parse(await readFile(join(dir, name, `${name}.yaml`), 'utf8')) as Served
  const { fqdn, listen } = await read(via)
  const { homeNetwork } = await read('ausf')
  const [mnc = '', mcc = ''] = plmnDomain(homeNetwork ?? { mcc: '', mnc: '' }).split('.')
  const apiRoot = `https://${fqdn}:${listen.mtls}`
  const root = resolve(dir, 'ca', 'root.crt')
  return { realm: `${mnc}.${mcc}`, via, apiRoot, root, ...(via === 'nef' && { afId }), ...(akma && { akma }) }
}

interface Served {
  readonly fqdn: string
  readonly listen: { readonly mtls: number }
  readonly homeNetwork?: PlmnId
}
