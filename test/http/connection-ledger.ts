import type { Http2SecureServer } from 'node:http2'

/** Milliseconds from one tick to the next. */
const TICK = 50

interface Entry {
  /** when the connection was accepted, came through its handshake or last brought the head of a request */
  since: Moment
  until?: Moment
  counts: boolean
}

interface Moment {
  readonly at: number
  readonly tick: number
}

/** How long a connection stayed, or has stayed so far. */
export interface Stay {
  readonly over: boolean
  /** by the wall */
  readonly milliseconds: number
  /** of these, not more than the process of the server had the processor */
  readonly awake: number
}

/**
 * When a server ended each of its connections, or each stream, seen from within its process.
 *
 * Beside the clock on the wall there is one that ticks by a timer: where the process does not get to run, its timers
 * stand still, those that it ends connections by and this one. By that clock nothing is late because of a busy machine.
 */
export class ConnectionLedger {
  readonly #what: 'connection' | 'stream'
  readonly #entries: Entry[] = []
  /** of the connections that are open: a port may be used again as soon as its connection is gone */
  readonly #byPort = new Map<number | undefined, Entry>()
  #open = 0
  #most = 0
  #tick = 0

  /**
   * @param what - is ended when time is over
   * @param except - the path of requests whose connections are not counted
   */
  constructor(server: Http2SecureServer, what: 'connection' | 'stream', except: string) {
    this.#what = what
    setInterval(() => this.#tick++, TICK).unref()
    server.prependListener('connection', (socket) => {
      const { remotePort } = socket
      const entry: Entry = { since: this.#now(), counts: true }
      this.#entries.push(entry)
      this.#most = Math.max(this.#most, ++this.#open)
      this.#byPort.set(remotePort, entry)
      socket.once('close', () => {
        this.#end(entry)
        if (this.#byPort.get(remotePort) === entry) this.#byPort.delete(remotePort)
      })
    })
    server.prependListener('secureConnection', ({ remotePort }) => this.#goOn(remotePort))
    server.prependListener('request', ({ url, socket, stream }) => {
      const entry = this.#goOn(socket.remotePort)
      if (entry === undefined) return
      entry.counts = url !== except
      if (this.#what === 'stream') stream.once('close', () => this.#end(entry))
    })
  }

  /** How many there were at the same time, when there were most. */
  get most(): number {
    return this.#most
  }

  get stays(): readonly Stay[] {
    const now = this.#now()
    return this.#entries
      .filter(({ counts }) => counts)
      .map(({ since, until = now }) => ({
        over: until !== now,
        milliseconds: until.at - since.at,
        awake: (until.tick - since.tick) * TICK,
      }))
  }

  #now(): Moment {
    return { at: performance.now(), tick: this.#tick }
  }

  #goOn(port: number | undefined): Entry | undefined {
    const entry = this.#byPort.get(port)
    if (entry !== undefined && entry.until === undefined) entry.since = this.#now()
    return entry
  }

  #end(entry: Entry): void {
    if (entry.until !== undefined) return
    entry.until = this.#now()
    this.#open--
  }
}
