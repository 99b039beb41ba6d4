import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A program from outside that judges what we write and shares no code with us. */
export type Judge =
  | 'jose'
  | '/usr/bin/python3'
  | 'openssl'
  | 'tcpdump'
  | 'certtool'
  | 'gnutls-serv'
  | 'gnutls-cli'
  | 'curl'
  | 'eapol_test'
  | 'wpa_cli'
/** The same, and what else it takes to have one. */
export type Tool = Judge | 'spin' | 'tstclnt' | 'gcc' | 'libwolfssl-dev' | 'javac' | 'libbctls-java'

/** What succeeds where it is there. */
const PRESENCE: Readonly<Record<Tool, readonly [string, ...string[]]>> = {
  openssl: ['openssl', 'version'],
  jose: ['jose', 'alg'],
  // The libraries of Debian are those of Debian's own Python.
  '/usr/bin/python3': ['/usr/bin/python3', '-c', 'import jwt, jwcrypto, authlib'],
  tcpdump: ['tcpdump', '--version'],
  certtool: ['certtool', '--version'],
  'gnutls-serv': ['gnutls-serv', '--version'],
  'gnutls-cli': ['gnutls-cli', '--version'],
  curl: ['curl', '--version'],
  eapol_test: ['eapol_test', '-v'],
  wpa_cli: ['wpa_cli', '-v'],
  spin: ['spin', '-V'],
  tstclnt: ['sh', '-c', 'command -v tstclnt'],
  gcc: ['gcc', '--version'],
  'libwolfssl-dev': ['test', '-e', '/usr/include/wolfssl/ssl.h'],
  javac: ['javac', '-version'],
  'libbctls-java': ['test', '-e', '/usr/share/java/bctls.jar'],
}
const presence = new Map<Tool, boolean>()

/**
 * Options of a test that needs these judges: skipped, with a message, where one is missing.
 * With EDGEWARD_REQUIRE_JUDGES set a missing judge is an error, so that no pipeline passes without its verdict.
 */
export function needs(...judges: readonly Tool[]): { skip: string | false } {
  const missing = judges.filter((judge) => !isPresent(judge))
  if (missing.length === 0) return { skip: false }
  const message = `${missing.join(' and ')} not installed`
  if (process.env['EDGEWARD_REQUIRE_JUDGES']) throw new Error(message)
  return { skip: message }
}

function isPresent(judge: Tool): boolean {
  const known = presence.get(judge)
  if (known !== undefined) return known
  const [command, ...args] = PRESENCE[judge]
  const present = spawnSync(command, args).status === 0
  presence.set(judge, present)
  return present
}

export interface Verdict {
  readonly accepted: boolean
  /** standard output, then standard error */
  readonly said: string
  /** standard output */
  readonly output: Buffer
}

/** @param input - standard input */
export function ask(judge: Judge, args: readonly string[], input: string | Uint8Array = ''): Verdict {
  const { status, stdout, stderr, error } = spawnSync(judge, args, {
    input,
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  })
  if (error) throw error
  return { accepted: status === 0, said: `${stdout}${stderr}`, output: stdout }
}

/** Writes files into a new folder, which goes away with `using`. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>) {
  const folder = mkdtempSync(join(tmpdir(), 'edgeward-'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return {
    path: (name: string) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
