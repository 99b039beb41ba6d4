import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fqdnOf, isOriginOf, isUrlOf } from '../../src/http/origin.ts'
import { fqdn } from '../certificates/a-domain.ts'

describe('URLs of one host', () => {
  const name = fqdn('ecs1.ecsp.example')
  const foreign = [
    'http://ecs1.ecsp.example/',
    'https://ecs1.ecsp.example.evil.example/',
    'https://ecs1.ecsp.example@evil.example/',
    'https://evil.example#@ecs1.ecsp.example/',
    'https://evil.example\\@ecs1.ecsp.example/',
    'https://ecs1.ecsp.example\\@evil.example/',
    'https://ecs1.ecsp.example%2eevil.example/',
    'https:ecs1.ecsp.example/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://[::ffff:127.0.0.1]/',
    'https://ecs1.ecsp.example./',
    'https://ecs1.ecsp.example:99999/',
    ' https://ecs1.ecsp.example/',
    'https://ecs1.ecsp.example/\n',
    'https://ecs1.ecsp.example\t.evil.example/',
    'file:///etc/passwd',
    'https://ecs1.ecsp.example/a#b',
    '',
  ]
  test('HT-06: every other host is refused, however it is written', () => {
    for (const url of foreign) assert.equal(isUrlOf(url, name), false, url)
    for (const url of foreign) assert.equal(isOriginOf(url, name), false, url)
  })

  test('HT-06: its own are taken', () => {
    for (const url of ['https://ecs1.ecsp.example', 'https://ecs1.ecsp.example:8444/a/b?c=d']) {
      assert.equal(isUrlOf(url, name), true, url)
    }
    for (const url of ['https://ecs1.ecsp.example', 'https://ecs1.ecsp.example:443/', 'https://ecs1.ecsp.example:1']) {
      assert.equal(isOriginOf(url, name), true, url)
      assert.equal(fqdnOf(url), name)
    }
    assert.equal(fqdnOf('https://ecs1.ecsp.example/path'), undefined)
    assert.equal(fqdnOf('https://127.0.0.1'), undefined)
  })
})
