import type { EesId, Fqdn } from '../../spec/identifiers.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { AuthorizationMode, Policy, Rule } from './policy.ts'

/** An EES as its certificate identifies it. */
interface Caller {
  /** not known of an EES of another ECS: only rules for every EES ID select it */
  readonly eesId?: EesId
  readonly fqdn: Fqdn
}

interface OperationRequest extends Caller {
  /** operationId */
  readonly operation: string
}

interface TokenRequest extends Caller {
  /** one name of the scope that is asked for */
  readonly scope: string
  /** the ECS itself, or the EES whose API the token shall open */
  readonly target: 'ecs' | Fqdn
  /** not known of an EES at another ECS: then no rule that names it allows, and every rule that names it denies */
  readonly targetEesId?: EesId
  /** the EEC that the token shall name */
  readonly eecId?: EecId
  /** the ECS that vouches for the EES; left out for an EES of this ECS */
  readonly ecs?: Fqdn
}

export type PolicyRequest = OperationRequest | TokenRequest

export interface Decision {
  readonly allowed: boolean
  /** `id` of the rule that decided, or `default` */
  readonly rule: string
  /** one sentence for the operator; peers never read it */
  readonly because: string
}

/**
 * Static authorization by local policy, keyed by the identities of the client certificate: TS 33.501 13.3.0.
 * Nothing is allowed that no rule allows, and a rule that denies wins over every rule that allows (D-10).
 */
export function decide(policy: Policy, request: PolicyRequest): Decision {
  const asked = sentence(request)
  const denied = (because: string): Decision => ({ allowed: false, rule: 'default', because })
  if (!isKnown(policy, request)) return denied(`there is nothing of that name: ${asked}`)

  const applying = policy.rules.filter((rule) => applies(rule, request))
  const rule = applying.find(({ effect }) => effect === 'deny') ?? applying[0]
  if (rule === undefined) return denied(`no rule allows ${asked}`)
  return { allowed: rule.effect === 'allow', rule: rule.id, because: `rule ${rule.id} ${says(rule)} ${asked}` }
}

export interface Explanation {
  readonly decision: Decision
  /** what a request of this operation must bring beside the certificate; absent for tokens */
  readonly authorization?: AuthorizationMode
  /** every rule, by `id` */
  readonly rules: readonly { readonly rule: string; readonly effect: Rule['effect']; readonly applies: boolean }[]
}

/** The decision with all that led to it, for `edgeward ecs policy explain`. */
export function explain(policy: Policy, request: PolicyRequest): Explanation {
  const api = 'operation' in request ? policy.operations.get(request.operation) : undefined
  const authorization = api && policy.modes.get(api)
  return {
    decision: decide(policy, request),
    ...(authorization && { authorization }),
    rules: policy.rules.map((rule) => ({ rule: rule.id, effect: rule.effect, applies: applies(rule, request) })),
  }
}

/** Who would know of an EES, or have a token for it. */
interface Asker {
  /** not known of an EES of another ECS */
  readonly eesId?: EesId
  /** left out where it is any EES of that ECS: then a rule must allow them all, and denies if it denies one */
  readonly fqdn?: Fqdn
  /** left out for an EES of this ECS */
  readonly ecs?: Fqdn
}

/**
 * Whether an EES may know of another one (THREATS TK-14): if a rule lets it have some token for that one, whatever for,
 * and none denies them all.
 *
 * @returns what tells it of each other EES; its EES ID is not known if it is at another ECS
 */
export function mayKnow(policy: Policy, asker: Asker): (target: Caller) => boolean {
  // There may be many EESs to choose from, and few rules about this one.
  const rules = policy.rules.filter((rule) => rule.scopes !== undefined && selectsAsker(rule, asker))
  const deniesAll = ({ effect, scopes, eecIds }: Rule) =>
    effect === 'deny' && scopes?.includes('*') === true && eecIds === undefined
  return ({ fqdn: target, eesId }) => {
    const asked = { target, ...(eesId !== undefined && { targetEesId: eesId }) }
    const applying = rules.filter((rule) => appliesToTarget(rule, asked))
    return applying.some(({ effect }) => effect === 'allow') && !applying.some(deniesAll)
  }
}

