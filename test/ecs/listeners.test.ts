import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createRoot } from '../../src/certificates/authority.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { drawSerial, type Issuance, type Subject, templateFor } from '../../src/certificates/template.ts'
import { openFederation } from '../../src/ecs/adapters/federation.ts'
import type { EcsPeers } from '../../src/ecs/peers.ts'
import { withoutListeners } from '../../src/ecs/server/context.ts'
import { eecAuthentication } from '../../src/ecs/server/eec-authentication.ts'
import { openEecSide } from '../../src/ecs/server/eec-side.ts'
import { ecsRoutes } from '../../src/ecs/server/listeners.ts'
import { keepRevocationLists } from '../../src/ecs/server/revocation-lists.ts'
import type { Message, Peer, Response } from '../../src/http/client.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import { type Fqdn, parseRegistrationId } from '../../src/spec/identifiers.ts'
import { aDomain, forge, SUBJECTS } from '../certificates/a-domain.ts'
import { notLetIn, oauthErrorOf, problemOf, withoutTrace } from './refusals.ts'
import { bodyOf, newEesKey, onboard, REGISTRATIONS, type RunningEcs, type RunningEes, runEcs } from './running-ecs.ts'

type Listener = 'server' | 'mtls' | 'psk' | 'admin'
type Credential = keyof EcsPeers

const PUBLIC = {
  CaCerts: 'public',
  GetRevocationList: 'public',
  GetAuthorizationServerMetadata: 'public',
  GetKeySet: 'public',
  RetrieveKeyRequest: 'public',
  GetTrustBundle: 'public',
} as const

const edge4 = (credential: 'entitlement' | 'psk') => ({
  RequestServProv: credential,
  CreateServProvSub: credential,
  UpdateIndServProvSub: credential,
  ModifyIndServProvSub: credential,
  DeleteIndServProvSub: credential,
})

/** What every route of every listener asks for. A route that is not here must not be, and what is public stands here. */
const CREDENTIALS: Record<Listener, Record<string, Credential>> = {
  server: {
    CreateEESRegistration: 'onboardingToken',
    RequestEecAuthentication: 'public',
    ...edge4('entitlement'),
    EecAccessTokenRequest: 'grant',
    ...PUBLIC,
  },
  mtls: {
    CreateEESRegistration: 'returning',
    GetIndEESReg: 'authorized',
    UpdateIndEESReg: 'authorized',
    ModifyIndEESReg: 'authorized',
    DeleteIndEESReg: 'authorized',
    // Enrolment is static by the default policy: the clients of RFC 7030 have no tokens.
    SimpleReenroll: 'certificate',
    AccessTokenRequest: 'certificate',
    IntrospectToken: 'certificate',
    RevokeToken: 'certificate',
    ForwardTokenRequest: 'ecs',
    ResolveEes: 'ecs',
    GetECSDiscInfo: 'ecs',
    ServProvRetReq: 'ecs',
    GetPartners: 'certificate',
    GetEESProfiles: 'certificate',
    ...PUBLIC,
  },
  psk: { ...edge4('psk'), EecAccessTokenRequest: 'psk' },
  admin: {
    InviteEes: 'operator',
    ListEes: 'operator',
    ShowEes: 'operator',
    RevokeEes: 'operator',
    VerifyAudit: 'operator',
    Backup: 'operator',
    ExplainPolicy: 'operator',
    ReloadPolicy: 'operator',
    RotateSigningKeys: 'operator',
    AddPeer: 'operator',
    ListPeers: 'operator',
    RemovePeer: 'operator',
    ShowAuthorities: 'operator',
    StageAuthority: 'operator',
    SwitchAuthority: 'operator',
    RetireAuthority: 'operator',
  },
}

const LISTENERS = Object.keys(CREDENTIALS) as Listener[]
/** A registration that never was: whoever is let in finds nothing, and changes nothing. */
const NOBODY = '00000000-0000-4000-8000-000000000000'

