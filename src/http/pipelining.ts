import type { Socket } from 'node:net'
import { refuseUnless } from '../spec/refusal.ts'
import type { Reply, Request } from './answer.ts'

/** Requests of one HTTP/1.1 connection that may wait for their answers: as many as HTTP/2 has streams. */
const MAX_WAITING = 100

/**
 * A client may send requests without waiting for answers (RFC 9112 9.3.2), and Node takes as many as it sends: one
 * connection could hold any number of them open. It ends when they are too many (THREATS HT-01).
 *
 * @returns the check that sees each request once
 * @throws Refusal from that check, for each request beyond, so that nothing is done for those that were read before
 *   the connection ended
 */
export function boundPipelines(): (request: Request, reply: Reply) => void {
  const waiting = new WeakMap<Socket, number>()
  return ({ raw: { stream, socket } }, { raw: response }) => {
    if (stream !== undefined) return
    const count = (waiting.get(socket) ?? 0) + 1
    waiting.set(socket, count)
    response.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
    if (count > MAX_WAITING) socket.destroy()
    refuseUnless(count <= MAX_WAITING, 'TOO_MANY_REQUESTS', 'too many requests wait on one connection')
  }
}
