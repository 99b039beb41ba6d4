import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onboard } from '../src/ees/index.ts'
import { type Child, edgewardChild, scriptChild } from './child.ts'
import { load, type Request } from './load.ts'
import { against, type Result } from './result.ts'
import { ECS, inviteMany, prepare } from './setting.ts'

const SHAPE = { connections: 2, streams: 32 }

/** Token grants each second over kept mutual TLS, policy and audit trail included; against a handler that only signs. */
export async function benchGrants(count: number): Promise<Result> {
  const { folder, ecs, remove } = await prepare()
  const [candidate] = await inviteMany(ecs, 1)
  const server = await edgewardChild('ecs', 'serve', '--dir', ecs)
  if (candidate === undefined) throw new Error('there is no candidate')
  const { eesId, fqdn } = candidate.bundle
  const profile = { eesId, endPt: { fqdn }, eecRegConf: true }
  const options = { store: join(folder, 'ees'), resolve: new Map([[ECS as string, '127.0.0.1']]) }
  const registration = await onboard(JSON.stringify(candidate.bundle), { eesProf: profile }, options)
  const { certificateChain: cert, privateKey: key } = registration.credential
  const request: Request = {
    headers: {
      ':method': 'POST',
      ':path': '/oauth2/token',
      ':authority': ECS,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials&scope=eecs-eesregistration',
  }
  const requests = Array.from({ length: count }, () => request)

  const measure = async (
    child: Child,
    listener: string,
    credential: { ca?: Buffer; cert: string | Buffer; key: string | Buffer },
  ) => {
    const trust = credential.ca === undefined ? { rejectUnauthorized: false } : {}
    const tls = { ...credential, ...trust, servername: ECS }
    const send = (all: readonly Request[]) =>
      load({ ...SHAPE, origin: child.listeners[listener] ?? '', tls, requests: all, status: 200 })
    await send(requests.slice(0, count / 4))
    const before = child.processorTime()
    const rate = await send(requests)
    return { rate, microseconds: ((child.processorTime() - before) / count) * 1e6 }
  }
  const ca = readFileSync(join(ecs, 'ca', 'root.crt'))
  const ours = await measure(server, 'mtls', { ca, cert, key }).finally(() => server.stop())
  registration.close()
  const bare = await scriptChild('bare-server.ts', 'grants', folder)
  const own = { cert: readFileSync(join(folder, 'client.crt')), key: readFileSync(join(folder, 'client.key')) }
  const limit = await measure(bare, 'server', own).finally(() => bare.stop())
  await remove()
  return against('token grants per second', ours, limit, 0.6)
}
