import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { describe, test } from 'node:test'
import { connectOver } from '../../src/eec/adapters/connect.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { type JudgeServer, startJudge } from '../judge-server.ts'
import { folderWith, needs } from '../judges.ts'
import { VECTOR } from '../ue/a-folder.ts'
import { aCredential, ECS } from './an-ecs.ts'

const { pskIdentity: identity, kecs } = VECTOR
/** How HTTP/2 begins (RFC 9113 3.4). */
const PREFACE = 'PRI * HTTP/2.0'

type Case = 'the key' | 'another key' | 'the key in TLS 1.2' | 'a certificate'

/** What becomes of a handshake of our EEC with a server that has this, whoever wrote the server. */
const EXPECTED: Readonly<Record<Case, 'accepted' | 'refused'>> = {
  'the key': 'accepted',
  'another key': 'refused',
  'the key in TLS 1.2': 'refused',
  'a certificate': 'refused',
}

interface Files {
  path(name: string): string
}

const OTHER_KEY = '11'.repeat(32)
const keyOf = (name: Case) => (name === 'another key' ? OTHER_KEY : kecs)

const OPENSSL = {
  judge: 'openssl',
  ready: /^ACCEPT/m,
  args: (name: Case, { path }: Files) => {
    const version = name === 'the key in TLS 1.2' ? ['-tls1_2', '-cipher', 'PSK'] : ['-tls1_3', '-no_ticket']
    const credential =
      name === 'a certificate'
        ? ['-cert', path('ecs.crt'), '-key', path('ecs.key')]
        : ['-nocert', '-psk', keyOf(name), '-psk_identity', identity]
    return (port: number) => ['s_server', '-accept', `127.0.0.1:${port}`, '-alpn', 'h2', ...version, ...credential]
  },
} as const

const GNUTLS = {
  judge: 'gnutls-serv',
  ready: /port \d+\.\.\.done/,
  args: (name: Case, { path }: Files) => {
    const version = name === 'the key in TLS 1.2' ? 'TLS1.2' : 'TLS1.3'
    const credential =
      name === 'a certificate'
        ? ['--x509certfile', path('ecs.crt'), '--x509keyfile', path('ecs.key')]
        : ['--pskpasswd', path(name === 'another key' ? 'other.psk' : 'ecs.psk')]
    const exchanges = name === 'a certificate' ? '' : ':-KX-ALL:+ECDHE-PSK:+DHE-PSK'
    const priority = `NORMAL:-VERS-ALL:+VERS-${version}${exchanges}`
    const options = ['--echo', '--noticket', '--alpn', 'h2', '--priority', priority, ...credential]
    return (port: number) => ['-p', String(port), ...options]
  },
} as const

/** Whether our EEC takes this server for its ECS. */
async function verdictOn(server: JudgeServer): Promise<'accepted' | 'refused'> {
  const resolve = new Map<string, string>([[ECS, '127.0.0.1']])
  const psk = { identity, key: createSecretKey(Buffer.from(kecs, 'hex')) }
  const connection = connectOver('', resolve).byPsk(`https://${ECS}:${server.port}`, psk)
  try {
    await connection.open()
    return 'accepted'
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'PeerUnavailable', String(error))
    return 'refused'
  } finally {
    connection.close()
  }
}

async function said(server: JudgeServer, text: string): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (server.said().includes(text)) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

describe('TLS-PSK of our EEC with servers of others: RFC 8446 2.2, D-25', () => {
  for (const { judge, ready, args } of [OPENSSL, GNUTLS]) {
    for (const [name, expected] of Object.entries(EXPECTED) as [Case, 'accepted' | 'refused'][]) {
      test(`PS-11: ${judge} with ${name} is ${expected}`, needs(judge), async () => {
        const { certificateChain, privateKey } = await aCredential(ECS, await aDomain({ rootCurve: 'P-256' }))
        using files = folderWith({
          'ecs.crt': certificateChain,
          'ecs.key': privateKey,
          'ecs.psk': `${identity}:${kecs}\n`,
          'other.psk': `${identity}:${OTHER_KEY}\n`,
        })
        const server = await startJudge(judge, args(name, files), ready)
        try {
          assert.equal(await verdictOn(server), expected)
          if (expected === 'accepted') assert.ok(await said(server, PREFACE), server.said())
          else assert.ok(!server.said().includes(PREFACE), server.said())
        } finally {
          await server.stop()
        }
      })
    }
  }
})
