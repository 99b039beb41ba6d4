import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { describeEes } from '../../../src/ecs/provisioning/describe-ees.ts'
import { RegistrationIndex } from '../../../src/ecs/provisioning/registration-index.ts'
import { type ProvisioningFilters, wishesOf } from '../../../src/ecs/provisioning/service-wishes.ts'
import type { Registration } from '../../../src/ecs/registrar/registration.ts'
import { parseEesId, parseRegistrationId } from '../../../src/spec/identifiers.ts'
import { fqdn } from '../../certificates/a-domain.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const NOW = 1_000

/** Few of each, so that they meet. Cells come in both cases. */
const oneOf = (...values: string[]) => fc.constantFrom(...values)
const some = <Value>(value: fc.Arbitrary<Value>) => fc.uniqueArray(value, { minLength: 1, maxLength: 3 })
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const easId = oneOf('eas-1', 'eas-2', 'eas-3')
const provId = oneOf('ecsp-1', 'ecsp-2')
const cell = oneOf('00000a001', '00000A001', '00000b001')
const tac = oneOf('0001', '00FF', '00ff')
const plmnId = fc.record({ mcc: oneOf('001', '262'), mnc: oneOf('01', '002') })

const profile = fc.record({
  easIds: optional(some(easId)),
  provId: optional(provId),
  cells: optional(some(cell)),
  tacs: optional(some(tac)),
  plmns: optional(some(plmnId)),
})
type Served = typeof profile extends fc.Arbitrary<infer Value> ? Value : never

const wishes = fc.record({
  easIds: optional(some(easId)),
  ecspIds: optional(some(provId)),
  cellId: optional(cell),
  trackingAreaId: optional(tac),
  plmns: optional(some(plmnId)),
})
type Wishes = typeof wishes extends fc.Arbitrary<infer Value> ? Value : never

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      ees: fc.nat(7),
      served: profile,
      expiresAt: oneOfTimes(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), ees: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), ees: fc.nat(7) }) },
)

function oneOfTimes() {
  return fc.constantFrom(NOW, NOW + 1, NOW + 2)
}

const compact = <Value extends object>(value: Value) =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))

function registrationOf(
  n: number,
  { easIds, provId: provider, cells, tacs, plmns }: Served,
  expiresAt: number,
): Registration {
  const plmn = { mcc: '001', mnc: '01' }
  const topServAr = compact({
    ncgis: cells?.map((nrCellId) => ({ plmnId: plmn, nrCellId })),
    tais: tacs?.map((each) => ({ plmnId: plmn, tac: each })),
    plmnIds: plmns,
  })
  const svcArea = Object.keys(topServAr).length === 0 ? undefined : { topServAr }
  const eesId = parseEesId(`ees-${n}`) ?? assert.fail()
  return {
    registrationId: parseRegistrationId(`00000000-0000-4000-8000-00000000000${n}`) ?? assert.fail(),
    eesId,
    fqdn: fqdn(`ees${n}.example.com`),
    eesProf: {
      eesId,
      endPt: { fqdn: `ees${n}.example.com` },
      eecRegConf: false,
      ...compact({ easIds, provId: provider, svcArea }),
    },
    version: 1,
    state: 'live',
    expiresAt,
  }
}

function filtersOf({ easIds, ecspIds, cellId, trackingAreaId, plmns }: Wishes): ProvisioningFilters {
  return {
    ...(easIds && { acProfs: [{ acId: 'ac', eass: easIds.map((each) => ({ easId: each })) }] }),
    ...(ecspIds && { ecspIds }),
    locInf: compact({ cellId, trackingAreaId }),
    ...(plmns && { connInfo: plmns.map((each) => ({ plmnId: each })) }),
  }
}

