import type { TLSSocket } from 'node:tls'

/** One answer as it stood on the wire. */
export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

export interface Exchange {
  readonly answers: readonly RawAnswer[]
  /** whether the server closed the connection before the patience was at an end */
  readonly closed: boolean
}

/**
 * Sends octets as they are and listens until the server closes, or until it has been silent for as long as `patience`.
 */
export async function exchangeRaw(socket: TLSSocket, octets: string | Buffer, patience = 5_000): Promise<Exchange> {
  let text = ''
  let closed = false
  const ended = new Promise<void>((done) => {
    socket.on('data', (part) => {
      text += part.toString('latin1')
    })
    // A reset is an end too.
    socket.on('error', () => {})
    socket.once('close', () => {
      closed = true
      done()
    })
    socket.setTimeout(patience, done)
  })
  socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets)
  await ended
  socket.destroy()
  return { answers: readAnswers(text), closed }
}

/** Splits what came by the framing that it states: an answer behind another one is seen. */
export function readAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = text
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (!rest.startsWith('HTTP/1.1 ') || end === -1) throw new Error(`not an answer: ${JSON.stringify(rest)}`)
    const head = rest.slice(0, end)
    const status = Number(head.slice(9, 12))
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
    const from = end + 4
    // The only answer of Node's own that is chunked has no content.
    const to = /^transfer-encoding: chunked$/im.test(head) ? from + '0\r\n\r\n'.length : from + length
    if (status !== 100) answers.push({ status, head, body: rest.slice(from, to) })
    rest = rest.slice(to)
  }
  return answers
}
