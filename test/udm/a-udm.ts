import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPeer, type Peer } from '../../src/http/client.ts'
import { freePorts } from '../../src/http/free-ports.ts'
import {
  CORE_AUTHORITIES,
  createCoreAuthority,
  createNfFolder,
  createOperator,
} from '../../src/nf/adapters/core-authority.ts'
import type { NfEnvironment } from '../../src/nf/server/serve-nf.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { NUDM_UEAU, pathOf } from '../../src/spec/core-operations.ts'
import type { NfInstanceId } from '../../src/spec/identifiers.ts'
import type { EdgeAuthenticationInfoResult } from '../../src/spec/messages/kedge-request.ts'
import type { Operation } from '../../src/spec/operation.ts'
import { clientTls } from '../../src/tls/client.ts'
import type { ServerCredential } from '../../src/tls/profile.ts'
import { addUdm, newUdmMembers } from '../../src/udm/adapters/init-folder.ts'
import { openUdm } from '../../src/udm/adapters/open-udm.ts'
import { type ServingUdm, serveUdm } from '../../src/udm/server/serve-udm.ts'
import { anNf, certified, environment, fqdn } from '../nf/a-network.ts'

export const UDM_FQDN = fqdn('udm.5gc.mnc001.mcc001.3gppnetwork.org')
export const AUSF_FQDN = fqdn('ausf.5gc.mnc001.mcc001.3gppnetwork.org')
export const SERVING_NETWORK = '5G:mnc001.mcc001.3gppnetwork.org'
export const SUPI = 'imsi-001010000000001'

/** MILENAGE set 1 of TS 35.208, whose AMF has the separation bit. */
export const SET_1 = {
  supi: SUPI,
  k: '465b5ce8b199b49faa5f0a2ee238a6bc',
  opc: 'cd63cb71954a9f4e48a5994e37a02baf',
  amf: 'b9b9',
  // The next one is ff9bb4d0b607, that of the set.
  sqn: 'ff9bb4d0b5e6',
} as const
export const RAND_1 = '23553cbe9637a89d218ae64dae47bf35'

export interface Asked {
  readonly status: number
  readonly body: EdgeAuthenticationInfoResult & { readonly cause?: string }
  readonly location: string | undefined
}

/** A real UDM in this process, and an AUSF's certificate to ask it with. */
export interface RunningUdm {
  readonly folder: string
  readonly serving: ServingUdm
  readonly ausf: { readonly nfInstanceId: NfInstanceId; readonly credential: ServerCredential }
  readonly peer: Peer
  ask(operation: Operation, parameters: Record<string, string>, body: object): Promise<Asked>
  /** GenerateAuthData for the serving network 001 01 */
  generate(supiOrSuci: string, change?: object): Promise<Asked>
  restart(): Promise<void>
  close(): Promise<void>
}

export async function runUdm(
  change: Partial<NfEnvironment> = {},
  own: object = {},
  scopes: readonly string[] = ['nudm-ueau'],
): Promise<RunningUdm> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-'))
  const making = { clock: systemClock, random: systemRandom }
  const authority = await createCoreAuthority(join(folder, 'ca'), fqdn('5gc.mnc001.mcc001.3gppnetwork.org'), making)
  const [mtls = 0, admin = 0] = await freePorts('127.0.0.1', 2)
  const nf = {
    nfInstanceId: systemRandom.uuid() as NfInstanceId,
    nfType: 'UDM',
    fqdn: UDM_FQDN,
    resolve: {},
    own: { ...newUdmMembers({ mcc: '001', mnc: '01' }), ...own, listen: { address: '127.0.0.1', mtls, admin } },
  }
  const home = join(folder, 'udm')
  const peers = [{ fqdn: AUSF_FQDN, nfType: 'AUSF', root: CORE_AUTHORITIES, scopes: [...scopes] }]
  const secret = await createNfFolder(home, 'udm', { nf, peers }, authority, making)
  await createOperator(home, authority, making)
  await addUdm(home, secret, making)
  const subject = anNf(AUSF_FQDN)
  const { credential } = await certified(authority.nfIssuer, subject)
  const connect = () =>
    openPeer(`https://${UDM_FQDN}:${mtls}`, clientTls([authority.root], credential), new Map([[UDM_FQDN, '127.0.0.1']]))
  let serving = await serveUdm(await openUdm(home, environment(change)))
  let peer = connect()
  const ask: RunningUdm['ask'] = async (operation, parameters, message) => {
    const { method } = operation
    const headers = { 'content-type': 'application/json' }
    const answer = await peer.request({
      method,
      path: pathOf(operation, parameters),
      headers,
      body: JSON.stringify(message),
    })
    const body = answer.body.length === 0 ? {} : JSON.parse(answer.body.toString('utf8'))
    return { status: answer.status, body, location: answer.headers.location }
  }
  return {
    folder: home,
    get serving() {
      return serving
    },
    ausf: { nfInstanceId: subject.nfInstanceId, credential },
    get peer() {
      return peer
    },
    ask,
    generate: (supiOrSuci, changed = {}) => {
      const request = { servingNetworkName: SERVING_NETWORK, ausfInstanceId: subject.nfInstanceId, ...changed }
      return ask(NUDM_UEAU.GenerateAuthData, { supiOrSuci }, request)
    },
    async restart() {
      peer.close()
      await serving.close()
      serving = await serveUdm(await openUdm(home, environment(change)))
      peer = connect()
    },
    async close() {
      peer.close()
      await serving.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Dice that always throw this RAND; everything else is as random as ever. */
export const fixedRand = (rand = RAND_1) => ({
  random: {
    ...systemRandom,
    octets: (count: number) => (count === 16 ? Buffer.from(rand, 'hex') : systemRandom.octets(count)),
  },
})
