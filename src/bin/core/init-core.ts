import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { addAusf, newAusfMembers } from '../../ausf/adapters/open-ausf.ts'
import { entitlementFqdn } from '../../entitlement/adapters/init-folder.ts'
import { choosePorts } from '../../http/free-ports.ts'
import {
  CORE_AUTHORITIES,
  type CoreAuthority,
  createCoreAuthority,
  createNfFolder,
  createOperator,
  type Making,
} from '../../nf/adapters/core-authority.ts'
import type { NewNf, PeerEntry } from '../../nf/configuration.ts'
import type { Fqdn, NfInstanceId } from '../../spec/identifiers.ts'
import { type PlmnId, plmnDomain, servingNetworkName } from '../../spec/subscriber-identifiers.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { addUdm, newUdmMembers } from '../../udm/adapters/init-folder.ts'
import { createEntitlementServer, entitlementPeer, type NewEntitlementServer } from './init-entitlement.ts'

export interface NewCore {
  readonly homeNetwork: PlmnId
  readonly routingIndicator: string
  /** the address to listen on */
  readonly address: string
  /** where others than this core reach it; any port that is free unless stated */
  readonly ports?: Partial<Readonly<Record<PublishedPort, number>>>
}

/** Of an entitlement server, that of its listener for devices; of the others, that for network functions. */
export type PublishedPort = 'udm' | 'ausf' | 'nef' | 'entitlement'

const NETWORK_FUNCTIONS = ['udm', 'ausf', 'nef', 'amf'] as const
type Name = (typeof NETWORK_FUNCTIONS)[number]

/** The folder holds something: a core is never written over another one. */
export class CoreExists extends Error {
  override readonly name = 'CoreExists'
}

/** What the folders of one core have in common while they are made. */
interface Plan extends NewCore {
  readonly fqdns: Readonly<Record<Name, Fqdn>>
  readonly ports: Readonly<Record<'udm' | 'operator' | 'ausf' | 'nef', number>>
  readonly entitlementPorts: NewEntitlementServer['ports']
  readonly authority: CoreAuthority
  readonly making: Making
}

/**
 * Makes the core network of one PLMN: its certificate authority, UDM, AUSF, NEF, an entitlement configuration
 * server, and the credential of a SEAF in it.
 * It appears whole or not at all.
 *
 * @throws CoreExists
 */
