import { createListener } from '../../http/listener.ts'
import type { Log } from '../../http/log.ts'
import { ok, type Route, routesOf } from '../../http/route.ts'
import type { Operation } from '../../spec/operation.ts'
import { keepAlive } from '../adapters/keep-alive.ts'
import { type GuardOptions, openGuard } from '../adapters/open-guard.ts'
import type { Caller } from '../guard/guard.ts'
import type { Registration } from '../registration/registration.ts'

/** What a client can be at this EES: one credential, which every route declares. */
interface EesPeers {
  /** an EES, by its certificate and by a token of our ECS that was issued to that certificate for us */
  readonly token: Caller
}

const route = routesOf<EesPeers>()

const WHO_AM_I: Operation = {
  id: 'WhoAmI',
  api: 'edgeward-whoami',
  method: 'GET',
  path: '/edgeward/v1/whoami',
  clause: 'TS 33.501 13.4.1.1.2 step 2',
}

/** Tells the caller what this EES has verified about it. */
const whoAmI: Route<EesPeers> = route({
  operation: WHO_AM_I,
  credential: 'token',
  async handle({ peer }) {
    return ok(peer.claims)
  },
})

export interface EesServerOptions
  extends Pick<GuardOptions, 'otherDomains' | 'checkRevocation' | 'revocationPeriod' | 'maxTokenLifetime'> {
  readonly address: string
  /** 0 for any that is free */
  readonly port: number
  readonly log: Log
}

/** An EES that answers. */
export interface ServingEes {
  readonly fqdn: string
  /** `https://ADDRESS:PORT`, as it is reached on this machine */
  readonly listeners: { readonly mtls: string }
  /** Answers what is under way, then closes. The registration goes on. */
  close(): Promise<void>
}

/**
 * The reference EES: one listener for mutual TLS whose every route is guarded, and a registration that keeps itself
 * alive. A renewed certificate is shown to the next connection; those that are open stay open.
 */
export async function serveEes(registration: Registration, options: EesServerOptions): Promise<ServingEes> {
  const { address, port, log } = options
  const { fqdn } = registration.record
  const guard = await openGuard(registration, {
    ...options,
    failed: (error) => log.warn({ reason: String(error) }, 'keys or revocation list could not be fetched'),
  })
  const listener = createListener<EesPeers>({
    name: 'mtls',
    tls: guard.tls(),
    routes: [whoAmI],
    authenticators: {
      token: ({ headers, socket, operation }) => guard.authorize(socket, headers.authorization, operation.api),
    },
    hosts: [fqdn],
    log,
  })
  guard.onRevocation(() => listener.drop((socket) => guard.isRevoked(socket)))
  const forget = registration.onRenewed(() => listener.setSecureContext(guard.tls()))
  const stop = keep(registration, log)
  const actualPort = await listener.listen(address, port)
  return {
    fqdn,
    listeners: { mtls: `https://${address.includes(':') ? `[${address}]` : address}:${actualPort}` },
    async close() {
      stop()
      forget()
      guard.close()
      await listener.close()
    },
  }
}

function keep(registration: Registration, log: Log): () => void {
  return keepAlive(registration, {
    renewed: ({ expTime }) => log.info({ serial: registration.certificate.serial, expTime }, 'certificate renewed'),
    extended: ({ expTime }) => log.info({ expTime }, 'registration extended'),
    failed: (error, again) => log.warn({ reason: String(error), again }, 'registration could not be kept yet'),
    ended: () => log.error('the registration has ended: this EES has to be onboarded anew'),
  })
}
