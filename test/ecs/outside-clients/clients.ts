import { execFile, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Tool } from '../../judges.ts'

/** What a client offers. */
export interface Offer {
  readonly name: string
  readonly port: number
  readonly identity: string
  /** 64 hexadecimal digits */
  readonly key: string
}

/** The seven ways in which each client comes. */
export type Case =
  | 'the key'
  | 'another key'
  | 'an unknown identity'
  | 'no key'
  | 'the key in TLS 1.2'
  | 'the key with AES-256 alone'
  | 'the key in psk_ke alone'

export interface OutsideClient {
  readonly needed: readonly Tool[]
  /** Builds what there is to build, into a folder that is there. */
  build?(folder: string): Promise<unknown>
  /** The command, which sends its standard input once the handshake is done, and prints what comes. */
  command(what: Case, offer: Offer, folder: string): readonly [string, ...string[]]
}

const run = promisify(execFile)
const source = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const JARS = ['bctls', 'bcprov', 'bcutil'].map((jar) => `/usr/share/java/${jar}.jar`).join(':')

export const CLIENTS: Readonly<Record<string, OutsideClient>> = {
  OpenSSL: {
    needed: ['openssl'],
    command(what, { name, port, identity, key }) {
      const psk = what === 'no key' ? [] : ['-psk', key, '-psk_identity', identity]
      const version = what === 'the key in TLS 1.2' ? ['-tls1_2', '-cipher', 'PSK'] : ['-tls1_3']
      const suites = what === 'the key with AES-256 alone' ? ['-ciphersuites', 'TLS_AES_256_GCM_SHA384'] : []
      const to = ['-connect', `127.0.0.1:${port}`, '-servername', name]
      return ['openssl', 's_client', '-quiet', ...to, ...version, ...suites, ...psk]
    },
  },
  GnuTLS: {
    needed: ['gnutls-cli'],
    command(what, { name, port, identity, key }) {
      const version = what === 'the key in TLS 1.2' ? 'TLS1.2' : 'TLS1.3'
      const exchange = what === 'the key in psk_ke alone' ? ':-KX-ALL:+PSK' : ':-KX-ALL:+ECDHE-PSK:+DHE-PSK'
      const cipher = what === 'the key with AES-256 alone' ? ':-CIPHER-ALL:+AES-256-GCM' : ''
      const priority = `NORMAL:-VERS-ALL:+VERS-${version}${what === 'no key' ? '' : exchange}${cipher}`
      const psk = what === 'no key' ? [] : ['--pskusername', identity, '--pskkey', key]
      const to = ['--port', String(port), '--sni-hostname', name, '127.0.0.1']
      return ['gnutls-cli', '--no-ca-verification', '--priority', priority, ...psk, ...to]
    },
  },
  NSS: {
    needed: ['tstclnt'],
    command(what, { name, port, identity, key }) {
      const suites = what === 'the key with AES-256 alone' ? ['-c', ':1302'] : []
      const psk = what === 'no key' ? [] : ['-z', `0x${key}:${identity}`]
      const to = ['-4', '-h', '127.0.0.1', '-p', String(port), '-a', name]
      return ['tstclnt', '-D', '-o', '-V', 'tls1.3:tls1.3', ...to, ...suites, ...psk]
    },
  },
  wolfSSL: {
    needed: ['gcc', 'libwolfssl-dev'],
    build: (folder) => run('gcc', ['-o', `${folder}/wolfssl-client`, source('wolfssl-client.c'), '-lwolfssl']),
    command(what, { name, port, identity, key }, folder) {
      const suite = what === 'the key with AES-256 alone' ? 'TLS13-AES256-GCM-SHA384' : 'TLS13-AES128-GCM-SHA256'
      const [version, cipher] = what === 'the key in TLS 1.2' ? ['1.2', 'ECDHE-PSK-AES128-GCM-SHA256'] : ['1.3', suite]
      const mode = what === 'the key in psk_ke alone' ? 'psk_ke' : 'psk_dhe_ke'
      const psk = what === 'no key' ? '' : key
      return [`${folder}/wolfssl-client`, String(port), name, version, cipher, mode, identity, psk]
    },
  },
  'Bouncy Castle': {
    needed: ['javac', 'libbctls-java'],
    build: (folder) => run('javac', ['-nowarn', '-d', folder, '-cp', JARS, source('BouncyCastleClient.java')]),
    command(what, { name, port, identity, key }, folder) {
      const version = what === 'the key in TLS 1.2' ? '1.2' : '1.3'
      const suite = what === 'the key with AES-256 alone' ? '256' : '128'
      const mode = what === 'the key in psk_ke alone' ? 'psk_ke' : 'psk_dhe_ke'
      const psk = what === 'no key' ? '' : key
      const java = ['java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', `${folder}:${JARS}`] as const
      return [...java, 'BouncyCastleClient', String(port), name, version, suite, mode, identity, psk]
    },
  },
}

const LIMIT = 60_000

/**
 * @param request - that makes the server close the connection when it has answered
 * @returns what the client has printed when it ends
 */
export async function printedBy([program, ...args]: readonly [string, ...string[]], request: string): Promise<string> {
  const child = spawn(program, args, { stdio: 'pipe' })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let printed = ''
  const timer = setTimeout(() => reject(new Error(`${program} does not end: ${printed}`)), LIMIT)
  child.once('error', reject).once('close', () => resolve(printed))
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1').on('data', (text: string) => {
      printed += text
      // NSS goes on until both sides have said all.
      if (/HTTP\/1\.1 \d{3} /.test(printed)) child.stdin.end()
    })
  }
  child.stdin.on('error', () => {}).write(request)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}
