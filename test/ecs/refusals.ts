import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { PeerUnavailable, type Response } from '../../src/http/client.ts'
import { type ApplicationError, errorRow } from '../../src/spec/application-errors.ts'
import { bodyOf, type RunningEcs } from './running-ecs.ts'

interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly cause: string
  readonly invalidParams?: readonly { readonly param: string; readonly reason?: string }[]
}

const MEMBERS = ['type', 'title', 'status', 'detail', 'instance', 'cause']

/** A refusal is a row of the table with a sentence that stands in our sources, and nothing else (THREATS HT-12). */
export function refusedWith(response: Response, code: ApplicationError): Problem {
  const problem = problemOf(response)
  const { status, title } = errorRow(code)
  assert.deepEqual(
    { status: response.status, cause: problem.cause, title: problem.title, said: problem.status },
    { status, cause: code, title, said: status },
    problem.detail,
  )
  return problem
}

/** @returns the problem details, once they are found to be of the form that all have */
export function problemOf(response: Response): Problem {
  assert.equal(mediaTypeOf(response), 'application/problem+json')
  const problem = bodyOf<Problem>(response)
  const { invalidParams, ...rest } = problem
  assert.deepEqual(Object.keys(rest), MEMBERS)
  assert.equal(problem.type, `urn:edgeward:problem:${problem.cause.toLowerCase().replaceAll('_', '-')}`)
  assert.ok(isSentenceOfOurs(problem.detail), `this stands nowhere in our sources: ${problem.detail}`)
  for (const { param } of invalidParams ?? []) assert.match(param, /^(\/[\w.-]+)*$/)
  return problem
}

/** What the token endpoints answer instead (RFC 6749 5.2). */
export function oauthErrorOf(response: Response): string {
  assert.equal(mediaTypeOf(response), 'application/json')
  const { error, error_description, ...others } = bodyOf<{ error: string; error_description: string }>(response)
  assert.deepEqual(others, {})
  assert.ok(isSentenceOfOurs(error_description), `this stands nowhere in our sources: ${error_description}`)
  return error
}

const mediaTypeOf = ({ headers }: Response) => headers['content-type']?.split(';', 1)[0]

const sources = globSync('src/{spec,http,tls,tokens,certificates,nf,eec-authentication,ecs}/**/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')
const sentences = new Set([...sources.matchAll(/'([^'\n]+)'/g)].map(([, text]) => text))
/** Sentences with a gap, in which a word or two of ours may stand. */
const GAP = '(?:application/[a-z+-]{1,40}|[A-Za-z0-9 ,.#]{1,100})'
const patterns = [...sources.matchAll(/`([^`\n]+)`/g)].flatMap(([, text = '']) => {
  const parts = text.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&'))
  return parts.join('').length < 8 ? [] : [new RegExp(`^${parts.join(GAP)}$`)]
})

/** What was read may stand before the sentence: where it was a message within another one. */
function isSentenceOfOurs(detail: string): boolean {
  const isKnown = (text: string) => sentences.has(text) || patterns.some((pattern) => pattern.test(text))
  return isKnown(detail) || detail.split(': ').every(isKnown)
}

/** The connection never carries a request: the handshake fails, or the listener cuts it at once. */
export async function notLetIn(attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, (error) => error instanceof PeerUnavailable)
}

const TABLES = [
  'registration',
  'onboarding_token',
  'certificate',
  'registered_key',
  'ees_bar',
  'revoked_token',
  'provisioning_subscription',
]

/** Everything that an attack could have changed, and the length of the audit trail. */
export async function stored(ecs: RunningEcs): Promise<Record<string, readonly unknown[]>> {
  const content: Record<string, readonly unknown[]> = {}
  for (const table of TABLES) {
    content[table] = await ecs.opened.store.read({ sql: `select * from ${table} order by 1`, parameters: [] })
  }
  content['ledger'] = await ecs.opened.store.read({ sql: 'select count(*) as records from ledger', parameters: [] })
  return content
}

/** Runs an attack and sees that it left nothing behind. */
export async function withoutTrace<Result>(ecs: RunningEcs, attack: () => Promise<Result>): Promise<Result> {
  const before = await stored(ecs)
  const result = await attack()
  assert.deepEqual(await stored(ecs), before)
  return result
}
