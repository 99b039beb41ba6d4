import { createPublicKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { entitlementAdminClient } from '../entitlement/adapters/admin-client.ts'
import { entitlementCommands } from '../entitlement/adapters/commands.ts'
import { ENTITLEMENT_NF_TYPE } from '../entitlement/adapters/init-folder.ts'
import { ENTITLEMENT_STORE, openEntitlement } from '../entitlement/adapters/open-entitlement.ts'
import { ENTITLEMENT_SERVER, type EntitlementConfiguration } from '../entitlement/configuration.ts'
import type { EntitlementCommands } from '../entitlement/operator/commands.ts'
import { createLog } from '../http/log.ts'
import { certifyKey, openCoreAuthority } from '../nf/adapters/core-authority.ts'
import { openNfFolder } from '../nf/adapters/folder.ts'
import { ADMIN_FILE, type AdminAddress } from '../nf/adapters/operator-client.ts'
import { systemClock } from '../ports/clock.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { CannotOpenStore } from '../store/errors.ts'
import { fqdnArgument, portArgument } from './arguments.ts'
import { addBackupCommand } from './backup-command.ts'
import { initEntitlement } from './core/init-entitlement.ts'
import { entitlementServerOf, trustVerifier } from './core/trust-verifier.ts'
import { entitlementHandover, handoverText, writeHandover } from './core/write-handover.ts'
import { serveOpened } from './measured.ts'
import { systemEnvironment } from './operator.ts'
import { print, table } from './output.ts'
import { untilStopped } from './stop.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
}

const FOLDER = 'the folder of the entitlement server'

export function addEntitlementCommands(entitlement: Command): void {
  addInit(entitlement)
  withFolder(entitlement.command('serve'))
    .description('run until stopped; the first line of standard output says where, the log goes to standard error')
    .action(({ dir }: Common) => serve(dir))
  addEec(entitlement)
  addWithdraw(entitlement)
  addTrust(entitlement)
  addRotate(entitlement)
  addBackupCommand(entitlement, { folder: FOLDER, store: ENTITLEMENT_STORE })
}

function withFolder(command: Command): Command {
  return command.requiredOption('--dir <folder>', FOLDER).option('--json', 'print one JSON document')
}

function addInit(entitlement: Command): void {
  withFolder(entitlement.command('init'))
    .description('make one more entitlement server for a core that stands; "core init" has made one already')
    .requiredOption('--fqdn <name>', 'its host name, as aes.mnc001.mcc001.pub.3gppnetwork.org', fqdnArgument)
    .option(
      '--core <folder>',
      'the folder of the core, whose authority certifies it; the parent of --dir unless stated',
    )
    .option('--listen <address>', 'the address to listen on', '127.0.0.1')
    .option('--server-port <port>', 'of the listener for devices; 0: any that is free, and kept', portArgument, 0)
    .action(async (options: Common & { fqdn: Fqdn; core?: string; listen: string; serverPort: number }) => {
      const { dir, fqdn, listen: address, serverPort: port, core = dirname(resolve(dir)), json = false } = options
      await initEntitlement(dir, { core, fqdn, address, port }, systemEnvironment('warn'))
      const next = `edgeward entitlement serve --dir ${dir}`
      print(json, { dir: resolve(dir), fqdn, next: [next] }, `${fqdn} stands in ${dir}.\nNext: ${next}`)
    })
}

async function serve(dir: string): Promise<void> {
  const { serveEntitlement } = await import('../entitlement/server/serve-entitlement.ts')
  const opened = await openEntitlement(dir, systemEnvironment('info'))
  const log = createLog('entitlement', opened.configuration.log)
  const entitlement = await serveOpened(opened, () => serveEntitlement({ ...opened, log }))
  const { fqdn, listeners } = entitlement
  const address: AdminAddress = { fqdn, admin: listeners.admin }
  await writeFile(join(dir, ADMIN_FILE), JSON.stringify(address), { mode: 0o600 })
  await untilStopped({ ready: 'entitlement', fqdn, listeners }, { reload: entitlement.reload })
  await rm(join(dir, ADMIN_FILE), { force: true })
  await entitlement.close()
}

/** Runs an operator's command in the server that serves from the folder, or on the folder itself if none does. */
async function asOperator<Result>(
  dir: string,
  command: (entitlement: EntitlementCommands) => Promise<Result>,
): Promise<Result> {
  const opened = await openEntitlement(dir, systemEnvironment('warn')).catch((error: unknown) => {
    const serving = error instanceof CannotOpenStore && error.reason === 'locked' && existsSync(join(dir, ADMIN_FILE))
    if (serving) return undefined
    throw error
  })
  if (opened !== undefined) return command(entitlementCommands(opened)).finally(() => opened.close())
  const client = await entitlementAdminClient(dir)
  return command(client).finally(() => client.close())
}

interface EecArguments extends Common {
  readonly supi: string
  readonly eecId: string
  readonly gpsi?: string
}

