import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { readCertificateList } from '../../src/certificates/certificate.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { acceptNotification } from '../../src/eec/notification.ts'
import { parseRegistrationId } from '../../src/spec/identifiers.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { parsed } from '../keys/octets.ts'
import { anNf, certified } from '../nf/a-network.ts'

const SECRET = 'a-secret-of-the-subscriber-0123456789'
const SERVERS = { ecs: fqdn('ecs1.example.com'), ees: fqdn('ees1.example.com') }
const CONTENT = {
  ecs: {
    subId: 'sub-1',
    ednCnfgInfo: [{ ednConInfo: {}, eess: [{ eesId: 'ees-1', eecRegConf: false }] }],
  },
  ees: {
    subId: 'sub-1',
    eventType: 'EAS_AVAILABILITY_CHANGE',
    discoveredEas: [{ eas: { easId: 'eas-1', endPt: { uri: 'https://eas1.example.com/' } } }],
  },
}

for (const [role, other, clause] of [
  ['ecs', 'ees', 'TS 24.558 5.3.2.5'],
  ['ees', 'ecs', 'TS 23.558 8.5.2.3'],
] as const) {
  describe(`a notification of an ${role.toUpperCase()} at its receiver: ${clause}`, () => {
    const server = SERVERS[role]
    let chains: Record<
      'ours' | 'of another name' | 'of another role' | 'of an NF' | 'of another root' | 'none',
      Buffer[]
    >
    let root: string
    before(async () => {
      const [domain, foreign] = [await aDomain({ domain: 'example.com' }), await aDomain({ domain: 'example.com' })]
      const chainOf = async (
        of: typeof domain,
        subject: Parameters<typeof certified>[1],
        issuer: 'ecs' | 'ees' | 'nf',
      ) => {
        const { credential } = await certified(of.issuers[issuer], subject)
        return readCertificateList(credential.certificateChain).map(({ der }) => der)
      }
      root = writePem('CERTIFICATE', domain.root.certificate.der)
      chains = {
        ours: await chainOf(domain, subjectOf(role, server), role),
        'of another name': await chainOf(domain, subjectOf(role, fqdn('server9.example.com')), role),
        'of another role': await chainOf(domain, subjectOf(other, server), other),
        'of an NF': await chainOf(domain, anNf(server), 'nf'),
        'of another root': await chainOf(foreign, subjectOf(role, server), role),
        none: [],
      }
    })

    const receive = (certificates: readonly Buffer[], authorization: string | undefined, content: string) =>
      acceptNotification(
        { certificates, authorization, content: Buffer.from(content) },
        { role, server, root, secret: SECRET },
        Date.now(),
      )
    const honest = JSON.stringify(CONTENT[role])

    test('the server of the subscription with the secret of the subscription is believed', () => {
      assert.equal(receive(chains.ours, `Bearer ${SECRET}`, honest).subId, 'sub-1')
    })

    test('HT-07: no certificate, another one, no secret or another one: 401, and the content is not looked at', () => {
      const others = ['', 'Bearer ', `Basic ${SECRET}`, `Bearer ${SECRET}x`, `Bearer ${SECRET.slice(1)}`, SECRET]
      const secrets = [undefined, ...others]
      // Content that is none would be refused by another code if it were read first.
      for (const content of ['not JSON', honest]) {
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

    test('what is not a notification of this kind is refused', () => {
      const none = [{}, [], CONTENT[other], { ...CONTENT[role], subId: 1 }, { subId: 'sub-1' }].map((each) =>
        JSON.stringify(each),
      )
      for (const content of ['', ...none]) {
        assert.throws(() => receive(chains.ours, `Bearer ${SECRET}`, content), {
          name: 'Refusal',
          code: /^(INVALID_MSG_FORMAT|MANDATORY_IE_INCORRECT)$/,
        })
      }
    })
  })
}

function subjectOf(role: 'ecs' | 'ees', name: ReturnType<typeof fqdn>): Parameters<typeof certified>[1] {
  const registrationId = parsed(parseRegistrationId('00000000-0000-4000-8000-000000000001'))
  return role === 'ecs' ? { role, fqdn: name } : { role, fqdn: name, registrationId }
}
