import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { initCore } from '../src/bin/core/init-core.ts'
import { readAuthorities, trustEcs } from '../src/bin/core/trust-ecs.ts'
import { openEcs } from '../src/ecs/adapters/open-ecs.ts'
import { newServerCredential } from '../src/ecs/server/server-certificate.ts'
import { openPeer, type Peer } from '../src/http/client.ts'
import { concealedSqn, verifyAutn } from '../src/keys/aka.ts'
import { deriveKausf, deriveResStar } from '../src/keys/five-g-aka.ts'
import { deriveKedgeId } from '../src/keys/kedge.ts'
import { takeKey } from '../src/keys/key.ts'
import { openNfFolder } from '../src/nf/adapters/folder.ts'
import { SEAF, type SeafConfiguration } from '../src/nf/serving-network.ts'
import { NAUSF_UE_AUTHENTICATION as NAUSF, pathOf } from '../src/spec/core-operations.ts'
import { type RoutingIndicator, type Supi, servingNetworkName } from '../src/spec/subscriber-identifiers.ts'
import { clientTls } from '../src/tls/client.ts'
import type { ServerCredential } from '../src/tls/profile.ts'
import { openUdm } from '../src/udm/adapters/open-udm.ts'
import { udmCommands } from '../src/udm/adapters/ports.ts'
import { type Child, edgewardChild, scriptChild } from './child.ts'
import { eachOf, inTurn, type Side } from './in-turn.ts'
import { against, type Result } from './result.ts'
import { ECS, environment, prepare } from './setting.ts'

const HOME = { mcc: '001', mnc: '01' }
const NAME = servingNetworkName(HOME)
const K = '465b5ce8b199b49faa5f0a2ee238a6bc'
const OPC = 'cd63cb71954a9f4e48a5994e37a02baf'
/** requests under way */
const AT_ONCE = 32

/**
 * Primary authentications for each second through AUSF and UDM, and key requests, over kept mutual TLS, all that is
 * written included; each against a server over the same TLS that commits one row for each of its answers.
 */
export async function benchCore(authentications: number, keyRequests: number): Promise<Result[]> {
  const core = await startCore(authentications)
  const bare = await startBare()
  try {
    const kedgeIds: string[] = []
    const eachUe = eachOf(authentications)
    const [authentication, commits] = await inTurn(
      eachUe,
      sideOf(core.processors, eachUe, async (n) => void kedgeIds.push(await authenticate(core.seaf, supiOf(n)))),
      sideOf([bare.child], eachUe, () => bare.commit()),
    )
    const each = eachOf(keyRequests)
    const [keys, answers] = await inTurn(
      each,
      sideOf([core.ausf], each, (n) => requestKey(core.ecs, kedgeIds[n % kedgeIds.length] ?? '')),
      sideOf([bare.child], each, () => bare.commit()),
    )
    // Start and confirmation are two requests, and either leaves something on disk: SQN, and Kedge.
    const twoCommits = { rate: commits.rate / 2, microseconds: (commits.microseconds ?? 0) * 2 }
    return [
      against('primary authentications per second', authentication, twoCommits),
      against('key requests per second', keys, answers),
    ]
  } finally {
    await core.stop()
    await bare.stop()
  }
}

/** @param act - is given a number that no act before it had */
function sideOf(servers: readonly Child[], each: number, act: (n: number) => Promise<unknown>): Side {
  let next = 0
  return {
    async round() {
      const end = next + each
      const worker = async () => {
        while (next < end) await act(next++)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
    },
    used: () => servers.reduce((sum, server) => sum + server.processorTime(), 0),
  }
}

const supiOf = (n: number) => `imsi-00101${String(n).padStart(10, '0')}` as Supi

async function startCore(subscribers: number) {
  const folder = join(await mkdtemp(join(tmpdir(), 'edgeward-bench-')), 'core')
  await initCore(folder, { homeNetwork: HOME, routingIndicator: '0', address: '127.0.0.1' }, environment)
  await addSubscribers(join(folder, 'udm'), subscribers)
  const configure = (name: string, change: object) => {
    const file = join(folder, name, `${name}.yaml`)
    writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), log: 'error', ...change }))
  }
  configure('udm', {})
  configure('ausf', { keyRequests: { perSecond: 100_000, burst: 100_000 } })
  const { ecs: ecsFolder, remove } = await prepare()
  const credential = await ecsCredential(ecsFolder)
  const authorities = await readAuthorities([join(ecsFolder, 'ca', 'root.crt')])
  await trustEcs(folder, { fqdn: ECS, authorities, via: 'ausf' })
  const [udm, ausf] = [
    await edgewardChild('udm', 'serve', '--dir', join(folder, 'udm')),
    await edgewardChild('ausf', 'serve', '--dir', join(folder, 'ausf')),
  ]
  const root = await readFile(join(folder, 'ca', 'root.crt'), 'utf8')
  const name = 'ausf.5gc.mnc001.mcc001.3gppnetwork.org'
  const { port } = new URL(ausf.listeners['mtls'] ?? '')
  const reach = (own: ServerCredential) =>
    openPeer(`https://${name}:${port}`, clientTls([root], own), new Map([[name, '127.0.0.1']]))
  const amf = await openNfFolder<SeafConfiguration>(join(folder, 'amf'), SEAF, undefined)
  const [seaf, ecs] = [reach(amf.credential.current()), reach(credential)]
  return {
    ausf,
    processors: [ausf, udm],
    seaf,
    ecs,
    async stop() {
      seaf.close()
      ecs.close()
      await Promise.all([ausf.stop(), udm.stop()])
      await remove()
      await rm(join(folder, '..'), { recursive: true, force: true })
    },
  }
}

