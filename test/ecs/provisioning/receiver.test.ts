import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { readCertificate, readCertificateList } from '../../../src/certificates/certificate.ts'
import { acceptNotification } from '../../../src/eec/provisioning/notification.ts'
import { aDomain, fqdn } from '../../certificates/a-domain.ts'
import { anNf, certified } from '../../nf/a-network.ts'

const ECS = fqdn('ecs1.example.com')
const SECRET = 'a-secret-of-the-subscriber-0123456789'
const NOTIFICATION = {
  subId: 'sub-1',
  ednCnfgInfo: [{ ednConInfo: {}, eess: [{ eesId: 'ees-1', eecRegConf: false }] }],
}

describe('a notification at its receiver: TS 24.558 5.3.2.5', () => {
  let chains: Record<'ours' | 'of another name' | 'of another role' | 'of another root' | 'none', Buffer[]>
  let anchors: ReturnType<typeof readCertificate>[]
  before(async () => {
    const [domain, foreign] = [await aDomain({ domain: 'example.com' }), await aDomain({ domain: 'example.com' })]
    const chainOf = async (of: typeof domain, subject: Parameters<typeof certified>[1], role: 'ecs' | 'ees' | 'nf') => {
      const { credential } = await certified(of.issuers[role], subject)
      return readCertificateList(credential.certificateChain).map(({ der }) => der)
    }
    anchors = [readCertificate(domain.root.certificate.der)]
    chains = {
      ours: await chainOf(domain, { role: 'ecs', fqdn: ECS }, 'ecs'),
      'of another name': await chainOf(domain, { role: 'ecs', fqdn: fqdn('ecs2.example.com') }, 'ecs'),
      'of another role': await chainOf(domain, anNf(ECS), 'nf'),
      'of another root': await chainOf(foreign, { role: 'ecs', fqdn: ECS }, 'ecs'),
      none: [],
    }
  })

  const receive = (certificates: readonly Buffer[], authorization: string | undefined, content: string) =>
    acceptNotification(
      { certificates, authorization, content: Buffer.from(content) },
      { ecs: ECS, anchors, secret: SECRET, now: Date.now() },
    )

  test('the ECS of the subscription with the secret of the subscription is believed', () => {
    assert.deepEqual({ ...receive(chains.ours, `Bearer ${SECRET}`, JSON.stringify(NOTIFICATION)) }.subId, 'sub-1')
  })

  test('HT-07: no certificate, another one, no secret or another one: 401, and the content is not looked at', () => {
    const secrets = [
      undefined,
      '',
      'Bearer ',
      `Basic ${SECRET}`,
      `Bearer ${SECRET}x`,
      `Bearer ${SECRET.slice(1)}`,
      SECRET,
    ]
    // Content that is none would be refused by another code if it were read first.
    for (const content of ['not JSON', JSON.stringify(NOTIFICATION)]) {
      for (const [name, chain] of Object.entries(chains)) {
        for (const secret of name === 'ours' ? secrets : [...secrets, `Bearer ${SECRET}`]) {
          assert.throws(
            () => receive(chain, secret, content),
            { name: 'Refusal', code: /^(CREDENTIAL_MISSING|CERTIFICATE_NOT_ACCEPTED|TOKEN_INVALID)$/ },
            `${name}, ${secret}`,
          )
        }
      }
    }
  })

  test('what is not a notification is refused', () => {
    for (const content of ['', '{}', '[]', JSON.stringify({ ...NOTIFICATION, ednCnfgInfo: [] }), '{"subId":1}']) {
      assert.throws(() => receive(chains.ours, `Bearer ${SECRET}`, content), {
        name: 'Refusal',
        code: /^(INVALID_MSG_FORMAT|MANDATORY_IE_INCORRECT)$/,
      })
    }
  })
})
