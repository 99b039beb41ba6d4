import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sourceOf } from '../../src/nf/source.ts'

describe('whom one address stands for', () => {
  test('KE-08: a source is an IPv4 address, or the /64 of an IPv6 address, however it is written', () => {
    const table: Record<string, string> = {
      '192.0.2.1': '192.0.2.1',
      '::ffff:192.0.2.1': '192.0.2.1',
      '::FFFF:192.0.2.1': '192.0.2.1',
      '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
      '2001:DB8:1:2::1': '2001:db8:1:2::/64',
      '2001:db8::1': '2001:db8:0:0::/64',
      '2001:db8:1:2:ffff::': '2001:db8:1:2::/64',
      '::1': '0:0:0:0::/64',
      '::': '0:0:0:0::/64',
      'fe80::1%eth0': 'fe80:0:0:0::/64',
    }
    for (const [address, source] of Object.entries(table)) assert.equal(sourceOf(address), source, address)
    assert.equal(sourceOf(undefined), 'unknown')
  })
})
