import { hash } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { derOf } from '../../certificates/pem.ts'
import { parseEesId, parseFqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { backup } from '../../store/backup.ts'
import { verifyLedger } from '../../store/verify-ledger.ts'
import { issueOnboardingToken } from '../../tokens/onboarding-token.ts'
import { hashedTokenId } from '../audit.ts'
import { explain, type PolicyRequest } from '../authorization-server/decide.ts'
import { publishNext, verificationKeys } from '../authorization-server/signing-keys.ts'
import { checkPeer } from '../federation/peer-ecs.ts'
import type { OperatorCommands, PolicyQuestion } from '../operator/commands.ts'
import { describeEes } from '../operator/describe-ees.ts'
import { type InvitationPorts, inviteEes } from '../operator/invite-ees.ts'
import { revoke } from '../registrar/end-registration.ts'
import type { EcsUrls } from '../urls.ts'
import { authorityCommands } from './authority-commands.ts'
import { certificatesOf, guardClock } from './certificate-store.ts'
import type { EcsContext } from './context.ts'
import type { PeerStanding } from './federation.ts'
import type { OpenEcs } from './open-ecs.ts'
import { listPeers, removePeer, storePeer } from './peer-store.ts'
import { endingPorts, registrationOf } from './registrar.ts'
import { commit, db, findRegistration, listRegistrations } from './registration-store.ts'

/** `iss` of the onboarding tokens that this ECS makes itself. */
export const provisioningIssuer = (fqdn: string) => `https://${fqdn}/provisioning`

const PAGE = 500

export function operatorCommands(ecs: OpenEcs & EcsContext): OperatorCommands {
  const { store, clock } = ecs
  const show = async (id: string) => {
    const registration = await registrationOf(ecs, id)
    return describeEes(registration, await certificatesOf(store, registration.registrationId))
  }
  return {
    invite: (invitation) => inviteEes(invitationPorts(ecs, ecs.urls()), invitation),
    async list(after = '') {
      const page = await listRegistrations(store, after, PAGE)
      const next = page.length === PAGE ? page.at(-1)?.registrationId : undefined
      const ees = page.map((registration) => {
        const { certificates: _, eesProf: __, ...summary } = describeEes(registration, [])
        return summary
      })
      return { ees, ...(next !== undefined && { next }) }
    },
    show,
    async revoke(id) {
      const registration = await registrationOf(ecs, id)
      await revoke(endingPorts(ecs), registration)
      return show(registration.registrationId)
    },
    verifyAudit: () => verifyLedger(store),
    async backup(file) {
      refuseUnless(isAbsolute(file), 'MANDATORY_IE_INCORRECT', 'the file of a backup is named by its absolute path')
      await commit(store, clock.now(), [], { event: 'backed-up', epoch: store.epoch })
      await backup(store, file)
    },
    explainPolicy: async (question) => explain(ecs.currentPolicy(), await policyRequest(ecs, question)),
    reloadPolicy: ecs.reloadPolicy,
    async addPeer(stated) {
      const peers = (await listPeers(store)).map(({ peer }) => peer)
      const peer = checkPeer(stated, ecs.configuration.fqdn, peers)
      await storePeer(store, peer, clock.now())
      await ecs.peersChanged()
      const { peers: all } = await describePeers(ecs)
      const added = all.find(({ fqdn }) => fqdn === peer.fqdn)
      refuseUnless(added, 'PEER_NOT_FOUND', 'the peer was removed meanwhile')
      return added
    },
    listPeers: () => describePeers(ecs),
    async removePeer(fqdn) {
      await removePeer(store, fqdn.toLowerCase(), clock.now())
      await ecs.peersChanged()
      return describePeers(ecs)
    },
    ...authorityCommands(ecs),
    async rotateSigningKeys() {
      await ecs.keepKeys(async (keys) => {
        if (keys.next !== undefined) return keys
        const next = publishNext(keys, await ecs.keyFiles.generateSigningKey(), clock.now())
        return ecs.keyFiles.storeSigningKeys(next, keys)
      })
      return { published: [...verificationKeys(ecs.signingKeys()).keys()] }
    },
  }
}

async function describePeers({ store, peerStanding }: OpenEcs & EcsContext) {
  const stored = await listPeers(store)
  const peers = stored.map(({ peer: { roots, ...peer }, bundle }) => {
    const standing = peerStanding(peer.fqdn)
    return {
      ...peer,
      roots: roots.map((pem) => hash('sha256', derOf('CERTIFICATE', pem))),
      known: bundle !== undefined,
      ...(standing && { standing: shown(standing) }),
    }
  })
  return { peers }
}

function shown({ leftAlone, ...times }: PeerStanding) {
  const texts = Object.entries(times).map(([name, time]) => [name, new Date(time).toISOString()])
  return { leftAlone, ...(Object.fromEntries(texts) as Partial<Record<keyof typeof times, string>>) }
}

function invitationPorts(ecs: OpenEcs, { apiRoot }: EcsUrls): InvitationPorts {
  const { store, clock, random, configuration, onboarding, ca } = ecs
  const { fqdn, tokens } = configuration
  return {
    now: clock.now,
    ecs: { apiRoot, fqdn },
    root: () => ({ root: ca.root(), rootFingerprint: hash('sha256', ca.present().root.der) }),
    async barredUntil(eesId) {
      const query = db.selectFrom('ees_bar').select('barred_until').where('ees_id', '=', eesId)
      const [row] = await store.read<{ barred_until: number }>(query.compile())
      return Math.max(row?.barred_until ?? 0, ecs.onboardingSince)
    },
    async signOnboardingToken(grant, { now, lifetime = tokens.onboardingLifetime }) {
      refuseUnless(
        lifetime <= tokens.onboardingLifetime,
        'MANDATORY_IE_INCORRECT',
        `an onboarding token lives ${tokens.onboardingLifetime} s at most here: tokens.onboardingLifetime in ecs.yaml`,
      )
      const jti = random.uuid()
      const issued = { ...grant, iss: provisioningIssuer(fqdn), aud: fqdn }
      const onboardingToken = await issueOnboardingToken(issued, { signer: onboarding, now, jti, lifetime })
      return { onboardingToken, jti, expires: Math.floor(now / 1000) * 1000 + lifetime * 1000 }
    },
    async recordInvitation({ jti, ...invitation }) {
      const now = clock.now()
      await commit(store, now, [guardClock(now)], { event: 'invited', ...invitation, token: hashedTokenId(jti) })
    },
  }
}

/** The EES is asked about as its certificate would identify it: the name comes from its registration. */
async function policyRequest({ store }: OpenEcs, question: PolicyQuestion): Promise<PolicyRequest> {
  const { ees = '', operation, scope, target } = question
  const registration = await findRegistration(store, ees)
  const eesId = registration?.eesId ?? parseEesId(ees)
  const fqdn = question.fqdn === undefined ? registration?.fqdn : parseFqdn(question.fqdn)
  refuseUnless(eesId !== undefined, 'MANDATORY_IE_INCORRECT', 'ees is not an EES ID')
  refuseUnless(fqdn !== undefined, 'MANDATORY_IE_INCORRECT', 'this EES is not registered: name its FQDN as well')
  if (operation !== undefined) return { eesId, fqdn, operation }
  refuseUnless(scope !== undefined, 'MANDATORY_IE_MISSING', 'ask about an operation, or about a scope')
  if (target === undefined) return { eesId, fqdn, scope, target: 'ecs' }
  const name = parseFqdn(target)
  refuseUnless(name !== undefined, 'MANDATORY_IE_INCORRECT', 'target is not an FQDN')
  return { eesId, fqdn, scope, target: name }
}
