import { refuseUnless } from '../../spec/refusal.ts'
import { type AllowedEec, type AllowList, eecOf } from './allow-list.ts'

/** @param authorization - RFC 6750 2.1 @returns the EEC that calls @throws Refusal */
export async function identifyEec(
  ue: { allowed(): Promise<AllowList> },
  authorization: string | undefined,
): Promise<AllowedEec> {
  const [, token] = /^Bearer ([A-Za-z0-9_-]{43})$/.exec(authorization ?? '') ?? []
  refuseUnless(token !== undefined, 'CREDENTIAL_MISSING', 'the token of an EEC is needed')
  const eec = eecOf(await ue.allowed(), token)
  refuseUnless(eec !== undefined, 'TOKEN_INVALID', 'the token is not one of an EEC that is allowed here')
  return eec
}
