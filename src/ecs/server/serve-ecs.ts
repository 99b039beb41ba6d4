import type { TLSSocket } from 'node:tls'
import type { Listener } from '../../http/listener.ts'
import { regularly } from '../../nf/server/upkeep.ts'
import { tlsSelfTest } from '../../tls/self-test.ts'
import { forgetExpiredTokens } from '../adapters/authorization-server.ts'
import { recordedAhead } from '../adapters/certificate-store.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { operatorCommands } from '../adapters/operator.ts'
import { endingPorts } from '../adapters/registrar.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import { deregisterExpired } from '../registrar/end-registration.ts'
import { type AssembledEcs, assembleEcs } from './assemble-ecs.ts'
import type { EecAuthentication } from './eec-authentication.ts'
import { choosePorts, type ListenerName, type Ports } from './ports.ts'
import { keepYearly } from './yearly.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND

/** An ECS that answers. */
export interface ServingEcs {
  readonly fqdn: string
  /** `https://ADDRESS:PORT` of each listener, as it is reached on this machine */
  readonly listeners: Readonly<Record<ListenerName, string>>
  /** the operator's commands, without a connection */
  readonly operator: OperatorCommands
  /** Answers what is under way, then closes the listeners and the store. */
  close(): Promise<void>
}

/**
 * @param selfTest - of the TLS stack; without it there is no listener (THREATS R5)
 * @throws TlsSelfTestFailed
 * @throws Error with code EADDRINUSE or EACCES if a configured port cannot be had
 */
export async function serveEcs(opened: OpenEcs, selfTest: () => Promise<void> = tlsSelfTest): Promise<ServingEcs> {
  await selfTest()
  const ports = await choosePorts(opened)
  const assembled = await assembleEcs(opened, ports)
  const { ecs, lists, eecSide, federation, listeners, eecListener } = assembled
  const { fqdn, listen } = opened.configuration
  await warnOfClock(opened)
  await lists.publish()
  const stopYearly = await keepYearly(opened)
  for (const [name, listener] of Object.entries(listeners) as [ListenerName, Listener][])
    await listener.listen(listen.address, ports[name])
  await eecListener?.listen(listen.address)
  const stop = upkeep(assembled)
  eecSide.notifier.notifications.resume()
  return {
    fqdn,
    listeners: localUrls(listen.address, ports),
    operator: operatorCommands(ecs),
    async close() {
      stop()
      stopYearly()
      lists.stop()
      await Promise.all([eecListener?.close(), ...Object.values(listeners).map((listener) => listener.close())])
      await eecSide.close()
      federation.close()
      await opened.close()
    },
  }
}

function localUrls(address: string, ports: Ports): ServingEcs['listeners'] {
  const host = address.includes(':') ? `[${address}]` : address
  const url = (name: ListenerName) => `https://${host}:${ports[name]}`
  return { server: url('server'), mtls: url('mtls'), psk: url('psk'), admin: url('admin') }
}

/** Somebody has to set the clock, or to revoke what was signed while it was ahead (THREATS CA-08). */
async function warnOfClock({ store, clock, log }: OpenEcs): Promise<void> {
  const ahead = await recordedAhead(store, clock.now())
  if (ahead !== undefined) log.error(ahead, 'the clock is behind a certificate on record: nothing is signed now')
}

/** What must happen without being asked for. @returns the way to stop it */
function upkeep({ ecs, eecs, eecSide, federation, listeners, credential, renew }: AssembledEcs): () => void {
  const { timers, clock } = ecs
  const every = (period: number, name: string, work: () => Promise<unknown>) => regularly(ecs, period, name, work)
  const stops = [
    every(SECOND, 'expired registrations', () => deregisterExpired(endingPorts(ecs))),
    timers.every(SECOND, () => {
      if (eecs.sweep()) listeners.psk.drop((socket) => !isProven(eecs, socket))
    }),
    every(5 * SECOND, 'keys in doubt', () => eecs.confirmKeys()),
    every(60 * SECOND, 'subscriptions', () => eecSide.notifier.keep()),
    every(SECOND, 'trust in other ECSs', () => federation.refresh()),
    every(60 * SECOND, 'signing keys', () => ecs.keepKeys()),
    every(60 * SECOND, 'clock', () => warnOfClock(ecs)),
    every(HOUR, 'expired tokens', () => forgetExpiredTokens(ecs)),
    every(HOUR, 'server certificate', async () => {
      if (clock.now() >= credential().renewAfter) await renew()
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** A connection ends with its key (D-25). */
function isProven(eecs: EecAuthentication, socket: TLSSocket): boolean {
  try {
    eecs.provenKey(socket)
    return true
  } catch {
    return false
  }
}
