import { readCertificateList } from '../../certificates/certificate.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecId, parseEecId, parseGpsi, parseSupi, type Supi } from '../../spec/subscriber-identifiers.ts'
import { jwkThumbprint } from '../../tokens/jwk.ts'
import type { EecRecord, EntitlementCommands } from '../operator/commands.ts'
import { allowEec, denyEec, listEntitlements, withdrawAll } from './entitlement-store.ts'
import type { OpenEntitlement } from './open-entitlement.ts'

const PAGE = 500

export function entitlementCommands(ent: OpenEntitlement): EntitlementCommands {
  return {
    async allow({ gpsi: text, ...record }) {
      const gpsi = text === undefined ? undefined : parseGpsi(text)
      refuseUnless(text === undefined || gpsi, 'OPTIONAL_IE_INCORRECT', 'gpsi is not an MSISDN or external ID')
      await allowEec(ent, { ...readEec(record), ...(gpsi && { gpsi }) })
    },
    deny: (record) => denyEec(ent, readEec(record)),
    async list(after = '') {
      const eecs = await listEntitlements(ent, after, PAGE)
      const next = eecs.length === PAGE ? eecs.at(-1)?.eecId : undefined
      return { eecs, ...(next !== undefined && { next }) }
    },
    withdraw: async (name) => ({ eecIds: await withdrawAll(ent, readSupi(name)) }),
    async newSigningKey() {
      const publicKey = await ent.keyRing.make()
      const spki = publicKey.export({ type: 'spki', format: 'der' })
      return { kid: jwkThumbprint(publicKey), publicKey: spki.toString('base64') }
    },
    async installSigningKey({ chain, replacesAll }) {
      const { kid, signsFrom } = await ent.keyRing.install({ chain: readChain(chain), replacesAll })
      return { kid, signsFrom }
    },
  }
}

function readEec({ supi, eecId }: Pick<EecRecord, 'supi' | 'eecId'>): { supi: Supi; eecId: EecId } {
  const id = parseEecId(eecId)
  refuseUnless(id !== undefined, 'MANDATORY_IE_INCORRECT', 'the EEC ID has 1 to 128 plain characters')
  return { supi: readSupi(supi), eecId: id }
}

function readSupi(text: string): Supi {
  const supi = parseSupi(text)
  refuseUnless(supi !== undefined, 'MANDATORY_IE_INCORRECT', 'supi is not an IMSI or NAI with its prefix')
  return supi
}

function readChain(pem: string) {
  try {
    return readCertificateList(pem)
  } catch (cause) {
    throw new Refusal('SIGNING_KEY_NOT_ACCEPTED', 'the certificates cannot be read', { cause })
  }
}
