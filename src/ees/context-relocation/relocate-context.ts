import { fqdnOf } from '../../http/origin.ts'
import type { EECContext, EECContextPushRes } from '../../spec/messages/eec-context-relocation.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecRegistration, toContext } from '../eec-registration/registration.ts'

/** What became of a push. */
export type PushOutcome =
  | { readonly is: 'acknowledged'; readonly answer: EECContextPushRes }
  /** it was said no to, or it never left: the T-EES has nothing */
  | { readonly is: 'refused'; readonly error: unknown }
  /** it left, and no answer came: the T-EES may have the context */
  | { readonly is: 'unknown'; readonly error: unknown }

export interface RelocationPorts {
  findByEecId(eecId: string): Promise<EecRegistration | undefined>
  moving(): Promise<readonly EecRegistration[]>
  update(next: EecRegistration): Promise<void>
  /** Everything of the EEC goes in one step. */
  forget(registration: EecRegistration, target: string): Promise<void>
  subscriptionsOf(eecId: string): Promise<readonly string[]>
  /** Eees_EECContextRelocation, push, with a token for this T-EES that names this EEC. @param isRepeated - it may have been sent before */
  push(target: string, context: EECContext, isRepeated: boolean): Promise<PushOutcome>
}

/**
 * Eees_EECContextRelocation, push, at the S-EES (TS 23.558 8.9.2). On record first: from then on the EEC changes nothing
 * here, so that what is sent is what there is. The context is forgotten when the T-EES has acknowledged it, and not
 * before; while that is not known, the same push is repeated, after a restart as well.
 *
 * @param target - `https://FQDN[:PORT]`
 * @throws Refusal REGISTRATION_NOT_FOUND, EEC_CONTEXT_MOVING, MANDATORY_IE_INCORRECT; what the push met
 */
export async function relocateContext(ees: RelocationPorts, eecId: string, target: string): Promise<EECContextPushRes> {
  refuseUnless(fqdnOf(target), 'MANDATORY_IE_INCORRECT', 'the target is not https://FQDN[:PORT]')
  const known = await ees.findByEecId(eecId)
  refuseUnless(known, 'REGISTRATION_NOT_FOUND', 'no such EEC is registered here')
  const { movingTo } = known
  if (movingTo !== undefined && movingTo !== target)
    throw new Refusal('EEC_CONTEXT_MOVING', `the context is on its way to ${movingTo}`)
  if (movingTo !== undefined) return send(ees, known, target, true)
  const moving = { ...known, movingTo: target, version: known.version + 1 }
  await ees.update(moving)
  return send(ees, moving, target, false)
}

async function send(
  ees: RelocationPorts,
  moving: EecRegistration,
  target: string,
  isRepeated: boolean,
): Promise<EECContextPushRes> {
  const context = toContext(moving, await ees.subscriptionsOf(moving.eecId))
  const outcome = await ees.push(target, context, isRepeated)
  if (outcome.is === 'acknowledged') {
    await ees.forget(moving, new URL(target).hostname)
    return outcome.answer
  }
  if (outcome.is === 'refused') {
    const { movingTo: _, ...staying } = moving
    await ees.update({ ...staying, version: moving.version + 1 })
  }
  throw outcome.error
}

/** Goes on with what a crash, or an answer that never came, has left on its way. @param failed - hears of each that stays there */
export async function resumeRelocations(
  ees: Pick<RelocationPorts, 'moving'> & { relocate(eecId: string, target: string): Promise<unknown> },
  failed: (error: unknown) => void,
): Promise<void> {
  for (const { eecId, movingTo = '' } of await ees.moving()) {
    await ees.relocate(eecId, movingTo).catch(failed)
  }
}