function addEec(entitlement: Command): void {
  const eec = entitlement.command('eec').description('the EEC IDs that subscribers may use, also while it serves')
  const named = (command: Command) =>
    withFolder(command)
      .requiredOption('--supi <supi>', 'imsi-... or nai-...')
      .requiredOption('--eec-id <id>', 'the EEC ID')
  named(eec.command('allow'))
    .description('let a subscriber use an EEC ID')
    .option('--gpsi <gpsi>', 'msisdn-... or extid-...: its tokens name it')
    .action(async ({ dir, json = false, supi, eecId, gpsi }: EecArguments) => {
      await asOperator(dir, (server) => server.allow({ supi, eecId, ...(gpsi !== undefined && { gpsi }) }))
      print(json, { supi, eecId }, `${supi} may use ${eecId}.`)
    })
  named(eec.command('deny'))
    .description('end that, with every token of it')
    .action(async ({ dir, json = false, supi, eecId }: EecArguments) => {
      await asOperator(dir, (server) => server.deny({ supi, eecId }))
      print(json, { supi, eecId }, `${supi} may no longer use ${eecId}.`)
    })
  withFolder(eec.command('list'))
    .description('all EEC IDs, and who may use them')
    .action(async ({ dir, json = false }: Common) => {
      const eecs = await asOperator(dir, async (server) => {
        const all = []
        let page = await server.list()
        for (;;) {
          all.push(...page.eecs)
          if (page.next === undefined) return all
          page = await server.list(page.next)
        }
      })
      const rows = eecs.map(({ eecId, supi, gpsi = '' }) => [eecId, supi, gpsi])
      print(json, { eecs }, rows.length === 0 ? 'No EEC is allowed.' : table(['EEC ID', 'SUPI', 'GPSI'], rows))
    })
}

function addWithdraw(entitlement: Command): void {
  withFolder(entitlement.command('withdraw'))
    .description('end all that a subscriber has: its EEC IDs, their tokens, its fast authentication')
    .requiredOption('--supi <supi>', 'imsi-... or nai-...')
    .action(async ({ dir, json = false, supi }: Common & { supi: string }) => {
      const { eecIds } = await asOperator(dir, (server) => server.withdraw(supi))
      print(json, { supi, eecIds }, `${supi} has nothing left; it had ${eecIds.length} EEC IDs.`)
    })
}

interface TrustArguments extends Common {
  readonly fqdn: Fqdn
  readonly type: 'ecs' | 'ees'
  readonly root: readonly string[]
  readonly out?: string
}

function addTrust(entitlement: Command): void {
  withFolder(entitlement.command('trust'))
    .description('let an ECS or EES ask about tokens that it is shown; it holds within a second, also while it serves')
    .requiredOption('--fqdn <name>', 'the host name of the ECS or EES, as in its certificate', fqdnArgument)
    .addOption(new Option('--type <entity>', 'what it is').choices(['ecs', 'ees']).default('ecs'))
    .requiredOption(
      '--root <file...>',
      'PEM of its root, and of the authority that issued its certificate: in one file, in two, or the latter as ' +
        'ecs-issuer.crt (ees-issuer.crt) beside the root',
    )
    .option(
      '--out <file>',
      'write there what the operator of an ECS takes with "edgeward ecs trust"; nothing is secret',
    )
    .action(async ({ dir, fqdn, type, root: roots, out, json = false }: TrustArguments, command: Command) => {
      if (out !== undefined && type === 'ees')
        command.error('error: --out is for an ECS; ees.yaml takes what is printed')
      const entry = await trustVerifier(dir, { fqdn, type, roots })
      const entitlementServer = await entitlementServerOf(dir)
      const done = `${fqdn} may ask about tokens that it is shown.`
      if (out !== undefined) {
        const told = await writeHandover(out, await entitlementHandover(dir, fqdn), systemClock.now())
        print(json, { ...entry, entitlementServer, out: resolve(out) }, `${done} ${handoverText(out, told)}`)
        return
      }
      const list =
        type === 'ecs' ? 'authentication.entitlementServers of its ecs.yaml' : 'eec.entitlementServers of its ees.yaml'
      const text = `${done} For ${list}:\n`
      print(json, { ...entry, entitlementServer }, text + JSON.stringify(entitlementServer, undefined, 2))
    })
}

function addRotate(entitlement: Command): void {
  withFolder(entitlement.command('rotate-key'))
    .description('give the tokens a new key, certified by the authority of the core; it is shown before it signs')
    .option('--core <folder>', 'the folder of the core; the parent of --dir unless stated')
    .option('--compromised', 'the old keys end at once, with every token that they signed')
    .action(async (options: Common & { core?: string; compromised?: boolean }) => {
      const { dir, core = dirname(resolve(dir)), compromised = false, json = false } = options
      const environment = systemEnvironment('warn')
      const authority = await openCoreAuthority(join(core, 'ca'), environment.passphrase)
      const { configuration } = await openNfFolder<EntitlementConfiguration>(
        dir,
        ENTITLEMENT_SERVER,
        environment.passphrase,
      )
      const subject = { ...configuration, role: 'nf', nfType: ENTITLEMENT_NF_TYPE } as const
      const { kid, signsFrom } = await asOperator(dir, async (server) => {
        const made = await server.newSigningKey()
        const spki = Buffer.from(made.publicKey, 'base64')
        const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
        const chain = await certifyKey(subject, publicKey, authority, environment)
        return server.installSigningKey({ chain, replacesAll: compromised })
      })
      const from = new Date(signsFrom).toISOString()
      print(json, { kid, signsFrom: from }, `The key ${kid} signs from ${from}.`)
    })
}
