import { created, noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { isOfSchema } from '../../http/schema.ts'
import type { NfPeer } from '../../nf/peers.ts'
import { NUDM_UEAU } from '../../spec/core-operations.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { AuthEvent, AuthenticationInfoRequest, HssAuthenticationInfoRequest } from '../../spec/messages/ueau.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { ServingNetworkName } from '../../spec/subscriber-identifiers.ts'
import { type AuthEventPorts, confirmAuth, deleteAuth } from '../authentication/auth-events.ts'
import { type AuthDataPorts, generateAuthData } from '../authentication/generate-auth-data.ts'
import { generateAv } from '../authentication/generate-av.ts'

/** What a client can be at a UDM. */
export interface UdmPeers {
  /** an AUSF, and it names itself as its certificate does */
  ausf: NfPeer
  /** who authenticates subscribers outside of 5G, as an entitlement configuration server */
  hss: NfPeer
}

const route = routesOf<UdmPeers>()
const mediaType = 'application/json'

/** Nudm_UEAU: TS 29.503 6.3. */
export function ueauRoutes(udm: AuthDataPorts & AuthEventPorts, apiRoot: string): Route<UdmPeers>[] {
  return [
    route({
      operation: NUDM_UEAU.GenerateAuthData,
      credential: 'ausf',
      content: { mediaType, schema: AuthenticationInfoRequest },
      async handle({ peer, params, body }) {
        const { servingNetworkName, resynchronizationInfo, ausfInstanceId } = body
        const same = ausfInstanceId.toLowerCase() === peer.nfInstanceId
        refuseUnless(same, 'POLICY_DENIED', 'the request names another instance than the certificate')
        const result = await generateAuthData(udm, {
          supiOrSuci: params['supiOrSuci'] ?? '',
          servingNetworkName: servingNetworkName as ServingNetworkName,
          ...(resynchronizationInfo && {
            resynchronisation: {
              rand: Buffer.from(resynchronizationInfo.rand, 'hex'),
              auts: Buffer.from(resynchronizationInfo.auts, 'hex'),
            },
          }),
        })
        return ok(result)
      },
    }),
    route({
      operation: NUDM_UEAU.GenerateAv,
      credential: 'hss',
      content: { mediaType, schema: HssAuthenticationInfoRequest },
      async handle({ params, body }) {
        refuseUnless(
          params['hssAuthType'] === 'eap-aka',
          'RESOURCE_URI_STRUCTURE_NOT_FOUND',
          'no such vectors are made',
        )
        return ok(await generateAv(udm, params['supi'] ?? '', body))
      },
    }),
    route({
      operation: NUDM_UEAU.ConfirmAuth,
      credential: 'ausf',
      content: { mediaType, schema: AuthEvent },
      async handle({ peer, params, body, path }) {
        const event = onlyKnownMembers(AuthEvent, body, isOfSchema)
        const { authEventId } = await confirmAuth(udm, { name: params['supi'] ?? '', ausf: peer.nfInstanceId, event })
        return created(`${apiRoot}${path}/${authEventId}`, event)
      },
    }),
    route({
      operation: NUDM_UEAU.DeleteAuth,
      credential: 'ausf',
      content: { mediaType, schema: AuthEvent },
      async handle({ peer, params, body }) {
        const target = { name: params['supi'] ?? '', authEventId: params['authEventId'] ?? '', ausf: peer.nfInstanceId }
        await deleteAuth(udm, target, body)
        return noContent()
      },
    }),
  ]
}
