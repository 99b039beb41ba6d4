import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, edgewardChild, scriptChild } from './child.ts'
import { load, type Request } from './load.ts'
import { against, type Result } from './result.ts'
import { type Candidate, ECS, inviteMany, prepare } from './setting.ts'

const PATH = '/eecs-eesregistration/v1/registrations'
const SHAPE = { connections: 4, streams: 32 }

function onboardingRequest({ bundle, csr }: Candidate): Request {
  const body = JSON.stringify({
    eesProf: { eesId: bundle.eesId, endPt: { fqdn: bundle.fqdn }, eecRegConf: true, easIds: ['eas-1', 'eas-2'] },
    onboardingInformation: { csr },
  })
  const headers = { ':method': 'POST', ':path': PATH, ':authority': ECS, 'content-type': 'application/json' }
  return { headers: { ...headers, authorization: `Bearer ${bundle.onboardingToken}` }, body }
}

/** Onboardings each second, checked, signed and durable; against a handler that commits one row and signs twice. */
export async function benchOnboarding(count: number): Promise<Result> {
  const { folder, ecs, remove } = await prepare()
  const requests = (await inviteMany(ecs, count)).map(onboardingRequest)
  const warmUp = requests.splice(0, Math.ceil(count / 4))
  const ca = readFileSync(join(ecs, 'ca', 'root.crt'))

  const measure = async (server: Child, trust: { ca: Buffer } | { rejectUnauthorized: false }) => {
    const origin = server.listeners['server'] ?? ''
    const send = (all: readonly Request[]) =>
      load({ ...SHAPE, origin, tls: { ...trust, servername: ECS }, requests: all, status: 201 })
    await send(warmUp)
    const before = server.processorTime()
    const rate = await send(requests)
    return { rate, microseconds: ((server.processorTime() - before) / requests.length) * 1e6 }
  }
  const server = await edgewardChild('ecs', 'serve', '--dir', ecs)
  const ours = await measure(server, { ca }).finally(() => server.stop())
  const bare = await scriptChild('bare-server.ts', 'onboarding', folder)
  const limit = await measure(bare, { rejectUnauthorized: false }).finally(() => bare.stop())
  await remove()
  return against('onboardings per second', ours, limit, 0.6)
}
