import { isOfSchema } from '../http/schema.ts'
import { EecCredential as CredentialFile } from '../spec/messages/edge-key.ts'
import { type EecId, parseEecId } from '../spec/subscriber-identifiers.ts'
import { NotUsable } from './errors.ts'

/** What an EEC shows to its UE, as "edgeward ue allow" writes it. */
export class EecCredential {
  readonly eecId: EecId
  /** path of the Unix socket of the UE */
  readonly socket: string
  readonly #token: string

  constructor(eecId: EecId, socket: string, token: string) {
    this.eecId = eecId
    this.socket = socket
    this.#token = token
  }

  /** Neither printed nor written as JSON with the rest (THREATS KE-11). */
  get token(): string {
    return this.#token
  }
}

/** @param text - JSON @throws NotUsable, which quotes nothing of the text */
export function readCredential(text: string): EecCredential {
  const file = parse(text)
  const eecId = isOfSchema(CredentialFile, file) ? parseEecId(file.eecId) : undefined
  if (!isOfSchema(CredentialFile, file) || eecId === undefined) throw new NotUsable('not a credential of an EEC')
  return new EecCredential(eecId, file.socket, file.token)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
