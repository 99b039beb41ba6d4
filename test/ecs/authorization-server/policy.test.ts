import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  decide,
  explain,
  mayKnow,
  mayKnowBelow,
  type PolicyRequest,
} from '../../../src/ecs/authorization-server/decide.ts'
import {
  DEFAULT_POLICY,
  InvalidPolicy,
  parsePolicy,
  type Rule,
  tokenApis,
} from '../../../src/ecs/authorization-server/policy.ts'
import { POLICED_OPERATIONS } from '../../../src/ecs/operations.ts'
import type { EecId } from '../../../src/spec/subscriber-identifiers.ts'
import { eesId, fqdn, policyOf } from './parties.ts'

const north = { eesId: eesId('ees-north'), fqdn: fqdn('ees1.north.example.com') }
const toEcs = { ...north, target: 'ecs' } as const
const toSouth = { ...north, target: fqdn('ees1.south.example.com'), targetEesId: eesId('ees-south') }
const onlyRule = (rule: Partial<Rule>) =>
  parsePolicy({ rules: [{ id: 'only', effect: 'allow', ...rule }] }, POLICED_OPERATIONS)

describe('tokens for EECs and for EESs of another ECS: D-17, D-19', () => {
  const scope = 'eees-eeccontextreloc'
  const [eecId, ecs] = ['eec-1' as EecId, fqdn('ecs2.example.org')]
  const asked = [
    { ...toSouth, scope },
    { ...toSouth, scope, eecId },
    { fqdn: north.fqdn, target: toSouth.target, scope, ecs },
    { fqdn: north.fqdn, target: toSouth.target, scope, eecId, ecs },
  ]
  const anywhere = { fqdn: '*', scopes: [scope], target: '*' }

  test('FW-02: a rule allows what it speaks of: four kinds of rules, four kinds of requests, one decision each', () => {
    const rules = [{}, { eecIds: ['*'] }, { ecs: '*.example.org' }, { eecIds: ['eec-1'], ecs }]
    for (const [at, rule] of rules.entries()) {
      const policy = onlyRule({ ...anywhere, ...rule })
      const allowed = asked.map((request) => decide(policy, request).allowed)
      assert.deepEqual(
        allowed,
        asked.map((_, index) => index === at),
      )
    }
  })

  test('a rule that denies without speaking of them denies them all; one that does denies only those', () => {
    const decisions = (rule: Partial<Rule>) =>
      asked.map((request) => decide(onlyRule({ ...anywhere, effect: 'deny', ...rule }), request).rule)
    assert.deepEqual(decisions({}), ['only', 'only', 'only', 'only'])
    assert.deepEqual(decisions({ ecs }), ['default', 'default', 'only', 'only'])
    assert.deepEqual(decisions({ eecIds: ['eec-1'] }), ['default', 'only', 'default', 'only'])
  })

  test('other EECs and other ECSs are others; no EES ID is known of a foreign EES', () => {
    const policy = onlyRule({ ...anywhere, eecIds: ['eec-1'], ecs })
    const [, , , both = asked[0]] = asked
    assert.equal(decide(policy, { ...both, eecId: 'eec-10' as EecId } as PolicyRequest).allowed, false)
    assert.equal(decide(policy, { ...both, ecs: fqdn('ecs2.example.org.evil.com') } as PolicyRequest).allowed, false)
    for (const rule of [
      { eesId: 'ees-1', ecs },
      { operations: ['GetIndEESReg'], ecs, scopes: undefined },
    ])
      assert.throws(() => onlyRule({ ...anywhere, ...rule } as Partial<Rule>), InvalidPolicy)
    assert.throws(() => onlyRule({ ...anywhere, target: 'ecs', eecIds: ['*'] }), InvalidPolicy)
    assert.throws(() => onlyRule({ ...anywhere, eecIds: ['../x'] }), InvalidPolicy)
  })
})

