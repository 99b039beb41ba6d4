import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { refuseUnless } from '../spec/refusal.ts'

/** A caller that is slow is one that is gone. */
const BOUNDS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 4_096,
}

const MOST_CONNECTIONS = 32

/** The longest path that every system takes for a Unix socket. */
const LONGEST_PATH = 103

export interface PrivateSocket {
  /** Answers what is under way, then closes. */
  close(): Promise<void>
}

/** Whether every system takes so long a path for a socket. */
export function isSocketPath(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST_PATH
}

/**
 * HTTP/1.1 on a Unix socket of mode 0600: for those who can read the files of this process.
 *
 * @param path - `isSocketPath`; whoever calls has made sure that no other process serves there
 * @param grace - milliseconds that `close` waits for answers before it cuts them off; left out: as long as they take
 */
export async function servePrivateSocket(
  path: string,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { grace }: { readonly grace?: number } = {},
): Promise<PrivateSocket> {
  await rm(path, { force: true })
  const server = createServer(BOUNDS, (request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.maxConnections = MOST_CONNECTIONS
  await listenPrivately(server, path)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if (grace !== undefined) setTimeout(() => server.closeAllConnections(), grace).unref()
      }),
  }
}

/** There is no moment at which others could connect: the socket is made with the mode. */
function listenPrivately(server: Server, path: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const umask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(umask)
  }
  return listening
}

/**
 * @param limit - octets
 * @throws Refusal CONTENT_TOO_LARGE
 */
export async function readContent(message: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of message) {
    length += part.length
    refuseUnless(length <= limit, 'CONTENT_TOO_LARGE', 'the content is longer than this operation takes')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
