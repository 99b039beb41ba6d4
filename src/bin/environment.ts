/** Settings of the process under which no server of ours starts, and why (THREATS OP-01). */
const DANGEROUS: readonly (readonly [found: (process: NodeJS.Process) => boolean, why: string])[] = [
  [
    ({ env }) => env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0',
    'NODE_TLS_REJECT_UNAUTHORIZED=0 switches certificate checks off',
  ],
  [({ env }) => Boolean(env['SSLKEYLOGFILE']), 'SSLKEYLOGFILE writes the keys of TLS connections to a file'],
  [
    ({ env }) => /\b(tls|net|http2?|https|crypto)\b/.test(env['NODE_DEBUG'] ?? ''),
    'NODE_DEBUG prints what is sent, tokens included',
  ],
  [
    (process) => options(process).some((option) => /^--inspect/.test(option)),
    'the inspector lets others read every key',
  ],
  [
    (process) => options(process).some((option) => /^--tls-keylog/.test(option)),
    '--tls-keylog writes the keys of TLS connections',
  ],
  [
    (process) => options(process).some((option) => /^--tls-(min-v1\.[01]|max-v1\.[01]|cipher-list)/.test(option)),
    'a --tls option changes the TLS profile',
  ],
  [
    (process) => options(process).some((option) => /^--(insecure-http-parser|security-revert)/.test(option)),
    'an option makes the HTTP parser lenient',
  ],
]

function options({ execArgv, env }: NodeJS.Process): string[] {
  return [...execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)]
}

/** @returns why this process must not serve, or undefined if it may */
export function dangerOf(process: NodeJS.Process): string | undefined {
  return DANGEROUS.find(([found]) => found(process))?.[1]
}

/** No JSON and no form can reach a prototype that has no such accessor (THREATS HT-05). */
export function hardenPrototypes(): void {
  Reflect.deleteProperty(Object.prototype, '__proto__')
}
