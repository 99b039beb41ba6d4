import { type ChildProcess, spawn } from 'node:child_process'
import { freePorts } from '../src/http/free-ports.ts'
import type { Judge } from './judges.ts'

const START_LIMIT = 10_000

/** A judge that listens, and talks with what we write. */
export interface JudgeServer {
  readonly port: number
  /** standard output and standard error until now */
  said(): string
  stop(): Promise<void>
}

/**
 * @param args - of the judge, once it is known on which port it listens
 * @param ready - what it says when it listens
 */
export async function startJudge(judge: Judge, args: (port: number) => string[], ready: RegExp): Promise<JudgeServer> {
  const [port = 0] = await freePorts('127.0.0.1', 1)
  const child = spawn(judge, args(port), { stdio: ['pipe', 'pipe', 'pipe'] })
  // A test that fails may not come to stop it.
  process.once('exit', () => child.kill('SIGKILL'))
  let said = ''
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const deadline = setTimeout(() => reject(new Error(`${judge} is not ready: ${said}`)), START_LIMIT)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1').on('data', (text: string) => {
      said += text
      if (ready.test(said)) resolve()
    })
  }
  ended.then(() => reject(new Error(`${judge} ended: ${said}`)))
  await promise.catch((error: unknown) => stop(child, ended).then(() => Promise.reject(error)))
  clearTimeout(deadline)
  return { port, said: () => said, stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}
