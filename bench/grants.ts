import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onboard } from '../src/ees/index.ts'
import { type Child, edgewardChild, scriptChild } from './child.ts'
import { eachOf, inTurn, type Side } from './in-turn.ts'
import { type Load, openLoad, type Request } from './load.ts'
import { against, type Result } from './result.ts'
import { ECS, inviteMany, prepare } from './setting.ts'

const SHAPE = { connections: 2, streams: 32, status: 200 }

const REQUEST: Request = {
  headers: {
    ':method': 'POST',
    ':path': '/oauth2/token',
    ':authority': ECS,
    'content-type': 'application/x-www-form-urlencoded',
  },
  body: 'grant_type=client_credentials&scope=eecs-eesregistration',
}

/** Token grants each second over kept mutual TLS, policy and audit trail included; against a handler that only signs. */
export async function benchGrants(count: number): Promise<Result> {
  const { folder, ecs, remove } = await prepare()
  const [candidate] = await inviteMany(ecs, 1)
  if (candidate === undefined) throw new Error('there is no candidate')
  const [server, bare] = [
    await edgewardChild('ecs', 'serve', '--dir', ecs),
    await scriptChild('bare-server.ts', 'grants', folder),
  ]
  const { eesId, fqdn } = candidate.bundle
  const profile = { eesId, endPt: { fqdn }, eecRegConf: true }
  const options = { store: join(folder, 'ees'), resolve: new Map([[ECS as string, '127.0.0.1']]) }
  const registration = await onboard(JSON.stringify(candidate.bundle), { eesProf: profile }, options)
  const { certificateChain: cert, privateKey: key } = registration.credential
  registration.close()

  const open = (child: Child, listener: string, tls: object) =>
    openLoad({ ...SHAPE, origin: child.listeners[listener] ?? '', tls: { ...tls, servername: ECS } })
  const ours = await open(server, 'mtls', { ca: readFileSync(join(ecs, 'ca', 'root.crt')), cert, key })
  const own = { cert: readFileSync(join(folder, 'client.crt')), key: readFileSync(join(folder, 'client.key')) }
  const limit = await open(bare, 'server', { ...own, rejectUnauthorized: false })

  const each = eachOf(count)
  const requests = Array.from({ length: each }, () => REQUEST)
  const sideOf = (load: Load, child: Child): Side => ({
    round: () => load.send(requests),
    used: () => child.processorTime(),
  })
  const [granted, signed] = await inTurn(each, sideOf(ours, server), sideOf(limit, bare))
  ours.close()
  limit.close()
  await Promise.all([server.stop(), bare.stop()])
  await remove()
  return against('token grants per second', granted, signed, 0.6)
}
