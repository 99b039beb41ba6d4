import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import type { TSchema } from 'typebox'
import { type Accepts, onlyKnownMembers } from '../../src/spec/known-members.ts'
import { AccessTokenClaims, RetrieveKeyReq } from '../../src/spec/messages/access-token.ts'
import { EASRegistration } from '../../src/spec/messages/eas-registration.ts'
import { EESProfile, EESRegistrationPatch } from '../../src/spec/messages/ees-registration.ts'
import { EESRegistrationReq, EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { ECSServProvReq } from '../../src/spec/messages/service-provisioning.ts'
import { ProblemDetails } from '../../src/spec/messages/ts29571/problem-details.ts'
import { GeographicArea } from '../../src/spec/messages/ts29572/geographic-area.ts'
import { LocalArea } from '../../src/spec/messages/ts29572/relative-location.ts'
import { UEAuthenticationCtx } from '../../src/spec/messages/ue-authentication.ts'
import { AuthenticationInfoResult, HssAuthenticationInfoResult } from '../../src/spec/messages/ueau.ts'
import { arbitraryMessage } from './arbitrary-messages.ts'
import { type JsonSchema, subschemas } from './json-schema.ts'
import { nearMiss, twistsFor } from './near-misses.ts'
import { ourValidator } from './validators.ts'

const MESSAGES = {
  EESRegistrationReq,
  EESRegistrationResp,
  EESRegistrationPatch,
  AccessTokenClaims,
  RetrieveKeyReq,
  ProblemDetails,
  EASRegistration,
  ECSServProvReq,
  UEAuthenticationCtx,
  AuthenticationInfoResult,
  HssAuthenticationInfoResult,
  GeographicArea,
  LocalArea,
}

const RUNS = process.env['EDGEWARD_DEEP'] === undefined ? 60 : 50_000

const accepts: Accepts = (schema, value) => ourValidator(schema)(value)
const cleaned = (schema: TSchema, value: unknown) => onlyKnownMembers(schema, value, accepts)

/** Without prototypes, and with nothing shared: what would travel. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('onlyKnownMembers', () => {
  for (const [name, schema] of Object.entries(MESSAGES))
    test(`${name}: keeps what the schema knows`, () => check(schema))

  test('HT-05: a map has no prototype, and a key named __proto__ is a key', () => {
    const profile = JSON.parse(`{
      "eesId": "ees-1", "endPt": { "fqdn": "ees-1.example.com" }, "eecRegConf": false, "__proto__": { "eesId": "ees-2" },
      "easLoadInfoList": { "__proto__": { "loadLevel": 7, "__proto__": { "loadWarningStat": true } } }
    }`)
    const copy = onlyKnownMembers(EESProfile, profile as EESProfile, accepts)
    assert.deepEqual(Object.keys(copy), ['eesId', 'endPt', 'eecRegConf', 'easLoadInfoList'])
    assert.equal(Object.getPrototypeOf(copy), Object.prototype)
    const map = copy.easLoadInfoList ?? {}
    assert.equal(Object.getPrototypeOf(map), null)
    assert.equal(map['constructor'], undefined)
    const [[key, entry] = []] = Object.entries(map)
    assert.equal(key, '__proto__')
    assert.deepEqual(Object.getOwnPropertyNames(entry), ['loadLevel'])
    assert.equal(entry?.loadWarningStat, undefined)
  })

  test('of a choice, the alternatives that refuse a value do not say what it has', () => {
    const point = { shape: 'POINT', point: { lon: 1, lat: 2 } }
    assert.deepEqual(cleaned(GeographicArea, { ...point, altitude: { smuggled: true } }), point)
    assert.deepEqual(cleaned(GeographicArea, { ...point, altitude: 3 }), { ...point, altitude: 3 })
  })

  test('the message that came in is not changed', () => {
    const message = {
      eesProf: { eesId: 'ees-1', endPt: { uri: 'https://ees-1.example.com', x: 1 }, eecRegConf: true },
      x: 1,
    }
    const before = structuredClone(message)
    cleaned(EESRegistrationReq, message)
    assert.deepEqual(message, before)
  })
})

function check(schema: TSchema): void {
  const json = schema as JsonSchema
  const message = arbitraryMessage(json)
  const missed = fc.tuple(message, twistsFor(json)).map(([whole, twist]) => nearMiss(whole, twist))
  const sealed = sealedValidator(json)
  const options = { numRuns: RUNS }

  const strangersGo = fc.property(message, strangers, fc.nat(), (known, stranger, place) => {
    fc.pre(accepts(schema, known))
    const extended = withStranger(known, json, stranger, place)
    assert.ok(accepts(schema, extended), 'an unknown member is refused')
    assert.deepEqual(asJson(cleaned(schema, extended)), asJson(known))
  })
  fc.assert(strangersGo, options)

  const sameVerdict = fc.property(fc.oneof(message, missed), (value) => {
    const copy = cleaned(schema, value)
    const accepted = accepts(schema, value)
    assert.equal(accepts(schema, copy), accepted)
    assert.deepEqual(cleaned(schema, copy), copy)
    if (accepted) assert.ok(sealed(copy), `something unknown is left: ${JSON.stringify(sealed.errors)}`)
  })
  fc.assert(sameVerdict, options)
}

const names = fc.constantFrom('unknown', 'vendorSpecific-012345', '__proto__', 'constructor', 'toString')
const strangers = fc.tuple(names, fc.jsonValue({ maxDepth: 2 }))

/** The message with one more member in one of its objects; maps are passed over, there it would be an entry. */
function withStranger(message: unknown, schema: JsonSchema, [name, value]: [string, unknown], place: number): unknown {
  const copy = structuredClone(message)
  const objects = objectsIn(copy, mapsOf(schema))
  const chosen = objects[place % objects.length]
  if (chosen !== undefined) Object.defineProperty(chosen, name, { value, enumerable: true, configurable: true })
  return copy
}

function mapsOf(schema: JsonSchema): Set<string> {
  const members = subschemas(schema).flatMap(({ properties }) => Object.entries(properties ?? {}))
  return new Set(members.filter(([, member]) => member.additionalProperties !== undefined).map(([name]) => name))
}

function objectsIn(value: unknown, maps: Set<string>, name = ''): object[] {
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.entries(value).flatMap(([key, member]) =>
    objectsIn(member, maps, Array.isArray(value) ? name : key),
  )
  return Array.isArray(value) || maps.has(name) ? inside : [value, ...inside]
}

/** Another judge of what is unknown: JSON Schema 2020-12 refuses members that nothing in the schema has looked at. */
function sealedValidator(schema: JsonSchema): ValidateFunction {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv, { mode: 'full' })
  return ajv.compile(sealedSchema(schema))
}

function sealedSchema(schema: JsonSchema): JsonSchema {
  const inside = sealedInside(schema)
  return schema.additionalProperties === undefined ? Object.assign(inside, { unevaluatedProperties: false }) : inside
}

function sealedInside({
  properties,
  items,
  additionalProperties,
  anyOf,
  oneOf,
  allOf,
  ...rest
}: JsonSchema): JsonSchema {
  const members = Object.entries(properties ?? {}).map(([name, member]) => [name, sealedSchema(member)])
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(members) }),
    ...(items && { items: sealedSchema(items) }),
    ...(additionalProperties && { additionalProperties: sealedSchema(additionalProperties) }),
    ...(anyOf && { anyOf: anyOf.map(sealedInside) }),
    ...(oneOf && { oneOf: oneOf.map(sealedInside) }),
    ...(allOf && { allOf: allOf.map(sealedInside) }),
  }
}
