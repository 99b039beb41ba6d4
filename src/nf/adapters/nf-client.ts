import { type Message, openPeer, type Peer, type Resolve } from '../../http/client.ts'
import { parseJsonContent } from '../../http/content.ts'
import type { Timers } from '../../ports/timers.ts'
import { Refusal } from '../../spec/refusal.ts'
import { clientTls } from '../../tls/client.ts'
import type { ServerCredential } from '../../tls/profile.ts'

/** An answer of a producer, its content read as JSON. Nothing in it is believed yet. */
export interface NfAnswer {
  readonly status: number
  readonly location: string | undefined
  /** undefined if there is no content */
  readonly body: unknown
}

/** One network function, called by mutual TLS. */
export interface NfClient {
  /** @throws Refusal NF_CONGESTION if it cannot be asked, is too slow, or answers something else than JSON */
  ask(method: Message['method'], path: string, body?: object): Promise<NfAnswer>
  close(): void
}

export interface NfClientOptions {
  /** `https://FQDN:PORT` */
  readonly origin: string
  /** PEM of the only root that is trusted for it */
  readonly root: string
  /** what we show now; each that takes the place of the one before opens a new connection */
  readonly credential: () => ServerCredential
  readonly resolve: Resolve
  readonly timers: Timers
  /** milliseconds for one answer, 3,000 unless stated */
  readonly patience?: number
}

/** The connection is made with the first request, and again when it has gone. */
export function nfClient({ origin, root, credential, resolve, timers, patience = 3_000 }: NfClientOptions): NfClient {
  const connectionWith = (shown: ServerCredential) => {
    return { shown, peer: openPeer(origin, clientTls([root], shown), resolve) }
  }
  let connection = connectionWith(credential())
  const peerNow = () => {
    const own = credential()
    if (own !== connection.shown) {
      connection.peer.close()
      connection = connectionWith(own)
    }
    return connection.peer
  }
  return {
    async ask(method, path, body) {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const message = { method, path, headers, patience, ...(body !== undefined && { body: JSON.stringify(body) }) }
      try {
        return await inTime(exchange(peerNow(), message), patience, timers)
      } catch (cause) {
        throw new Refusal('NF_CONGESTION', 'another network function is not available now', { cause })
      }
    },
    close: () => connection.peer.close(),
  }
}

async function exchange(peer: Peer, message: Message): Promise<NfAnswer> {
  const { status, headers, body } = await peer.request(message)
  try {
    return { status, location: headers.location, body: body.length === 0 ? undefined : parseJsonContent(body) }
  } finally {
    // There may have been a key in it (THREATS KE-11).
    body.fill(0)
  }
}

async function inTime<Answer>(answer: Promise<Answer>, patience: number, timers: Timers): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>()
  const cancel = timers.after(patience, () => reject(new Error('no answer in time')))
  return Promise.race([answer, promise]).finally(cancel)
}
