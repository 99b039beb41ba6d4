import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { readCertificate } from '../../../src/certificates/certificate.ts'
import { writePem } from '../../../src/certificates/pem.ts'
import { acceptNotification } from '../../../src/eec/provisioning/notification.ts'
import { createListener } from '../../../src/http/listener.ts'
import { createLog } from '../../../src/http/log.ts'
import { type Answer, noContent, routesOf } from '../../../src/http/route.ts'
import {
  type ServProvNotification as Notification,
  ServProvNotification,
} from '../../../src/spec/messages/service-provisioning.ts'
import { serverTls } from '../../../src/tls/profile.ts'
import { aDomain, fqdn } from '../../certificates/a-domain.ts'
import { anNf, certified } from '../../nf/a-network.ts'
import type { RunningEcs } from '../running-ecs.ts'

export const SECRET = 'a-secret-of-the-subscriber-0123456789'

interface Sender {
  readonly certificates: readonly Buffer[]
  readonly authorization: string | undefined
}

export type AReceiver = Awaited<ReturnType<typeof aReceiver>>

/** The application server of an EEC, which asks for a certificate, and takes a notification only as the SDK judges it. */
export async function aReceiver(name = 'cb1.apps.example') {
  const domain = await aDomain({ domain: 'apps.example', rootCurve: 'P-256' })
  const { credential } = await certified(domain.issuers.nf, anNf(name))
  const took: Notification[] = []
  const refused: unknown[] = []
  const waiting = new Set<() => void>()
  let ecs: RunningEcs | undefined
  /** what is answered instead, while there is something */
  const state: { answer: (() => Promise<Answer>) | undefined; requests: number } = { answer: undefined, requests: 0 }
  const route = routesOf<{ sender: Sender }>()({
    operation: { id: 'Notify', api: 'test', method: 'POST', path: '/{subscriber}', clause: 'TS 24.558 5.3.2.5' },
    credential: 'sender',
    content: { mediaType: 'application/json', schema: ServProvNotification },
    async handle({ peer, body }) {
      state.requests += 1
      if (state.answer !== undefined) return state.answer()
      if (ecs === undefined) throw new Error('the receiver knows no ECS')
      const expected = {
        ecs: ecs.fqdn,
        anchors: [readCertificate(ecs.opened.ca.present().root.der)],
        secret: SECRET,
        now: Date.now(),
      }
      try {
        took.push(acceptNotification({ ...peer, content: Buffer.from(JSON.stringify(body)) }, expected))
      } catch (error) {
        refused.push(error)
        throw error
      } finally {
        for (const look of waiting) look()
      }
      return noContent()
    },
  })
  const listener = createListener<{ sender: Sender }>({
    name,
    tls: { ...serverTls(credential), requestCert: true, rejectUnauthorized: false },
    routes: [route],
    authenticators: {
      sender: async ({ socket, headers }) => ({ certificates: shown(socket), authorization: headers.authorization }),
    },
    hosts: [name],
    log: createLog('test', 'silent'),
  })
  const port = await listener.listen('127.0.0.1', 0)
  return {
    name: fqdn(name),
    root: writePem('CERTIFICATE', domain.root.certificate.der),
    uri: (path = '/eec-1') => `https://${name}:${port}${path}`,
    origin: `https://${name}:${port}`,
    took,
    refused,
    state,
    of(running: RunningEcs) {
      ecs = running
    },
    /** When there is something that satisfies. */
    async until(isThere: () => boolean): Promise<void> {
      while (!isThere()) {
        await new Promise<void>((resolve) => {
          const look = () => {
            waiting.delete(look)
            resolve()
          }
          waiting.add(look)
        })
      }
    },
    close: () => listener.close(),
  }
}

/** The sender's own certificate first. */
function shown(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  // Its own issuer is the last; an empty object stands for none.
  while (next?.raw !== undefined && !chain.some((raw) => raw.equals(next?.raw ?? raw))) {
    chain.push(next.raw)
    next = next.issuerCertificate
  }
  return chain
}
