import { isDigest } from '../octets/digest.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { type EecId, type Gpsi, parseEecId, parseGpsi } from '../spec/subscriber-identifiers.ts'
import { stringClaim, subjectClaim } from './claims.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import type { TokenType } from './token-types.ts'

/** Whom a token of an EEC is about: the EEC, and its subscriber by GPSI if that may be told (TS 33.558 6.2). */
export interface EecSubject {
  readonly sub: EecId
  readonly client_id: EecId
  readonly gpsi?: Gpsi
}

/** The key that an EEC proves with each request: RFC 9449 6.1. */
export interface KeyConfirmation {
  /** RFC 7638 thumbprint */
  readonly jkt: string
}

export interface NamedEec {
  readonly eecId: EecId
  readonly gpsi?: string
}

/** @throws RangeError if the GPSI is none: no verifier takes it */
export function eecSubject({ eecId, gpsi }: NamedEec): EecSubject {
  if (gpsi === undefined) return { sub: eecId, client_id: eecId }
  const parsed = parseGpsi(gpsi)
  if (parsed === undefined) throw new RangeError('gpsi is not a GPSI')
  return { sub: eecId, client_id: eecId, gpsi: parsed }
}

/** @throws RangeError if the thumbprint is none */
export function confirmationOf(jkt: string): KeyConfirmation {
  if (!isDigest(jkt)) throw new RangeError('jkt is 32 octets in base64url')
  return { jkt }
}

/** @throws Refusal as the type says */
export function readEecSubject(claims: JsonObject, type: TokenType): EecSubject {
  const eecId = parseEecId(subjectClaim(claims, type))
  refuseUnless(eecId, type.refusal, 'sub is not an EEC ID')
  if (claims['gpsi'] === undefined) return { sub: eecId, client_id: eecId }
  const gpsi = parseGpsi(stringClaim(claims, 'gpsi', type))
  refuseUnless(gpsi, type.refusal, 'gpsi is not a GPSI')
  return { sub: eecId, client_id: eecId, gpsi }
}

/** Exactly one way of binding: a token bound in a further way, unknown here, allows less than we would see. */
export function readConfirmation({ cnf }: JsonObject, type: TokenType): KeyConfirmation {
  const jkt = isJsonObject(cnf) && Object.keys(cnf).length === 1 ? cnf['jkt'] : undefined
  refuseUnless(isDigest(jkt), type.refusal, 'the token is not bound to a key, and to that alone')
  return { jkt }
}
