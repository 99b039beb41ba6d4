import { type Static, Type } from 'typebox'
import { noContent, ok, type Route, routesOf } from '../../http/route.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import { OPERATOR_OPERATIONS } from '../operator/operations.ts'
import type { EcsPeers } from '../peers.ts'

const route = routesOf<EcsPeers>()
const strict = { additionalProperties: false }

const InvitationRequest = Type.Object(
  {
    eesId: Type.String(),
    fqdn: Type.String(),
    ttl: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
    provId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    endPoints: Type.Optional(Type.Array(Type.String(), { maxItems: 32 })),
    spkiSha256: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })),
  },
  strict,
)
export type InvitationRequest = Static<typeof InvitationRequest>

const PeerRequest = Type.Object(
  {
    fqdn: Type.String(),
    apiRoot: Type.String(),
    roots: Type.String({ maxLength: 32_768 }),
    nameSpace: Type.Array(Type.String(), { minItems: 1, maxItems: 32 }),
    via: Type.Optional(Type.String()),
  },
  strict,
)
const PeerRemoval = Type.Object({ fqdn: Type.String() }, strict)
const RollOver = Type.Object({ force: Type.Optional(Type.Boolean()) }, strict)
const Revocation = Type.Object({ id: Type.String() }, strict)
const BackupRequest = Type.Object({ file: Type.String({ minLength: 1, maxLength: 4_096 }) }, strict)

/** On the `admin` listener: the same commands as on the command line. */
export function operatorRoutes(commands: OperatorCommands): Route<EcsPeers>[] {
  const credential = 'operator'
  const json = 'application/json'
  return [
    route({
      operation: OPERATOR_OPERATIONS.invite,
      credential,
      content: { mediaType: json, schema: InvitationRequest },
      handle: async ({ body }) => ok(await commands.invite(body)),
    }),
    route({
      operation: OPERATOR_OPERATIONS.list,
      credential,
      handle: async ({ query }) => ok(await commands.list(query['after'])),
    }),
    route({
      operation: OPERATOR_OPERATIONS.show,
      credential,
      handle: async ({ query }) => ok(await commands.show(query['id'] ?? '')),
    }),
    route({
      operation: OPERATOR_OPERATIONS.revoke,
      credential,
      content: { mediaType: json, schema: Revocation },
      handle: async ({ body }) => ok(await commands.revoke(body.id)),
    }),
    route({
      operation: OPERATOR_OPERATIONS.verifyAudit,
      credential,
      handle: async () => ok(await commands.verifyAudit()),
    }),
    route({
      operation: OPERATOR_OPERATIONS.backup,
      credential,
      content: { mediaType: json, schema: BackupRequest },
      async handle({ body }) {
        await commands.backup(body.file)
        return noContent()
      },
    }),
    route({
      operation: OPERATOR_OPERATIONS.explain,
      credential,
      handle: async ({ query }) => ok(await commands.explainPolicy(query)),
    }),
    route({
      operation: OPERATOR_OPERATIONS.reloadPolicy,
      credential,
      handle: async () => ok(await commands.reloadPolicy()),
    }),
    route({
      operation: OPERATOR_OPERATIONS.addPeer,
      credential,
      content: { mediaType: json, schema: PeerRequest },
      handle: async ({ body }) => ok(await commands.addPeer(body)),
    }),
    route({
      operation: OPERATOR_OPERATIONS.listPeers,
      credential,
      handle: async () => ok(await commands.listPeers()),
    }),
    route({
      operation: OPERATOR_OPERATIONS.removePeer,
      credential,
      content: { mediaType: json, schema: PeerRemoval },
      handle: async ({ body }) => ok(await commands.removePeer(body.fqdn)),
    }),
    ...authorityRoutes(commands),
    route({
      operation: OPERATOR_OPERATIONS.rotateKeys,
      credential,
      handle: async () => ok(await commands.rotateSigningKeys()),
    }),
  ]
}

function authorityRoutes(commands: OperatorCommands): Route<EcsPeers>[] {
  const credential = 'operator'
  const content = { mediaType: 'application/json', schema: RollOver } as const
  return [
    route({
      operation: OPERATOR_OPERATIONS.showAuthorities,
      credential,
      handle: async () => ok(await commands.showAuthorities()),
    }),
    route({
      operation: OPERATOR_OPERATIONS.stageAuthority,
      credential,
      handle: async () => ok(await commands.stageAuthority()),
    }),
    route({
      operation: OPERATOR_OPERATIONS.switchAuthority,
      credential,
      content,
      handle: async ({ body }) => ok(await commands.switchAuthority(body)),
    }),
    route({
      operation: OPERATOR_OPERATIONS.retireAuthority,
      credential,
      content,
      handle: async ({ body }) => ok(await commands.retireAuthority(body)),
    }),
  ]
}
