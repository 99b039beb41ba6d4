import { createServer } from 'node:net'

/** Below what any system gives to outgoing connections, which would take a port while its server is being restarted. */
const FIRST = 16_384
const PORTS = 16_384
/**
 * Processes look from different places on, so that what one has found and does not listen on yet is not found by the
 * next ones: as many as possible, each with as many ports as are asked for at once.
 */
const APART = 8
let next = (process.pid * APART) % PORTS

/** @returns ports that nobody listens on now, all different, and not those of a call before */
export async function freePorts(address: string, count: number): Promise<number[]> {
  const free: number[] = []
  for (let looked = 0; free.length < count; looked++) {
    if (looked === PORTS) throw new Error(`${address} has no ${count} ports between ${FIRST} and ${FIRST + PORTS}`)
    const port = FIRST + next
    next = (next + 1) % PORTS
    if (await isFree(address, port)) free.push(port)
  }
  return free
}

/** Two listeners cannot have one port. */
export class PortGivenTwice extends Error {
  override readonly name = 'PortGivenTwice'
}

/**
 * @param wanted - a port each; 0 for one that nobody listens on now
 * @returns the ports in that order, all different
 * @throws PortGivenTwice
 */
export async function choosePorts(address: string, wanted: readonly number[]): Promise<number[]> {
  const given = wanted.filter((port) => port !== 0)
  const twice = given.find((port, index) => given.indexOf(port) !== index)
  if (twice !== undefined) throw new PortGivenTwice(`the port ${twice} is given to two listeners: take another for one`)
  const free = (await freePorts(address, wanted.length)).filter((port) => !given.includes(port))
  return wanted.map((port) => port || (free.shift() ?? 0))
}

/** @throws Error if it is not the port, but the address, that cannot be listened on */
export function isFree(address: string, port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const server = createServer()
  server
    .once('error', (error: NodeJS.ErrnoException) => (TAKEN.has(error.code) ? resolve(false) : reject(error)))
    .listen(port, address, () => server.close(() => resolve(true)))
  return promise
}

const TAKEN = new Set<string | undefined>(['EADDRINUSE', 'EACCES'])