/** Whether a rule could let an EES know of one whose name has this suffix: if none could, nobody is asked for one. */
export function mayKnowBelow(policy: Policy, asker: Asker, suffix: Fqdn): boolean {
  return policy.rules.some(
    (rule) =>
      rule.effect === 'allow' &&
      rule.scopes !== undefined &&
      selectsAsker(rule, asker) &&
      selectsId(rule.targetEesId, undefined) &&
      selectsBelow(rule.target, suffix),
  )
}

function selectsAsker(rule: Rule, { eesId, fqdn, ecs }: Asker): boolean {
  const isSelected = fqdn === undefined ? isOfAnyName(rule) : selectsName(rule.fqdn, fqdn)
  return selectsId(rule.eesId, eesId) && isSelected && appliesToHome(rule, ecs)
}

function isOfAnyName({ effect, fqdn }: Rule): boolean {
  return effect === 'deny' || fqdn === undefined || fqdn === '*'
}

function isKnown(policy: Policy, request: PolicyRequest): boolean {
  if ('operation' in request) return policy.operations.has(request.operation)
  return (request.target === 'ecs' ? policy.modes : policy.eesApis).has(request.scope)
}

function sentence(request: PolicyRequest): string {
  const ees = `EES ${request.eesId ?? 'of another ECS'} (${request.fqdn})`
  if ('operation' in request) return `${ees} to call ${request.operation}`
  const target = request.target === 'ecs' ? 'this ECS' : request.target
  const eec = request.eecId === undefined ? '' : ` that names an EEC`
  return `${ees} to have a token${eec} for ${request.scope} at ${target}`
}

function says({ effect }: Rule): string {
  return effect === 'allow' ? 'allows' : 'denies'
}

function applies(rule: Rule, request: PolicyRequest): boolean {
  if (!selectsId(rule.eesId, request.eesId) || !selectsName(rule.fqdn, request.fqdn)) return false
  if ('operation' in request) return includes(rule.operations, request.operation)
  return includes(rule.scopes, request.scope) && appliesToTarget(rule, request) && appliesToOrigin(rule, request)
}

function appliesToOrigin(rule: Rule, { eecId, ecs }: TokenRequest): boolean {
  const { eecIds } = rule
  const fitsEec = eecIds === undefined ? mayStayUnspoken(rule, eecId) : eecId !== undefined && includes(eecIds, eecId)
  return fitsEec && appliesToHome(rule, ecs)
}

function appliesToHome(rule: Rule, ecs: Fqdn | undefined): boolean {
  if (rule.ecs === undefined) return mayStayUnspoken(rule, ecs)
  return ecs !== undefined && selectsName(rule.ecs, ecs)
}

/** What an allowing rule does not speak of, it does not allow; what a denying rule does not speak of, it denies as well. */
function mayStayUnspoken({ effect }: Rule, asked: string | undefined): boolean {
  return effect === 'deny' || asked === undefined
}

function appliesToTarget(rule: Rule, { target, targetEesId }: Pick<TokenRequest, 'target' | 'targetEesId'>): boolean {
  if (target === 'ecs') return rule.target === 'ecs'
  if (!selectsName(rule.target, target)) return false
  return selectsId(rule.targetEesId, targetEesId) || (targetEesId === undefined && rule.effect === 'deny')
}

function selectsId(selector: string | undefined, id: string | undefined): boolean {
  return selector === undefined || selector === '*' || selector === id
}

/** `*.suffix` selects the names below the suffix, at a label boundary, and not the suffix itself. */
function selectsName(selector: string | undefined, name: Fqdn): boolean {
  return selectsId(selector, name) || (selector?.startsWith('*.') === true && name.endsWith(selector.slice(1)))
}

/** Whether it selects some name that is the suffix, or below it. */
function selectsBelow(selector: string | undefined, suffix: Fqdn): boolean {
  if (selector === undefined || selector === '*') return true
  const isBelow = (name: string, other: string) => name === other || name.endsWith(`.${other}`)
  if (!selector.startsWith('*.')) return isBelow(selector, suffix)
  const named = selector.slice(2)
  return isBelow(suffix, named) || isBelow(named, suffix)
}

function includes(names: readonly string[] | undefined, name: string): boolean {
  return names?.some((listed) => listed === '*' || listed === name) === true
}