export async function initCore(folder: string, core: NewCore, making: Making): Promise<void> {
  const final = resolve(folder)
  if (existsSync(final) && (await readdir(final)).length > 0)
    throw new CoreExists(`${folder} is not empty: take another folder, or remove it first`)
  const draft = join(dirname(final), `.${basename(final)}.${making.random.octets(6).toString('hex')}`)
  try {
    await ensureFolder(draft, 0o700)
    const domain = domainOf(core.homeNetwork)
    const { ports, entitlementPorts } = await portsOf(core)
    const plan: Plan = {
      ...core,
      fqdns: fqdnsIn(domain),
      ports,
      entitlementPorts,
      authority: await createCoreAuthority(join(draft, 'ca'), domain, making),
      making,
    }
    await createUdm(join(draft, 'udm'), plan)
    await createAusf(join(draft, 'ausf'), plan)
    await createNef(join(draft, 'nef'), plan)
    await createAmf(join(draft, 'amf'), plan)
    await createEnt(join(draft, 'entitlement'), plan)
    await rename(draft, final)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function portsOf({ address, ports = {} }: NewCore): Promise<Pick<Plan, 'ports' | 'entitlementPorts'>> {
  const wanted = [ports.udm, ports.ausf, ports.nef, ports.entitlement, 0, 0, 0].map((port = 0) => port)
  const [udm = 0, ausf = 0, nef = 0, server = 0, operator = 0, mtls = 0, admin = 0] = await choosePorts(address, wanted)
  return { ports: { udm, operator, ausf, nef }, entitlementPorts: { server, mtls, admin } }
}

/** TS 23.003 28.2. */
export const domainOf = (homeNetwork: PlmnId) => `5gc.${plmnDomain(homeNetwork)}` as Fqdn

function fqdnsIn(domain: Fqdn): Plan['fqdns'] {
  return {
    udm: `udm.${domain}` as Fqdn,
    ausf: `ausf.${domain}` as Fqdn,
    nef: `nef.${domain}` as Fqdn,
    amf: `amf.${domain}` as Fqdn,
  }
}

/** Members that every network function of the core has. */
function identity({ fqdns, address, making }: Plan, name: Name, own: object): NewNf {
  return {
    nfInstanceId: making.random.uuid() as NfInstanceId,
    nfType: name.toUpperCase(),
    fqdn: fqdns[name],
    resolve: Object.fromEntries(NETWORK_FUNCTIONS.slice(0, 3).map((each) => [fqdns[each], reachable(address)])),
    own,
  }
}

/** An address that means all of this machine's is reached by the one that never leaves it. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

const originOf = ({ fqdns, ports }: Plan, name: 'udm' | 'ausf') => `https://${fqdns[name]}:${ports[name]}`

function entry({ fqdns }: Plan, name: Name, scopes: readonly string[], more: object = {}): PeerEntry {
  return { fqdn: fqdns[name], nfType: name.toUpperCase(), root: CORE_AUTHORITIES, scopes: [...scopes], ...more }
}

async function createUdm(folder: string, plan: Plan): Promise<void> {
  const { homeNetwork, routingIndicator, address, ports, authority, making } = plan
  const listen = { address, mtls: ports.udm, admin: ports.operator }
  const nf = identity(plan, 'udm', { listen, ...newUdmMembers(homeNetwork, routingIndicator) })
  const peers = [entry(plan, 'ausf', ['nudm-ueau']), entitlementPeer(entitlementFqdn(homeNetwork))]
  const secret = await createNfFolder(folder, 'udm', { nf, peers }, authority, making)
  await createOperator(folder, authority, making)
  await addUdm(folder, secret, making)
}

async function createAusf(folder: string, plan: Plan): Promise<void> {
  const { homeNetwork, address, ports, authority, making } = plan
  const listen = { address, mtls: ports.ausf }
  const nf = identity(plan, 'ausf', { listen, ...newAusfMembers(homeNetwork, originOf(plan, 'udm')) })
  const ofUe = ['nausf-auth:ue-authentications']
  const peers = [
    entry(plan, 'amf', ofUe, { servingNetworkNames: [servingNetworkName(homeNetwork)] }),
    entry(plan, 'udm', ofUe),
    entry(plan, 'nef', ['nausf-auth:edge-key'], { ecs: [] }),
  ]
  await addAusf(folder, await createNfFolder(folder, 'ausf', { nf, peers }, authority, making), making)
}

async function createNef(folder: string, plan: Plan): Promise<void> {
  const { address, ports, authority, making } = plan
  const nf = identity(plan, 'nef', { listen: { address, mtls: ports.nef }, ausf: originOf(plan, 'ausf') })
  await createNfFolder(folder, 'nef', { nf, peers: [] }, authority, making)
}

/** The SEAF of a serving network that is the home network: it has a credential and calls, nobody calls it. */
async function createAmf(folder: string, plan: Plan): Promise<void> {
  const { homeNetwork, authority, making } = plan
  const own = { servingNetworkName: servingNetworkName(homeNetwork), ausf: originOf(plan, 'ausf') }
  await createNfFolder(folder, 'amf', { nf: identity(plan, 'amf', own) }, authority, making)
}

/** Its name is one that devices find: it is no name of the core. */
function createEnt(folder: string, plan: Plan): Promise<void> {
  const { homeNetwork, address, fqdns, ports, entitlementPorts, authority, making } = plan
  const udm = { fqdn: fqdns.udm, port: ports.udm, address: reachable(address) }
  return createEntitlementServer(
    folder,
    { fqdn: entitlementFqdn(homeNetwork), homeNetwork, address, ports: entitlementPorts, udm },
    authority,
    making,
  )
}
