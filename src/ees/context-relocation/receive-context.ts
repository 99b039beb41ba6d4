import type {
  EECContext,
  EECContextPush,
  EECContextPushRes,
  SessionContexts,
} from '../../spec/messages/eec-context-relocation.ts'
import type { PullEecContextsQuery } from '../../spec/messages/queries.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import {
  carriedOf,
  contentOfContext,
  type EecRegistration,
  refuseMoving,
  toContext,
} from '../eec-registration/registration.ts'
import { isIdentityOf } from '../guard/ees-identity.ts'
import type { Caller } from '../guard/guard.ts'

/** That another EES has pushed this context here. */
export interface ReceivedContext {
  /** FQDN of that EES */
  readonly source: string
  /** what that EES calls it by */
  readonly contextId: string
  readonly eecId: string
  /** of the EEC at this EES */
  readonly registrationId: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

export interface ContextPorts {
  now(): number
  /** milliseconds that a registration lasts */
  readonly longest: number
  newId(): string
  /** whether the token must name the EEC (D-17 leaves it open) */
  readonly eecInToken: 'required' | 'optional'
  findByEecId(eecId: string): Promise<EecRegistration | undefined>
  findByContextId(contextId: string): Promise<EecRegistration | undefined>
  findReceived(source: string, contextId: string): Promise<ReceivedContext | undefined>
  /** Keeps both or nothing. @throws Overtaken if one of them is there by now */
  insert(registration: EecRegistration, received: ReceivedContext): Promise<void>
  update(next: EecRegistration, received: ReceivedContext): Promise<void>
  /** @returns identifiers of the EEC's subscriptions */
  subscriptionsOf(eecId: string): Promise<readonly string[]>
}

/**
 * Eees_EECContextRelocation, push, at the T-EES: the EEC is registered here when the answer leaves (TS 23.558 8.9.2).
 * The same push again changes nothing and is answered alike, so the S-EES may repeat it until it has an answer.
 *
 * @throws Refusal EES_MISMATCH, EEC_MISMATCH (D-19a, THREATS RS-02)
 */
export async function receiveContext(
  ees: ContextPorts,
  caller: Caller,
  push: EECContextPush,
): Promise<EECContextPushRes> {
  refuseOtherEes(caller, push.eesId)
  const { eecCntx, eecCntxs = [] } = push
  for (const { eecId } of [eecCntx, ...eecCntxs]) refuseOtherEec(ees, caller, eecId)
  refuseUnless(eecCntxs.length === 0, 'OPTIONAL_IE_INCORRECT', 'an EEC has one context here')

  const { eecId, cntxId } = eecCntx
  const before = await ees.findReceived(caller.fqdn, cntxId)
  if (before !== undefined) {
    refuseUnless(before.eecId === eecId, 'EEC_MISMATCH', 'the context is known as that of another EEC')
    return implicitRegistration(before)
  }
  const known = await ees.findByEecId(eecId)
  const registration = known === undefined ? newRegistration(ees, eecCntx) : withContext(known, eecCntx)
  const { registrationId, expiresAt } = registration
  const received = { source: caller.fqdn, contextId: cntxId, eecId, registrationId, expiresAt }
  await (known === undefined ? ees.insert(registration, received) : ees.update(registration, received))
  return implicitRegistration(received)
}

function implicitRegistration({ registrationId, expiresAt }: ReceivedContext): EECContextPushRes {
  return { implReg: { regId: registrationId, expTime: new Date(expiresAt).toISOString() } }
}

function newRegistration(ees: ContextPorts, context: EECContext): EecRegistration {
  const { eecId, ueId } = context
  return {
    registrationId: ees.newId(),
    eecId,
    contextId: ees.newId(),
    ...(ueId !== undefined && { gpsi: ueId }),
    content: contentOfContext(context),
    carried: carriedOf(context),
    version: 1,
    expiresAt: ees.now() + ees.longest,
  }
}

/** The EEC was here before its context: what it has said of itself holds, what only an EES knows comes with the context. */
function withContext(known: EecRegistration, context: EECContext): EecRegistration {
  refuseMoving(known)
  return { ...known, carried: carriedOf(context), version: known.version + 1 }
}

/**
 * Eees_EECContextRelocation, pull, at the S-EES.
 *
 * @throws Refusal EES_MISMATCH, EEC_MISMATCH (D-19a, THREATS RS-02), EEC_CONTEXT_NOT_FOUND
 */
export async function showContext(ees: ContextPorts, caller: Caller, query: PullEecContextsQuery): Promise<EECContext> {
  refuseOtherEes(caller, query['ees-id'])
  const { eecId: named } = caller.claims
  refuseUnless(named !== undefined || ees.eecInToken === 'optional', 'EEC_MISMATCH', 'the token names no EEC')
  const registration = await ees.findByContextId(query['eec-cntx-id'])
  refuseUnless(registration, 'EEC_CONTEXT_NOT_FOUND', 'no EEC has this context here')
  refuseOtherEec(ees, caller, registration.eecId)
  refuseMoving(registration)
  const context = toContext(registration, await ees.subscriptionsOf(registration.eecId))
  return withSessions(context, query['sess-cntxs'])
}

/** Of the sessions with EASs those alone that are asked for. */
function withSessions(context: EECContext, asked: SessionContexts | undefined): EECContext {
  if (asked === undefined || context.sessCntxs === undefined) return context
  const { sessCntxs, ...rest } = context
  const wanted = new Set(asked.sessCntxs.map(({ easId }) => easId))
  const chosen = sessCntxs.sessCntxs.filter(({ easId }) => wanted.has(easId))
  return chosen.length === 0 ? rest : { ...rest, sessCntxs: { sessCntxs: chosen } }
}

function refuseOtherEes(caller: Caller, named: string): void {
  refuseUnless(isIdentityOf(caller, named), 'EES_MISMATCH', 'the request names another EES than the token')
}

function refuseOtherEec({ eecInToken }: ContextPorts, { claims }: Caller, eecId: string): void {
  const { eecId: named } = claims
  refuseUnless(named !== undefined || eecInToken === 'optional', 'EEC_MISMATCH', 'the token names no EEC')
  refuseUnless(
    named === undefined || named === eecId,
    'EEC_MISMATCH',
    'the context is not that of the EEC of the token',
  )
}
