import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import { PSK_PROFILE } from '../src/tls/psk-profile.ts'
import { scriptChild } from './child.ts'
import { eachOf, inTurn } from './in-turn.ts'
import { pskOf } from './psk-keys.ts'
import { against, type Measured, type Result } from './result.ts'

/**
 * PSK handshakes for each second of a core's time, a new connection each, against `openssl s_server` with the same suite,
 * group and key. Handshakes come one at a time: that is all that s_server does.
 *
 * @returns undefined where openssl is not installed
 */
export async function benchPskHandshakes(count: number): Promise<Result | undefined> {
  if (spawnSync('openssl', ['version']).status !== 0) return undefined
  const ours = await scriptChild('psk-listener.ts')
  const theirs = await startOpenssl()
  const port = Number(new URL(ours.listeners['psk'] ?? '').port)
  const each = eachOf(count)
  try {
    const [own, limit] = await inTurn(
      each,
      { round: () => handshakes(port, each), used: () => ours.processorTime() },
      { round: () => handshakes(theirs.port, each), used: () => processorTimeOf(theirs.child) },
    )
    return against('PSK handshakes per second of one core', ofOneCore(own), ofOneCore(limit), 0.6)
  } finally {
    theirs.child.kill()
    await ours.stop()
  }
}

const ofOneCore = ({ microseconds = 0 }: Measured): Measured => ({ rate: 1e6 / microseconds, microseconds })

async function handshakes(port: number, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await handshake(port)
}

/** One connection, up to the point where both sides know that the key was right: the first octets of the server. */
function handshake(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...PSK_PROFILE,
      host: '127.0.0.1',
      port,
      pskCallback: () => pskOf(0),
      checkServerIdentity: () => undefined,
    })
    socket.once('secureConnect', () => {
      if (!socket.isSessionReused()) reject(new Error('a handshake was not by PSK'))
      socket.end(PREFACE)
    })
    socket.resume().once('close', () => resolve())
    socket.once('error', reject)
  })
}

/** HTTP/2: preface, SETTINGS, GOAWAY, so that the listener closes in order. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
  Buffer.from('0000080700000000000000000000000000', 'hex'),
])

async function startOpenssl(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const port = await freePort()
  const { identity, psk } = pskOf(0)
  const key = ['-psk_identity', identity, '-psk', psk.toString('hex')]
  const profile = ['-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256', '-groups', 'X25519', '-num_tickets', '0']
  const arguments_ = [
    's_server',
    '-accept',
    `127.0.0.1:${port}`,
    '-nocert',
    ...key,
    ...profile,
    '-quiet',
    '-alpn',
    'h2',
  ]
  const child = spawn('openssl', arguments_, { stdio: ['pipe', 'ignore', 'ignore'] })
  for (let round = 0; round < 100; round += 1) {
    const answered = await handshake(port).then(
      () => true,
      () => false,
    )
    if (answered) return { child, port }
    await wait(50)
  }
  child.kill()
  throw new Error('openssl s_server does not answer')
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function processorTimeOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
