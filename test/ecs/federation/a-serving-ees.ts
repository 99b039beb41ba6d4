import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onboard, type Registration, type ServingEes, serveEes } from '../../../src/ees/index.ts'
import { createLog } from '../../../src/http/log.ts'
import { profileOf } from '../running-ecs.ts'
import { ecsName, type Member } from './a-federation.ts'

/** A real EES in this process, at the ECS of a member: it serves, and keeps itself registered. */
export interface EesOfMember {
  readonly fqdn: string
  readonly registration: Registration
  readonly serving: ServingEes
  /** of its listener for other EESs */
  readonly origin: string
  close(): Promise<void>
}

const whoIs = ({ label }: Member, number: number) => ({
  eesId: `ees${number}-${label}`,
  fqdn: `ees${number}.${label}.example.com`,
})

/** Every name of the members is on this machine. */
function resolveOf(labels: readonly string[]): ReadonlyMap<string, string> {
  const names = labels.flatMap((each) => [ecsName(each), ...[1, 2, 3].map((n) => `ees${n}.${each}.example.com`)])
  return new Map(names.map((name) => [name, '127.0.0.1']))
}

/** @param labels - of all members that it may come to */
export async function onboardAt(
  member: Member,
  number: number,
  labels: readonly string[],
  folder: string,
): Promise<Registration> {
  const who = whoIs(member, number)
  const bundle = JSON.stringify(await member.ecs.invite(who))
  return onboard(bundle, { eesProf: profileOf(who) }, { store: folder, resolve: resolveOf(labels) })
}

export async function serveAt(member: Member, number: number, labels: readonly string[]): Promise<EesOfMember> {
  const who = whoIs(member, number)
  const folder = mkdtempSync(join(tmpdir(), 'edgeward-ees-'))
  const resolve = resolveOf(labels)
  const registration = await onboardAt(member, number, labels, folder)
  const log = createLog('ees', process.env['EDGEWARD_TEST_LOG'] ?? 'silent')
  const serving = await serveEes(registration, { folder, resolve, log, revocationPeriod: 1_000 })
  return {
    fqdn: who.fqdn,
    registration,
    serving,
    origin: `https://${who.fqdn}:${new URL(serving.listeners.mtls).port}`,
    async close() {
      await serving.close()
      registration.close()
      rmSync(folder, { recursive: true })
    },
  }
}

export const WHO_AM_I = 'edgeward-whoami'

/** An EES calls another, with a token of the ECS of that one. */
export function call({ registration }: EesOfMember, { origin }: EesOfMember, eecId?: string) {
  const purpose = { scope: WHO_AM_I, ...(eecId !== undefined && { eecId }) }
  return registration.request(origin, { method: 'GET', path: '/edgeward/v1/whoami' }, purpose)
}

/** Until it is as it shall be. @param patience - in tenths of a second */
export async function until(reached: () => Promise<boolean> | boolean, what: string, patience = 900): Promise<void> {
  for (let tries = 0; tries < patience; tries += 1) {
    if (await reached()) return
    await new Promise((wait) => setTimeout(wait, 100))
  }
  throw new Error(`not reached: ${what}`)
}
