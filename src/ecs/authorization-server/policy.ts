import { type Static, Type } from 'typebox'
import { findInvalidSetting } from '../../http/schema.ts'
import { isEntityId, parseFqdn } from '../../spec/identifiers.ts'
import { closedEnum, listOf, mapOf, matching } from '../../spec/messages/forms.ts'
import type { Operation } from '../../spec/operation.ts'

const strict = { additionalProperties: false }
const Mode = closedEnum(['static', 'token', 'token+static'])

const RuleDocument = Type.Object(
  {
    id: matching(/^[a-z0-9][a-z0-9.-]{0,63}$/),
    effect: closedEnum(['allow', 'deny']),
    eesId: Type.Optional(Type.String()),
    fqdn: Type.Optional(Type.String()),
    operations: Type.Optional(listOf(Type.String())),
    scopes: Type.Optional(listOf(Type.String())),
    target: Type.Optional(Type.String()),
    targetEesId: Type.Optional(Type.String()),
    /** the EECs that the token may name; without it an allowing rule is for tokens that name none (D-17) */
    eecIds: Type.Optional(listOf(Type.String())),
    /** the ECS of the client; without it an allowing rule is for the EESs of this ECS (THREATS FW-02) */
    ecs: Type.Optional(Type.String()),
  },
  strict,
)

const PolicyDocument = Type.Object(
  { authorization: Type.Optional(mapOf(Mode, { minProperties: 0 })), rules: Type.Array(RuleDocument) },
  strict,
)

/** What a request to an API must bring beside the certificate (D-10). */
export type AuthorizationMode = Static<typeof Mode>

/**
 * One rule as it is written: every selector that it has must fit.
 * It is about operations of the ECS (`operations`), or about tokens (`scopes`, `target`, `targetEesId`, `eecIds`, `ecs`).
 */
export type Rule = Static<typeof RuleDocument>

/** A policy that was read. */
export interface Policy {
  /** by `id`: the order in which they were written decides nothing */
  readonly rules: readonly Rule[]
  /** for every API of this ECS */
  readonly modes: ReadonlyMap<string, AuthorizationMode>
  /** the API of each operation */
  readonly operations: ReadonlyMap<string, string>
  /** the APIs that an EES offers to other EESs */
  readonly eesApis: ReadonlySet<string>
}

/** The policy is not one: a mistake in it must not pass as a rule that never applies. */
export class InvalidPolicy extends Error {
  override readonly name = 'InvalidPolicy'
}

/** EDGE-9: the APIs of TS 29.558 and TS 24.558 that one EES calls at another, and ours, which tells the caller its name. */
const EES_APIS: ReadonlySet<string> = new Set([
  'edgeward-whoami',
  'eees-acr-param',
  'eees-cea',
  'eees-easdiscovery',
  'eees-eeccontextreloc',
])

/**
 * @param document - the parsed YAML
 * @param operations - those that EESs call with their certificates, the token endpoints aside
 * @throws InvalidPolicy with the first member that is not of its form, or else with every rule that means nothing
 */
export function parsePolicy(document: unknown, operations: readonly Operation[]): Policy {
  const { authorization = {}, rules } = policyDocument(document)
  const apis = new Set(operations.map(({ api }) => api))
  const policy: Policy = {
    rules: rules.map(withCanonicalNames).sort((a, b) => (a.id < b.id ? -1 : 1)),
    modes: new Map([...apis].map((api) => [api, authorization[api] ?? 'token+static'])),
    operations: new Map(operations.map(({ id, api }) => [id, api])),
    eesApis: EES_APIS,
  }
  const mistakes = [
    ...Object.keys(authorization)
      .filter((api) => !apis.has(api))
      .map((api) => `authorization: this ECS has no API ${api}`),
    ...policy.rules.flatMap((rule, at) => mistakesOf(rule, policy.rules[at - 1], policy)),
  ]
  if (mistakes.length > 0) throw new InvalidPolicy(mistakes.join('; '))
  return policy
}

function policyDocument(document: unknown): Static<typeof PolicyDocument> {
  const invalid = findInvalidSetting(PolicyDocument, document)
  if (invalid !== undefined) throw new InvalidPolicy(invalid)
  return document as Static<typeof PolicyDocument>
}

/** Names in lower case (D-32), so that a comparison is all that a decision needs. */
function withCanonicalNames(rule: Rule): Rule {
  const { fqdn, target, ecs } = rule
  return {
    ...rule,
    ...(fqdn && { fqdn: fqdn.toLowerCase() }),
    ...(target && { target: target.toLowerCase() }),
    ...(ecs && { ecs: ecs.toLowerCase() }),
  }
}

