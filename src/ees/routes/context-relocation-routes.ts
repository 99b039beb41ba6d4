import { parseJsonContent } from '../../http/content.ts'
import { ok, type Route, routesOf } from '../../http/route.ts'
import { findInvalidParam, isOfSchema } from '../../http/schema.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { EECContextPush } from '../../spec/messages/eec-context-relocation.ts'
import { PullEecContextsQuery } from '../../spec/messages/queries.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import { Refusal } from '../../spec/refusal.ts'
import { type ContextPorts, receiveContext, showContext } from '../context-relocation/receive-context.ts'
import { unlessOvertaken } from '../overtaken.ts'
import type { EesPeers } from '../peers.ts'

const route = routesOf<EesPeers>()

/** On the `mtls` listener: Eees_EECContextRelocation (TS 29.558), EDGE-9. */
export function contextRelocationRoutes(ees: ContextPorts): Route<EesPeers>[] {
  return [
    route({
      operation: OPERATIONS.PushEecContexts,
      credential: 'token',
      content: { mediaType: 'application/json', schema: EECContextPush },
      async handle({ peer, body }) {
        const push = onlyKnownMembers(EECContextPush, body, isOfSchema)
        return ok(await unlessOvertaken(() => receiveContext(ees, peer, push)))
      },
    }),
    route({
      operation: OPERATIONS.PullEecContexts,
      credential: 'token',
      async handle({ peer, query }) {
        return ok(await showContext(ees, peer, readQuery(query)))
      },
    }),
  ]
}

function readQuery({ 'sess-cntxs': sessions, ...rest }: Readonly<Record<string, string>>): PullEecContextsQuery {
  const query: unknown = {
    ...rest,
    ...(sessions !== undefined && { 'sess-cntxs': parseJsonContent(Buffer.from(sessions)) }),
  }
  const invalid = findInvalidParam(PullEecContextsQuery, query)
  if (invalid === undefined) return query as PullEecContextsQuery
  const [, name = ''] = invalid.param.split('/')
  throw new Refusal('MANDATORY_IE_INCORRECT', 'a parameter of the query is missing or not of its type', {
    invalidParams: [{ ...invalid, param: name }],
  })
}
