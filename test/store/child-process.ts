import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A program of this folder and its arguments, to be run by Node. */
export function program(name: string, ...parameters: string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(name, import.meta.url)), ...parameters]
}

export interface Ended {
  readonly lines: readonly string[]
  readonly stderr: string
  readonly code: number | null
}

/** Runs a command to its end. `onLine` sees each line of its output as it comes. */
export function run(command: readonly string[], onLine?: (line: string, child: ChildProcess) => void): Promise<Ended> {
  const [executable = '', ...parameters] = command
  const child = spawn(executable, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let stderr = ''
  child.stderr.on('data', (octets: Buffer) => {
    stderr += octets.toString()
  })
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    onLine?.(line, child)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ lines, stderr, code }))
  })
}

/** The ids that a writing child was told are stored. */
export function storedIds(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith('stored ')).map((line) => line.slice('stored '.length))
}

/** @returns why a test cannot run here, or false: the command must succeed */
export function lacks(...command: readonly [string, ...string[]]): string | false {
  const [tool, ...parameters] = command
  return spawnSync(tool, parameters).status !== 0 && `needs ${tool}`
}
