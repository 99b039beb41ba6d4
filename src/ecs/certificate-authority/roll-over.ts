import type { EesId } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { Authorities, Standing } from './authorities.ts'

/** One certificate authority takes the place of another without a failed request: each step is one commit, and once more is no error. */
export interface RollOverPorts {
  now(): number
  standing(): Standing
  /** A root and its issuing authorities, on disk when it returns. */
  make(): Promise<Authorities>
  /** One commit, with what was done in the audit trail; in force when it returns. */
  record(next: Standing, done: { readonly step: RollOverStep; readonly of: Authorities; left?: number }): Promise<void>
  /** EESs that have no certificate of another authority than this one */
  holders(authorities: Authorities): Promise<readonly EesId[]>
  /** milliseconds in which everybody hears of an authority who asks as often as told */
  readonly notice: number
}

export type RollOverStep = 'staged' | 'switched' | 'retired'

export interface RollOverOptions {
  /** goes on although somebody may be left behind */
  readonly force?: boolean | undefined
}

/** The next authority is published, and trusted by whoever asks; it does not sign yet. @throws Refusal AUTHORITY_STAGE */
export async function stageAuthority(ca: RollOverPorts): Promise<Standing> {
  const { stage, present } = ca.standing()
  if (stage === 'staged') return ca.standing()
  refuseUnless(
    stage === 'settled',
    'AUTHORITY_STAGE',
    'the authority before this one is still trusted: retire it first',
  )
  const next = await ca.make()
  await ca.record({ stage: 'staged', present, other: next, since: ca.now() }, { step: 'staged', of: next })
  return ca.standing()
}

/** The next authority signs from now on, and everybody has had time to hear of it. @throws Refusal AUTHORITY_STAGE */
export async function switchAuthority(ca: RollOverPorts, { force = false }: RollOverOptions = {}): Promise<Standing> {
  const { stage, present, other, since } = ca.standing()
  if (stage === 'switched') return ca.standing()
  refuseUnless(other, 'AUTHORITY_STAGE', 'there is no next authority: stage one first')
  const due = new Date(since + ca.notice).toISOString()
  const heard = force || ca.now() >= since + ca.notice
  refuseUnless(heard, 'AUTHORITY_STAGE', `EESs and other ECSs may not have heard of it before ${due}`)
  await ca.record(
    { stage: 'switched', present: other, other: present, since: ca.now() },
    { step: 'switched', of: other },
  )
  return ca.standing()
}

/** The authority before is trusted no more: nobody may be left with its certificates alone. @throws Refusal AUTHORITY_STAGE */
export async function retireAuthority(ca: RollOverPorts, { force = false }: RollOverOptions = {}): Promise<Standing> {
  const { stage, present, other } = ca.standing()
  if (stage === 'settled') return ca.standing()
  refuseUnless(stage === 'switched' && other, 'AUTHORITY_STAGE', 'nothing has taken its place yet: switch first')
  const holders = await ca.holders(other)
  const some = holders.slice(0, 5).join(', ')
  refuseUnless(
    force || holders.length === 0,
    'AUTHORITY_STAGE',
    `${holders.length} EESs have no certificate of another authority: ${some}`,
  )
  const { cross: _, ...alone } = present
  await ca.record(
    { stage: 'settled', present: alone, since: ca.now() },
    { step: 'retired', of: other, left: holders.length },
  )
  return ca.standing()
}
