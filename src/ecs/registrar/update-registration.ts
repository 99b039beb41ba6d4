import type { EESRegistration, EESRegistrationPatch } from '../../spec/messages/ees-registration.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { checkProfile } from './check-profile.ts'
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
  const registration = ownRegistration(target.peer, target.registrationId)
  refuseUnless(matches(target.ifMatch, registration), 'PRECONDITION_FAILED', 'the registration has changed')
  checkProfile(message, target.peer, ecs.now())
  return ecs.replaceRegistration(registration, contentOf(message))
}

/** Eecs_EESRegistration, PATCH: a JSON Merge Patch (RFC 7396) of the profile and the expiration time. */
export function modifyRegistration(
  ecs: UpdatePorts,
  target: Target,
  patch: EESRegistrationPatch,
): Promise<Registration> {
  const registration = ownRegistration(target.peer, target.registrationId)
  refuseUnless(matches(target.ifMatch, registration), 'PRECONDITION_FAILED', 'the registration has changed')
  const { eesProf, askedUntil, suppFeat } = registration
  const merged: RegistrationContent = {
    eesProf: mergePatch(eesProf, patch.eesProf),
    ...(suppFeat !== undefined && { suppFeat }),
    ...askedAfter(patch.expTime, askedUntil),
  }
  checkProfile({ eesProf: merged.eesProf, ...(patch.expTime && { expTime: patch.expTime }) }, target.peer, ecs.now())
  return ecs.replaceRegistration(registration, merged)
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
