import type { KeyObject } from 'node:crypto'
import type { Static, TSchema } from 'typebox'
import { isOfSchema } from '../../http/schema.ts'
import { readSealedFile, type SealingSecret, writeSealedFile } from '../../store/sealed-file.ts'
import { NotUsable } from '../errors.ts'
import { absent } from './absent.ts'
import { jsonOf } from './json-of.ts'

/**
 * Keys and what belongs to them in one sealed file, replaced as one: the octets of the keys, then a record as JSON. The
 * keys are never text, so that nothing of them stays when their octets are zeroed.
 */
export async function writeSealedKeys(
  file: string,
  keys: readonly KeyObject[],
  record: object,
  secret: SealingSecret,
): Promise<void> {
  const octets = keys.map((key) => key.export())
  const content = Buffer.concat([...octets, Buffer.from(JSON.stringify(record))])
  try {
    await writeSealedFile(file, content, secret, { replace: true })
  } finally {
    for (const written of [...octets, content]) written.fill(0)
  }
}

/** What is in such a file. */
export interface SealedKeys<Schema extends TSchema> {
  /** how many octets the keys have together */
  readonly octets: number
  readonly record: Schema
}

/**
 * @returns the octets of the keys, which the caller takes over; undefined if there is no file
 *
 * @throws NotUsable, FileRefused
 */
export async function readSealedKeys<Schema extends TSchema>(
  file: string,
  { octets, record: schema }: SealedKeys<Schema>,
  secret: SealingSecret,
): Promise<{ readonly keys: Buffer; readonly record: Static<Schema> } | undefined> {
  const content = await readSealedFile(file, secret).catch(absent)
  if (content === undefined) return undefined
  const record = jsonOf(content.subarray(octets))
  if (!isOfSchema(schema, record)) throw new NotUsable(`${file} was written by another version`)
  return { keys: content.subarray(0, octets), record }
}
