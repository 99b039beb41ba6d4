import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as akma from '../../src/spec/messages/akma.ts'
import * as authenticationVectors from '../../src/spec/messages/authentication-vectors.ts'
import * as imsAuthenticationVectors from '../../src/spec/messages/ims-authentication-vectors.ts'
import * as ueAuthentication from '../../src/spec/messages/ue-authentication.ts'
import { Suci } from '../../src/spec/messages/ue-authentication.ts'
import * as ueau from '../../src/spec/messages/ueau.ts'
import { describeDataTypes, describeWholeFile } from './agreement.ts'
import type { JsonSchema } from './json-schema.ts'
import { SUCI_PATTERNS } from './official.ts'

describeWholeFile('TS29509_Nausf_UEAuthentication.yaml', ueAuthentication)
describeWholeFile('TS29503_Nudm_UEAU.yaml', ueau, authenticationVectors)
describeDataTypes('TS29522_AKMA.yaml', akma)
describeDataTypes('TS29562_Nhss_imsUEAU.yaml', imsAuthenticationVectors)

for (const { file, published } of SUCI_PATTERNS) {
  test(`HT-09: the pattern of a SUCI accepts what that of ${file} accepts`, () => {
    const [theirs, ours] = [new RegExp(published, 'u'), new RegExp((Suci as JsonSchema).pattern ?? '', 'u')]
    const texts = fc.oneof(fc.stringMatching(new RegExp(published)), fc.string({ unit: 'binary' }), fc.constant(''))
    const broken = fc
      .tuple(texts, fc.constantFrom('\n', '\r', '\u2028', '-'), fc.nat())
      .map(([text, character, place]) => {
        const at = place % (text.length + 1)
        return text.slice(0, at) + character + text.slice(at)
      })
    fc.assert(fc.property(fc.oneof(texts, broken), (text) => assert.equal(ours.test(text), theirs.test(text))))
  })
}
