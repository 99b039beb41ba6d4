import { Type } from 'typebox'
import { noContent, ok, type Route, routesOf } from '../../http/route.ts'
import type { OperatorPeers } from '../../nf/server/serve-operator.ts'
import type { EntitlementCommands } from '../operator/commands.ts'
import { OPERATOR_OPERATIONS } from '../operator/operations.ts'

const route = routesOf<OperatorPeers>()
const strict = { additionalProperties: false }
const text = Type.String({ maxLength: 300 })

const Eec = Type.Object({ supi: text, eecId: text }, strict)
const EecWithGpsi = Type.Object({ supi: text, eecId: text, gpsi: Type.Optional(text) }, strict)
const Withdrawal = Type.Object({ supi: text }, strict)
const Certificates = Type.Object({ chain: Type.String({ maxLength: 32_768 }), replacesAll: Type.Boolean() }, strict)
const Nothing = Type.Object({}, strict)

/** On the `admin` listener: the same commands as on the command line. */
export function operatorRoutes(commands: EntitlementCommands): Route<OperatorPeers>[] {
  const credential = 'operator'
  const mediaType = 'application/json'
  return [
    route({
      operation: OPERATOR_OPERATIONS.allow,
      credential,
      content: { mediaType, schema: EecWithGpsi },
      async handle({ body }) {
        await commands.allow(body)
        return noContent()
      },
    }),
    route({
      operation: OPERATOR_OPERATIONS.deny,
      credential,
      content: { mediaType, schema: Eec },
      async handle({ body }) {
        await commands.deny(body)
        return noContent()
      },
    }),
    route({
      operation: OPERATOR_OPERATIONS.list,
      credential,
      handle: async ({ query }) => ok(await commands.list(query['after'])),
    }),
    route({
      operation: OPERATOR_OPERATIONS.withdraw,
      credential,
      content: { mediaType, schema: Withdrawal },
      handle: async ({ body }) => ok(await commands.withdraw(body.supi)),
    }),
    route({
      operation: OPERATOR_OPERATIONS.newSigningKey,
      credential,
      content: { mediaType, schema: Nothing },
      handle: async () => ok(await commands.newSigningKey()),
    }),
    route({
      operation: OPERATOR_OPERATIONS.installSigningKey,
      credential,
      content: { mediaType, schema: Certificates },
      handle: async ({ body }) => ok(await commands.installSigningKey(body)),
    }),
  ]
}
