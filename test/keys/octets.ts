import { type Key, type KeyName, takeKey } from '../../src/keys/key.ts'

/** Octets of a vector. */
export function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

/** A key of a vector. */
export function key<Name extends KeyName>(name: Name, text: string): Key<Name> {
  return takeKey(name, hex(text))
}

/** What a vector says of a key. */
export function hexOf(key: { export(): Buffer }): string {
  return key.export().toString('hex')
}

/** An identifier that the test knows to be well formed. */
export function parsed<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the test itself is wrong: an identifier does not parse')
  return value
}
