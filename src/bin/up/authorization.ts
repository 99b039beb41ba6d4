import { RefusedByServer } from '../../ees/index.ts'
import { openPeer } from '../../http/client.ts'
import { clientTls } from '../../tls/client.ts'
import { ECS1, type Edge, EES2 } from './edge.ts'
import { type Audience, type Figure, play } from './figure.ts'
import { registrationOf } from './onboarding.ts'

/** P3: mutual TLS between EES and ECS, then each kind of authorization: TS 33.501 13.3.0 and 13.4.1. */
export async function playAuthorization(edge: Edge, name: string, audience: Audience): Promise<Figure[]> {
  return [await playStatic(edge, name, audience), await playTokens(edge, name, audience)]
}

async function playStatic(edge: Edge, name: string, audience: Audience): Promise<Figure> {
  return play('P3', 'static authorization', audience, async (stage) => {
    const registration = await registrationOf(edge, name)
    try {
      await stage.step(
        { clause: 'TS 33.501 13.3.0', from: name, to: ECS1 },
        ({ decision }) => `re-enrolment is allowed by the policy of the ECS, rule ${decision.rule}`,
        async () => {
          await registration.renew()
          return edge.ecs1.operator.explainPolicy({ ees: name, operation: 'SimpleReenroll' })
        },
      )
      await stage.refused(
        { clause: 'TS 33.501 13.1.0', from: 'stranger', to: ECS1 },
        'without a client certificate there is no connection',
        () => withoutCertificate(edge, registration.root),
        () => true,
      )
    } finally {
      registration.close()
    }
  })
}

async function playTokens(edge: Edge, name: string, audience: Audience): Promise<Figure> {
  return play('P3', 'token-based authorization', audience, async (stage) => {
    const registration = await registrationOf(edge, name)
    try {
      await stage.step(
        { clause: 'TS 33.501 13.4.1.1.2 step 1', from: name, to: ECS1 },
        ({ scope, expiresIn }) =>
          `token request by client credentials over mutual TLS: ${scope}, ${expiresIn} s, bound to the certificate`,
        () => registration.token({ scope: 'eecs-eesregistration' }),
      )
      await stage.step(
        { clause: 'TS 33.501 13.4.1.1.2 step 2', from: name, to: ECS1 },
        ({ expTime }) => `GET with certificate and token: registered until ${expTime}`,
        () => registration.show(),
      )
      await stage.refused(
        { clause: 'TS 33.501 13.4.1.1.2 step 1', from: name, to: ECS1 },
        'a scope that no rule grants: invalid_scope',
        () => registration.token({ scope: 'eees-eeccontextreloc', target: EES2 }),
        (error) => error instanceof RefusedByServer && error.code === 'invalid_scope',
      )
    } finally {
      registration.close()
    }
  })
}

async function withoutCertificate(edge: Edge, root: string): Promise<void> {
  const { port } = new URL(edge.ecs1.server.listeners['mtls'] ?? '')
  const peer = openPeer(`https://${ECS1}:${port}`, clientTls([root]), edge.resolve)
  try {
    await peer.request({ method: 'GET', path: '/oauth2/jwks' })
  } finally {
    peer.close()
  }
}
