import type { ACProfile } from '../../spec/messages/ac-profile.ts'
import type { EECContext } from '../../spec/messages/eec-context-relocation.ts'
import type { EECRegistration } from '../../spec/messages/eec-registration.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'

/** What an EEC says of itself, and may change. */
export type EecContent = Pick<
  EECRegistration,
  'acProfs' | 'eecSvcContSupp' | 'endPt' | 'ueMobilityReq' | 'easSelReqInd' | 'ueType'
>

/** What comes with a context from another EES, and goes on with it to the next. */
export type CarriedContext = Pick<EECContext, 'sessCntxs' | 'ueLoc'>

/** One EEC at this EES, with its context. Times are milliseconds since 1970. */
export interface EecRegistration {
  readonly registrationId: string
  readonly eecId: string
  /** what another EES calls its context by */
  readonly contextId: string
  readonly gpsi?: string
  readonly content: EecContent
  readonly carried: CarriedContext
  /** counts the changes */
  readonly version: number
  readonly expiresAt: number
  /** `https://FQDN[:PORT]` of the EES that the context is on its way to */
  readonly movingTo?: string
}

/** As the EEC hears of it. */
export function toMessage({ eecId, gpsi, contextId, content, expiresAt }: EecRegistration): EECRegistration {
  return {
    eecId,
    ...(gpsi !== undefined && { ueId: gpsi }),
    ...content,
    eecCntxId: contextId,
    expTime: new Date(expiresAt).toISOString(),
  }
}

/** What is kept of a message: the EES states the rest itself. */
export function contentOf(message: Partial<EECRegistration>): EecContent {
  const { acProfs, eecSvcContSupp, endPt, ueMobilityReq, easSelReqInd, ueType } = message
  return {
    ...(acProfs && { acProfs }),
    ...(eecSvcContSupp && { eecSvcContSupp }),
    ...(endPt && { endPt }),
    ...(ueMobilityReq !== undefined && { ueMobilityReq }),
    ...(easSelReqInd !== undefined && { easSelReqInd }),
    ...(ueType !== undefined && { ueType }),
  }
}

/** @returns when it ends: as asked for, but never after the longest lifetime @throws Refusal OPTIONAL_IE_INCORRECT */
export function endOf(asked: string | undefined, now: number, longest: number): number {
  if (asked === undefined) return now + longest
  const end = Date.parse(asked)
  refuseUnless(end > now, 'OPTIONAL_IE_INCORRECT', 'expTime has passed')
  return Math.min(end, now + longest)
}

/** EECContext of TS 29.558, as it travels over EDGE-9. @param subscriptions - identifiers of its EDGE-1 subscriptions */
export function toContext(registration: EecRegistration, subscriptions: readonly string[]): EECContext {
  const { eecId, contextId, gpsi, content, carried } = registration
  const { acProfs = [], eecSvcContSupp, ueMobilityReq } = content
  const scenarios = eecSvcContSupp ?? []
  return {
    eecId,
    cntxId: contextId,
    ...(gpsi !== undefined && { ueId: gpsi }),
    ...(subscriptions.length > 0 && { e1Subs: [...subscriptions] }),
    ...carried,
    ...(acProfs.length > 0 && { acProfs }),
    ...(eecSvcContSupp && {
      eecSrvContSupp: {
        srvContSupp: scenarios.length > 0,
        ...(scenarios.length > 0 && { acrScenarios: scenarios }),
      },
    }),
    ...(ueMobilityReq !== undefined && { ueMobSuppInd: ueMobilityReq }),
  }
}

/** The other way round: what a context says that an EEC would say of itself. */
export function contentOfContext({ acProfs, eecSrvContSupp, ueMobSuppInd }: EECContext): EecContent {
  return {
    ...(acProfs && { acProfs: acProfs satisfies ACProfile[] }),
    ...(eecSrvContSupp && { eecSvcContSupp: eecSrvContSupp.acrScenarios ?? [] }),
    ...(ueMobSuppInd !== undefined && { ueMobilityReq: ueMobSuppInd }),
  }
}

export function carriedOf({ sessCntxs, ueLoc }: EECContext): CarriedContext {
  return { ...(sessCntxs && { sessCntxs }), ...(ueLoc && { ueLoc }) }
}

/** What is on its way is not changed: the other EES would never hear of it. */
export function refuseMoving({ movingTo }: EecRegistration): void {
  if (movingTo !== undefined) throw new Refusal('EEC_CONTEXT_MOVING', 'the context goes to another EES: try there')
}