interface Identity {
  readonly name: string
  /** the listeners that let this certificate in at all, apart from the one that asks for none */
  readonly at: readonly Listener[]
  readonly chain?: string
  readonly key?: KeyObject
  /** its access token, if it is registered */
  readonly accessToken?: string
}

describe('who is let in where', () => {
  let ecs: RunningEcs
  let owner: RunningEes
  let other: RunningEes
  let expired: RunningEes
  let identities: Identity[]
  let tokens: Record<string, string | undefined>
  before(async () => {
    ecs = await runEcs()
    ;[owner, other, expired] = [await newcomer('owner'), await newcomer('other'), await newcomer('expired')]
    // A rotation that is asked for again while one is under way changes nothing.
    await ecs.operator.rotateSigningKeys()
    identities = await someIdentities()
    tokens = await someTokens()
  })
  after(() => ecs.close())

  const newcomer = (name: string) => onboard(ecs, { eesId: `ees-${name}`, fqdn: `${name}.example.com` })

  function connect({ chain, key }: Identity, listener: Listener): Peer {
    if (chain !== undefined && key !== undefined) return ecs.withCertificate(chain, key, listener as 'mtls')
    return ecs.withoutCertificate(Number(new URL(ecs.serving.listeners[listener]).port))
  }

  /** Every kind of certificate that somebody could show. */
  async function someIdentities(): Promise<Identity[]> {
    const [revoked, left] = [await newcomer('revoked'), await newcomer('left')]
    await ecs.operator.revoke('ees-revoked')
    await left.request({ method: 'DELETE' })
    await expire(expired)
    const { eesIssuer, ecsIssuer } = ecs.opened.ca.present()
    const own = { fqdn: 'owner.example.com' as Fqdn, registrationId: registrationIdOf(owner) }
    const foreign = await aDomain({ domain: 'example.com' })
    const selfSigned = newEesKey()
    const itself = { certificate: (await rootWith(selfSigned)).certificate, signer: signerOf(selfSigned) }
    const known = (name: string, { certificateChain: chain, key, accessToken }: RunningEes): Identity => ({
      ...{ name, at: ['mtls'], chain, key, accessToken },
    })
    return [
      { name: 'nobody', at: [] },
      known('owner', owner),
      known('other', other),
      known('revoked', revoked),
      known('deregistered', left),
      known('expired', expired),
      { name: 'off the record', at: ['mtls'], ...(await signed({ role: 'ees', ...own }, eesIssuer)) },
      { name: 'the server', at: [], ...(await signed({ role: 'ecs', fqdn: ecs.fqdn }, ecsIssuer)) },
      { name: 'the operator', at: ['admin'], ...(await operator()) },
      { name: 'an operator by the EES authority', at: [], ...(await signed(SUBJECTS.operator, eesIssuer)) },
      { name: 'an EES by the server authority', at: [], ...(await signed({ role: 'ees', ...own }, ecsIssuer)) },
      { name: 'an EES of another root', at: [], ...(await signed({ role: 'ees', ...own }, foreign.issuers.ees)) },
      { name: 'an operator of another root', at: [], ...(await signed(SUBJECTS.operator, foreign.issuers.operator)) },
      { name: 'an EES by itself', at: [], ...(await signed({ role: 'ees', ...own }, itself, selfSigned)) },
    ]
  }

  async function operator() {
    const chain = await readFile(join(ecs.folder, 'operator', 'admin.crt'), 'utf8')
    return { chain, key: createPrivateKey(await readFile(join(ecs.folder, 'operator', 'admin.key'))) }
  }

  /** In the past of its expiration time, with all that it had when it was registered. */
  async function expire(ees: RunningEes): Promise<void> {
    const body = JSON.stringify({ expTime: new Date(ecs.opened.clock.now() + 1_000).toISOString() })
    const headers = { 'content-type': 'application/merge-patch+json' }
    assert.equal((await ees.request({ method: 'PATCH', headers, body })).status, 200)
    ecs.advance(1_000)
    while ((await ecs.operator.show(ees.registrationId)).state === 'live') await delay(50)
  }

  /** Every state that the header Authorization can be in. */
  async function someTokens(): Promise<Record<string, string | undefined>> {
    const spare = async () => {
      const answer = await owner.request(form('/oauth2/token', { grant_type: 'client_credentials', scope: SCOPE }))
      return bodyOf<{ access_token: string }>(answer).access_token
    }
    const revoked = await spare()
    assert.equal((await owner.request(form('/oauth2/revoke', { token: revoked }))).status, 200)
    const onboarding = (await ecs.invite({ eesId: 'ees-new', fqdn: 'new.example.com' })).onboardingToken
    const [header = '', claims = '', signature = ''] = owner.accessToken.split('.')
    const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url')
    return {
      none: undefined,
      empty: '',
      'no token': 'Bearer ',
      'a password': `Basic ${Buffer.from('admin:admin').toString('base64')}`,
      garbage: 'Bearer e30.e30.e30',
      'the identifier': `Bearer ${owner.registrationId}`,
      "the owner's": `Bearer ${owner.accessToken}`,
      "the other's": `Bearer ${other.accessToken}`,
      'of a registration that has ended': `Bearer ${expired.accessToken}`,
      revoked: `Bearer ${revoked}`,
      'with another signature': `Bearer ${header}.${claims}.${signature.split('').reverse().join('')}`,
      'without signature': `Bearer ${unsigned}.${claims}.`,
      'for onboarding': `Bearer ${onboarding}`,
    }
  }

  function isLetIn(credential: Credential, identity: Identity, token: string): boolean {
    const registered = identity.name === 'owner' || identity.name === 'other'
    switch (credential) {
      case 'public':
        return true
      case 'onboardingToken':
        return token === 'for onboarding'
      case 'certificate':
      case 'returning':
        return registered
      case 'authorized':
        return registered && token === `the ${identity.name}'s`
      case 'operator':
        return identity.name === 'the operator'
      // No peer is among them: each identity here is a stranger to a route between ECSs (THREATS FW-04).
      case 'ecs':
      case 'psk':
      case 'entitlement':
      case 'grant':
      case 'eecCertificate':
        return false
    }
  }

  test('ON-15: every route of every listener is on the list, with the credential that it declares', async () => {
    const routes = await allRoutes()
    for (const listener of LISTENERS) {
      const declared = routes[listener].map(({ operation, credential }) => [operation.id, credential])
      const written = Object.entries(CREDENTIALS[listener])
      const api = new Map(routes[listener].map(({ operation }) => [operation.id, operation.api]))
      // Where the policy has an API static, the certificate is all that is asked for.
      const effective = declared.map(([id, credential]) => [
        id,
        credential === 'authorized' && api.get(id as string) === 'est' ? 'certificate' : credential,
      ])
      assert.deepEqual(effective.sort(), written.sort())
    }
  })

  test('ON-15: each route with each certificate and each token lets in who is on the list, and nobody else', async () => {
    assert.ok(identities.length >= 12 && Object.keys(tokens).length >= 10)
    const routes = await allRoutes()
    let cells = 0
    await withoutTrace(ecs, async () => {
      for (const listener of LISTENERS) {
        for (const identity of identities) {
          const peer = connect(identity, listener)
          const open = listener === 'server' || identity.at.includes(listener)
          if (!open) await notLetIn(peer.request({ method: 'GET', path: '/' }))
          for (const { operation, refusals } of open ? routes[listener] : []) {
            const credential = CREDENTIALS[listener][operation.id] ?? assert.fail(operation.id)
            const answers = await Promise.all(
              Object.values(tokens).map((token) => peer.request(harmless(operation, token))),
            )
            for (const [n, token] of Object.keys(tokens).entries()) {
              const cell = `${listener} ${operation.id}: ${identity.name}, token ${token}`
              const answer = answers[n] ?? assert.fail(cell)
              if (isLetIn(credential, identity, token)) assert.ok(![401, 403].includes(answer.status), cell)
              else assert.equal(causeless(answer, refusals), 401, cell)
              cells += 1
            }
          }
          peer.close()
        }
      }
    })
    assert.ok(cells > 1_500, `${cells} cells`)
  })

  test('CA-11: of each role with each listener only the diagonal passes', async () => {
    const routes: Record<Listener, Message> = {
      server: { method: 'GET', path: '/oauth2/jwks' },
      mtls: { method: 'GET', path: '/oauth2/jwks' },
      psk: { method: 'POST', path: '/eecs-serviceprovisioning/v1/request' },
      admin: { method: 'GET', path: '/operator/v1/ees' },
    }
    const roles = [
      'nobody',
      'owner',
      'the server',
      'the operator',
      'an EES of another root',
      'an operator of another root',
    ]
    for (const identity of identities.filter(({ name }) => roles.includes(name))) {
      for (const listener of LISTENERS) {
        const attempt = connect(identity, listener).request(routes[listener])
        // The server listener asks nobody for a certificate, and gives nobody anything for it.
        if (listener === 'server' || identity.at.includes(listener)) assert.equal((await attempt).status, 200)
        else await notLetIn(attempt)
      }
    }
  })

  test('CA-11: the certificate on the server listener is good for nothing', async () => {
    const peer = ecs.withCertificate(owner.certificateChain, owner.key, 'server')
    const path = `${REGISTRATIONS}/${owner.registrationId}`
    const authorization = `Bearer ${owner.accessToken}`
    assert.equal(problemOf(await peer.request({ method: 'GET', path, headers: { authorization } })).status, 404)
    assert.equal((await owner.request({ method: 'GET' })).status, 200)
  })

  async function allRoutes() {
    const context = await withoutListeners(ecs.opened)
    const lists = keepRevocationLists(ecs.opened)
    const eecs = await eecAuthentication(context, 'https://nowhere.example', () => assert.fail('not asked for'))
    const eecSide = await openEecSide(ecs.opened, () => assert.fail('not asked for'))
    const federation = await openFederation(ecs.opened, {
      urls: context.urls(),
      credential: () => assert.fail('not asked for'),
      rootsChanged: () => {},
    })
    lists.stop()
    return ecsRoutes(context, { lists, eecs, eecSide, federation })
  }
})

