import type { SecureClientSessionOptions } from 'node:http2'
import http2, { type ClientHttp2Session } from 'node:http2'

export interface Request {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface LoadOptions {
  readonly origin: string
  readonly tls: SecureClientSessionOptions
  readonly connections: number
  /** requests in flight on each connection */
  readonly streams: number
  readonly requests: readonly Request[]
  readonly status: number
}

/** Sends the requests over kept connections. @returns how many were answered each second */
export async function load({ origin, tls, connections, streams, requests, status }: LoadOptions): Promise<number> {
  const sessions = await Promise.all(Array.from({ length: connections }, () => connect(origin, tls)))
  let next = 0
  const worker = async (session: ClientHttp2Session) => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const answered = await send(session, request)
      if (answered !== status) throw new Error(`a request was answered ${answered}`)
    }
  }
  const start = performance.now()
  await Promise.all(sessions.flatMap((session) => Array.from({ length: streams }, () => worker(session))))
  const seconds = (performance.now() - start) / 1000
  for (const session of sessions) session.close()
  return requests.length / seconds
}

function connect(origin: string, tls: SecureClientSessionOptions): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(origin, tls)
    session.once('connect', () => resolve(session)).once('error', reject)
  })
}

function send(session: ClientHttp2Session, { headers, body }: Request): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers)
    let status = 0
    stream.once('response', (answer) => {
      status = Number(answer[':status'])
    })
    stream
      .resume()
      .once('end', () => resolve(status))
      .once('error', reject)
    stream.end(body)
  })
}
