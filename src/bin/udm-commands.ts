import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { createLog } from '../http/log.ts'
import { ADMIN_FILE, type AdminAddress } from '../nf/adapters/operator-client.ts'
import { systemRandom } from '../ports/random.ts'
import { CannotOpenStore } from '../store/errors.ts'
import { readPrivateFile, writePrivateFile } from '../store/private-file.ts'
import { udmAdminClient } from '../udm/adapters/admin-client.ts'
import { openUdm, UDM_STORE } from '../udm/adapters/open-udm.ts'
import { udmCommands } from '../udm/adapters/ports.ts'
import type { HomeNetworkKeys, UdmCommands } from '../udm/operator/commands.ts'
import { LARGEST_BATCH } from '../udm/routes/operator-routes.ts'
import type { SubscriberRecord } from '../udm/subscriber.ts'
import { parseSubscriberList } from '../udm/subscriber-list.ts'
import { addBackupCommand } from './backup-command.ts'
import { serveOpened } from './measured.ts'
import { systemEnvironment } from './operator.ts'
import { print, table } from './output.ts'
import { untilStopped } from './stop.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
}

const FOLDER = 'the folder of the UDM, made by "edgeward core init"'

export function addUdmCommands(udm: Command): void {
  withFolder(udm.command('serve'))
    .description('run until stopped; the first line of standard output says where, the log goes to standard error')
    .action(({ dir }: Common) => serve(dir))
  addBackupCommand(udm, { folder: FOLDER, store: UDM_STORE })
  const subscriber = udm.command('subscriber').description('the subscribers of the home network, also while it serves')
  addAdd(subscriber)
  addImport(subscriber)
  addListAndRemove(subscriber)
  addEecIds(subscriber)
}

function withFolder(command: Command): Command {
  return command.requiredOption('--dir <folder>', FOLDER).option('--json', 'print one JSON document')
}

async function serve(dir: string): Promise<void> {
  const { serveUdm } = await import('../udm/server/serve-udm.ts')
  const opened = await openUdm(dir, systemEnvironment('info'))
  const log = createLog('udm', opened.configuration.log)
  const udm = await serveOpened(opened, () => serveUdm({ ...opened, log }))
  const { fqdn, listeners } = udm
  const address: AdminAddress = { fqdn, admin: listeners.admin }
  await writeFile(join(dir, ADMIN_FILE), JSON.stringify(address), { mode: 0o600 })
  await untilStopped({ ready: 'udm', fqdn, listeners }, { reload: udm.reload })
  await rm(join(dir, ADMIN_FILE), { force: true })
  await udm.close()
}

/** Runs an operator's command in the UDM that serves from the folder, or on the folder itself if none does. */
async function asOperator<Result>(dir: string, command: (udm: UdmCommands) => Promise<Result>): Promise<Result> {
  const opened = await openUdm(dir, systemEnvironment('warn')).catch((error: unknown) => {
    const serving = error instanceof CannotOpenStore && error.reason === 'locked' && existsSync(join(dir, ADMIN_FILE))
    if (serving) return undefined
    throw error
  })
  if (opened !== undefined) return command(udmCommands(opened)).finally(() => opened.close())
  const client = await udmAdminClient(dir)
  return command(client).finally(() => client.close())
}

interface AddArguments extends Common {
  readonly supi: string
  readonly usim?: string
  readonly newUsim?: string
  readonly gpsi?: string
  readonly routingIndicator?: string
  readonly authMethod?: string
  readonly edge?: boolean
  readonly akma?: boolean
  readonly eecId?: readonly string[]
}

function addAdd(subscriber: Command): void {
  withFolder(subscriber.command('add'))
    .description('add one subscriber; K and OPc stand in a file, never on the command line')
    .requiredOption('--supi <supi>', 'imsi-... or nai-...')
    .option('--new-usim <file>', 'make K and OPc, and write what the USIM needs to this new file')
    .option('--usim <file>', 'a private file as --new-usim writes it, whose k and opc are taken')
    .option('--gpsi <gpsi>', 'msisdn-... or extid-...')
    .option('--routing-indicator <digits>', 'if it is not that of the core')
    .option('--auth-method <method>', '5G_AKA or EAP_AKA_PRIME', '5G_AKA')
    .option('--edge', 'the subscriber may use the edge')
    .option('--akma', 'the subscriber may use AKMA')
    .option('--eec-id <id...>', 'the only EEC IDs that it may use by TLS-PSK with Kedge, up to 16; any, if left out')
    .action(async ({ dir, json = false, usim, newUsim, eecId: eecIds, ...others }: AddArguments, command: Command) => {
      const options = { ...others, ...(eecIds && { eecIds }) }
      if ((usim === undefined) === (newUsim === undefined)) command.error('error: take one of --usim and --new-usim')
      const keys = usim === undefined ? drawKeys() : await readKeys(usim)
      await asOperator(dir, async (udm) => {
        // The file first: keys that nobody has a copy of would be no use in the UDM.
        if (newUsim !== undefined) await writeUsim(newUsim, { ...options, ...keys }, await udm.homeNetworkKeys())
        try {
          await udm.add([{ ...options, ...keys }])
        } catch (error) {
          if (newUsim !== undefined) await rm(newUsim, { force: true })
          throw error
        }
      })
      const file = newUsim === undefined ? {} : { usim: resolve(newUsim) }
      print(
        json,
        { supi: options.supi, ...file },
        `${options.supi} is added${newUsim ? `; its USIM is in ${newUsim}` : ''}.`,
      )
    })
}

