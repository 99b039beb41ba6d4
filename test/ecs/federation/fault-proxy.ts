import { connect, createServer, type Server, type Socket } from 'node:net'

/** Somebody else answers in its place, with a certificate that is good for something else. */
export const WRONG_CERTIFICATES = [
  'a certificate of another name',
  'a certificate of another root',
  'a certificate of another role',
] as const
export type WrongCertificate = (typeof WRONG_CERTIFICATES)[number]

/** What a peer can suffer, or be up to, below HTTP. */
export const FAULTS = [
  ...WRONG_CERTIFICATES,
  'refused',
  'hung',
  'reset',
  'half-closed',
  'garbage',
  'reset after the handshake',
  'mute after the handshake',
  'half-closed after the handshake',
  'garbage after the handshake',
  'a trickle',
] as const
export type Fault = (typeof FAULTS)[number]

/** A TCP proxy on loopback, before a server that knows nothing of it. */
export class FaultProxy {
  fault: Fault | undefined
  /** what came from the server and did not get through as it was */
  spoilt = 0
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** @param target - the port of the server, or of who stands in for it with this certificate */
  static async before(target: (instead: WrongCertificate | undefined) => number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const address = server.address()
    const proxy = new FaultProxy(server, typeof address === 'object' && address !== null ? address.port : 0)
    server.on('connection', (client) => proxy.#carry(client, target(wrongCertificate(proxy.fault))))
    return proxy
  }

  /** From now on; what is open ends, so that nobody goes on with what was before. */
  set(fault: Fault | undefined): void {
    this.fault = fault
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): Promise<void> {
    this.set(undefined)
    return new Promise((closed) => this.#server.close(() => closed()))
  }

  #carry(client: Socket, port: number): void {
    this.#keep(client)
    const { fault } = this
    if (fault === 'hung') return
    if (fault === 'refused' || fault === 'reset') return void client.resetAndDestroy()
    if (fault === 'half-closed') return void client.end()
    if (fault === 'garbage') return void client.write(Buffer.alloc(400, 'HTTP/1.1 200 OK\r\n'))
    const server = this.#keep(connect(port, '127.0.0.1'))
    client.pipe(server)
    let flights = 0
    server.on('data', (octets) => {
      flights += 1
      // The first one from the server brings the handshake to its end (RFC 8446 2), and nothing of an answer.
      if (flights < 2 || fault === undefined || wrongCertificate(fault) !== undefined) return void client.write(octets)
      this.spoilt += 1
      spoil(client, octets, fault)
    })
    server.on('end', () => client.end())
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket))
  }
}

function wrongCertificate(fault: Fault | undefined): WrongCertificate | undefined {
  return WRONG_CERTIFICATES.find((each) => each === fault)
}

function spoil(client: Socket, octets: Buffer, fault: Fault): void {
  if (fault === 'reset after the handshake') client.resetAndDestroy()
  if (fault === 'half-closed after the handshake') client.end()
  if (fault === 'garbage after the handshake') client.write(Buffer.alloc(octets.length, 'x'))
  if (fault === 'a trickle') client.write(octets.subarray(0, 1))
}