describe('who may know of whom across ECSs: TS 29.558 9.2, TS 23.558 8.17.2', () => {
  const scopes = ['eees-eeccontextreloc']
  const ecs = fqdn('ecs2.example.org')
  const asker = { fqdn: fqdn('ees1.example.org'), ecs }
  const target = { fqdn: toSouth.target, eesId: toSouth.targetEesId }
  const knows = (rules: readonly Partial<Rule>[], who: Parameters<typeof mayKnow>[1] = asker) =>
    mayKnow(
      parsePolicy({ rules: rules.map((rule, at) => ({ id: `r${at}`, effect: 'allow', scopes, ...rule })) }, []),
      who,
    )(target)

  test('TK-14: an EES of another ECS knows of those that a rule about that ECS lets it have tokens for', () => {
    assert.equal(knows([{ ecs, fqdn: '*.example.org', target: '*' }]), true)
    assert.equal(knows([{ ecs, fqdn: '*.example.org', target: '*', eecIds: ['eec-1'] }]), true)
    assert.equal(knows([{ fqdn: '*', target: '*' }]), false, 'a rule that does not speak of ECSs is for our own EESs')
    assert.equal(knows([{ ecs: 'ecs3.example.org', fqdn: '*', target: '*' }]), false)
    assert.equal(knows([{ ecs, fqdn: 'ees2.example.org', target: '*' }]), false)
    assert.equal(knows([{ ecs, fqdn: '*', target: 'ees1.north.example.com' }]), false)
    assert.equal(
      knows([{ ecs, fqdn: '*', target: '*' }], north),
      false,
      'a rule about their EESs opens nothing to ours',
    )
  })

  test('TK-14: a rule that denies everything denies this too, whoever it is about', () => {
    const allowed = { ecs, fqdn: '*', target: '*' }
    const denied: Partial<Rule> = { effect: 'deny', scopes: ['*'], target: '*' }
    assert.equal(knows([allowed, { ...denied, fqdn: 'ees1.example.org' }]), false)
    assert.equal(knows([allowed, { ...denied, fqdn: '*', ecs: '*.example.org' }]), false)
    assert.equal(knows([allowed, { ...denied, fqdn: 'ees2.example.org' }]), true)
    assert.equal(knows([allowed, { ...denied, fqdn: '*', ecs: 'ecs3.example.org' }]), true)
  })

  test('TK-14: an ECS that does not say for whom it asks is told what all its EESs may know', () => {
    assert.equal(knows([{ ecs, fqdn: '*', target: '*' }], { ecs }), true)
    assert.equal(knows([{ ecs, fqdn: '*.example.org', target: '*' }], { ecs }), false)
    const denied: Partial<Rule> = { effect: 'deny', scopes: ['*'], fqdn: 'ees9.example.org', target: '*' }
    assert.equal(knows([{ ecs, fqdn: '*', target: '*' }, denied], { ecs }), false)
  })

  test('FW-02: an ECS is worth asking if a rule could let our EES know of a name below its suffixes', () => {
    const worth = (rule: Partial<Rule>, suffix: string) =>
      mayKnowBelow(onlyRule({ fqdn: '*', scopes: ['*'], ...rule }), north, fqdn(suffix))
    for (const target of [
      '*',
      '*.example.org',
      '*.edge.example.org',
      '*.south.edge.example.org',
      'ees.edge.example.org',
    ])
      assert.equal(worth({ target }, 'edge.example.org'), true, target)
    for (const target of ['ecs', '*.example.com', '*.ge.example.org', 'example.org', 'ees.badedge.example.org'])
      assert.equal(worth({ target }, 'edge.example.org'), false, target)
    assert.equal(worth({ target: '*', ecs }, 'edge.example.org'), false)
    assert.equal(worth({ target: '*', targetEesId: 'ees-9' }, 'edge.example.org'), false)
    assert.equal(worth({ target: '*', effect: 'deny' }, 'edge.example.org'), false)
  })
})

