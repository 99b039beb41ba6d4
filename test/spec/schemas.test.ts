import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { SCHEMA_FORMATS } from '../../src/spec/messages/formats.ts'
import { allDataTypes } from './all-messages.ts'
import { subschemas } from './json-schema.ts'
import { ourValidator } from './validators.ts'

const dataTypes = await allDataTypes()
const parts = [...dataTypes.values()].flatMap(subschemas)

/** As long as a whole request may be. */
const LENGTH = 65_536
const LIMIT = 10

describe('the schemas of the messages', () => {
  test('all of them compile in the strict mode of ajv', () => {
    assert.ok(dataTypes.size > 80)
    for (const [name, schema] of dataTypes) assert.doesNotThrow(() => ourValidator(schema), name)
  })

  test('they use the formats that SCHEMA_FORMATS lists, and no others', () => {
    const used = new Set(parts.flatMap(({ format }) => format ?? []))
    assert.deepEqual([...used].sort(), [...SCHEMA_FORMATS].sort())
  })

  test('a member that is required is described', () => {
    for (const { properties, required = [] } of parts.filter((part) => part.properties !== undefined))
      for (const name of required) assert.ok(Object.hasOwn(properties ?? {}, name), name)
  })

  test('HT-09: no pattern takes 10 ms over a string as long as a request may be', () => {
    const patterns = new Set(parts.flatMap(({ pattern }) => pattern ?? []))
    assert.ok(patterns.size > 10)
    for (const pattern of patterns) assert.equal(slowText(pattern, LENGTH), undefined, pattern)
  })

  test('HT-09: no format takes 10 ms over a string as long as a request may be', () => {
    for (const [format, samples] of Object.entries(SAMPLES)) {
      const validate = ourValidator({ type: 'string', format })
      for (const text of samples.flatMap((sample) => pumped(sample, LENGTH)))
        assert.ok(!isSlow(() => validate(text)), `${format}: ${text.slice(0, 60)}`)
    }
    assert.deepEqual(Object.keys(SAMPLES).sort(), SCHEMA_FORMATS.filter((format) => format !== 'int32').toSorted())
  })

  test('HT-09: the measurement finds the published pattern of a SUCI, which takes quadratic time', () => {
    assert.ok(slowText('^(suci-(0-[0-9]{3}|[1-7]-.+)-[0-9]{1,4}-0-0-.+|.+)$', LENGTH / 4))
  })
})

const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'date-time': ['2026-01-01T00:00:00.0Z', '2026-01-01 00:00:00+00:00'],
  uuid: ['urn:uuid:00000000-0000-4000-8000-000000000000'],
  byte: ['AAAA', 'AA==', 'AAAA\n'],
}

/** A text of about this length that the pattern takes 10 ms for. */
function slowText(pattern: string, length: number): string | undefined {
  const expression = new RegExp(pattern, 'u')
  const samples = fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 2, seed: 20261121 })
  const texts = [...samples, ...spelt(pattern)].flatMap((sample) => pumped(sample, length))
  return texts.find((text) => isSlow(() => expression.test(text)))
}

/** What the pattern itself spells, which a sample may miss. */
function spelt(pattern: string): string[] {
  return (pattern.match(/[a-z]+-/g) ?? []).map((prefix) => `${prefix}1-1-0-0-`)
}

/** Each piece of a sample repeated, also after the sample, and before something that does not fit. */
function pumped(sample: string, length: number): string[] {
  const head = sample.slice(0, 12)
  const cuts = [...head].map((_, cut) => cut)
  const pieces = new Set(cuts.flatMap((cut) => [head.slice(cut), head.slice(0, cut + 1), head.charAt(cut)]))
  return [...pieces].flatMap((piece) => {
    const long = piece.repeat(Math.ceil(length / piece.length))
    return [`${long}\n`, `${head}${long}\n`, `${long}!`]
  })
}

/** Slow three times, in the time of the processor: what else the machine does is of no interest. */
function isSlow(run: () => unknown): boolean {
  return [1, 2, 3].every(() => {
    const start = process.threadCpuUsage()
    run()
    return process.threadCpuUsage(start).user > LIMIT * 1_000
  })
}
