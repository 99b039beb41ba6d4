import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { adminClient } from '../src/ecs/adapters/admin-client.ts'
import { initFolder } from '../src/ecs/adapters/init-folder.ts'
import { onboard } from '../src/ees/index.ts'
import { openPeer, type Peer } from '../src/http/client.ts'
import type { Fqdn } from '../src/spec/identifiers.ts'
import { clientTls } from '../src/tls/client.ts'
import type { ServerCredential } from '../src/tls/profile.ts'
import { type Child, edgewardChild, scriptChild } from './child.ts'
import { eachOf, inTurn, type Side } from './in-turn.ts'
import { type Load, openLoad, type Request } from './load.ts'
import { against, type Bounded, type Result } from './result.ts'
import { ECS, environment, prepare, type Setting } from './setting.ts'

const SHAPE = { connections: 2, streams: 24, status: 200 }
const OTHER = 'ecs2.example.org' as Fqdn
const SCOPE = 'eees-eeccontextreloc'
const NAMES = [ECS, OTHER, 'ees1.example.com', 'ees2.example.com', 'ees3.example.org']
const resolve = new Map(NAMES.map((name) => [name as string, '127.0.0.1']))
const RULES = `
  - { id: home, effect: allow, eesId: '*', scopes: [${SCOPE}], target: '*' }
  - { id: away, effect: allow, fqdn: '*', ecs: '*', scopes: [${SCOPE}], target: '*' }
`

/** Two ECSs that trust each other, two EESs of the one, an EES of the other. */
interface Edge {
  readonly home: Child
  readonly away: Child
  readonly ca: Buffer
  readonly credential: ServerCredential
}

/**
 * Tokens for an EES of the same ECS, by policy; tokens for one of another ECS, against two such grants and one bare round
 * trip; and how long the first take while the other ECS hangs (THREATS FW-08).
 */
export async function benchForwarding(count: number): Promise<{ results: Result[]; bounded: Bounded }> {
  const setting = await prepare()
  const edge = await startEdge(setting)
  try {
    const [local, forwarded, trip, signed] = await measure(setting, edge, eachOf(count))
    const limit = { rate: 1 / (2 / local.rate + 1 / trip.rate) }
    return {
      results: [
        against('token grants for an EES per second', local, signed, 0.6),
        against('forwarded token grants per second', forwarded, limit, 0.5),
      ],
      bounded: await whileHanging(edge, count / 4),
    }
  } finally {
    edge.away.signal('SIGCONT')
    await Promise.all([edge.home.stop(), edge.away.stop()])
    await setting.remove()
  }
}

