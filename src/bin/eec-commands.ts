import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Static, TSchema } from 'typebox'
import {
  type DiscoveryWishes,
  type ECSServProvResp,
  type EESInfo,
  type EecRegistered,
  NotUsable,
} from '../eec/index.ts'
import { isOfSchema } from '../http/schema.ts'
import { EasDiscoveryReq, type EasDiscoveryResp } from '../spec/messages/eas-discovery.ts'
import { EECRegistration } from '../spec/messages/eec-registration.ts'
import type { EndPoint } from '../spec/messages/end-point.ts'
import { ECSServProvReq } from '../spec/messages/service-provisioning.ts'
import {
  atEcs,
  atEes,
  type EesArguments,
  provision,
  type SessionArguments,
  withEes,
  withSession,
} from './eec/session.ts'
import { print, table } from './output.ts'

export function addEecCommands(eec: Command): void {
  withSession(eec.command('provision'))
    .description('authenticate at an ECS and ask it for EESs; if authentication fails, nothing else is tried')
    .option('--request <file>', 'ECSServProvReq of TS 24.558, JSON: what to ask for')
    .action(runProvision)
  withEes(eec.command('register'))
    .description('register at an EES that the ECS names')
    .option('--registration <file>', 'EECRegistration of TS 24.558, JSON: what to register')
    .action(runRegister)
  withEes(eec.command('deregister'))
    .description('end a registration at an EES')
    .requiredOption('--registration-id <id>', 'what "edgeward eec register" printed')
    .action(runDeregister)
  withEes(eec.command('discover'))
    .description('ask an EES that the ECS names for EASs')
    .option('--eas-id <id>', 'for this EAS')
    .option('--request <file>', 'EasDiscoveryReq of TS 24.558, JSON: what to ask for')
    .action(runDiscover)
}

async function runProvision(options: SessionArguments & { readonly request?: string }): Promise<void> {
  const { json = false, request } = options
  const { eecId: _, ...wishes } = (await readMessage(request, ECSServProvReq, 'an ECSServProvReq')) ?? {}
  await atEcs(options, async (session, progress) => {
    const found = await provision(session, progress, wishes)
    const expiresAt = new Date(session.expiresAt).toISOString()
    const document = { ecs: session.ecs.fqdn, eecId: session.eecId, expiresAt, ednCnfgInfo: [], ...found }
    print(json, document, describeEess(found))
  })
}

async function runRegister(options: EesArguments & { readonly registration?: string }): Promise<void> {
  const { json = false, registration: file } = options
  const { eecId: _, ...wishes } = (await readMessage(file, EECRegistration, 'an EECRegistration')) ?? {}
  await atEes(options, async (session, progress) => {
    const { ees, method } = session
    const arrow = { clause: 'TS 24.558 5.2', from: 'EEC', to: ees.fqdn }
    const told = ({ registrationId }: EecRegistered) => `Eees_EECRegistration_Request: ${registrationId}`
    const registered = await progress.step(arrow, told, () => session.register(wishes))
    const { registrationId, registration } = registered
    const until = registration.expTime === undefined ? '' : ` until ${registration.expTime}`
    const text = `Registered at ${ees.eesId}${until}. The registration is ${registrationId}`
    print(json, { ees: ees.fqdn, eesId: ees.eesId, method, ...registered }, text)
  })
}

async function runDeregister(options: EesArguments & { readonly registrationId: string }): Promise<void> {
  const { json = false, registrationId } = options
  await atEes(options, async (session, progress) => {
    const { ees } = session
    const arrow = { clause: 'TS 24.558 5.2', from: 'EEC', to: ees.fqdn }
    await progress.step(arrow, 'Eees_EECRegistration_Deregister', () => session.deregister(registrationId))
    print(json, { ees: ees.fqdn, eesId: ees.eesId, registrationId }, `The registration at ${ees.eesId} has ended.`)
  })
}

async function runDiscover(
  options: EesArguments & { readonly request?: string; readonly easId?: string },
): Promise<void> {
  const { json = false, request, easId } = options
  const { requestorId: _, ...asked } = (await readMessage(request, EasDiscoveryReq, 'an EasDiscoveryReq')) ?? {}
  const filter = easId === undefined ? {} : { easDiscoveryFilter: { easChars: [{ easId }] } }
  const wishes: DiscoveryWishes = { ...asked, ...filter }
  await atEes(options, async (session, progress) => {
    const { ees, method } = session
    const arrow = { clause: 'TS 24.558 5.3', from: 'EEC', to: ees.fqdn }
    const found = await progress.step(arrow, 'Eees_EASDiscovery_Request', () => session.discover(wishes))
    print(json, { ees: ees.fqdn, eesId: ees.eesId, method, ...found }, describeEass(found))
  })
}

async function readMessage<Schema extends TSchema>(
  file: string | undefined,
  schema: Schema,
  name: string,
): Promise<Static<Schema> | undefined> {
  if (file === undefined) return undefined
  const message = parse(await readFile(file, 'utf8'))
  if (!isOfSchema(schema, message)) throw new NotUsable(`${file} is not ${name}`)
  return message
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describeEess(found: ECSServProvResp | undefined): string {
  const rows = (found?.ednCnfgInfo ?? []).flatMap(({ eess }) => eess.map(eesRow))
  return rows.length === 0 ? 'The ECS has no EES for this EEC.' : table(['EES', 'END POINT', 'EAS', 'REGISTER'], rows)
}

function eesRow({ eesId, endPt, easIds = [], eecRegConf }: EESInfo): string[] {
  return [eesId, placeOf(endPt), easIds.join(' '), eecRegConf ? 'yes' : 'no']
}

function describeEass({ discoveredEas }: EasDiscoveryResp): string {
  const rows = discoveredEas.map(({ eas: { easId, endPt, type }, lifeTime = '' }) => [
    easId,
    placeOf(endPt),
    type ?? '',
    lifeTime,
  ])
  return rows.length === 0 ? 'The EES has no EAS for this EEC.' : table(['EAS', 'END POINT', 'TYPE', 'UNTIL'], rows)
}

function placeOf({ uri, fqdn, ipv4Addrs = [], ipv6Addrs = [] }: Partial<EndPoint> = {}): string {
  return uri ?? fqdn ?? [...ipv4Addrs, ...ipv6Addrs].join(' ')
}
