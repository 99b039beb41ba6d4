import type { RegistrationId } from '../../spec/identifiers.ts'
import type { EESRegistration, EESRegistrationPatch } from '../../spec/messages/ees-registration.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { boundsOf, checkMergedProfile, checkProfile } from './check-profile.ts'
import {
  contentOf,
  type EesPeer,
  etagOf,
  ownRegistration,
  type Registration,
  type RegistrationContent,
} from './registration.ts'

export interface UpdatePorts {
  now(): number
  /** Does the work when all that was given for this registration before is done. */
  inTurn<Result>(registrationId: RegistrationId, work: () => Promise<Result>): Promise<Result>
  /** as it is stored now */
  findRegistration(registrationId: RegistrationId): Promise<Registration | undefined>
  /**
   * Stores the next version, with an end that is not after the end of the newest certificate.
   *
   * @throws Refusal PRECONDITION_FAILED if the registration changed or ended meanwhile: then nothing was stored
   */
  replaceRegistration(registration: Registration, content: RegistrationContent): Promise<Registration>
}

interface Target {
  readonly peer: EesPeer
  readonly registrationId: string | undefined
  /** the header If-Match, if there was one */
  readonly ifMatch: string | undefined
}

/** Eecs_EESRegistration, PUT: the registration is replaced whole (TS 29.558 8.1.2.2.3.2; TR 33.839 6.Y.2, "update"). */
export function updateRegistration(ecs: UpdatePorts, target: Target, message: EESRegistration): Promise<Registration> {
  return changeNewest(ecs, target, (registration) => {
    checkProfile(message, boundsOf(registration), ecs.now())
    return contentOf(message)
  })
}

/** Eecs_EESRegistration, PATCH: a JSON Merge Patch (RFC 7396) of the profile and the expiration time. */
export function modifyRegistration(
  ecs: UpdatePorts,
  target: Target,
  patch: EESRegistrationPatch,
): Promise<Registration> {
  return changeNewest(ecs, target, (registration) => {
    const { suppFeat, askedUntil } = registration
    const eesProf = mergePatch(registration.eesProf, patch.eesProf)
    checkMergedProfile(eesProf)
    checkProfile({ eesProf, ...(patch.expTime && { expTime: patch.expTime }) }, boundsOf(registration), ecs.now())
    return { eesProf, ...(suppFeat !== undefined && { suppFeat }), ...askedAfter(patch.expTime, askedUntil) }
  })
}

/** How often something other than an update, as a renewal, may come between before an update gives up. */
const MOST_TRIES = 4

/**
 * Updates of a registration are made one after another, each from what the one before it stored (THREATS ON-12);
 * what If-Match says is compared when it is the update's turn.
 */
function changeNewest(
  ecs: UpdatePorts,
  { peer, registrationId, ifMatch }: Target,
  contentFrom: (registration: Registration) => RegistrationContent,
): Promise<Registration> {
  const own = ownRegistration(peer, registrationId).registrationId
  return ecs.inTurn(own, async () => {
    for (let tries = 1; ; tries++) {
      const registration = await ecs.findRegistration(own)
      refuseUnless(registration?.state === 'live', 'REGISTRATION_NOT_FOUND', 'the registration has ended')
      refuseUnless(matches(ifMatch, registration), 'PRECONDITION_FAILED', 'the registration has changed')
      const content = contentFrom(registration)
      try {
        return await ecs.replaceRegistration(registration, content)
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'PRECONDITION_FAILED') throw error
        refuseUnless(tries < MOST_TRIES, 'NF_CONGESTION', 'the registration is changing all the time: ask again')
      }
    }
  })
}

/** In a patch, null takes back what was asked for, and absence leaves it. */
function askedAfter(expTime: string | null | undefined, askedUntil: number | undefined): { askedUntil?: number } {
  if (expTime === null) return {}
  if (expTime !== undefined) return { askedUntil: Date.parse(expTime) }
  return askedUntil === undefined ? {} : { askedUntil }
}

/** RFC 7396 2: members of objects are merged, null removes, everything else is replaced. */
function mergePatch<Value>(target: Value, patch: unknown): Value {
  if (patch === undefined) return target
  if (!isObject(patch)) return patch as Value
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged as Value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 9110 13.1.1: strong comparison; `*` is any version. */
function matches(ifMatch: string | undefined, registration: Registration): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true
  return ifMatch.split(',').some((etag) => etag.trim() === etagOf(registration))
}
