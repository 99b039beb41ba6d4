import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { addEntitlementServer, ENTITLEMENT_NF_TYPE } from '../../entitlement/adapters/init-folder.ts'
import { choosePorts } from '../../http/free-ports.ts'
import {
  CORE_AUTHORITIES,
  type CoreAuthority,
  createNfFolder,
  createOperator,
  type Making,
  openCoreAuthority,
} from '../../nf/adapters/core-authority.ts'
import { ConfigurationError } from '../../nf/adapters/folder.ts'
import type { NewNf, PeerEntry } from '../../nf/configuration.ts'
import { HSS_VECTORS_SCOPE } from '../../spec/core-operations.ts'
import type { Fqdn, NfInstanceId } from '../../spec/identifiers.ts'
import type { PlmnId } from '../../spec/subscriber-identifiers.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { editPeers } from './edit-peers.ts'

export interface NewEntitlementServer {
  readonly fqdn: Fqdn
  readonly homeNetwork: PlmnId
  /** the address to listen on */
  readonly address: string
  /** for devices, for network functions, for operators */
  readonly ports: Readonly<Record<'server' | 'mtls' | 'admin', number>>
  /** where it gets vectors; `address` is that to reach it at */
  readonly udm: { readonly fqdn: string; readonly port: number; readonly address: string }
}

/** How it stands on the list of the UDM: vectors for EAP-AKA, and nothing else. */
export function entitlementPeer(fqdn: Fqdn): PeerEntry {
  return { fqdn, nfType: ENTITLEMENT_NF_TYPE, root: CORE_AUTHORITIES, scopes: [HSS_VECTORS_SCOPE] }
}

/** Makes the folder of an entitlement configuration server, certified by the authority of the core. */
export async function createEntitlementServer(
  folder: string,
  { fqdn, homeNetwork, address, ports, udm }: NewEntitlementServer,
  authority: CoreAuthority,
  making: Making,
): Promise<void> {
  const nf: NewNf = {
    nfInstanceId: making.random.uuid() as NfInstanceId,
    nfType: ENTITLEMENT_NF_TYPE,
    fqdn,
    resolve: { [udm.fqdn]: udm.address },
    own: { listen: { address, ...ports }, homeNetwork, udm: `https://${udm.fqdn}:${udm.port}` },
  }
  const secret = await createNfFolder(folder, 'entitlement', { nf, peers: [] }, authority, making)
  await createOperator(folder, authority, making)
  await addEntitlementServer(folder, { nf, secret }, authority, making)
}

export interface MoreEntitlement {
  /** the folder of the core */
  readonly core: string
  readonly fqdn: Fqdn
  /** the address to listen on */
  readonly address: string
  /** for devices; 0: any that is free */
  readonly port: number
}

/**
 * One more entitlement server for a core that stands already; its UDM hears of it within a second.
 *
 * @throws ConfigurationError
 */
export async function initEntitlement(
  folder: string,
  { core, fqdn, address, port }: MoreEntitlement,
  making: Making,
): Promise<void> {
  const final = resolve(folder)
  const taken = existsSync(final) && (await readdir(final)).length > 0
  if (taken) throw new ConfigurationError(`${folder} is not empty: take another folder, or remove it first`)
  const authority = await openCoreAuthority(join(core, 'ca'), making.passphrase)
  const udm = parse(await readFile(join(core, 'udm', 'udm.yaml'), 'utf8')) as UdmFacts
  const reached = ['0.0.0.0', '::'].includes(udm.listen.address) ? '127.0.0.1' : udm.listen.address
  const draft = join(dirname(final), `.${basename(final)}.${making.random.octets(6).toString('hex')}`)
  try {
    await ensureFolder(dirname(draft))
    const found = { fqdn: udm.fqdn, port: udm.listen.mtls, address: reached }
    const [server = 0, mtls = 0, admin = 0] = await choosePorts(address, [port, 0, 0])
    const ports = { server, mtls, admin }
    const made = { fqdn, homeNetwork: udm.homeNetwork, address, ports, udm: found }
    await createEntitlementServer(draft, made, authority, making)
    await editPeers(join(core, 'udm'), (list) => [...list.filter((peer) => peer.fqdn !== fqdn), entitlementPeer(fqdn)])
    await rename(draft, final)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** As `udm.yaml` says. */
interface UdmFacts {
  readonly fqdn: string
  readonly homeNetwork: PlmnId
  readonly listen: { readonly address: string; readonly mtls: number }
}
