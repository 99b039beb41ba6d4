import { Type } from 'typebox'
import { noContent, ok, type Route, routesOf } from '../../http/route.ts'
import type { OperatorPeers } from '../../nf/server/serve-operator.ts'
import { MOST_EEC_IDS } from '../../spec/messages/kedge-request.ts'
import type { UdmCommands } from '../operator/commands.ts'
import { OPERATOR_OPERATIONS } from '../operator/operations.ts'

const route = routesOf<OperatorPeers>()
const strict = { additionalProperties: false }
const text = Type.Optional(Type.String({ maxLength: 300 }))

const EecIds = Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { maxItems: MOST_EEC_IDS }))

const Record = Type.Object(
  {
    supi: Type.String({ maxLength: 300 }),
    k: Type.String({ maxLength: 32 }),
    opc: text,
    op: text,
    gpsi: text,
    amf: text,
    sqn: text,
    routingIndicator: text,
    authMethod: text,
    edge: Type.Optional(Type.Boolean()),
    akma: Type.Optional(Type.Boolean()),
    eecIds: EecIds,
  },
  strict,
)
/** As many as one message may add. */
export const LARGEST_BATCH = 200
const Batch = Type.Object({ subscribers: Type.Array(Record, { minItems: 1, maxItems: LARGEST_BATCH }) }, strict)
const Change = Type.Object({ supi: Type.String({ maxLength: 300 }), eecIds: EecIds }, strict)
const Removal = Type.Object({ supi: Type.String({ maxLength: 300 }) }, strict)

/** On the `admin` listener: the same commands as on the command line. */
export function operatorRoutes(commands: UdmCommands): Route<OperatorPeers>[] {
  const credential = 'operator'
  const mediaType = 'application/json'
  return [
    route({
      operation: OPERATOR_OPERATIONS.add,
      credential,
      content: { mediaType, schema: Batch, limit: 1_048_576 },
      handle: async ({ body }) => ok(await commands.add(body.subscribers)),
    }),
    route({
      operation: OPERATOR_OPERATIONS.list,
      credential,
      handle: async ({ query }) => ok(await commands.list(query['after'])),
    }),
    route({
      operation: OPERATOR_OPERATIONS.remove,
      credential,
      content: { mediaType, schema: Removal },
      async handle({ body }) {
        await commands.remove(body.supi)
        return noContent()
      },
    }),
    route({
      operation: OPERATOR_OPERATIONS.setEecIds,
      credential,
      content: { mediaType, schema: Change },
      async handle({ body }) {
        await commands.setEecIds(body.supi, body.eecIds)
        return noContent()
      },
    }),
    route({
      operation: OPERATOR_OPERATIONS.homeNetworkKeys,
      credential,
      handle: async () => ok(await commands.homeNetworkKeys()),
    }),
  ]
}
