type Settings = Pick<NodeJS.Process, 'env' | 'execArgv'>

/** Settings of the process under which no server of ours starts, and why (THREATS OP-01). */
const DANGEROUS: readonly (readonly [found: (process: Settings) => boolean, why: string])[] = [
  [
    ({ env }) => env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0',
    'NODE_TLS_REJECT_UNAUTHORIZED=0 switches certificate checks off',
  ],
  [({ env }) => Boolean(env['SSLKEYLOGFILE']), 'SSLKEYLOGFILE writes the keys of TLS connections to a file'],
  [
    ({ env }) => Boolean(env['NODE_DEBUG'] || env['NODE_DEBUG_NATIVE']),
    'NODE_DEBUG prints what is sent, tokens included',
  ],
  [hasOption(/^--inspect/), 'the inspector lets others read every key'],
  [hasOption(/^--tls-keylog/), '--tls-keylog writes the keys of TLS connections'],
  [hasOption(/^--trace-tls/), '--trace-tls prints handshakes, identities included'],
  [hasOption(/^--tls-(min-v1\.[01]|max-v1\.[01]|cipher-list)/), 'a --tls option changes the TLS profile'],
  [hasOption(/^--(insecure-http-parser|security-revert)/), 'an option makes the HTTP parser lenient'],
  [
    hasOption(/^--(heapsnapshot|heap-prof|report|abort-on-uncaught-exception)/),
    'an option writes what is in memory to a file, keys included',
  ],
]

function hasOption(pattern: RegExp): (process: Settings) => boolean {
  return (process) => options(process).some((option) => pattern.test(option))
}

/** In NODE_OPTIONS quotes and backslashes are dropped, and everywhere an underscore is as good as a hyphen. */
function options({ execArgv, env }: Settings): string[] {
  const fromEnvironment = (env['NODE_OPTIONS'] ?? '').replaceAll(/["\\]/g, '').split(/\s+/)
  return [...execArgv, ...fromEnvironment].map((option) => option.replaceAll('_', '-'))
}

/** @returns why this process must not serve, or undefined if it may */
export function dangerOf(process: Settings): string | undefined {
  return DANGEROUS.find(([found]) => found(process))?.[1]
}

/**
 * Without a listener of ours, this signal makes Node open its inspector to every user of the machine (THREATS OP-01).
 */
export function closeInspector(process: NodeJS.Process): void {
  process.on('SIGUSR1', () => {})
}

/** No JSON and no form can reach a prototype that has no such accessor (THREATS HT-05). */
export function hardenPrototypes(): void {
  Reflect.deleteProperty(Object.prototype, '__proto__')
}
