import type { SecureClientSessionOptions } from 'node:http2'
import http2, { type ClientHttp2Session } from 'node:http2'

export interface Request {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

interface Target {
  readonly origin: string
  readonly tls: SecureClientSessionOptions
  /** of every answer */
  readonly status: number
}

export interface LoadOptions extends Target {
  readonly connections: number
  /** requests in flight on each connection */
  readonly streams: number
}

export interface Load {
  /** @throws Error unless every answer has the status */
  send(requests: readonly Request[]): Promise<void>
  close(): void
}

/** Requests over kept connections. */
export async function openLoad({ connections, streams, ...target }: LoadOptions): Promise<Load> {
  const sessions = await Promise.all(Array.from({ length: connections }, () => connect(target)))
  const lanes = sessions.flatMap((session) => Array.from({ length: streams }, () => session))
  return {
    send: (requests) => share(lanes, requests, (session, request) => send(session, request, target.status)),
    close() {
      for (const session of sessions) session.close()
    },
  }
}

/** Requests with a connection for each of them, so many at once. */
export function openFreshLoad({ atOnce, ...target }: Target & { readonly atOnce: number }): Load {
  const lanes = Array.from({ length: atOnce }, () => target)
  return {
    send: (requests) =>
      share(lanes, requests, async (_, request) => {
        const session = await connect(target)
        await send(session, request, target.status).finally(() => session.close())
      }),
    close() {},
  }
}

async function share<Lane>(
  lanes: readonly Lane[],
  requests: readonly Request[],
  act: (lane: Lane, request: Request) => Promise<void>,
): Promise<void> {
  let next = 0
  const work = async (lane: Lane) => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) await act(lane, request)
  }
  await Promise.all(lanes.map(work))
}

function connect({ origin, tls }: Target): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(origin, tls)
    session.once('connect', () => resolve(session)).once('error', reject)
  })
}

function send(session: ClientHttp2Session, { headers, body }: Request, expected: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers)
    let status = 0
    stream.once('response', (answer) => {
      status = Number(answer[':status'])
    })
    stream
      .resume()
      .once('end', () => (status === expected ? resolve() : reject(new Error(`a request was answered ${status}`))))
      .once('error', reject)
    stream.end(body)
  })
}
