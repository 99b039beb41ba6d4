import { type Challenged, toProblem, wwwAuthenticate } from '../../http/problem.ts'
import type { Refusal } from '../../spec/refusal.ts'

interface RefusalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Problem details (RFC 9457) with the challenge of RFC 6750 3 or RFC 9449 7.1: 401 for who is not known, 403 for who may
 * not, 429 for who asks too often, 503 while it cannot be told.
 *
 * @param url - of the request; its query is left out
 */
export function refusalAnswer(refusal: Refusal, url: string, challenged: Challenged = {}): RefusalAnswer {
  const problem = toProblem(refusal, url.split('?', 1)[0] ?? '')
  const challenge = wwwAuthenticate(refusal, 'edgeward', challenged)
  return {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(challenge !== undefined && { 'www-authenticate': challenge }),
      ...([429, 503].includes(problem.status) && { 'retry-after': '1' }),
    },
    body: JSON.stringify(problem),
  }
}
