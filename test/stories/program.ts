import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const PROGRAM = fileURLToPath(new URL('../../bin/edgeward.mjs', import.meta.url))
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning']

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. */
export function run(
  file: string,
  arguments_: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  return new Promise<Outcome>((resolve) => {
    const env = { ...process.env, ...options.env }
    execFile(file, [...arguments_], { ...options, env, timeout: 120_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr })
    })
  })
}

/** `edgeward ARGUMENTS`, as a process of its own. */
export function edgeward(...arguments_: string[]): Promise<Outcome> {
  return run(process.execPath, [...NODE_OPTIONS, PROGRAM, ...arguments_])
}

/** As {@link edgeward}, and what it printed as JSON. */
export async function edgewardJson<Document>(...arguments_: string[]): Promise<Document> {
  const { code, stdout, stderr } = await edgeward(...arguments_, '--json')
  if (code !== 0) throw new Error(`edgeward ${arguments_.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Document
}

export interface Server {
  readonly ready: {
    readonly ready: string
    readonly fqdn: string
    readonly listeners: Readonly<Record<string, string>>
  }
  readonly process: ChildProcess
  /** what it has written to standard error so far */
  log(): string
  /** @returns the exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** A story that fails may not come to stop its servers: they do not keep it from ending, and end with it. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

function unref(child: ChildProcess): void {
  child.unref()
  for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref()
}

/** Starts a server of ours and waits for its first line. */
export async function serve(...arguments_: string[]): Promise<Server> {
  const child = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, ...arguments_], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  void ended.then(() => running.delete(child))
  const line = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.includes('\n')) resolve(output.slice(0, output.indexOf('\n')))
    })
    ended.then((code) => reject(new Error(`edgeward ${arguments_.join(' ')} ended with ${code}: ${log}`)))
  })
  unref(child)
  return {
    ready: JSON.parse(line) as Server['ready'],
    process: child,
    log: () => log,
    stop: (signal = 'SIGTERM') => {
      child.ref()
      child.kill(signal)
      return ended
    },
  }
}

/** Until a server has written this to its log. @throws with the log, if it ends before */
export async function logged(server: Server, text: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!server.log().includes(text)) {
    assert.ok(server.process.exitCode === null && Date.now() < deadline, server.log())
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** A folder for one story, and the way to remove it. */
export async function storyFolder(): Promise<{
  folder: string
  at: (...names: string[]) => string
  remove: () => Promise<void>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-story-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return {
    folder,
    at: (...names) => join(folder, ...names),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
