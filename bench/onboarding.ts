import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, edgewardChild, scriptChild } from './child.ts'
import { eachOf, inTurn, partOf, type Side } from './in-turn.ts'
import { type Load, openFreshLoad, openLoad, type Request } from './load.ts'
import { against, type Result } from './result.ts'
import { type Candidate, ECS, inviteMany, prepare } from './setting.ts'

const PATH = '/eecs-eesregistration/v1/registrations'

function onboardingRequest({ bundle, csr }: Candidate): Request {
  const body = JSON.stringify({
    eesProf: { eesId: bundle.eesId, endPt: { fqdn: bundle.fqdn }, eecRegConf: true, easIds: ['eas-1', 'eas-2'] },
    onboardingInformation: { csr },
  })
  const headers = { ':method': 'POST', ':path': PATH, ':authority': ECS, 'content-type': 'application/json' }
  return { headers: { ...headers, authorization: `Bearer ${bundle.onboardingToken}` }, body }
}

/**
 * Onboardings each second, checked, signed and durable. Over kept connections, against a handler that commits one row and
 * signs twice; and each over a connection of its own, as an EES comes, against a handler that does what nobody is spared:
 * the handshake, the signatures of token and certification request, those of certificate and token, and one commit.
 */
export async function benchOnboarding(count: number): Promise<Result[]> {
  const { folder, ecs, remove } = await prepare()
  const requests = (await inviteMany(ecs, count)).map(onboardingRequest)
  const [first, second] = [requests.slice(0, count * 0.7), requests.slice(count * 0.7)]
  const ca = readFileSync(join(ecs, 'ca', 'root.crt'))
  const server = await edgewardChild('ecs', 'serve', '--dir', ecs)
  const [committing, verifying] = [
    await scriptChild('bare-server.ts', 'onboarding', folder),
    await scriptChild('bare-server.ts', 'verification', folder),
  ]

  const trust = (child: Child) => (child === server ? { ca } : { rejectUnauthorized: false })
  const target = (child: Child) => ({
    origin: child.listeners['server'] ?? '',
    tls: { ...trust(child), servername: ECS },
    status: 201,
  })
  const kept = (child: Child) => openLoad({ ...target(child), connections: 4, streams: 32 })
  const fresh = async (child: Child) => openFreshLoad({ ...target(child), atOnce: 16 })
  const compare = async (
    name: string,
    some: readonly Request[],
    [bare, open]: readonly [Child, (child: Child) => Promise<Load>],
  ) => {
    const loads = await Promise.all([server, bare].map(open))
    const sides = [server, bare].map((child, index): Side => {
      const load = loads[index]
      return { round: async (n) => load?.send(partOf(some, n)), used: () => child.processorTime() }
    })
    const [ours, limit] = await inTurn(eachOf(some.length), ...(sides as [Side, Side]))
    for (const load of loads) load.close()
    return against(name, ours, limit, 0.6)
  }
  try {
    return [
      await compare('onboardings per second', first, [committing, kept]),
      await compare('onboardings per second, each over a connection of its own', second, [verifying, fresh]),
    ]
  } finally {
    await Promise.all([server, committing, verifying].map((child) => child.stop()))
    await remove()
  }
}
