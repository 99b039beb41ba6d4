import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { TSchema } from 'typebox'
import { arbitraryMessage } from './arbitrary-messages.ts'
import type { JsonSchema } from './json-schema.ts'
import { nearMiss, twistsFor } from './near-misses.ts'
import { normalForm } from './normal-form.ts'
import { officialDocument, officialSchema, withoutOfficialFiles } from './official.ts'
import { officialValidator, ourValidator } from './validators.ts'

/** The exports of a module: schemas by the names that the OpenAPI file gives them. */
export type Module = Readonly<Record<string, TSchema>>

/** Data types whose official name cannot be an identifier. */
const OUR_NAMES: Readonly<Record<string, string>> = {
  '2DRelativeLocation': 'TwoDRelativeLocation',
  '3DRelativeLocation': 'ThreeDRelativeLocation',
  '3GAkaAv': 'ThreeGAkaAv',
  '5GPrukId': 'FiveGPrukId',
}

const officialName = (ours: string) => Object.keys(OUR_NAMES).find((name) => OUR_NAMES[name] === ours) ?? ours

/**
 * Each data type of these modules says member by member what the data type of that name says in the OpenAPI file,
 * and both validators accept the same messages, whichever of the two these were made from, and the same near misses.
 */
export function describeDataTypes(file: string, ...modules: readonly Module[]): void {
  const ours: Module = Object.assign({}, ...modules)
  describe(`the data types of ${file}`, { skip: withoutOfficialFiles }, () => {
    for (const [name, schema] of Object.entries(ours)) {
      test(name, () => assertAgreement(schema as JsonSchema, officialSchema(file, officialName(name))))
    }
  })
}

/** As describeDataTypes, and the file has no data type that we lack. */
export function describeWholeFile(file: string, ...modules: readonly Module[]): void {
  describeDataTypes(file, ...modules)
  test(`no data type of ${file} is missing`, { skip: withoutOfficialFiles }, () => {
    const ours = modules.flatMap((module) => Object.keys(module).map(officialName))
    assert.deepEqual(ours.sort(), Object.keys(officialDocument(file).components.schemas).sort())
  })
}

const RUNS = process.env['EDGEWARD_DEEP'] === undefined ? 30 : 20_000

function assertAgreement(ours: JsonSchema, theirs: JsonSchema): void {
  assert.deepEqual(normalForm(ours), normalForm(theirs))
  const [weAccept, theyAccept] = [ourValidator(ours), officialValidator(theirs)]
  const seen = { accepted: 0, refused: 0 }
  const sameVerdict = (message: unknown) => {
    const verdict = theyAccept(message)
    seen[verdict ? 'accepted' : 'refused'] += 1
    if (weAccept(message) !== verdict) assert.fail(JSON.stringify({ ours: weAccept.errors, theirs: theyAccept.errors }))
  }
  const message = fc.oneof(arbitraryMessage(ours), arbitraryMessage(theirs))
  const missed = fc
    .tuple(message, fc.oneof(twistsFor(ours), twistsFor(theirs)))
    .map(([whole, twist]) => nearMiss(whole, twist))
  fc.assert(fc.property(message, sameVerdict), { numRuns: RUNS })
  fc.assert(fc.property(missed, sameVerdict), { numRuns: RUNS * 2 })
  assert.ok(seen.accepted > 0 && seen.refused > 0, `nothing was put to the test: ${JSON.stringify(seen)}`)
}
