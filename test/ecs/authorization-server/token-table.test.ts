import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { requestToken, type TokenForm } from '../../../src/ecs/authorization-server/request-token.ts'
import { errorRow } from '../../../src/spec/application-errors.ts'
import { Refusal } from '../../../src/spec/refusal.ts'
import { anEcs, BADSOUTH, claimsOf, EAST, ECS, NORTH, SOUTH, SUFFIX, WEST } from './parties.ts'

/** What ees-north may have under the policy of parties.ts. */
const SCOPES: readonly string[] = [
  'eecs-eesregistration',
  'est',
  'eecs-targeteesdiscovery',
  'eecs-eesregistration est',
  'eecs-eesregistration eees-eeccontextreloc',
  'eees-eeccontextreloc',
  'eees-easdiscovery',
  'eees-acr-param',
  'eees-cea',
  'eees-eeccontextreloc eees-easdiscovery',
  'eees-eeccontextreloc eees-acr-param',
  'EEES-EECCONTEXTRELOC',
  'eees-eeccontextreloc:push',
  '*',
  'ees-onboarding',
  'nausf-auth:edge-key',
]

type Target = Omit<TokenForm, 'grant_type' | 'scope'> & { readonly targetNfType?: string }

const resource = (name: string): Target => ({ resource: `https://${name}` })
const byId = (targetNfInstanceId: string): Target => ({ targetNfInstanceId })

/** One column per scope. `+` granted, `.` invalid_scope, `!` invalid_request */
const TABLE: readonly (readonly [row: string, target: Target, audience: string])[] = [
  ['++.+............', {}, ECS],
  ['++.+............', resource(ECS), ECS],
  ['.....++..+......', resource(SOUTH.fqdn), SOUTH.fqdn],
  ['.....++..+......', byId(SOUTH.registration.registrationId), SOUTH.fqdn],
  ['.....+++.++.....', resource(WEST.fqdn), WEST.fqdn],
  ['.....+++.++.....', byId(WEST.registration.registrationId), WEST.fqdn],
  ['................', resource(EAST.fqdn), ''],
  ['................', resource(NORTH.fqdn), ''],
  ['................', resource(BADSOUTH.fqdn), ''],
  ['................', resource(SUFFIX.fqdn), ''],
  ['................', resource('ees9.south.example.com'), ''],
  ['................', byId('11111111-1111-4111-8111-111111111111'), ''],
  ['!!!!!!!!!!!!!!!!', { targetNfType: 'AF' }, ''],
  ['!!!!!!!!!!!!!!!!', { ...resource(SOUTH.fqdn), targetNfType: 'NRF' }, ''],
  ['!!!!!!!!!!!!!.!!', resource(`${SOUTH.fqdn}/eees-eeccontextreloc`), ''],
  ['!!!!!!!!!!!!!.!!', { ...resource(SOUTH.fqdn), ...byId(SOUTH.registration.registrationId) }, ''],
]

const SIGNS: Readonly<Record<string, string>> = { invalid_scope: '.', invalid_request: '!' }

describe('the table of scopes and targets', () => {
  for (const [row, target, audience] of TABLE) {
    test(`TK-07: ${JSON.stringify(target)}: ${row}`, async () => {
      const answers = await Promise.all(SCOPES.map((scope) => answerFor({ ...target, scope }, audience)))
      assert.equal(answers.join(''), row)
    })
  }

  test('TK-07: the table has more than 200 combinations, of which some are granted', () => {
    assert.ok(TABLE.every(([row]) => row.length === SCOPES.length))
    assert.ok(TABLE.length * SCOPES.length >= 200)
    assert.equal(TABLE.flatMap(([row]) => [...row]).filter((sign) => sign === '+').length, 22)
  })
})

async function answerFor(form: Target & Pick<TokenForm, 'scope'>, audience: string): Promise<string> {
  const ecs = anEcs()
  try {
    const { access_token, scope } = await requestToken(ecs, NORTH, { grant_type: 'client_credentials', ...form })
    const claims = claimsOf(access_token)
    assert.deepEqual([claims['aud'], claims['scope'], scope], [[audience], form.scope, form.scope])
    return '+'
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    assert.ok(!ecs.did.includes('sign') && ecs.issues.length === 0)
    return SIGNS[errorRow(error.code).oauth ?? ''] ?? error.code
  }
}
