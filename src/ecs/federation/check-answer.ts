import type { Response } from '../../http/client.ts'
import { AnswerNotAccepted, RefusedByServer, readJson, requireStatus } from '../../http/response.ts'
import { AccessTokenRsp } from '../../spec/messages/access-token.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { checkAccess, readAccessToken } from '../../tokens/access-token.ts'
import type { ForwardedRequest } from '../../tokens/forwarding-assertion.ts'
import type { KeySource } from '../../tokens/key-set.ts'
import { covers, parseScope } from '../../tokens/scope.ts'
import type { TokenResponse } from '../authorization-server/issue-token.ts'
import { NOT_GRANTED } from '../authorization-server/request-token.ts'

/** The life of a token for another EES (D-17), in seconds. */
const LONGEST = 300

export interface ExpectedAnswer {
  readonly request: ForwardedRequest
  /** `iss` of the ECS that has the target */
  readonly issuer: string
  readonly keys: KeySource
  readonly now: number
}

/**
 * The answer of another ECS, before it is passed on (THREATS FW-06): a token of the ECS that has the target, for that
 * target, for this client with this certificate, for nothing that was not asked for.
 *
 * @throws Refusal SCOPE_NOT_GRANTED, FORWARDING_LOOP or PEER_NOT_AVAILABLE as the other ECS refused;
 *   PEER_ANSWER_NOT_ACCEPTED for everything else
 */
export async function checkAnswer(response: Response, expected: ExpectedAnswer): Promise<TokenResponse> {
  try {
    requireStatus(response, 200)
    return await granted(readJson(response, AccessTokenRsp), expected)
  } catch (error) {
    throw asRefusal(error)
  }
}

async function granted(answer: AccessTokenRsp, expected: ExpectedAnswer): Promise<TokenResponse> {
  const { request, issuer, keys, now } = expected
  const { target, sub, certificateThumbprint, scope, eecId, srcEcs } = request
  const { access_token } = answer
  const issuers = new Map([[issuer, keys]])
  const claims = await readAccessToken(access_token, { issuers, audience: target, maxLifetime: LONGEST, now })
  const granted = parseScope(claims.scope) ?? new Set()
  checkAccess(claims, { client: { fqdn: sub, certificateThumbprints: [certificateThumbprint] }, scope: granted, now })
  const same = claims.srcEcs === srcEcs && claims.eecId === eecId
  refuseUnless(same && covers(scope, granted), 'TOKEN_INVALID', 'the token is not what was asked for')
  const expires_in = Math.floor(claims.exp - now / 1000)
  return { access_token, token_type: 'Bearer', expires_in, scope: claims.scope }
}

function asRefusal(error: unknown): unknown {
  if (error instanceof RefusedByServer) return refusalOf(error)
  const isAnswer = error instanceof AnswerNotAccepted
  const isToken = error instanceof Refusal && error.code !== 'NF_CONGESTION'
  if (!isAnswer && !isToken) return error
  return new Refusal('PEER_ANSWER_NOT_ACCEPTED', 'the other ECS answered something else', { cause: error })
}

/** What another ECS says of its reasons is for the log; the client hears one of our own sentences. */
function refusalOf(cause: RefusedByServer): Refusal {
  if (cause.code === 'FORWARDING_LOOP')
    return new Refusal('FORWARDING_LOOP', 'the ECSs forward this request to each other', { cause })
  if (cause.code === 'PEER_ANSWER_NOT_ACCEPTED')
    return new Refusal('PEER_ANSWER_NOT_ACCEPTED', 'the other ECS answered something else', { cause })
  if (cause.isTransient) return new Refusal('PEER_NOT_AVAILABLE', 'the other ECS is not available now', { cause })
  return new Refusal('SCOPE_NOT_GRANTED', NOT_GRANTED, { cause })
}