async function addSubscribers(folder: string, count: number): Promise<void> {
  const udm = await openUdm(folder, environment)
  const commands = udmCommands(udm)
  for (let from = 0; from < count; from += 500) {
    const some = Array.from({ length: Math.min(500, count - from) }, (_, n) => supiOf(from + n))
    await commands.add(some.map((supi) => ({ supi, k: K, opc: OPC, edge: true })))
  }
  await udm.close()
}

async function ecsCredential(folder: string): Promise<ServerCredential> {
  const opened = await openEcs(folder, environment)
  const credential = await newServerCredential(opened, { apiRoot: `https://${ECS}` })
  await opened.close()
  return credential
}

/** 5G AKA as SEAF and UE run it: TS 33.501 6.1.3.2. @returns the Kedge ID */
async function authenticate(seaf: Peer, supi: Supi): Promise<string> {
  const started = await send(seaf, 'POST', NAUSF.Authenticate.path, { supiOrSuci: supi, servingNetworkName: NAME }, 201)
  const { rand, autn } = (started.body as { '5gAuthData': { rand: string; autn: string } })['5gAuthData']
  const [randOctets, autnOctets] = [Buffer.from(rand, 'hex'), Buffer.from(autn, 'hex')]
  const keys = { k: takeKey('K', Buffer.from(K, 'hex')), opc: takeKey('OPc', Buffer.from(OPC, 'hex')) }
  const verified = verifyAutn(keys, randOctets, autnOctets)
  if (verified === undefined) throw new Error('the challenge is not of the home network')
  const { ck, ik, res } = verified
  const resStar = deriveResStar(ck, ik, NAME, randOctets, res).toString('hex')
  const authCtxId = started.location.split('/').at(-1) ?? ''
  await send(seaf, 'PUT', pathOf(NAUSF.Confirm5gAka, { authCtxId }), { resStar }, 200)
  const kausf = deriveKausf(ck, ik, NAME, concealedSqn(autnOctets))
  return deriveKedgeId(kausf, { supi, routingIndicator: '0' as RoutingIndicator, homeNetwork: HOME })
}

const requestKey = (ecs: Peer, kedgeId: string) =>
  send(ecs, 'POST', NAUSF.KeyRequest.path, { kedgeId, eecId: 'eec-1' }, 200)

async function send(peer: Peer, method: 'POST' | 'PUT', path: string, body: object, status: number) {
  const headers = { 'content-type': 'application/json' }
  const answer = await peer.request({ method, path, headers, body: JSON.stringify(body) })
  if (answer.status !== status) throw new Error(`${path} was answered ${answer.status}`)
  return { body: JSON.parse(answer.body.toString('utf8')) as unknown, location: String(answer.headers['location']) }
}

async function startBare() {
  const { folder, remove } = await prepare()
  const child = await scriptChild('bare-server.ts', 'commits', folder)
  const own = {
    certificateChain: readFileSync(join(folder, 'client.crt'), 'utf8'),
    privateKey: readFileSync(join(folder, 'client.key'), 'utf8'),
  }
  const name = 'bare.example.com'
  const { port } = new URL(child.listeners['server'] ?? '')
  const tls = clientTls([readFileSync(join(folder, 'root.crt'), 'utf8')], own)
  const peer = openPeer(`https://${name}:${port}`, tls, new Map([[name, '127.0.0.1']]))
  return {
    child,
    commit: () => send(peer, 'POST', '/', { row: 'x'.repeat(100) }, 200),
    async stop() {
      peer.close()
      await child.stop()
      await remove()
    },
  }
}
