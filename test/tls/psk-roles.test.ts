import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

/** Which rooms import a file of the TLS room. */
const importersOf = (file: string) =>
  globSync('src/**/*.ts')
    .filter((name) => readFileSync(name, 'utf8').includes(`/tls/${file}'`))
    .map((name) => name.split('/')[1])

describe('the roles of a key: RFC 9257, THREATS PS-06', () => {
  test('PS-06: an EEC can only be client with a key, and an ECS only server', () => {
    assert.deepEqual([...new Set(importersOf('psk-client.ts'))], ['eec'])
    assert.deepEqual([...new Set(importersOf('psk-server.ts'))], ['ecs'])
  })
})
