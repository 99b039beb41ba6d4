import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { onboard, openRegistration, type Registration, serveEes } from '../ees/index.ts'
import type { Resolve } from '../http/client.ts'
import { createLog } from '../http/log.ts'
import { isOfSchema } from '../http/schema.ts'
import { EESProfile, EESRegistration } from '../spec/messages/ees-registration.ts'
import { fqdnArgument } from './ecs-commands.ts'
import { print } from './output.ts'
import { untilStopped } from './stop.ts'
import { eecIdArgument } from './ue-commands.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
  readonly resolve?: Resolve
}

/** Beside the files of the SDK: what was given as `--resolve` at onboarding holds for every later command. */
const RESOLVE_FILE = 'resolve.json'

export function addEesCommands(program: Command): void {
  const ees = program.command('ees').description('an Edge Enabler Server: onboarding and the life of its registration')
  addOnboard(ees)
  addLife(ees)
  addServe(ees)
}

function withFolder(command: Command): Command {
  return command
    .requiredOption('--dir <folder>', 'the folder of the EES')
    .option('--resolve <fqdn=address...>', 'where a name is reached, instead of asking DNS', resolveArgument)
    .option('--json', 'print one JSON document')
}

function addOnboard(ees: Command): void {
  withFolder(ees.command('onboard'))
    .description('make a key, register at the ECS of the bundle, keep certificate and registration; safe to repeat')
    .requiredOption('--bundle <file>', 'what "edgeward ecs invite" printed')
    .requiredOption('--profile <file>', 'EESProfile of TS 29.558, JSON')
    .option('--exp-time <time>', 'until when to be registered, RFC 3339')
    .action(async (options: Common & { bundle: string; profile: string; expTime?: string }) => {
      const { dir, bundle, profile, expTime, resolve = new Map(), json = false } = options
      const eesProf = await readProfile(profile)
      const presentation = { eesProf, ...(expTime !== undefined && { expTime }) }
      const registration = await onboard(await readFile(bundle, 'utf8'), presentation, { store: dir, resolve })
      await writeFile(join(dir, RESOLVE_FILE), JSON.stringify([...resolve]))
      registration.close()
      const { registrationId, eesId, ecs, registration: message } = registration.record
      const text = `${eesId} is registered at ${ecs.fqdn} until ${message.expTime}.\nRegistration ${registrationId}, certificate ${dir}/ees.crt, key ${dir}/ees.key\nNext: edgeward ees serve --dir ${dir}`
      print(json, registration.record, text)
    })
}

async function withRegistration<Result>(
  options: Common,
  work: (registration: Registration) => Promise<Result>,
): Promise<Result> {
  const registration = await openRegistration({ store: options.dir, resolve: await resolveFor(options) })
  return work(registration).finally(() => registration.close())
}

async function resolveFor({ dir, resolve }: Common): Promise<Resolve> {
  const kept = await readFile(join(dir, RESOLVE_FILE), 'utf8').catch(() => '[]')
  return new Map([...(JSON.parse(kept) as [string, string][]), ...(resolve ?? [])])
}

function addLife(ees: Command): void {
  withFolder(ees.command('show'))
    .description('the registration, as the ECS has it now')
    .action(async (options: Common) => {
      const shown = await withRegistration(options, async (registration) => {
        await registration.show()
        return registration.record
      })
      print(options.json === true, shown, JSON.stringify(shown.registration, undefined, 2))
    })
  withFolder(ees.command('update'))
    .description('replace the profile')
    .requiredOption('--profile <file>', 'EESProfile of TS 29.558, JSON; or a whole EESRegistration')
    .action(async (options: Common & { profile: string }) => {
      const message = await readMessage(options.profile)
      const updated = await withRegistration(options, (registration) => registration.update(message))
      print(options.json === true, updated, `Updated, registered until ${updated.expTime}.`)
    })
  withFolder(ees.command('renew'))
    .description('get the next certificate by the power of the present one')
    .option('--new-key', 'for a new key')
    .action(async (options: Common & { newKey?: boolean }) => {
      const { serial, notAfter } = await withRegistration(options, async (registration) => {
        await registration.renew({ newKey: options.newKey === true })
        return registration.certificate
      })
      const until = new Date(notAfter).toISOString()
      print(options.json === true, { serial, notAfter: until }, `Certificate ${serial} is good until ${until}.`)
    })
  withFolder(ees.command('token'))
    .description('get an access token, bound to the certificate')
    .requiredOption('--scope <apis>', 'names of APIs, separated by blanks')
    .option('--target <fqdn>', 'the EES that will check it; left out, it is for the ECS', fqdnArgument)
    .option('--eec-id <id>', 'the EEC whose contexts it is for', eecIdArgument)
    .action(async (options: Common & { scope: string; target?: string; eecId?: string }) => {
      const { scope, target, eecId } = options
      const purpose = { scope, ...(target !== undefined && { target }), ...(eecId !== undefined && { eecId }) }
      const token = await withRegistration(options, (registration) => registration.token(purpose))
      print(options.json === true, token, token.accessToken)
    })
  withFolder(ees.command('deregister'))
    .description('end the registration; certificate and tokens end with it')
    .action(async (options: Common) => {
      await withRegistration(options, (registration) => registration.deregister())
      print(
        options.json === true,
        { deregistered: true },
        'Deregistered. The certificate is revoked; a new invitation is needed to come back.',
      )
    })
}

function addServe(ees: Command): void {
  withFolder(ees.command('serve'))
    .description('run the reference EES until stopped; its certificate and registration renew themselves')
    .option('--listen <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <port>', 'the port; 0: any that is free', (text) => Number(text), 0)
    .option(
      '--check-revocation',
      'refuse clients on the revocation list of the ECS, and everybody while it cannot be had',
    )
    .action(async (options: Common & { listen: string; port: number }) => {
      const { dir, listen: address, port } = options
      const registration = await openRegistration({ store: dir, resolve: await resolveFor(options) })
      const ees = await serveEes(registration, { address, port, log: createLog('ees', 'info') })
      const { fqdn, listeners } = ees
      await untilStopped({ ready: 'ees', fqdn, listeners })
      await ees.close()
      registration.close()
    })
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${file} is not JSON`, { cause })
  }
}

async function readProfile(file: string): Promise<EESProfile> {
  const profile = await readJson(file)
  if (!isOfSchema(EESProfile, profile))
    throw new Error(`${file} is not an EESProfile: eesId, endPt and eecRegConf are needed`)
  return profile
}

async function readMessage(file: string): Promise<EESRegistration> {
  const content = await readJson(file)
  return isOfSchema(EESRegistration, content) ? content : { eesProf: await readProfile(file) }
}

/** @param before - what was given by the same option already */
export function resolveArgument(text: string, before: Resolve = new Map()): Resolve {
  const [name = '', address] = text.split('=')
  if (address === undefined || address === '') throw new InvalidArgumentError('It is not FQDN=ADDRESS.')
  return new Map([...before, [fqdnArgument(name), address]])
}
