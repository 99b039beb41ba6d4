import { createSecretKey, randomBytes } from 'node:crypto'
import type { SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { createListener, type ListenerOptions } from '../../src/http/listener.ts'
import { ok, routesOf } from '../../src/http/route.ts'
import { type PskFront, standBeforeHandshakes } from '../../src/tls/psk-front.ts'
import { type KeptKey, pskServer } from '../../src/tls/psk-server.ts'
import { NAME } from './a-server.ts'

export const IDENTITY =
  'e7c730c30a7901325.rid0.kid1a25d87e5ae4194bd5fb7238cdd5f989@edge.5gc.mnc001.mcc001.3gppnetwork.org'
export const KEY = randomBytes(32)

interface KeptOf extends KeptKey {
  readonly identity: string
}

interface Options {
  /** by identity; {@link KEY} of {@link IDENTITY} unless said */
  readonly keys?: Readonly<Record<string, Buffer>>
  /** beside what `pskServer` says: what a careless deployer would add */
  readonly tls?: SecureServerOptions
  /** false: connections are judged by their requests alone */
  readonly atOnce?: boolean
  readonly deadlines?: ListenerOptions<{ psk: string }>['deadlines']
  /** what is done for an identity before its key is looked up */
  readonly onLookUp?: (identity: string) => void
  /** what stands before the handshakes */
  readonly front?: PskFront
}

const route = routesOf<{ psk: string }>()

/** A listener as an ECS has it for EECs, with `GET /who`, which answers the identity that the connection has proven. */
export async function aPskListener(options: Options = {}) {
  const { keys = { [IDENTITY]: KEY }, tls = {}, atOnce = true, deadlines = {}, onLookUp = () => {}, front } = options
  const lines: string[] = []
  const lookedUp: string[] = []
  const kept = new Map<string, KeptOf>()
  for (const [identity, key] of Object.entries(keys)) kept.set(identity, { identity, key: createSecretKey(key) })
  const psk = pskServer<KeptOf>({
    keyOf(identity) {
      lookedUp.push(identity)
      onLookUp(identity)
      return kept.get(identity)
    },
    isGoodNow: (key) => kept.get(key.identity) === key,
    dummySecret: randomBytes(32),
  })
  const [secured, admitted]: [TLSSocket[], string[]] = [[], []]
  const listener = createListener<{ psk: string }>({
    name: 'psk',
    tls: { ...psk.tls, ...tls },
    routes: [
      route({
        operation: { id: 'Who', api: 'test', method: 'GET', path: '/who', clause: 'none' },
        credential: 'psk',
        handle: async ({ peer }) => ok({ peer }),
      }),
    ],
    authenticators: {
      async psk({ socket }) {
        const { identity } = psk.provenKey(socket)
        if (!atOnce) admitted.push(identity)
        return identity
      },
    },
    admit(socket) {
      secured.push(socket)
      if (atOnce) admitted.push(psk.provenKey(socket).identity)
    },
    ...(front && { prepare: (server) => standBeforeHandshakes(server, front) }),
    hosts: [NAME],
    deadlines,
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) }),
  })
  const port = await listener.listen('127.0.0.1', 0)
  return {
    port,
    kept,
    /** of the log */
    lines,
    /** identities, in order */
    lookedUp,
    /** connections whose handshake succeeded, whatever by */
    secured,
    /** identities of those that were let in */
    admitted,
    close: () => listener.close(),
    [Symbol.asyncDispose]: () => listener.close(),
  }
}

export type APskListener = Awaited<ReturnType<typeof aPskListener>>
