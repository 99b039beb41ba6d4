import type { Socket } from 'node:net'
import type { Server } from 'node:tls'
import { type ClientHello, LONGEST_CLIENT_HELLO, MalformedClientHello, readClientHello } from './client-hello.ts'

export interface PskFront {
  /** @param address - where the connection comes from. @returns whether it may begin one more handshake now */
  mayBegin(address: string | undefined): boolean
  /**
   * Makes the key of an identity ready, if there is one: `keyOf` of the server finds it then. Where this is not there,
   * no handshake waits.
   */
  fetchKey?(identity: string, address: string | undefined): Promise<void>
  /** milliseconds for the ClientHello and the key together, 5,000 unless stated */
  readonly patience?: number
}

const PATIENCE = 5_000
const TLS_13 = 0x0304

/**
 * Stands before the handshakes of a server for TLS-PSK. A source that begins too many is cut off (THREATS PS-10).
 *
 * It can let each one wait until the key that it offers has been asked for, because `pskCallback` must answer at once
 * (THREATS section 0 fact 6): it reads the ClientHello, puts it back, and leaves everything else to the server. A key
 * that was fetched is proven like any other (THREATS R2), and what is no good ClientHello is refused by the TLS stack,
 * as it would be without this.
 */
export function standBeforeHandshakes(server: Server, front: PskFront): void {
  const begins = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const leave = () => void socket.destroy()
    socket.on('error', leave)
    if (!front.mayBegin(socket.remoteAddress)) return leave()
    const begin = () => {
      socket.off('error', leave)
      for (const each of begins) each.call(server, socket)
    }
    if (front.fetchKey === undefined) return begin()
    const deadline = setTimeout(leave, front.patience ?? PATIENCE)
    keyReady(socket, front.fetchKey)
      .then(() => {
        if (!socket.destroyed) begin()
      })
      .catch(leave)
      .finally(() => clearTimeout(deadline))
  })
}

async function keyReady(socket: Socket, fetchKey: NonNullable<PskFront['fetchKey']>): Promise<void> {
  const hello = await clientHelloOf(socket)
  // An EEC offers one identity (THREATS R4): more would let a stranger multiply its requests.
  const [identity, ...others] = hello?.identities ?? []
  if (identity === undefined || others.length > 0 || !hello?.versions.includes(TLS_13)) return
  await fetchKey(identity.toString(), socket.remoteAddress)
}

/** @returns the ClientHello, which can still be read from the socket; undefined if what came is none */
function clientHelloOf(socket: Socket): Promise<ClientHello | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientHello | undefined>()
  const parts: Buffer[] = []
  let [length, needed] = [0, 1]
  const look = () => {
    for (let part: Buffer | null = socket.read(); part !== null; part = socket.read()) {
      parts.push(part)
      length += part.length
    }
    if (length < needed) return
    const octets = Buffer.concat(parts)
    const hello = attempt(octets)
    if (typeof hello === 'number') {
      needed = hello
      return
    }
    socket.off('readable', look).off('close', closed)
    socket.unshift(octets)
    resolve(hello)
  }
  const closed = () => reject(new Error('closed before the ClientHello was complete'))
  socket.on('readable', look).once('close', closed)
  return promise
}

function attempt(octets: Buffer): ClientHello | number | undefined {
  if (octets.length > LONGEST_CLIENT_HELLO) return undefined
  try {
    return readClientHello(octets)
  } catch (error) {
    if (error instanceof MalformedClientHello) return undefined
    throw error
  }
}
