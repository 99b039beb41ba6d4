import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { asEesOperator } from '../ees/adapters/as-operator.ts'
import { certifyEas } from '../ees/adapters/eas-authority.ts'
import { onboard, openRegistration } from '../ees/adapters/open-registration.ts'
import { EES_STORE } from '../ees/adapters/open-services.ts'
import { readEesConfiguration } from '../ees/adapters/read-configuration.ts'
import type { EESInfo, Registration } from '../ees/index.ts'
import type { OperatorCommands as EesOperatorCommands } from '../ees/operator/commands.ts'
import type { Resolve } from '../http/client.ts'
import { createLog } from '../http/log.ts'
import { fqdnOf } from '../http/origin.ts'
import { isOfSchema } from '../http/schema.ts'
import { EESProfile, EESRegistration } from '../spec/messages/ees-registration.ts'
import { eecIdArgument, fqdnArgument, portArgument, resolveArgument } from './arguments.ts'
import { addBackupCommand } from './backup-command.ts'
import { measured } from './measured.ts'
import { print } from './output.ts'
import { untilStopped } from './stop.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
  readonly resolve?: Resolve
}

/** Beside the files of the SDK: what was given as `--resolve` at onboarding holds for every later command. */
const RESOLVE_FILE = 'resolve.json'

const FOLDER = 'the folder of the EES'

export function addEesCommands(ees: Command): void {
  addOnboard(ees)
  addLife(ees)
  addServe(ees)
  addEecs(ees)
  addEass(ees)
  addBackupCommand(ees, { folder: FOLDER, store: EES_STORE })
}

function withFolder(command: Command): Command {
  return command
    .requiredOption('--dir <folder>', FOLDER)
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
  withFolder(ees.command('discover'))
    .description('find other EESs that serve an EAS and that this one may have tokens for, at its ECS or across ECSs')
    .requiredOption('--eas-id <id>', 'the EAS that they shall serve')
    .option('--dnai <dnai>', 'where')
    .action(async (options: Common & { easId: string; dnai?: string }) => {
      const { easId, dnai } = options
      const ednCnfgInfo = await withRegistration(options, (registration) =>
        registration.discoverTargetEess({ easId, dnai }),
      )
      const eess = ednCnfgInfo.flatMap((network) => network.eess)
      print(options.json === true, { ednCnfgInfo }, eess.map(lineOf).join('\n') || `No other EES serves ${easId}.`)
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

function lineOf({ eesId, endPt }: EESInfo): string {
  const place = endPt?.fqdn ?? endPt?.uri ?? [...(endPt?.ipv4Addrs ?? []), ...(endPt?.ipv6Addrs ?? [])].join(' ')
  return `${eesId} at ${place}`
}

function addServe(ees: Command): void {
  withFolder(ees.command('serve'))
    .description('run the reference EES until stopped; its certificate and registration renew themselves')
    .option('--listen <address>', 'the address to listen on, instead of what ees.yaml says')
    .option('--port <port>', 'of the listener for EASs and EESs; 0: any that is free', portArgument)
    .option('--server-port <port>', 'of the listener for EECs; 0: any that is free', portArgument)
    .action(async (options: Common & { listen?: string; port?: number; serverPort?: number }) => {
      const { dir, listen: address, port, serverPort } = options
      const resolve = await resolveFor(options)
      const registration = await openRegistration({ store: dir, resolve })
      const configuration = await readEesConfiguration(dir)
      const log = createLog('ees', configuration.log)
      const { serveEes } = await import('../ees/server/serve-ees.ts')
      const served = { folder: dir, address, port, serverPort, resolve, passphrase: passphrase(), log }
      const ees = await measured(configuration.metrics, () => serveEes(registration, served))
      const { fqdn, listeners } = ees
      await untilStopped({ ready: 'ees', fqdn, listeners })
      await ees.close()
      registration.close()
    })
}

function addEecs(ees: Command): void {
  const eec = ees.command('eec').description('the EECs at this EES')
  withFolder(eec.command('list'))
    .description('who is registered, with the identifier of its context')
    .action(async (options: Common) => {
      const eecs = await atServices(options, async (operator) => {
        const all = []
        for (let after = ''; ; ) {
          const page = await operator.listEecs(after, 1_000)
          all.push(...page)
          if (page.length < 1_000) return all
          after = page.at(-1)?.eecId ?? ''
        }
      })
      const shown = eecs.map(({ eecId, registrationId, contextId, expiresAt, movingTo }) => {
        return {
          eecId,
          registrationId,
          contextId,
          expTime: new Date(expiresAt).toISOString(),
          ...(movingTo && { movingTo }),
        }
      })
      print(options.json === true, shown, shown.map(({ eecId, expTime }) => `${eecId} until ${expTime}`).join('\n'))
    })
  withFolder(ees.command('relocate'))
    .description('move the context of an EEC to another EES, which it is registered at from then on (EDGE-9)')
    .requiredOption('--eec-id <id>', 'the EEC', eecIdArgument)
    .requiredOption('--target <fqdn[:port]>', 'the listener of the other EES for mutual TLS', originArgument)
    .action(async (options: Common & { eecId: string; target: string }) => {
      const { eecId, target } = options
      const moved = await atServices(options, (operator) => operator.relocate(eecId, target))
      print(
        options.json === true,
        moved,
        `${eecId} is registered at ${target}${moved.implReg ? ` as ${moved.implReg.regId}` : ''}, and no longer here.`,
      )
    })
}

function atServices<Result>(
  options: Common,
  command: (operator: EesOperatorCommands) => Promise<Result>,
): Promise<Result> {
  return withRegistration(options, async (registration) =>
    asEesOperator(
      { folder: options.dir, registration, passphrase: passphrase(), log: createLog('ees', 'warn') },
      command,
    ),
  )
}

function addEass(ees: Command): void {
  const eas = ees.command('eas').description('the EASs at this EES')
  withFolder(eas.command('certify'))
    .description('give an EAS its certificate for EDGE-3, from an authority of this EES that is made at the first call')
    .requiredOption('--csr <file>', 'certification request of the EAS (PKCS #10, PEM): its key is taken, nothing else')
    .requiredOption('--eas-id <id>', 'easId of the profile that it will register')
    .option('--days <days>', 'how long the certificate is good', (text) => Number(text))
    .option('--out <file>', 'where to write it, with its issuer; without, it is printed')
    .action(async (options: Common & { csr: string; easId: string; days?: number; out?: string }) => {
      const { dir, easId, days, out } = options
      const csr = await readFile(options.csr)
      const chain = await withRegistration(options, ({ record }) =>
        certifyEas(dir, record.fqdn, { csr: csr.toString(), easId, days, passphrase: passphrase() }),
      )
      if (out !== undefined) await writeFile(out, chain)
      print(
        options.json === true,
        { easId, certificate: chain },
        out === undefined ? chain.trimEnd() : `${easId}: ${out}`,
      )
    })
}

const passphrase = () => process.env['EDGEWARD_PASSPHRASE']

/** @returns `https://FQDN[:PORT]` */
function originArgument(text: string): string {
  const origin = `https://${text}`
  if (fqdnOf(origin) === undefined) throw new InvalidArgumentError('It is not FQDN or FQDN:PORT.')
  return origin
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
