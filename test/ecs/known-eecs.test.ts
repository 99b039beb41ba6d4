import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eecOfIdentity } from '../../src/ecs/authentication/key-id.ts'
import { KnownEecs } from '../../src/ecs/authentication/known-eecs.ts'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { formatPskIdentity, type KedgeId, parseKedgeId } from '../../src/spec/kedge-id.ts'
import { parsed } from '../keys/octets.ts'
import { eecIdOf } from './an-eec.ts'

const kedgeId = (index: number): KedgeId =>
  parsed(parseKedgeId(`rid0.kid${index.toString(16).padStart(32, '0')}@edge.5gc.mnc001.mcc001.3gppnetwork.org`))
const identityOf = (eecId: string, index: number) =>
  formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId: kedgeId(index) })
const shared = (index: number, ...names: string[]) => ({
  identity: kedgeId(index),
  eecIds: new Set(names.map(eecIdOf)),
})
const own = (name: string, index: number) => ({ identity: identityOf(name, index), eecIds: new Set([eecIdOf(name)]) })

describe('EECs that have proven a key at an ECS: D-20b', () => {
  test('an EEC is known by its tag, whatever its Kedge ID is; another is not', () => {
    const known = new KnownEecs(eecOfIdentity)
    known.remember(own('eec-1', 1))
    assert.equal(known.eecIdOf(identityOf('eec-1', 2)), 'eec-1')
    assert.equal(known.eecIdOf(identityOf('eec-2', 1)), undefined)
    assert.equal(known.eecIdOf(kedgeId(1)), undefined)
  })

  test('in the profile `literal` it is known by its Kedge ID, as long as no other shares the key', () => {
    const known = new KnownEecs(eecOfIdentity)
    known.remember(shared(1, 'eec-1'))
    assert.equal(known.eecIdOf(kedgeId(1)), 'eec-1')
    known.remember(shared(1, 'eec-1', 'eec-2'))
    assert.equal(known.eecIdOf(kedgeId(1)), undefined)
  })

  test('HT-11: so many are remembered and no more; the one longest unseen goes first', () => {
    const known = new KnownEecs(eecOfIdentity, 2)
    for (const name of ['eec-1', 'eec-2', 'eec-1', 'eec-3']) known.remember(own(name, 1))
    assert.deepEqual(
      ['eec-1', 'eec-2', 'eec-3'].map((name) => known.eecIdOf(identityOf(name, 1))),
      ['eec-1', undefined, 'eec-3'],
    )
  })
})
