import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

/** Seven processes compile at once the first time: a small machine that has other work as well needs a while. */
const START_LIMIT = 120_000
const STOP_LIMIT = 10_000

/** A server of the edge: a process of its own, with its log in a file. */
export interface ServerProcess {
  readonly fqdn: string
  readonly listeners: Readonly<Record<string, string>>
  /** the file that it logs to */
  readonly log: string
  /** Resolves when the process has ended. */
  stop(): Promise<void>
}

/** Where servers are started, and until when anybody waits for them. */
export interface ServerPlace {
  readonly folder: string
  /** aborted when the edge shall stop: a server that is not ready by then need not become so */
  readonly stopping: AbortSignal
}

/**
 * Starts `edgeward ARGUMENTS` and waits for its ready line.
 *
 * @throws Error if it ends, is stopped before, or says nothing for two minutes; its log is named
 */
export async function startServer(
  name: string,
  { folder, stopping }: ServerPlace,
  ...arguments_: string[]
): Promise<ServerProcess> {
  stopping.throwIfAborted()
  const logFile = join(folder, `${name}.log`)
  const log = openSync(logFile, 'a', 0o600)
  const program = process.argv[1] ?? 'edgeward'
  const child = spawn(process.execPath, [...process.execArgv, program, ...arguments_], {
    stdio: ['ignore', 'pipe', log],
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    return { ...(await readyLine(child, { logFile, stopping })), log: logFile, stop: () => stop(child, ended) }
  } catch (error) {
    await stop(child, ended)
    throw error
  }
}

function readyLine(
  child: ChildProcess,
  { logFile, stopping }: { readonly logFile: string; readonly stopping: AbortSignal },
): Promise<Pick<ServerProcess, 'fqdn' | 'listeners'>> {
  const { promise, resolve, reject } = Promise.withResolvers<Pick<ServerProcess, 'fqdn' | 'listeners'>>()
  const fail = (reason: string) => reject(new Error(`${reason}; its log is ${logFile}`))
  const deadline = setTimeout(() => fail('a server does not become ready'), START_LIMIT)
  const stop = () => fail('a server is stopped')
  stopping.addEventListener('abort', stop, { once: true })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
    const end = output.indexOf('\n')
    if (end !== -1) resolve(JSON.parse(output.slice(0, end)) as ServerProcess)
  })
  child.once('exit', (code) => fail(`a server ended with ${code}`))
  return promise.finally(() => {
    clearTimeout(deadline)
    stopping.removeEventListener('abort', stop)
  })
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const hurry = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT)
  await ended.finally(() => clearTimeout(hurry))
}
