import { created, noContent, ok, type Route, type RouteRequest, routesOf } from '../../http/route.ts'
import { isOfSchema } from '../../http/schema.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { EESRegistration, EESRegistrationPatch } from '../../spec/messages/ees-registration.ts'
import {
  type AuthInfo,
  EESRegistrationReq,
  type EESRegistrationResp,
  MEMBERS_OF_THE_ECS,
  type OnboardingResult,
} from '../../spec/messages/onboarding-information.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import { Refusal } from '../../spec/refusal.ts'
import { commonFeatures, EDGEWARD_ONBOARDING } from '../../spec/supported-features.ts'
import { channelBinding } from '../../tls/connection.ts'
import type { EcsPeers } from '../peers.ts'
import { deregister, type EndingPorts } from '../registrar/end-registration.ts'
import { type Onboarded, type OnboardingPorts, onboardEes } from '../registrar/onboard-ees.ts'
import { type ProofContext, provePossession } from '../registrar/prove-possession.ts'
import { type ReturnPorts, registerAgain } from '../registrar/register-again.ts'
import { etagOf, ownRegistration, type Registration, toMessage } from '../registrar/registration.ts'
import { modifyRegistration, type UpdatePorts, updateRegistration } from '../registrar/update-registration.ts'

const route = routesOf<EcsPeers>()

export interface OnboardingRoutePorts extends OnboardingPorts {
  readonly proof: Pick<ProofContext, 'ecs' | 'bindingRequired'>
  /** where the EES goes from here */
  authInfo(onboarded: Onboarded): AuthInfo
}

/** On the `server` listener: the first registration of an EES, which brings it its certificate. */
export function onboardingRoute(ecs: OnboardingRoutePorts): Route<EcsPeers> {
  return route({
    operation: OPERATIONS.CreateEESRegistration,
    credential: 'onboardingToken',
    content: { mediaType: 'application/json', schema: EESRegistrationReq },
    async handle({ peer, body, path, socket }) {
      refuseServerOwned(body)
      refuseServerOwned(body.onboardingInformation)
      const { onboardingInformation, ...sent } = body
      if (onboardingInformation === undefined) {
        throw new Refusal('MANDATORY_IE_MISSING', 'onboarding needs a public key', {
          invalidParams: [{ param: '/onboardingInformation' }],
        })
      }
      const { credential, onboardingToken } = peer
      const context = {
        ...ecs.proof,
        onboardingToken,
        eesProf: body.eesProf,
        channelBinding: () => channelBinding(socket),
      }
      const key = await provePossession(onboardingInformation, context)
      const registration = onlyKnownMembers(EESRegistration, sent, isOfSchema)
      const onboarded = await onboardEes(ecs, { credential, registration: withOurFeatures(registration), key })
      const { registration: assigned } = onboarded
      // The resource is on the other listener: it opens to the certificate in this answer.
      const location = `${ecs.authInfo(onboarded).apiRoot}${path}/${assigned.registrationId}`
      return created(location, toAnswer(ecs, onboarded), { etag: etagOf(assigned) })
    },
  })
}

/** On the `mtls` listener: the life of a registration (TS 29.558 9.1). */
export function registrationRoutes(ecs: UpdatePorts & EndingPorts & ReturnPorts): Route<EcsPeers>[] {
  return [
    route({
      operation: OPERATIONS.CreateEESRegistration,
      credential: 'returning',
      content: { mediaType: 'application/json', schema: EESRegistration },
      async handle({ peer, body, path }) {
        refuseServerOwned(body)
        const message = withOurFeatures(onlyKnownMembers(EESRegistration, body, isOfSchema))
        const registration = await registerAgain(ecs, peer, message)
        return created(`${path}/${registration.registrationId}`, toMessage(registration), {
          etag: etagOf(registration),
        })
      },
    }),
    route({
      operation: OPERATIONS.GetIndEESReg,
      credential: 'authorized',
      async handle({ peer, params }) {
        return shown(ownRegistration(peer, params['registrationId']))
      },
    }),
    route({
      operation: OPERATIONS.UpdateIndEESReg,
      credential: 'authorized',
      content: { mediaType: 'application/json', schema: EESRegistration },
      async handle(request) {
        refuseServerOwned(request.body)
        const message = withOurFeatures(onlyKnownMembers(EESRegistration, request.body, isOfSchema))
        return shown(await updateRegistration(ecs, targetOf(request), message))
      },
    }),
    route({
      operation: OPERATIONS.ModifyIndEESReg,
      credential: 'authorized',
      content: { mediaType: 'application/merge-patch+json', schema: EESRegistrationPatch },
      async handle(request) {
        refuseServerOwned(request.body)
        const patch = onlyKnownMembers(EESRegistrationPatch, request.body, isOfSchema)
        return shown(await modifyRegistration(ecs, targetOf(request), patch))
      },
    }),
    route({
      operation: OPERATIONS.DeleteIndEESReg,
      credential: 'authorized',
      async handle({ peer, params }) {
        await deregister(ecs, peer, params['registrationId'])
        return noContent()
      },
    }),
  ]
}

function targetOf({ peer, params, headers }: RouteRequest<EcsPeers['authorized'], unknown>) {
  return { peer, registrationId: params['registrationId'], ifMatch: headers['if-match'] }
}

function shown(registration: Registration) {
  return ok(toMessage(registration), { etag: etagOf(registration) })
}

/** The answer to an onboarding is the message of the standard, with our member beside it (D-4). */
function toAnswer(ecs: OnboardingRoutePorts, onboarded: Onboarded): EESRegistrationResp {
  const { registration, eesCertificate, accessToken } = onboarded
  const { registrationId } = registration
  const issued = { registrationId, eesCertificate, authInfo: ecs.authInfo(onboarded) }
  const onboardingInformation: OnboardingResult =
    accessToken === undefined
      ? issued
      : { ...issued, accessToken: accessToken.accessToken, tokenType: 'Bearer', expiresIn: accessToken.expiresIn }
  return { ...toMessage(registration), onboardingInformation }
}

/** What both sides support is agreed with every message (TS 29.500 6.6.2). */
function withOurFeatures<Message extends { suppFeat?: string }>(message: Message): Message {
  const { suppFeat } = message
  return suppFeat === undefined ? message : { ...message, suppFeat: commonFeatures(suppFeat, [EDGEWARD_ONBOARDING]) }
}

/** Unknown members are ignored, but a client that sets what only the ECS can set is told so (THREATS ON-13). */
const SERVER_OWNED: readonly string[] = [
  ...MEMBERS_OF_THE_ECS,
  'id',
  'owner',
  'scope',
  'scopes',
  'serial',
  'state',
  'version',
]

function refuseServerOwned(content: object | undefined): void {
  const owned = Object.keys(content ?? {}).find((name) => SERVER_OWNED.includes(name))
  if (owned === undefined) return
  throw new Refusal('SERVER_OWNED_MEMBER', 'a member of the request is set by the ECS only', {
    invalidParams: [{ param: `/${owned}` }],
  })
}
