import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { isOfSchema } from '../../http/schema.ts'
import type { Random } from '../../ports/random.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { readPrivateFile, writePrivateFile } from '../../store/private-file.ts'
import type { AuthenticationToken } from '../entitlement/acquire-token.ts'
import { NotUsable } from '../errors.ts'

const StateRecord = Type.Object({
  terminalId: Type.String({ minLength: 1, maxLength: 64 }),
  /** PEM, PKCS #8: on P-256 */
  proofKey: Type.String(),
  authenticationToken: Type.Optional(
    Type.Object({
      token: Type.String({ minLength: 1, maxLength: 512 }),
      server: Type.String(),
      subscriber: Type.String(),
    }),
  ),
})

type StateRecord = Static<typeof StateRecord>

/** What an EEC keeps from one run to the next: who its terminal is, the key of its proofs, its authentication token. */
export interface EecState {
  readonly terminalId: string
  /** on P-256 */
  readonly proofKey: KeyObject
  readonly authenticationToken: {
    load(): Promise<AuthenticationToken | undefined>
    replace(token: AuthenticationToken | undefined): Promise<void>
  }
}

/**
 * @param file - 0600, made if it is not there; undefined: nothing outlives the process
 * @throws NotUsable, FileRefused if others can read it
 */
export async function openState(file: string | undefined, random: Pick<Random, 'uuid'>): Promise<EecState> {
  let record = file === undefined ? newRecord(random) : await readOrMake(file, random)
  return {
    terminalId: record.terminalId,
    proofKey: keyOf(record, file),
    authenticationToken: {
      load: async () => tokenOf(record),
      async replace(token) {
        const { authenticationToken: _, ...rest } = record
        record = { ...rest, ...(token && { authenticationToken: token }) }
        if (file !== undefined) await write(file, record, true)
      },
    },
  }
}

/** Of two processes that begin at once, one makes the key, and both have it. */
async function readOrMake(file: string, random: Pick<Random, 'uuid'>): Promise<StateRecord> {
  const found = await readRecord(file)
  if (found !== undefined) return found
  const made = newRecord(random)
  try {
    await write(file, made, false)
    return made
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    return (await readRecord(file)) ?? made
  }
}

function write(file: string, record: StateRecord, replace: boolean): Promise<void> {
  return writePrivateFile(file, Buffer.from(`${JSON.stringify(record, null, 2)}\n`), { replace })
}

function newRecord(random: Pick<Random, 'uuid'>): StateRecord {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return { terminalId: random.uuid(), proofKey: privateKey }
}

async function readRecord(file: string): Promise<StateRecord | undefined> {
  const octets = await readPrivateFile(file).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error
  })
  if (octets === undefined) return undefined
  const record = parse(octets.toString())
  if (!isOfSchema(StateRecord, record)) throw new NotUsable(`${file} is not what an EEC keeps: remove it`)
  return record
}

function keyOf({ proofKey }: StateRecord, file = 'the state'): KeyObject {
  try {
    const key = createPrivateKey(proofKey)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    // The error of the parser says nothing that helps, and could quote the key.
  }
  throw new NotUsable(`${file} has no key on P-256: remove it`)
}

function tokenOf({ authenticationToken }: StateRecord): AuthenticationToken | undefined {
  const server: Fqdn | undefined = parseFqdn(authenticationToken?.server ?? '')
  return authenticationToken && server && { ...authenticationToken, server }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code
