import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../ports/clock.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { parseRoutingIndicator } from '../spec/subscriber-identifiers.ts'
import { fqdnArgument, portArgument } from './arguments.ts'
import { initCore } from './core/init-core.ts'
import { keyServiceOf } from './core/key-service.ts'
import { renewCore } from './core/renew-core.ts'
import { readAuthorities, readEncryptionKey, trustEcs } from './core/trust-ecs.ts'
import { handoverText, keyServiceHandover, writeHandover } from './core/write-handover.ts'
import { systemEnvironment } from './operator.ts'
import { print } from './output.ts'
import { noticeOf, printRenewed, type RenewalArguments, withNotice } from './renewal.ts'

export function addCoreCommands(core: Command): void {
  addInit(core)
  addTrust(core)
  addRenew(core)
}

interface InitArguments {
  readonly dir: string
  readonly mcc: string
  readonly mnc: string
  readonly routingIndicator: string
  readonly listen: string
  readonly udmPort: number
  readonly ausfPort: number
  readonly nefPort: number
  readonly entitlementPort: number
  readonly json?: boolean
}

function addInit(core: Command): void {
  core
    .command('init')
    .description(
      'make a core network: its authority, UDM, AUSF, NEF, ENT and the credential of a SEAF; never overwrites',
    )
    .requiredOption('--dir <folder>', 'where it is made')
    .requiredOption('--mcc <digits>', 'mobile country code', digitsArgument(3, 3))
    .requiredOption('--mnc <digits>', 'mobile network code', digitsArgument(2, 3))
    .option('--routing-indicator <digits>', 'of subscribers for whom no other is given', routingIndicatorArgument, '0')
    .option('--listen <address>', 'the address to listen on', '127.0.0.1')
    .option('--udm-port <port>', 'of the UDM for network functions; 0: any that is free, and kept', portArgument, 0)
    .option('--ausf-port <port>', 'of the AUSF, also for ECSs inside the domain', portArgument, 0)
    .option('--nef-port <port>', 'of the NEF, for ECSs outside the domain', portArgument, 0)
    .option('--entitlement-port <port>', 'of the entitlement server for devices', portArgument, 0)
    .option('--json', 'print one JSON document')
    .action(async (options: InitArguments) => {
      const { dir, mcc, mnc, routingIndicator, listen: address, json = false } = options
      const { udmPort: udm, ausfPort: ausf, nefPort: nef, entitlementPort: entitlement } = options
      const { clock, random, passphrase } = systemEnvironment('warn')
      const ports = { udm, ausf, nef, entitlement }
      const core = { homeNetwork: { mcc, mnc }, routingIndicator, address, ports }
      await initCore(dir, core, { clock, random, passphrase })
      const next = ['udm', 'ausf', 'nef', 'entitlement'].map(
        (name) => `edgeward ${name} serve --dir ${join(dir, name)}`,
      )
      const folders = Object.fromEntries(
        ['ca', 'udm', 'ausf', 'nef', 'amf', 'entitlement'].map((name) => [name, resolve(dir, name)]),
      )
      print(
        json,
        { dir: resolve(dir), folders, next },
        `The core of ${mcc} ${mnc} stands in ${dir}.\nNext: ${next.join('\n      ')}`,
      )
    })
}

interface TrustArguments {
  readonly dir: string
  readonly ecsFqdn: Fqdn
  readonly root: readonly string[]
  readonly via: string
  readonly afId?: string
  readonly akma?: boolean
  readonly encryptionKey?: string
  readonly out?: string
  readonly json?: boolean
}

function addTrust(core: Command): void {
  core
    .command('trust')
    .description('let an ECS have keys of its EECs; what is changed holds within a second, also while they serve')
    .requiredOption('--dir <folder>', 'the folder of the core')
    .requiredOption('--ecs-fqdn <name>', 'the host name of the ECS, as in its certificate', fqdnArgument)
    .requiredOption(
      '--root <file...>',
      'PEM of the root of the ECS, and of the authority that issued its certificate: in one file, in two, or the latter ' +
        'as ecs-issuer.crt beside the root',
    )
    .option('--via <entity>', 'ausf: it is in the domain of the operator; nef: it is not', viaArgument, 'ausf')
    .option('--af-id <id>', 'how the NEF knows it, if not by its host name')
    .option('--akma', 'also the keys of AKMA, for subscribers that may use it; with --via ausf')
    .option('--encryption-key <file>', 'PEM of its public key on P-256, which its keys are encrypted to on their way')
    .option(
      '--out <file>',
      'write there what the operator of the ECS takes with "edgeward ecs trust"; nothing is secret',
    )
    .option('--json', 'print one JSON document')
    .action(trust)
}

async function trust(options: TrustArguments) {
  const { dir, ecsFqdn: fqdn, root, via: asked, afId, akma = false, encryptionKey, out, json = false } = options
  const via = asked === 'nef' ? 'nef' : 'ausf'
  const authorities = await readAuthorities(root)
  const key = encryptionKey === undefined ? undefined : readEncryptionKey(await readFile(encryptionKey, 'utf8'))
  await trustEcs(dir, { fqdn, authorities, via, afId, akma, encryptionKey: key })
  const keyService = await keyServiceOf(dir, { fqdn, via, afId, akma })
  const done = `${via.toUpperCase()} gives keys to ${fqdn}.`
  if (out !== undefined) {
    const told = await writeHandover(out, await keyServiceHandover(dir, { fqdn, via, afId, akma }), systemClock.now())
    print(json, { ecsFqdn: fqdn, keyService, out: resolve(out) }, `${done} ${handoverText(out, told)}`)
    return
  }
  const text = `${done} For authentication.keyServices of its ecs.yaml:\n`
  print(json, { ecsFqdn: fqdn, keyService }, text + JSON.stringify(keyService, undefined, 2))
}

function addRenew(core: Command): void {
  const renew = core
    .command('renew')
    .description(
      'give network functions, and their operators, new keys and certificates before theirs end; also while they serve',
    )
    .requiredOption('--dir <folder>', 'the folder of the core')
    .option('--name <name...>', 'folders in it, as ausf, or paths of others; all that are in it unless stated')
  withNotice(renew).action(async (options: RenewalArguments & { name?: readonly string[] }) => {
    const { dir, name: names, json = false } = options
    const looked = await renewCore(dir, { names, notice: noticeOf(options) }, systemEnvironment('warn'))
    printRenewed(json, looked, 'Servers take their new certificates within a second; nothing has to be restarted.')
  })
}

function digitsArgument(fewest: number, most: number) {
  return (text: string): string => {
    if (/^\d+$/.test(text) && text.length >= fewest && text.length <= most) return text
    throw new InvalidArgumentError(`It has ${fewest === most ? fewest : `${fewest} or ${most}`} digits.`)
  }
}

function routingIndicatorArgument(text: string): string {
  if (parseRoutingIndicator(text) === undefined) throw new InvalidArgumentError('It has 1 to 4 digits.')
  return text
}

function viaArgument(text: string): string {
  if (text !== 'ausf' && text !== 'nef') throw new InvalidArgumentError('It is ausf or nef.')
  return text
}
