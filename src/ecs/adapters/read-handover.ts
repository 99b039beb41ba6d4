import { readFile } from 'node:fs/promises'
import { fingerprintsOfRoots } from '../../certificates/roots.ts'
import { findInvalidSetting } from '../../http/schema.ts'
import { Refusal } from '../../spec/refusal.ts'
import { EntitlementServerHandover, KeyServiceHandover, type TrustHandover } from '../../spec/trust-handover.ts'
import { ConfigurationError } from './open-folder.ts'

const LONGEST_FILE = 65_536

/**
 * What `edgeward core trust --out` or `edgeward entitlement trust --out` has written, and nothing else.
 *
 * @param now - milliseconds since the epoch
 * @returns with the SHA-256 of each root in it, which people compare
 * @throws ConfigurationError, or the error of the system if there is no such file
 */
export async function readHandover(
  file: string,
  now: number,
): Promise<{ readonly handover: TrustHandover; readonly fingerprints: readonly string[] }> {
  const handover = parseHandover(file, await readFile(file, 'utf8'))
  return { handover, fingerprints: fingerprintsIn(file, handover, now) }
}

function parseHandover(file: string, text: string): TrustHandover {
  const document = text.length > LONGEST_FILE ? undefined : jsonOf(text)
  const [of, schema] =
    isRecord(document) && 'entitlementServer' in document
      ? (['entitlement', EntitlementServerHandover] as const)
      : (['core', KeyServiceHandover] as const)
  const invalid = isRecord(document) ? findInvalidSetting(schema, document) : 'not a JSON object'
  if (invalid === undefined) return document as TrustHandover
  throw new ConfigurationError(`${file} is not what "edgeward ${of} trust --out" writes: ${invalid}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function fingerprintsIn(file: string, { root }: TrustHandover, now: number): string[] {
  try {
    return fingerprintsOfRoots(root, now)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new ConfigurationError(`${file}: ${cause.detail}`, { cause })
  }
}
