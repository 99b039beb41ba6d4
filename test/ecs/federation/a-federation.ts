import assert from 'node:assert/strict'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EcsEnvironment } from '../../../src/ecs/adapters/open-ecs.ts'
import type { Message, Response } from '../../../src/http/client.ts'
import { bodyOf, onboard, type RunningEcs, type RunningEes, runEcs } from '../running-ecs.ts'

export const SCOPE = 'eees-eeccontextreloc'

/** Lets every EES of every ECS relocate contexts of every EEC to every other; a test takes back what it is about. */
const RULES = `
  - { id: home, effect: allow, eesId: '*', scopes: [${SCOPE}, eees-easdiscovery], target: '*' }
  - { id: home-eec, effect: allow, eesId: '*', scopes: [${SCOPE}], target: '*', eecIds: ['*'] }
  - { id: away, effect: allow, fqdn: '*', ecs: '*', scopes: [${SCOPE}], target: '*' }
  - { id: away-eec, effect: allow, fqdn: '*', ecs: '*', scopes: [${SCOPE}], target: '*', eecIds: ['*'] }
`

export interface Member {
  /** `a` for `ecs.a.example.com`, whose EESs are below `a.example.com` */
  readonly label: string
  readonly ecs: RunningEcs
}

export const ecsName = (label: string) => `ecs.${label}.example.com`
export const eesName = (label: string) => `ees1.${label}.example.com`
const suffix = (label: string) => `${label}.example.com`

/** @param labels - of all that it may have to find, itself included */
export async function startMember(
  label: string,
  labels: readonly string[],
  change: Partial<EcsEnvironment> = {},
  configuration = '',
): Promise<Member> {
  const resolve = labels.map((each) => `  ${ecsName(each)}: 127.0.0.1\n`).join('')
  const ecs = await runEcs(ecsName(label), change, `\nresolve:\n${resolve}${configuration}`)
  await appendFile(join(ecs.folder, 'policy.yaml'), RULES)
  await ecs.operator.reloadPolicy()
  return { label, ecs }
}

/** Makes one trust the other. @param also - further labels that it is asked for @param via - who passes it on */
export async function trust(one: Member, other: Member, also: readonly string[] = [], via?: Member) {
  const { port } = new URL(other.ecs.serving.listeners.server)
  const peer = await one.ecs.operator.addPeer({
    fqdn: ecsName(other.label),
    apiRoot: `https://${ecsName(other.label)}:${port}`,
    roots: await readFile(join(other.ecs.folder, 'ca', 'root.crt'), 'utf8'),
    nameSpace: [other.label, ...also].map(suffix),
    ...(via && { via: ecsName(via.label) }),
  })
  assert.ok(peer.known, `${one.label} has no trust bundle of ${other.label}`)
}

export const anEes = ({ ecs, label }: Member, number = 1): Promise<RunningEes> =>
  onboard(ecs, { eesId: `ees${number}-${label}`, fqdn: `ees${number}.${suffix(label)}` })

export function tokenRequest(target: string, change: Readonly<Record<string, string>> = {}): Message {
  const form = { grant_type: 'client_credentials', scope: SCOPE, resource: `https://${target}`, ...change }
  return {
    method: 'POST',
    path: '/oauth2/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  }
}

export const requestToken = ({ peer }: RunningEes, target: string, change: Readonly<Record<string, string>> = {}) =>
  peer.request(tokenRequest(target, change))

export interface TokenAnswer {
  readonly access_token: string
  readonly expires_in: number
  readonly scope: string
}

export function granted(response: Response): TokenAnswer {
  assert.equal(response.status, 200, response.body.toString('utf8'))
  return bodyOf<TokenAnswer>(response)
}

export const errorOf = (response: Response): unknown => bodyOf<{ error?: unknown }>(response).error

/** The lines of the audit trail of these kinds, oldest first. */
export async function trail({ ecs }: Member, ...events: readonly string[]): Promise<Record<string, unknown>[]> {
  const rows = await ecs.opened.store.read<{ entry: string }>({
    sql: 'select entry from ledger order by seq',
    parameters: [],
  })
  const entries = rows.map(({ entry }) => JSON.parse(entry) as Record<string, unknown>)
  return entries.filter(({ event }) => events.includes(String(event)))
}
