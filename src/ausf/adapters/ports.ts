import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { withOctets } from '../../keys/key.ts'
import type { NfClient } from '../../nf/adapters/nf-client.ts'
import { rateLimit } from '../../nf/rate-limit.ts'
import type { SharedWithService } from '../../nf/server/serve-nf.ts'
import { encryptJwe } from '../../tokens/jwe.ts'
import { deriveAkmaKeys } from '../akma/akma-keys.ts'
import type { ApplicationKeyPorts } from '../akma/retrieve-application-key.ts'
import type { ConfirmationPorts } from '../authentication/confirm-5g-aka.ts'
import type { StartPorts } from '../authentication/start-authentication.ts'
import type { TakeBackPorts } from '../authentication/take-back.ts'
import type { AusfPeerEntry } from '../configuration.ts'
import { deriveEdgeKeys } from '../edge-key/edge-keys.ts'
import type { KeyRequestPorts } from '../edge-key/key-request.ts'
import type { KakmaStore, KedgeStore } from './anchor-key-store.ts'
import type { contextTable } from './context-table.ts'
import { eecIdLists } from './eec-id-list.ts'
import type { OpenAusf } from './open-ausf.ts'
import { udmPorts } from './udm-client.ts'

/** The parts of a running AUSF. */
export interface AusfParts {
  readonly contexts: ReturnType<typeof contextTable>
  readonly kedges: KedgeStore
  readonly kakmas: KakmaStore
  readonly udm: NfClient
}

/** For Nausf_UEAuthentication: the UDM, the keys that are derived and where they are kept. */
export function authenticationPorts(
  ausf: OpenAusf,
  { contexts, kedges, kakmas, udm }: AusfParts,
): StartPorts & ConfirmationPorts & TakeBackPorts {
  const { clock, random, configuration } = ausf
  const { edge, homeNetwork, nfInstanceId } = configuration
  const times = () => ({ now: clock.now(), lifetime: edge.lifetime * 1000, grace: edge.grace * 1000 })
  const lists = eecIdLists(ausf.dataKey)
  return {
    contexts,
    random,
    ...udmPorts(udm, nfInstanceId, clock),
    mayUseEdge: (data) => edge.permission === 'everyone' || data[edge.permission],
    deriveEdgeKeys: (kausf, subscriber) => deriveEdgeKeys(kausf, subscriber, { homeNetwork, ...edge }),
    replaceKedge: ({ supi, eecIds }, { kedge: key, kedgeId: id }) =>
      kedges.replace(supi, { key, id, eecIds: lists.of(eecIds ?? []) }, times()),
    deriveAkmaKeys: (kausf, subscriber) => deriveAkmaKeys(kausf, subscriber, homeNetwork),
    replaceKakma: ({ supi }, { kakma: key, aKid: id }) => kakmas.replace(supi, { key, id }, times()),
  }
}

/** For Nausf_UEAuthentication_keyrequest: what is delivered is on record before it leaves. */
export function keyRequestPorts(
  ausf: OpenAusf,
  { kedges }: AusfParts,
  { alarms, peers }: SharedWithService<AusfPeerEntry>,
): KeyRequestPorts {
  const { clock, random, store, configuration, dataKey } = ausf
  const { keyProfile, functionCodes, unlistedEecIds } = configuration.edge
  const lists = eecIdLists(dataKey)
  return {
    now: clock.now,
    allow: rateLimit(configuration.keyRequests, clock.monotonic),
    alarms,
    keyProfile,
    functionCodes,
    isCaller: (ecs) => peers().entries.has(ecs),
    async findKedge(kedgeId, now) {
      const { key: kedge, until, eecIds } = await kedges.find(kedgeId, now)
      const isAny = eecIds.length === 0 && unlistedEecIds === 'allowed'
      return { kedge, until, mayUse: (eecId) => lists.has(eecIds, eecId) || isAny }
    },
    encryptTo: (recipient, key) =>
      withOctets(key, (octets) =>
        encryptJwe(octets, {
          recipient: createPublicKey({ format: 'jwk', key: recipient }),
          ephemeral: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
          iv: random.octets(12),
        }),
      ),
    record: (delivery) => store.commit([], [{ at: clock.now(), entry: delivery }]),
  }
}

/** For Naanf_AKMA: what is delivered is on record before it leaves. */
export function applicationKeyPorts(
  { clock, store, configuration }: OpenAusf,
  { kakmas }: AusfParts,
  { alarms }: SharedWithService<AusfPeerEntry>,
): ApplicationKeyPorts {
  return {
    now: clock.now,
    allow: rateLimit(configuration.keyRequests, clock.monotonic),
    alarms,
    async findKakma(aKid, now) {
      const { key: kakma, until } = await kakmas.find(aKid, now)
      return { kakma, until }
    },
    record: (delivery) => store.commit([], [{ at: clock.now(), entry: delivery }]),
  }
}