function mistakesOf(rule: Rule, previous: Rule | undefined, policy: Policy): string[] {
  const { id, eesId, fqdn, operations, scopes, target, targetEesId, eecIds, ecs } = rule
  const aboutEes = scopes !== undefined && target !== 'ecs'
  const aboutTarget = target !== undefined || targetEesId !== undefined
  const apisOfTarget = target === 'ecs' ? policy.modes : policy.eesApis
  const checks: readonly (readonly [good: boolean, mistake: string])[] = [
    [id !== previous?.id && id !== 'default', 'the id is taken'],
    [eesId !== undefined || fqdn !== undefined, 'it selects nobody: give eesId, fqdn or both'],
    [(operations === undefined) !== (scopes === undefined), 'it is about either operations or scopes'],
    [aboutTarget === (scopes !== undefined), 'scopes have a target, and only they have'],
    [isIdSelector(eesId), 'eesId is neither an EES ID nor "*"'],
    [isNameSelector(fqdn), 'fqdn is neither an FQDN nor "*.FQDN" nor "*"'],
    [target === 'ecs' || isNameSelector(target), 'target is neither "ecs" nor an FQDN nor "*.FQDN" nor "*"'],
    [targetEesId === undefined || (target !== 'ecs' && isIdSelector(targetEesId)), 'targetEesId names no EES'],
    [eecIds === undefined || aboutEes, 'eecIds is about tokens for an EES'],
    [eecIds?.every(isIdSelector) !== false, 'eecIds has something else than EEC IDs or "*"'],
    [ecs === undefined || aboutEes, 'ecs is about tokens for an EES'],
    [isNameSelector(ecs), 'ecs is neither an FQDN nor "*.FQDN" nor "*"'],
    [ecs === undefined || eesId === undefined || eesId === '*', 'an EES of another ECS is selected by its fqdn'],
    ...unknownNames(operations, policy.operations).map((name) => [false, `this ECS has no operation ${name}`] as const),
    ...unknownNames(scopes, apisOfTarget).map((name) => [false, `the target has no API ${name}`] as const),
  ]
  return checks.filter(([good]) => !good).map(([, mistake]) => `rule ${id}: ${mistake}`)
}

function isIdSelector(selector: string | undefined): boolean {
  return selector === undefined || selector === '*' || isEntityId(selector)
}

function isNameSelector(selector: string | undefined): boolean {
  return selector === undefined || selector === '*' || parseFqdn(selector.replace(/^\*\./, '')) !== undefined
}

function unknownNames(names: readonly string[] = [], known: { has(name: string): boolean }): string[] {
  return names.filter((name) => name !== '*' && !known.has(name))
}

/** The APIs of this ECS for which an access token is good for something: TS 33.501 13.3.0 has static without tokens. */
export function tokenApis({ modes }: Policy): readonly string[] {
  return [...modes].filter(([, mode]) => mode !== 'static').map(([api]) => api)
}

/** Written by `edgeward ecs init` as `policy.yaml`. */
export const DEFAULT_POLICY = `# Who may do what at this ECS: static authorization, TS 33.501 13.3.0.
#
# Nothing is allowed that no rule allows. A rule that denies wins over every rule that allows; the order of the rules
# does not matter. Which rule decides a request: edgeward ecs policy explain --ees EES_ID --operation OPERATION
#
# A rule selects EESs by what their certificates say; if both are given, both must fit:
#   eesId: an EES ID, or '*'
#   fqdn: a name, '*.suffix' for all names below it, or '*'
# and it is about operations of this ECS:
#   operations: names of operations, or '*'
# or about access tokens:
#   scopes: names of APIs, or '*'
#   target: ecs, or an EES as with fqdn
#   targetEesId: an EES ID, or '*'
#   eecIds: EEC IDs that the token may name, or '*'
#   ecs: the ECS that the EES belongs to, as with fqdn

# What a request must bring beside the certificate: static (nothing, the rules about operations decide),
# token (an access token), token+static (both). An API that is not listed has token+static.
authorization:
  eecs-eesregistration: token+static
  est: static # the clients of RFC 7030 have no tokens

rules:
  # An EES manages its own registration. That of another EES it never sees, whatever is written here.
  - id: own-registration
    effect: allow
    eesId: '*'
    operations: [CreateEESRegistration, GetIndEESReg, UpdateIndEESReg, ModifyIndEESReg, DeleteIndEESReg]

  - id: own-certificate
    effect: allow
    eesId: '*'
    operations: [SimpleReenroll]

  - id: tokens-for-this-ecs
    effect: allow
    eesId: '*'
    scopes: ['*']
    target: ecs

  # EESs have no tokens for each other, and do not find each other, until you write who relocates contexts to whom (EDGE-9):
  #
  # - id: contexts-from-north-to-south
  #   effect: allow
  #   fqdn: '*.north.example.com'
  #   scopes: [eees-eeccontextreloc]
  #   target: '*.south.example.com'
  #
  # - id: contexts-from-another-ecs
  #   effect: allow
  #   ecs: ecs2.example.org    # its EESs; without this line the rule is for the EESs of this ECS
  #   fqdn: '*.example.org'
  #   scopes: [eees-eeccontextreloc]
  #   target: '*.south.example.com'
  #   eecIds: ['*']            # the token must name an EEC; without this line it must name none
  #
  # - id: never-from-the-laboratory
  #   effect: deny
  #   eesId: ees-laboratory
  #   scopes: ['*']
  #   target: '*'
`
