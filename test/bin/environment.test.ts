import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dangerOf } from '../../src/bin/environment.ts'
import { PROGRAM, run, serve, storyFolder } from '../stories/program.ts'

/** Variables of the environment, and what the sentence says of each. */
const VARIABLES: readonly (readonly [env: Record<string, string>, says: RegExp])[] = [
  [{ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, /NODE_TLS_REJECT_UNAUTHORIZED=0/],
  [{ SSLKEYLOGFILE: '/tmp/keys' }, /SSLKEYLOGFILE/],
  [{ NODE_DEBUG: 'tls' }, /NODE_DEBUG/],
  [{ NODE_DEBUG: '*' }, /NODE_DEBUG/],
  [{ NODE_DEBUG_NATIVE: 'http2' }, /NODE_DEBUG/],
]

/** Options of Node, by what the sentence says of them. */
const OPTIONS: readonly (readonly [option: string, says: RegExp])[] = [
  ['--inspect', /inspector/],
  ['--inspect=0.0.0.0:9229', /inspector/],
  ['--inspect-brk', /inspector/],
  ['--inspect-wait', /inspector/],
  ['--inspect-port=0', /inspector/],
  ['--tls-keylog=/tmp/keys', /--tls-keylog/],
  ['--trace-tls', /--trace-tls/],
  ['--tls-min-v1.0', /TLS profile/],
  ['--tls-min-v1.1', /TLS profile/],
  ['--tls-cipher-list=ALL', /TLS profile/],
  ['--insecure-http-parser', /lenient/],
  ['--security-revert=CVE-2023-46809', /lenient/],
  ['--heapsnapshot-signal=SIGUSR2', /in memory/],
  ['--heapsnapshot-near-heap-limit=1', /in memory/],
  ['--heap-prof', /in memory/],
  ['--report-on-signal', /in memory/],
  ['--report-uncaught-exception', /in memory/],
  ['--abort-on-uncaught-exception', /in memory/],
]

const HARMLESS = ['--max-old-space-size=512', '--disable-warning=ExperimentalWarning', '--enable-source-maps']

describe('settings under which nothing of ours starts', () => {
  test('OP-01: each dangerous variable is found, and said by its name', () => {
    for (const [env, says] of VARIABLES) assert.match(dangerOf({ env, execArgv: [] }) ?? '', says)
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '1', NODE_DEBUG: '', SSLKEYLOGFILE: '', NODE_OPTIONS: '' }
    assert.equal(dangerOf({ env, execArgv: [] }), undefined)
  })

  test('OP-01: each dangerous option is found, on the command line and however NODE_OPTIONS spells it', () => {
    for (const [option, says] of OPTIONS) {
      const spelt = [
        option,
        `  ${option}`,
        `--no-warnings\t${option}`,
        `"${option}"`,
        option.replace(/^--(\w)/, '--\\$1'),
      ]
      const ways = [
        { env: {}, execArgv: [...HARMLESS, option] },
        { env: {}, execArgv: [option.replaceAll(/(?<=\w)-(?=\w)/g, '_')] },
        ...spelt.map((text) => ({ env: { NODE_OPTIONS: text }, execArgv: [] })),
      ]
      for (const way of ways) assert.match(dangerOf(way) ?? '', says, JSON.stringify(way))
    }
    assert.equal(dangerOf({ env: { NODE_OPTIONS: HARMLESS.join(' ') }, execArgv: HARMLESS }), undefined)
  })

  test('OP-01: a real process ends with 1 and one sentence, and does nothing else', async () => {
    const argv = [PROGRAM, 'ecs', 'init', '--dir', '/nonexistent/ecs', '--fqdn', 'ecs1.example.com']
    const outcomes = await Promise.all([
      run(process.execPath, argv, { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' } }),
      run(process.execPath, argv, { env: { NODE_OPTIONS: '"--trace_tls"' } }),
      run(process.execPath, ['--insecure-http-parser', ...argv]),
    ])
    for (const { code, stdout, stderr } of outcomes) {
      assert.equal(code, 1)
      assert.equal(stdout, '')
      assert.match(stderr, /^edgeward does not start: [^\n]+\. Remove it and start again\.\n$/)
    }
  })

  test('OP-01: no signal makes a server of ours open the inspector', async () => {
    const story = await storyFolder()
    const argv = [PROGRAM, 'ecs', 'init', '--dir', story.at('ecs'), '--fqdn', 'ecs1.example.com']
    assert.equal((await run(process.execPath, argv)).code, 0)
    const server = await serve('ecs', 'serve', '--dir', story.at('ecs'))
    server.process.kill('SIGUSR1')
    await new Promise((wait) => setTimeout(wait, 300))
    assert.doesNotMatch(server.log(), /Debugger/)
    assert.equal(await server.stop(), 0)
    await story.remove()
  })
})