interface Keys {
  readonly k: string
  readonly opc: string
}

const drawKeys = (): Keys => ({
  k: systemRandom.octets(16).toString('hex'),
  opc: systemRandom.octets(16).toString('hex'),
})

async function readKeys(file: string): Promise<Keys> {
  const { k, opc } = JSON.parse((await readPrivateFile(file)).toString()) as Partial<Keys>
  if (k === undefined || opc === undefined) throw new Error(`${file} has no members k and opc`)
  return { k, opc }
}

/** The subscription, as a UE takes it: `edgeward ue init --subscription FILE`. */
async function writeUsim(file: string, record: SubscriberRecord, network: HomeNetworkKeys): Promise<void> {
  const { supi, k, opc, routingIndicator = network.routingIndicator } = record
  const { homeNetwork, keys } = network
  const [homeNetworkPublicKey] = keys
  const subscription = {
    supi,
    homeNetwork,
    routingIndicator,
    ...(homeNetworkPublicKey && { homeNetworkPublicKey }),
    k,
    opc,
  }
  await writePrivateFile(file, Buffer.from(`${JSON.stringify(subscription, undefined, 2)}\n`))
}

function addImport(subscriber: Command): void {
  withFolder(subscriber.command('import'))
    .description('add the subscribers of a list; the whole list is read before the first one is added')
    .argument('<file>', 'comma separated: a line of column names (supi, k, opc, ...), then one line for each')
    .action(async (file: string, { dir, json = false }: Common) => {
      const records = parseSubscriberList(await readFile(file, 'utf8'))
      await asOperator(dir, async (udm) => {
        for (let from = 0; from < records.length; from += LARGEST_BATCH) {
          await udm.add(records.slice(from, from + LARGEST_BATCH)).catch((error: unknown) => {
            process.stderr.write(`${from} subscribers are added; the next ${LARGEST_BATCH} are not.\n`)
            throw error
          })
        }
      })
      print(
        json,
        { added: records.length },
        `${records.length} subscribers are added. Remove ${file}: it holds their keys.`,
      )
    })
}

function addListAndRemove(subscriber: Command): void {
  withFolder(subscriber.command('list'))
    .description('all subscribers, without their keys')
    .action(async ({ dir, json = false }: Common) => {
      const subscribers = await asOperator(dir, async (udm) => {
        const all = []
        let page = await udm.list()
        for (;;) {
          all.push(...page.subscribers)
          if (page.next === undefined) return all
          page = await udm.list(page.next)
        }
      })
      const rows = subscribers.map(({ supi, gpsi = '', authMethod, routingIndicator, edge, akma, eecIds = [] }) => {
        return [supi, gpsi, authMethod, routingIndicator, edge ? 'edge' : '', akma ? 'akma' : '', eecIds.join(' ')]
      })
      const head = ['SUPI', 'GPSI', 'METHOD', 'ROUTING', '', '', 'EEC IDS']
      print(json, { subscribers }, rows.length === 0 ? 'There is no subscriber.' : table(head, rows))
    })
  withFolder(subscriber.command('remove'))
    .description('remove one subscriber')
    .argument('<supi>')
    .action(async (supi: string, { dir, json = false }: Common) => {
      await asOperator(dir, (udm) => udm.remove(supi))
      print(json, { removed: supi }, `${supi} is removed.`)
    })
}

interface EecIdsArguments extends Common {
  readonly supi: string
  readonly set?: readonly string[]
  readonly any?: boolean
}

function addEecIds(subscriber: Command): void {
  withFolder(subscriber.command('eec-ids'))
    .description('say which EEC IDs a subscriber may use by TLS-PSK with Kedge, in the place of what was said before')
    .requiredOption('--supi <supi>', 'imsi-... or nai-...')
    .option('--set <id...>', 'these alone, up to 16; an EEC ID is of one subscriber')
    .option('--any', 'any EEC ID, also that of another subscriber')
    .action(async ({ dir, json = false, supi, set: eecIds, any = false }: EecIdsArguments, command: Command) => {
      if ((eecIds === undefined) !== any) command.error('error: take one of --set and --any')
      await asOperator(dir, (udm) => udm.setEecIds(supi, eecIds))
      const which = eecIds === undefined ? 'any EEC ID' : `${eecIds.join(', ')} and no other EEC ID`
      const text = `${supi} may use ${which}, from its next authentication to the network on.`
      print(json, { supi, ...(eecIds && { eecIds }) }, text)
    })
}
