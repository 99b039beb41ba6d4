import { created, noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { isOfSchema } from '../../http/schema.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { EASRegistration, EASRegistrationPatch } from '../../spec/messages/eas-registration.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import {
  deregisterEas,
  type EasRegistrationPorts,
  modifyEas,
  ownEas,
  registerEas,
  replaceEas,
} from '../eas-registration/register-eas.ts'
import { toMessage } from '../eas-registration/registration.ts'
import type { EesPeers } from '../peers.ts'

const route = routesOf<EesPeers>()

/** On the `mtls` listener: Eees_EASRegistration (TS 29.558 8.1), EDGE-3. */
export function easRegistrationRoutes(ees: EasRegistrationPorts): Route<EesPeers>[] {
  return [
    route({
      operation: OPERATIONS.CreateEASRegistration,
      credential: 'eas',
      content: { mediaType: 'application/json', schema: EASRegistration },
      async handle({ peer, body, path }) {
        const message = onlyKnownMembers(EASRegistration, body, isOfSchema)
        const registration = await registerEas(ees, peer, message)
        return created(`${path}/${registration.registrationId}`, toMessage(registration, message.suppFeat))
      },
    }),
    route({
      operation: OPERATIONS.ReadIndEASRegistration,
      credential: 'eas',
      async handle({ peer, params }) {
        return ok(toMessage(ownEas(ees, peer, params['registrationId'])))
      },
    }),
    route({
      operation: OPERATIONS.UpdateIndEASRegistration,
      credential: 'eas',
      content: { mediaType: 'application/json', schema: EASRegistration },
      async handle({ peer, body, params }) {
        const message = onlyKnownMembers(EASRegistration, body, isOfSchema)
        const registration = await replaceEas(ees, peer, params['registrationId'], message)
        return ok(toMessage(registration, message.suppFeat))
      },
    }),
    route({
      operation: OPERATIONS.ModifyIndEASRegistration,
      credential: 'eas',
      content: { mediaType: 'application/merge-patch+json', schema: EASRegistrationPatch },
      async handle({ peer, body, params }) {
        const patch = onlyKnownMembers(EASRegistrationPatch, body, isOfSchema)
        return ok(toMessage(await modifyEas(ees, peer, params['registrationId'], patch)))
      },
    }),
    route({
      operation: OPERATIONS.DeleteIndEASRegistration,
      credential: 'eas',
      async handle({ peer, params }) {
        await deregisterEas(ees, peer, params['registrationId'])
        return noContent()
      },
    }),
  ]
}
