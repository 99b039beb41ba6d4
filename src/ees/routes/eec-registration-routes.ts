import { created, noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { isOfSchema } from '../../http/schema.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { EECRegistration, EECRegistrationPatch } from '../../spec/messages/eec-registration.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import {
  deregisterEec,
  type EecRegistrationPorts,
  modifyEec,
  registerEec,
  replaceEec,
} from '../eec-registration/register-eec.ts'
import { toMessage } from '../eec-registration/registration.ts'
import { unlessOvertaken } from '../overtaken.ts'
import type { EesPeers } from '../peers.ts'

const route = routesOf<EesPeers>()

/** On the `server` listener: Eees_EECRegistration (TS 24.558). */
export function eecRegistrationRoutes(ees: EecRegistrationPorts): Route<EesPeers>[] {
  return [
    route({
      operation: OPERATIONS.CreateEECReg,
      credential: 'eec',
      content: { mediaType: 'application/json', schema: EECRegistration },
      async handle({ peer, body, path }) {
        const message = onlyKnownMembers(EECRegistration, body, isOfSchema)
        const registration = await unlessOvertaken(() => registerEec(ees, peer, message))
        return created(`${path}/${registration.registrationId}`, toMessage(registration))
      },
    }),
    route({
      operation: OPERATIONS.UpdateIndEECReg,
      credential: 'eec',
      content: { mediaType: 'application/json', schema: EECRegistration },
      async handle({ peer, body, params }) {
        const message = onlyKnownMembers(EECRegistration, body, isOfSchema)
        return ok(toMessage(await replaceEec(ees, peer, params['registrationId'], message)))
      },
    }),
    route({
      operation: OPERATIONS.ModifyIndEECReg,
      credential: 'eec',
      content: { mediaType: 'application/merge-patch+json', schema: EECRegistrationPatch },
      async handle({ peer, body, params }) {
        const patch = onlyKnownMembers(EECRegistrationPatch, body, isOfSchema)
        return ok(toMessage(await modifyEec(ees, peer, params['registrationId'], patch)))
      },
    }),
    route({
      operation: OPERATIONS.DeleteIndEECReg,
      credential: 'eec',
      async handle({ peer, params }) {
        await deregisterEec(ees, peer, params['registrationId'])
        return noContent()
      },
    }),
  ]
}
