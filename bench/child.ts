import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const OPTIONS = ['--disable-warning=ExperimentalWarning']
const PROGRAM = fileURLToPath(new URL('../bin/edgeward.mjs', import.meta.url))

export interface Child {
  readonly listeners: Readonly<Record<string, string>>
  /** milliseconds from the start of the process to its ready line */
  readonly readyAfter: number
  /** seconds of processor time that it has used so far, all threads together */
  processorTime(): number
  /** MiB in memory now */
  resident(): number
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

export const edgewardChild = (...arguments_: string[]) => start([PROGRAM, ...arguments_])
export const scriptChild = (script: string, ...arguments_: string[]) =>
  start([fileURLToPath(new URL(script, import.meta.url)), ...arguments_])

async function start(arguments_: string[]): Promise<Child> {
  const begun = performance.now()
  const child = spawn(process.execPath, [...OPTIONS, ...arguments_], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve)
    child.once('exit', (code) => reject(new Error(`${arguments_.join(' ')} ended with ${code}`)))
  })
  const { listeners } = JSON.parse(line) as Pick<Child, 'listeners'>
  return {
    listeners,
    readyAfter: performance.now() - begun,
    processorTime() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    resident: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