const SCOPE = 'eecs-eesregistration'

/** A request that no handler does anything for: about what does not exist, or refused (415) once it is authenticated. */
function harmless({ method, path }: { method: Message['method']; path: string }, token: string | undefined): Message {
  const named = path.replace('{issuer}', 'nobody.crl').replaceAll(/\{\w+\}/g, NOBODY)
  const headers = {
    ...(token !== undefined && { authorization: token }),
    ...(method === 'POST' && { 'content-encoding': 'gzip' }),
  }
  return { method, path: named, headers }
}

function causeless(answer: Response, refusals: 'problem' | 'oauth' = 'problem'): number {
  if (refusals === 'oauth') assert.match(oauthErrorOf(answer), /^invalid_(client|grant)$/)
  else problemOf(answer)
  return answer.status
}

const registrationIdOf = (ees: RunningEes) => parseRegistrationId(ees.registrationId) ?? assert.fail('no identifier')

/** Signed without a look at it: what an authority could do whose key is in the wrong hands. */
async function signed(
  subject: Subject,
  issuer: { certificate: Issuance['issuer']; signer: Signer },
  key = newEesKey(),
) {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const issuance = { issuer: issuer.certificate, spki, serial: drawSerial(systemRandom), now: Date.now() }
  const template = templateFor(subject, { ...issuance, crlDistributionPoint: 'https://ecs1.example.com/crl/none.crl' })
  const der = await forge(template, issuer.signer)
  return { chain: writePem('CERTIFICATE', der) + writePem('CERTIFICATE', issuer.certificate.der), key }
}

function rootWith(key: KeyObject) {
  return createRoot('example.com' as Fqdn, { signer: signerOf(key), now: Date.now(), random: systemRandom })
}

function form(path: string, parameters: Record<string, string>): Message {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', path, headers, body: new URLSearchParams(parameters).toString() }
}
