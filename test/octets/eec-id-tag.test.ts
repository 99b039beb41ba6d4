import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import kedge from '../vectors/keys/kedge.json' with { type: 'json' }

for (const { clause, eecId, pskIdentity } of kedge.vectors) {
  test(`${clause}: the tag of ${eecId} stands at the head of the PSK identity`, () => {
    assert.equal(`e${eecIdTag(eecId)}`, pskIdentity.split('.')[0])
  })
}