/** Said again, one registration and one question at a time. */
function isWanted({ eesProf }: Registration, { easIds, ecspIds, cellId, trackingAreaId, plmns }: Wishes): boolean {
  const area = eesProf.svcArea?.topServAr
  const same = (a: string, b: string) => a.toUpperCase() === b.toUpperCase()
  if (easIds && !eesProf.easIds?.some((each) => easIds.includes(each))) return false
  if (ecspIds && (eesProf.provId === undefined || !ecspIds.includes(eesProf.provId))) return false
  if (cellId && area?.ncgis && !area.ncgis.some(({ nrCellId }) => same(nrCellId, cellId))) return false
  if (trackingAreaId && area?.tais && !area.tais.some((tai) => same(tai.tac, trackingAreaId))) return false
  const isPlmn = (one: { mcc: string; mnc: string }) =>
    plmns?.some(({ mcc, mnc }) => mcc === one.mcc && mnc === one.mnc)
  return !(plmns && area?.plmnIds && !area.plmnIds.some(isPlmn))
}

describe('the index of the registrations', () => {
  test('finds what a look at each registration finds, after any history, in the order of registration', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(wishes, { minLength: 1, maxLength: 5 }),
        (steps, questions) => {
          const index = new RegistrationIndex((registration) => describeEes(registration, ['EDGE_ACCESS_TOKEN']))
          const model = new Map<number, Registration>()
          for (const each of steps) {
            const known = model.get(each.ees)
            if (each.kind === 'put') {
              const registration = registrationOf(each.ees, each.served, each.expiresAt)
              const { before, after } = index.put(registration)
              assert.deepEqual([before?.eesId, after?.eesId], [known?.eesId, registration.eesId])
              model.set(each.ees, registration)
            } else {
              const gone =
                known ??
                registrationOf(
                  each.ees,
                  { easIds: undefined, provId: undefined, cells: undefined, tacs: undefined, plmns: undefined },
                  NOW,
                )
              const { before, after } =
                each.kind === 'end' ? index.put({ ...gone, state: 'expired' }) : index.remove(gone.registrationId)
              assert.deepEqual([before?.eesId, after], [known?.eesId, undefined])
              model.delete(each.ees)
            }
          }
          assert.equal(index.size, model.size)
          for (const question of [
            ...questions,
            { easIds: undefined, ecspIds: undefined, cellId: undefined, trackingAreaId: undefined, plmns: undefined },
          ]) {
            const wanted = wishesOf(filtersOf(question))
            const expected = [...model.values()].filter((each) => each.expiresAt > NOW && isWanted(each, question))
            const found = index.find(wanted, NOW, 100)
            assert.deepEqual(
              found.map(({ eesId }) => eesId),
              expected.map(({ eesId }) => eesId),
            )
            // With less room, as many of them as there is room for.
            const few = index.find(wanted, NOW, 2).map(({ eesId }) => eesId)
            assert.equal(few.length, Math.min(2, expected.length))
            assert.ok(few.every((eesId) => expected.some((each) => each.eesId === eesId)))
          }
        },
      ),
      { numRuns: DEEP ? 20_000 : 300 },
    )
  })

  test('looks at the shortest list: a rare EAS, or a cell, leads to few however many are registered', () => {
    let looks = 0
    const index = new RegistrationIndex((registration) => describeEes(registration, ['EDGE_ACCESS_TOKEN']))
    for (let n = 0; n < 2_000; n++) {
      const served = {
        easIds: n % 1_000 === 0 ? ['eas-rare', 'eas-1'] : ['eas-1'],
        provId: undefined,
        cells: [n.toString(16).padStart(9, '0')],
        tacs: undefined,
        plmns: undefined,
      }
      const registration = registrationOf(n % 8, served, NOW + 1)
      const registrationId =
        parseRegistrationId(`00000000-0000-4000-8000-${n.toString().padStart(12, '0')}`) ?? assert.fail()
      const { after } = index.put({ ...registration, registrationId })
      const end = after?.expiresAt
      if (after !== undefined) Object.defineProperty(after, 'expiresAt', { get: () => ++looks && end })
    }
    const questions = [
      { filters: { acProfs: [{ acId: 'ac', eass: [{ easId: 'eas-rare' }] }] }, few: 2 },
      { filters: { acProfs: [{ acId: 'ac', eass: [{ easId: 'eas-1' }] }], locInf: { cellId: '0000003e8' } }, few: 1 },
    ]
    for (const { filters, few } of questions) {
      looks = 0
      assert.equal(index.find(wishesOf(filters), NOW, 100).length, few)
      assert.equal(looks, few)
    }
  })
})
