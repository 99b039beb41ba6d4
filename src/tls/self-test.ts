import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { pskClientTls, requirePsk } from './psk-client.ts'
import { PSK_PROFILE } from './psk-profile.ts'
import { type KeptKey, type PskServer, pskServer } from './psk-server.ts'

/** This Node, or the OpenSSL in it, does not do what TLS-PSK is built upon. */
export class TlsSelfTestFailed extends Error {
  override readonly name = 'TlsSelfTestFailed'

  constructor(finding: string, options?: ErrorOptions) {
    const { version, versions } = process
    super(`Node ${version} with OpenSSL ${versions.openssl} fails the TLS self-test: ${finding}`, options)
  }
}

interface Trial extends PskServer<KeptKey> {
  readonly server: Server
  readonly kept: KeptKey
}

interface Outcome {
  /** of a handshake that the server took */
  readonly secured?: TLSSocket
  readonly client: TLSSocket
  /** what it told a client that it did not take */
  readonly alert?: string
}

const IDENTITY = 'self-test'
const LIMIT = 5_000

/**
 * Shakes hands with itself, without a network, in each way that must succeed and that must not: what holds for this
 * listener was measured, is not promised anywhere, and has changed before (THREATS R5, section 0).
 *
 * @throws TlsSelfTestFailed
 */
export async function tlsSelfTest(makeServer: typeof pskServer<KeptKey> = pskServer): Promise<void> {
  const kept = { key: createSecretKey(randomBytes(32)) }
  const keyOf = (identity: string) => (identity === IDENTITY ? kept : undefined)
  const psk = makeServer({ keyOf, isGoodNow: (key) => key === kept, dummySecret: randomBytes(32) })
  const server = createServer(psk.tls)
  const trial = { ...psk, server, kept }
  try {
    const session = await keyOpens(trial)
    await nothingElseOpens(trial, session)
  } catch (error) {
    if (error instanceof TlsSelfTestFailed) throw error
    throw new TlsSelfTestFailed(error instanceof Error ? error.message : 'it breaks off', { cause: error })
  } finally {
    server.removeAllListeners()
  }
}

/** @returns the session of the connection, if the server gave any */
async function keyOpens(trial: Trial): Promise<Buffer | undefined> {
  const { secured, client, alert } = await shakeHands(trial, pskClientTls({ identity: IDENTITY, key: trial.kept.key }))
  const sessions: Buffer[] = []
  client.on('session', (session) => sessions.push(session))
  try {
    if (secured === undefined) throw new TlsSelfTestFailed(`a key opens no connection: ${alert}`)
    requirePsk(client)
    insist(trial.provenKey(secured) === trial.kept, 'a connection does not know its key')
    // What comes with the first octets is there by then.
    secured.write('x')
    await inTime(once(client, 'data'), [client])
    return sessions.at(-1)
  } finally {
    leave(client, secured)
  }
}

async function nothingElseOpens(trial: Trial, session: Buffer | undefined): Promise<void> {
  const other = createSecretKey(randomBytes(32))
  const strongest = { ...PSK_PROFILE, ciphers: 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256', ...careless }
  const strangers: Record<string, ConnectionOptions> = {
    'another key': offering(IDENTITY, other),
    'an unknown identity': offering('nobody', other),
    'another key behind AES-256': { ...strongest, ...offering(IDENTITY, other, strongest.ciphers) },
    'no key': strongest,
    'a session that has ended': { ...strongest, ...(session && { session }) },
    'TLS 1.2': { ...offering(IDENTITY, trial.kept.key, 'PSK'), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
  }
  const alerts = new Map<string, string | undefined>()
  for (const [name, options] of Object.entries(strangers)) {
    const { secured, client, alert } = await shakeHands(trial, options)
    leave(client, secured)
    insist(secured === undefined, `${name} opens a connection`)
    alerts.set(name, alert)
  }
  insist(alerts.get('another key') === alerts.get('an unknown identity'), 'a refusal tells which identities are known')
}

/** A stranger does not look at what the server shows. */
const careless = { rejectUnauthorized: false, checkServerIdentity: () => undefined } satisfies ConnectionOptions

function offering(identity: string, key: KeyObject, ciphers: string = PSK_PROFILE.ciphers): ConnectionOptions {
  return { ...PSK_PROFILE, ...careless, ciphers, pskCallback: () => ({ identity, psk: key.export() }) }
}

async function shakeHands({ server }: Trial, options: ConnectionOptions): Promise<Outcome> {
  const [near, far] = duplexPair()
  const { promise: taken, resolve } = Promise.withResolvers<TLSSocket | undefined>()
  server.removeAllListeners('secureConnection').removeAllListeners('tlsClientError')
  server.once('secureConnection', resolve).once('tlsClientError', () => resolve(undefined))
  const client = connect({ ...options, socket: near })
  const ended = new Promise<string | undefined>((end) => {
    client.once('secureConnect', () => end(undefined)).once('error', (error) => end(codeOf(error)))
  })
  client.on('error', () => {})
  server.emit('connection', far)
  const [secured, alert] = await inTime(Promise.all([taken, ended]), [near, far])
  secured?.on('error', () => {})
  return { client, ...(secured && { secured }), ...(alert !== undefined && { alert }) }
}

async function inTime<Value>(work: Promise<Value>, streams: readonly Duplex[]): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new TlsSelfTestFailed('the other end does not answer')), LIMIT)
  try {
    return await Promise.race([work, late.promise])
  } catch (error) {
    for (const stream of streams) stream.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

const codeOf = (error: Error) => ('code' in error ? String(error.code) : error.message)

function leave(...sockets: (TLSSocket | undefined)[]): void {
  for (const socket of sockets) socket?.destroy()
}

function insist(condition: boolean, otherwise: string): void {
  if (!condition) throw new TlsSelfTestFailed(otherwise)
}