describe('the default policy: D-10', () => {
  const policy = policyOf(DEFAULT_POLICY)

  test('lets an EES manage its registration, renew its certificate and have tokens for this ECS', () => {
    const operations = ['GetIndEESReg', 'UpdateIndEESReg', 'ModifyIndEESReg', 'DeleteIndEESReg', 'SimpleReenroll']
    for (const operation of operations) assert.equal(decide(policy, { ...north, operation }).allowed, true, operation)
    assert.equal(decide(policy, { ...toEcs, scope: 'eecs-eesregistration' }).allowed, true)
  })

  test('has a rule for every operation that policy speaks of', () => {
    const { rules } = policy
    const named = rules.flatMap(({ operations = [] }) => operations)
    assert.deepEqual(named.toSorted(), POLICED_OPERATIONS.map(({ id }) => id).toSorted())
  })

  test('refuses every token of one EES for another until the operator writes a rule', () => {
    for (const scope of policy.eesApis) {
      assert.deepEqual(decide(policy, { ...toSouth, scope }), {
        allowed: false,
        rule: 'default',
        because: `no rule allows EES ees-north (ees1.north.example.com) to have a token for ${scope} at ees1.south.example.com`,
      })
    }
  })

  test('its examples are rules that work', () => {
    const withExamples = policyOf(DEFAULT_POLICY.replaceAll(/^ {2}# ( *(?:-|\w+:) .*)$/gm, '  $1'))
    assert.deepEqual(
      withExamples.rules.map(({ id }) => id).filter((id) => !policy.rules.some((rule) => rule.id === id)),
      ['contexts-from-another-ecs', 'contexts-from-north-to-south', 'never-from-the-laboratory'],
    )
    const foreign = {
      fqdn: fqdn('ees7.example.org'),
      ecs: fqdn('ecs2.example.org'),
      target: toSouth.target,
      scope: 'eees-eeccontextreloc',
      eecId: 'eec-1' as EecId,
    }
    assert.equal(decide(withExamples, foreign).rule, 'contexts-from-another-ecs')
    const relocation = { ...toSouth, scope: 'eees-eeccontextreloc' }
    assert.equal(decide(withExamples, relocation).rule, 'contexts-from-north-to-south')
    const laboratory = { ...relocation, eesId: eesId('ees-laboratory') }
    assert.deepEqual(decide(withExamples, laboratory), {
      allowed: false,
      rule: 'never-from-the-laboratory',
      because:
        'rule never-from-the-laboratory denies EES ees-laboratory (ees1.north.example.com) ' +
        'to have a token for eees-eeccontextreloc at ees1.south.example.com',
    })
  })

  test('wants a token and a rule for each API, except for renewal', () => {
    assert.deepEqual(Object.fromEntries(policy.modes), { 'eecs-eesregistration': 'token+static', est: 'static' })
    assert.deepEqual(tokenApis(policy), ['eecs-eesregistration'])
    assert.deepEqual(Object.fromEntries(policyOf('rules: []').modes), {
      'eecs-eesregistration': 'token+static',
      est: 'token+static',
    })
  })
})

describe('selectors', () => {
  const cases: readonly (readonly [Partial<Rule>, boolean])[] = [
    [{ eesId: '*' }, true],
    [{ eesId: 'ees-north' }, true],
    [{ eesId: 'ees-nort' }, false],
    [{ eesId: 'EES-NORTH' }, false],
    [{ fqdn: '*' }, true],
    [{ fqdn: 'ees1.north.example.com' }, true],
    [{ fqdn: 'EES1.North.Example.COM' }, true],
    [{ fqdn: '*.north.example.com' }, true],
    [{ fqdn: '*.example.com' }, true],
    [{ fqdn: '*.orth.example.com' }, false],
    [{ fqdn: '*.ees1.north.example.com' }, false],
    [{ fqdn: 'north.example.com' }, false],
    [{ fqdn: 's1.north.example.com' }, false],
    [{ fqdn: '*.north.example' }, false],
    [{ eesId: 'ees-north', fqdn: '*.south.example.com' }, false],
    [{ eesId: 'ees-south', fqdn: '*.north.example.com' }, false],
    [{ eesId: 'ees-north', fqdn: '*.north.example.com' }, true],
  ]
  for (const [selectors, allowed] of cases) {
    test(`${JSON.stringify(selectors)} ${allowed ? 'selects' : 'does not select'} ees-north`, () => {
      const policy = onlyRule({ ...selectors, operations: ['*'] })
      assert.equal(decide(policy, { ...north, operation: 'GetIndEESReg' }).allowed, allowed)
    })
  }

  test('the ECS as target is no EES, and no EES is the ECS', () => {
    const anyEes = onlyRule({ eesId: '*', scopes: ['*'], target: '*' })
    assert.equal(decide(anyEes, { ...toEcs, scope: 'eecs-eesregistration' }).allowed, false)
    assert.equal(decide(anyEes, { ...toSouth, scope: 'eees-eeccontextreloc' }).allowed, true)
    const ecs = onlyRule({ eesId: '*', scopes: ['*'], target: 'ecs' })
    assert.equal(decide(ecs, { ...toSouth, scope: 'eees-eeccontextreloc' }).allowed, false)
  })

  test('of a target without a known EES ID, a rule that names one denies and does not allow', () => {
    const selectors = { eesId: '*', scopes: ['*'], targetEesId: 'ees-south' }
    const { targetEesId: _, ...unknown } = { ...toSouth, scope: 'eees-eeccontextreloc' }
    assert.equal(decide(onlyRule(selectors), { ...unknown, targetEesId: toSouth.targetEesId }).allowed, true)
    assert.equal(decide(onlyRule(selectors), unknown).rule, 'default')
    assert.equal(decide(onlyRule({ ...selectors, effect: 'deny' }), unknown).rule, 'only')
  })

  test('TK-07: an asterisk stands for what the target has, not for any name', () => {
    const everything = {
      rules: ['ecs', '*'].map((target, at) => ({
        id: `all-${at}`,
        effect: 'allow',
        eesId: '*',
        scopes: ['*'],
        target,
      })),
    }
    const policy = parsePolicy(everything, POLICED_OPERATIONS)
    for (const scope of ['eees-eeccontextreloc', 'ees-onboarding', '*', 'oauth2', '']) {
      assert.equal(decide(policy, { ...toEcs, scope }).allowed, false, scope)
    }
    for (const scope of ['eecs-eesregistration', 'est', 'ees-onboarding', '*', '']) {
      assert.equal(decide(policy, { ...toSouth, scope }).allowed, false, scope)
    }
    assert.equal(decide(onlyRule({ eesId: '*', operations: ['*'] }), { ...north, operation: '*' }).allowed, false)
  })
})

describe('a policy with a mistake is no policy', () => {
  const rule = { id: 'a', effect: 'allow', eesId: '*', operations: ['*'] }
  const token = { id: 'a', effect: 'allow', eesId: '*', scopes: ['*'], target: 'ecs' }
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['nothing', undefined, /^\/ must be object/],
    ['a list', [], /^\/ must be object/],
    ['no rules', {}, /\/rules must have/],
    ['an unknown member', { rules: [], default: 'allow' }, /\/default is not a setting/],
    ['an unknown member of a rule', { rules: [{ ...rule, ess: '*' }] }, /\/rules\/0\/ess is not a setting/],
    ['an unknown effect', { rules: [{ ...rule, effect: 'permit' }] }, /\/rules\/0\/effect must be/],
    ['a rule without id', { rules: [{ ...rule, id: undefined }] }, /\/rules\/0/],
    ['an unknown mode', { authorization: { est: 'none' }, rules: [] }, /\/authorization\/est must be/],
    ['an unknown API', { authorization: { estt: 'token' }, rules: [] }, /no API estt/],
    ['two rules of one id', { rules: [rule, token] }, /rule a: the id is taken/],
    ['the id of the default', { rules: [{ ...rule, id: 'default' }] }, /rule default: the id is taken/],
    ['nobody selected', { rules: [{ ...rule, eesId: undefined }] }, /eesId must be|selects nobody/],
    ['no subject', { rules: [{ id: 'a', effect: 'allow', operations: ['*'] }] }, /selects nobody/],
    [
      'neither operations nor scopes',
      { rules: [{ id: 'a', effect: 'deny', eesId: '*' }] },
      /either operations or scopes/,
    ],
    ['operations and scopes', { rules: [{ ...token, operations: ['*'] }] }, /either operations or scopes/],
    ['scopes without target', { rules: [{ ...token, target: undefined }] }, /target must be|have a target/],
    ['a target without scopes', { rules: [{ ...rule, target: 'ecs' }] }, /only they have/],
    ['an empty list', { rules: [{ ...rule, operations: [] }] }, /\/rules\/0\/operations/],
    ['an EES ID that is none', { rules: [{ ...rule, eesId: 'ees *' }] }, /neither an EES ID/],
    ['an FQDN that is none', { rules: [{ ...rule, fqdn: 'ees1' }] }, /neither an FQDN/],
    ['an asterisk in the middle', { rules: [{ ...rule, fqdn: 'ees*.example.com' }] }, /neither an FQDN/],
    ['two asterisks', { rules: [{ ...rule, fqdn: '*.*.example.com' }] }, /neither an FQDN/],
    ['an asterisk before a top level domain', { rules: [{ ...rule, fqdn: '*.com' }] }, /neither an FQDN/],
    ['a target that is none', { rules: [{ ...token, target: 'ees' }] }, /target is neither/],
    ['an EES ID for the ECS', { rules: [{ ...token, targetEesId: 'ees-1' }] }, /targetEesId names no EES/],
    ['an unknown operation', { rules: [{ ...rule, operations: ['GetIndEesReg'] }] }, /no operation GetIndEesReg/],
    ['an API of an EES at the ECS', { rules: [{ ...token, scopes: ['eees-cea'] }] }, /no API eees-cea/],
    ['an API of the ECS at an EES', { rules: [{ ...token, scopes: ['est'], target: '*' }] }, /no API est/],
  ]
  for (const [title, document, message] of cases) {
    test(title, () => {
      assert.throws(
        () => parsePolicy(document, POLICED_OPERATIONS),
        (error) => error instanceof InvalidPolicy && message.test(error.message),
      )
    })
  }

  test('every rule that means nothing is told at once', () => {
    const wrong = { authorization: { crl: 'static' }, rules: [{ ...rule, eesId: '', operations: ['Get'] }] }
    assert.throws(() => parsePolicy(wrong, POLICED_OPERATIONS), {
      message:
        'authorization: this ECS has no API crl; rule a: eesId is neither an EES ID nor "*"; ' +
        'rule a: this ECS has no operation Get',
    })
  })

  test('the same without the mistakes is one', () => {
    assert.equal(parsePolicy({ rules: [rule] }, POLICED_OPERATIONS).rules.length, 1)
    assert.equal(parsePolicy({ rules: [token] }, POLICED_OPERATIONS).rules.length, 1)
  })
})

describe('explain', () => {
  test('tells the decision, what the API wants, and which rules apply', () => {
    const policy = policyOf(`
authorization: { est: token }
rules:
  - { id: renewal, effect: allow, eesId: '*', operations: [SimpleReenroll] }
  - { id: barred, effect: deny, fqdn: '*.north.example.com', operations: ['*'] }
  - { id: other, effect: allow, eesId: ees-south, operations: ['*'] }
`)
    const because = 'rule barred denies EES ees-north (ees1.north.example.com) to call SimpleReenroll'
    assert.deepEqual(explain(policy, { ...north, operation: 'SimpleReenroll' }), {
      decision: { allowed: false, rule: 'barred', because },
      authorization: 'token',
      rules: [
        { rule: 'barred', effect: 'deny', applies: true },
        { rule: 'other', effect: 'allow', applies: false },
        { rule: 'renewal', effect: 'allow', applies: true },
      ],
    })
  })

  test('has an answer for an operation that does not exist', () => {
    const { decision, authorization } = explain(policyOf(DEFAULT_POLICY), { ...north, operation: 'Reboot' })
    assert.deepEqual([decision.allowed, decision.rule, authorization], [false, 'default', undefined])
    assert.match(decision.because, /Reboot/)
  })
})

describe('properties of every policy: TS 33.501 13.3.0', () => {
  const ids = ['ees-north', 'ees-south']
  const names = ['ees1.north.example.com', 'ees1.south.example.com', 'ees2.south.example.com']
  const scopes = ['eecs-eesregistration', 'est', 'eees-cea', 'eees-eeccontextreloc']
  const operations = ['GetIndEESReg', 'DeleteIndEESReg', 'SimpleReenroll']
  const nameSelector = fc.constantFrom('*', '*.south.example.com', '*.example.com', ...names)
  const idSelector = fc.constantFrom('*', ...ids)
  const caller = { eesId: idSelector, fqdn: nameSelector, effect: fc.constantFrom('allow' as const, 'deny' as const) }
  const rule = fc.oneof(
    fc.record({ ...caller, operations: fc.subarray(operations, { minLength: 1 }) }),
    fc.record({ ...caller, scopes: fc.subarray(scopes.slice(0, 2), { minLength: 1 }), target: fc.constant('ecs') }),
    fc.record({
      ...caller,
      scopes: fc.subarray(scopes.slice(2), { minLength: 1 }),
      target: nameSelector,
      targetEesId: idSelector,
    }),
  )
  const rules = fc.array(rule, { maxLength: 6 }).map((list) => list.map((one, at) => ({ id: `r${at}`, ...one })))
  const asker = { eesId: fc.constantFrom(...ids.map(eesId)), fqdn: fc.constantFrom(...names.map(fqdn)) }
  const request: fc.Arbitrary<PolicyRequest> = fc.oneof(
    fc.record({ ...asker, operation: fc.constantFrom(...operations) }),
    fc.record({ ...asker, scope: fc.constantFrom(...scopes), target: fc.constant('ecs' as const) }),
    fc.record({
      ...asker,
      scope: fc.constantFrom(...scopes),
      target: fc.constantFrom(...names.map(fqdn)),
      targetEesId: fc.constantFrom(...ids.map(eesId)),
    }),
  )
  const verdict = (list: readonly Rule[], asked: PolicyRequest) =>
    decide(parsePolicy({ rules: list }, POLICED_OPERATIONS), asked)
  const appliesAlone = (one: Rule, asked: PolicyRequest) => verdict([{ ...one, effect: 'allow' }], asked).allowed

  test('what no rule allows is denied by default, a rule that denies wins, and the rule named is one that applies', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(rules, request, (list, asked) => {
        const applying = list.filter((one) => appliesAlone(one, asked))
        const denied = applying.some(({ effect }) => effect === 'deny')
        const { allowed, rule: id } = verdict(list, asked)
        assert.equal(allowed, applying.length > 0 && !denied)
        const decisive = applying.filter(({ effect }) => effect === (allowed ? 'allow' : 'deny')).map((one) => one.id)
        assert.ok(decisive.length === 0 ? id === 'default' : decisive.includes(id))
        seen.add(`${allowed} ${decisive.length > 0}`)
      }),
      { numRuns: 500 },
    )
    assert.deepEqual([...seen].sort(), ['false false', 'false true', 'true true'])
  })

  test('the order of the rules is irrelevant, down to the rule that is named', () => {
    const shuffled = rules.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
    )
    fc.assert(
      fc.property(shuffled, request, ([list, other], asked) => {
        assert.deepEqual(verdict(other, asked), verdict(list, asked))
      }),
      { numRuns: 300 },
    )
  })

  test('a rule more that denies never allows, a rule more that allows never denies', () => {
    fc.assert(
      fc.property(rules, rule, request, (list, one, asked) => {
        const before = verdict(list, asked).allowed
        const after = verdict([...list, { id: 'more', ...one }], asked).allowed
        assert.ok(one.effect === 'deny' ? !after || before : after || !before)
      }),
      { numRuns: 300 },
    )
  })
})