async function startEdge({ folder, ecs }: Setting): Promise<Edge> {
  const other = join(folder, 'ecs2')
  const listen = { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 }
  await initFolder(other, OTHER, { ...environment, listen })
  for (const each of [ecs, other]) {
    appendFileSync(join(each, 'policy.yaml'), RULES)
    const file = join(each, 'ecs.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('log: info', 'log: error'))
    appendFileSync(file, `\nresolve:\n  ${ECS}: 127.0.0.1\n  ${OTHER}: 127.0.0.1\n`)
  }
  const home = await edgewardChild('ecs', 'serve', '--dir', ecs)
  const away = await edgewardChild('ecs', 'serve', '--dir', other)
  const [atHome, atAway] = [await adminClient(ecs), await adminClient(other)]
  const credential = await enrol(atHome, folder, 'ees1.example.com')
  await enrol(atHome, folder, 'ees2.example.com')
  await enrol(atAway, folder, 'ees3.example.org')
  const rootOf = (of: string) => readFileSync(join(of, 'ca', 'root.crt'), 'utf8')
  const at = (child: Child, name: string) => `https://${name}:${new URL(child.listeners['server'] ?? '').port}`
  const [apiRoot, roots] = [at(away, OTHER), rootOf(other)]
  await atHome.addPeer({ fqdn: OTHER, apiRoot, roots, nameSpace: ['example.org'] })
  await atAway.addPeer({ fqdn: ECS, apiRoot: at(home, ECS), roots: rootOf(ecs), nameSpace: ['example.com'] })
  atHome.close()
  atAway.close()
  return { home, away, ca: readFileSync(join(ecs, 'ca', 'root.crt')), credential }
}

async function enrol(operator: Awaited<ReturnType<typeof adminClient>>, folder: string, fqdn: string) {
  const eesId = fqdn.split('.')[0] ?? fqdn
  const bundle = await operator.invite({ eesId, fqdn })
  const presentation = { eesProf: { eesId, endPt: { fqdn }, eecRegConf: true } }
  const registration = await onboard(JSON.stringify(bundle), presentation, { store: join(folder, eesId), resolve })
  registration.close()
  return registration.credential
}

const formFor = (target: string) =>
  `grant_type=client_credentials&scope=${SCOPE}&resource=${encodeURIComponent(`https://${target}`)}`

const requestFor = (target: string): Request => ({
  headers: {
    ':method': 'POST',
    ':path': '/oauth2/token',
    ':authority': ECS,
    'content-type': 'application/x-www-form-urlencoded',
  },
  body: formFor(target),
})

async function measure({ folder }: Setting, { home, ca, credential }: Edge, each: number) {
  const bare = await Promise.all(['trips', 'grants'].map((mode) => scriptChild('bare-server.ts', mode, folder)))
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const own = { cert: read('client.crt'), key: read('client.key'), rejectUnauthorized: false }
  const ees = { cert: credential.certificateChain, key: credential.privateKey, ca }
  const loads: Load[] = []
  const sideOf = async (child: Child, origin: string, tls: object, target: string): Promise<Side> => {
    const load = await openLoad({ ...SHAPE, origin, tls: { ...tls, servername: ECS } })
    loads.push(load)
    const requests = Array.from({ length: each }, () => requestFor(target))
    return { round: () => load.send(requests), used: () => child.processorTime() }
  }
  const atHome = (target: string) => sideOf(home, home.listeners['mtls'] ?? '', ees, target)
  const atBare = (child: Child) => sideOf(child, child.listeners['server'] ?? '', own, 'ees2.example.com')
  const sides = [await atHome('ees2.example.com'), await atHome('ees3.example.org')] as const
  const limits = await Promise.all(bare.map(atBare))
  const measured = await inTurn(each, ...sides, ...(limits as [Side, Side]))
  for (const load of loads) load.close()
  await Promise.all(bare.map((child) => child.stop()))
  return measured
}

/** Both times others ask for tokens of the other ECS as well: once it answers, once its process is stopped. */
async function whileHanging({ home, away, ca, credential }: Edge, count: number): Promise<Bounded> {
  const origin = `https://${ECS}:${new URL(home.listeners['mtls'] ?? '').port}`
  const open = () => openPeer(origin, clientTls([ca.toString()], credential), resolve)
  const [locals, others] = [open(), open()]
  await percentile(locals, others, count / 4)
  const answering = await percentile(locals, others, count)
  away.signal('SIGSTOP')
  await percentile(locals, others, count / 4)
  const hanging = await percentile(locals, others, count)
  locals.close()
  others.close()
  const value = Math.round((hanging / answering) * 100) / 100
  return { name: 'p99 of local grants while another ECS hangs, to that while it answers', value, unit: '', atMost: 1.5 }
}

/** @returns the 99th percentile of local grants, in milliseconds */
async function percentile(locals: Peer, others: Peer, count: number): Promise<number> {
  let left = count
  const ask = (peer: Peer, target: string) => peer.request({ ...messageFor(target) })
  const times: number[] = []
  const local = async () => {
    while (left-- > 0) {
      const start = performance.now()
      const { status } = await ask(locals, 'ees2.example.com')
      if (status !== 200) throw new Error(`a local grant was answered ${status}`)
      times.push(performance.now() - start)
    }
  }
  const other = async () => {
    while (left > 0) {
      await ask(others, 'ees3.example.org').catch(() => undefined)
      await wait(50)
    }
  }
  await Promise.all([...Array.from({ length: 4 }, local), ...Array.from({ length: 4 }, other)])
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0
}

const messageFor = (target: string) => ({
  method: 'POST' as const,
  path: '/oauth2/token',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: formFor(target),
})
