import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { commonFeatures, EDGEWARD_ONBOARDING, featuresOf, hasFeature } from '../../src/spec/supported-features.ts'

const suppFeat = fc.stringMatching(/^[A-Fa-f0-9]*$/)
const feature = fc.integer({ min: 1, max: 200 })

describe('feature negotiation: TS 29.500 6.6.2', () => {
  test('feature 1 is the lowest bit of the last digit', () => {
    assert.equal(hasFeature('1', 1), true)
    assert.equal(hasFeature('10', 1), false)
    assert.equal(hasFeature('A', 4), true)
    assert.equal(hasFeature('a', 3), false)
    assert.equal(featuresOf([EDGEWARD_ONBOARDING]), '8000000000000000')
  })

  test('a message without suppFeat supports nothing, and neither does an empty one', () => {
    for (const none of [undefined, '', '0', '0000']) assert.equal(hasFeature(none, EDGEWARD_ONBOARDING), false)
  })

  test('each bit is the one that the number has', () => {
    fc.assert(
      fc.property(suppFeat, feature, (text, number) => {
        const bit = (BigInt(`0x0${text}`) >> BigInt(number - 1)) & 1n
        assert.equal(hasFeature(text, number), bit === 1n)
      }),
    )
  })

  test('the answer has what both support, and nothing else', () => {
    fc.assert(
      fc.property(suppFeat, fc.array(feature), (text, ours) => {
        const answer = commonFeatures(text, ours)
        for (const number of ours) assert.equal(hasFeature(answer, number), hasFeature(text, number))
        assert.equal(BigInt(`0x${answer}`) & ~BigInt(`0x0${featuresOf(ours)}`), 0n)
      }),
    )
  })

  test('suppFeat as long as a message may be is read at once', () => {
    assert.equal(hasFeature('f'.repeat(65_536), EDGEWARD_ONBOARDING), true)
    assert.equal(commonFeatures('f'.repeat(65_536), [1, 2]), '3')
  })
})
