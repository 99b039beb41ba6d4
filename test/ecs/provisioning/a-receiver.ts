import { writePem } from '../../../src/certificates/pem.ts'
import { acceptNotification, type NotificationExpectation } from '../../../src/eec/notification.ts'
import { createListener } from '../../../src/http/listener.ts'
import { createLog } from '../../../src/http/log.ts'
import { type Answer, noContent, routesOf } from '../../../src/http/route.ts'
import {
  type ServProvNotification as Notification,
  ServProvNotification,
} from '../../../src/spec/messages/service-provisioning.ts'
import { peerCertificates } from '../../../src/tls/connection.ts'
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
  let expectation: NotificationExpectation<'ecs'> | undefined
  /** what is answered instead, while there is something */
  const state: { answer: (() => Promise<Answer>) | undefined; requests: number } = { answer: undefined, requests: 0 }
  const route = routesOf<{ sender: Sender }>()({
    operation: { id: 'Notify', api: 'test', method: 'POST', path: '/{subscriber}', clause: 'TS 24.558 5.3.2.5' },
    credential: 'sender',
    content: { mediaType: 'application/json', schema: ServProvNotification },
    async handle({ peer, body }) {
      state.requests += 1
      if (state.answer !== undefined) return state.answer()
      if (expectation === undefined) throw new Error('the receiver knows no ECS')
      const content = Buffer.from(JSON.stringify(body))
      try {
        took.push(acceptNotification({ ...peer, content }, expectation, Date.now()))
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
      sender: async ({ socket, headers }) => ({
        certificates: peerCertificates(socket),
        authorization: headers.authorization,
      }),
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
    of({ fqdn: server, opened }: RunningEcs) {
      const root = writePem('CERTIFICATE', opened.ca.present().root.der)
      expectation = { role: 'ecs', server, root, secret: SECRET }
    },
    /** What a subscription of the SDK expects, in the place of the secret of this file. */
    expect(expected: NotificationExpectation<'ecs'>) {
      expectation = expected
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
