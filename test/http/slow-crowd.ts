import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { clientTls } from '../../src/tls/client.ts'
import { NAME } from './credentials.ts'
import { FrameSession } from './http2-frames.ts'
import { SLOW_CLIENTS, type SlowClient } from './slow-clients.ts'

// Slow clients in a process of their own, which a test talks to by messages: their work is not the listener's.

/** So many clients of one kind shall connect; or, when their time is over, look what has become of them. */
export type Order = Arrival | { readonly kind: string; readonly look: true }

interface Arrival {
  readonly kind: string
  readonly count: number
  readonly port: number
  readonly rootPem: string
  /** milliseconds between the pieces of what is sent piece by piece */
  readonly pace: number
}

/** An order is carried out. */
export interface News {
  readonly kind: string
  /** of those who looked */
  readonly seen: readonly Sight[]
}

/** What became of one client. A stream that was ended on its own leaves the connection open. */
export type Sight = 'stream cancelled' | 'connection closed' | 'nothing'

/** It looks once, and leaves. */
type Look = () => Promise<Sight>

/** Handshakes at a time: an honest client is not to stand behind two thousand. */
const AT_A_TIME = 16
/** Milliseconds that what the listener has sent before may take to come, however busy the machine is. */
const PATIENCE = 60_000
const CANCEL = 8

async function arrive(slow: SlowClient, order: Arrival): Promise<Look> {
  const { over, first = '', drip = [], reads = true, stream } = slow
  const socket = await connectTo(order, over)
  const frames = over === 'h2' && socket instanceof TLSSocket ? new FrameSession(socket) : undefined
  if (reads) socket.resume()
  else socket.pause()
  socket.write(first)
  let piece = 0
  const next = () => drip[Math.min(piece++, drip.length - 1)] ?? ''
  const dripping = drip.length > 0 ? setInterval(() => socket.write(next()), order.pace) : undefined
  socket.once('close', () => clearInterval(dripping))
  const sight = (): Sight => {
    if (socket.destroyed) return 'connection closed'
    return stream && frames?.reset(1) === CANCEL ? 'stream cancelled' : 'nothing'
  }
  return async () => {
    const end = performance.now() + PATIENCE
    while (reads && sight() === 'nothing' && performance.now() < end) await new Promise((wait) => setTimeout(wait, 50))
    const seen = sight()
    socket.destroy()
    return seen
  }
}

async function connectTo({ port, rootPem }: Arrival, over: SlowClient['over']): Promise<Socket> {
  const address = { host: '127.0.0.1', port }
  const tls = { ...clientTls([rootPem]), ...address, servername: NAME, ALPNProtocols: [over] }
  const socket = over === 'tcp' ? connect(address) : connectTls(tls)
  socket.on('error', () => {})
  await once(socket, over === 'tcp' ? 'connect' : 'secureConnect')
  return socket
}

/** by their kind */
const crowds = new Map<string, readonly Look[]>()

async function gather(order: Arrival): Promise<readonly Look[]> {
  const slow = SLOW_CLIENTS[order.kind]
  if (slow === undefined) throw new Error(`there are no clients with ${order.kind}`)
  const crowd: Look[] = []
  let left = order.count
  const oneByOne = async () => {
    while (left-- > 0) crowd.push(await arrive(slow, order))
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, oneByOne))
  return crowd
}

process.on('message', async (order: Order) => {
  const { kind } = order
  if (!('look' in order)) crowds.set(kind, await gather(order))
  const looks = 'look' in order ? (crowds.get(kind) ?? []) : []
  const news: News = { kind, seen: await Promise.all(looks.map((look) => look())) }
  process.send?.(news)
})
process.once('disconnect', () => process.exit())
