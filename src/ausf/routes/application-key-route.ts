import { noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { hexOf } from '../../keys/key.ts'
import { NAANF_AKMA } from '../../spec/core-operations.ts'
import { type AkmaAfKeyData, AkmaAfKeyRequest } from '../../spec/messages/akma.ts'
import { type ApplicationKeyPorts, retrieveApplicationKey } from '../akma/retrieve-application-key.ts'
import type { AusfPeers } from '../peers.ts'

const route = routesOf<AusfPeers>()

/** Naanf_AKMA, retrieval of an application key: 204 where there is none (TS 29.535). */
export function applicationKeyRoute(aanf: ApplicationKeyPorts): Route<AusfPeers> {
  return route({
    operation: NAANF_AKMA,
    credential: 'akma',
    content: { mediaType: 'application/json', schema: AkmaAfKeyRequest, limit: 4_096 },
    async handle({ peer, body }) {
      const found = await retrieveApplicationKey(aanf, peer, body)
      if (found === undefined) return noContent()
      const answer: AkmaAfKeyData = {
        expiry: new Date(found.until).toISOString(),
        kaf: hexOf(found.kaf),
      }
      return ok(answer)
    },
  })
}
