import { readFile } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Resolve } from '../http/client.ts'
import { createLog } from '../http/log.ts'
import { systemRandom } from '../ports/random.ts'
import type { KeyProfile } from '../spec/messages/eec-authentication.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import { readPrivateFile } from '../store/private-file.ts'
import {
  allowEec,
  authenticateUe,
  describeUe,
  disallowEec,
  insertUsim,
  NotUsable,
  openUeFolder,
  readSubscription,
  type ServingNetworkAccess,
  type Subscription,
  serveUe,
  servingNetworkName,
  servingNetworkOf,
  type UeDescription,
} from '../ue/index.ts'
import { eecIdArgument, resolveArgument } from './arguments.ts'
import { print } from './output.ts'
import { printedSteps } from './step-lines.ts'
import { untilStopped } from './stop.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
}

export function addUeCommands(ue: Command): void {
  addInit(ue)
  addAuthenticate(ue)
  addEdgeInterface(ue)
  withFolder(ue.command('show'))
    .description('the UE and the EECs on it; no secrets')
    .action(async ({ dir, json = false }: Common) => {
      const shown = await describeUe(await openUeFolder(dir, passphrase()))
      print(json, shown, describe(shown))
    })
}

const passphrase = () => process.env['EDGEWARD_PASSPHRASE']

function withFolder(command: Command): Command {
  return command.requiredOption('--dir <folder>', 'the folder of the UE').option('--json', 'print one JSON document')
}

interface InitArguments {
  readonly subscription?: string
  readonly supi?: string
  readonly k?: string
  readonly opc?: string
  readonly mncLength: number
  readonly routingIndicator: string
  readonly scheme: 'A' | 'B' | 'null'
  readonly hnPublicKey?: string
  readonly hnKeyId: number
  readonly keyProfile: KeyProfile
  readonly replace?: boolean
}

function addInit(ue: Command): void {
  withFolder(ue.command('init'))
    .description('put a USIM into a UE, which is made if it is not there')
    .option('--subscription <file>', 'JSON: supi, homeNetwork, k, opc or op ...; "-" reads standard input')
    .option('--supi <supi>', 'in the place of a file, an IMSI: imsi-001010000000001')
    .option('--k <hex>', 'K; everybody on this machine can see it, so better use --subscription')
    .option('--opc <hex>', 'OPc; the same')
    .option('--mnc-length <digits>', 'of the IMSI, 2 or 3', mncLengthArgument, 2)
    .option('--routing-indicator <digits>', 'leads to the AUSF', '0')
    .addOption(new Option('--scheme <scheme>', 'conceals the SUPI').choices(['A', 'B', 'null']).default('null'))
    .option('--hn-public-key <file>', 'public key of the home network for the scheme, hexadecimal')
    .option('--hn-key-id <id>', 'its identifier, 1 to 255', Number, 1)
    .addOption(new Option('--key-profile <profile>').choices(['bound', 'literal']).default('bound'))
    .option('--replace', 'take out the USIM that is there; the keys that came from it are deleted')
    .action(async ({ dir, json = false, ...options }: Common & InitArguments) => {
      const { keyProfile, replace = false } = options
      const subscription = await subscriptionOf(options)
      const init = { random: systemRandom, passphrase: passphrase(), keyProfile, replace }
      const { folder } = await insertUsim(dir, subscription, init)
      const next = `edgeward ue authenticate --dir ${dir}`
      print(json, { dir: folder, next }, `The USIM is in ${dir}.\nNext: ${next}`)
    })
}

async function subscriptionOf(options: InitArguments): Promise<Subscription> {
  const { subscription: file, supi, k, opc, mncLength, routingIndicator, scheme, hnKeyId: id } = options
  if (file !== undefined) return readSubscription(file === '-' ? await textOf(process.stdin) : await secretText(file))
  if (supi === undefined || k === undefined || opc === undefined) {
    throw new NotUsable('a USIM needs --subscription, or --supi, --k and --opc')
  }
  const [, mcc = '', mnc = ''] = /^imsi-(\d{3})(\d{2,3})/.exec(supi) ?? []
  const homeNetwork = { mcc, mnc: mnc.slice(0, mncLength) }
  const key = scheme === 'null' ? undefined : { profile: scheme, id, key: await publicKey(options) }
  const record = { supi, k, opc, homeNetwork, routingIndicator, ...(key && { homeNetworkPublicKey: key }) }
  return readSubscription(JSON.stringify(record))
}

async function publicKey({ scheme, hnPublicKey }: InitArguments): Promise<string> {
  if (hnPublicKey === undefined) throw new NotUsable(`--scheme ${scheme} needs --hn-public-key`)
  return (await readFile(hnPublicKey, 'utf8')).trim()
}

const secretText = async (file: string) => (await readPrivateFile(file)).toString()

interface AuthenticateArguments {
  readonly amf?: string
  readonly ausf?: string
  readonly servingNetwork?: string
  readonly certificate?: string
  readonly key?: string
  readonly root?: string
  readonly resolve?: Resolve
}

function addAuthenticate(ue: Command): void {
  withFolder(ue.command('authenticate'))
    .description('primary authentication at the AUSF of the home network; Kedge and Kedge ID come of it')
    .option('--amf <folder>', 'the serving network: the folder of its SEAF, which knows all of the following')
    .option('--ausf <url>', 'https://FQDN:PORT')
    .option('--serving-network <name>', '5G:mnc001.mcc001.3gppnetwork.org')
    .option('--certificate <file>', 'what the serving network shows, PEM, with its issuer')
    .option('--key <file>', 'its private key, PEM')
    .option('--root <file>', 'the root that is trusted for the AUSF, PEM')
    .option('--resolve <fqdn=address...>', 'where a name is reached, instead of asking DNS', resolveArgument)
    .action(async ({ dir, json = false, ...options }: Common & AuthenticateArguments) => {
      const folder = await openUeFolder(dir, passphrase())
      const network = await servingNetwork(options)
      const { authType, kedgeId } = await authenticateUe(folder, network, printedSteps(json))
      const text = `The UE is authenticated by ${authType}. Kedge ID ${kedgeId}\nNext: edgeward ue serve --dir ${dir}`
      print(json, { authType, kedgeId }, text)
    })
}

async function servingNetwork(options: AuthenticateArguments): Promise<ServingNetworkAccess> {
  const { amf, ausf, servingNetwork: name, certificate, key, root, resolve } = options
  if (amf !== undefined) return { ...(await servingNetworkOf(amf, passphrase())), ...(resolve && { resolve }) }
  if (
    ausf === undefined ||
    name === undefined ||
    certificate === undefined ||
    key === undefined ||
    root === undefined
  ) {
    throw new NotUsable('a serving network is --amf, or --ausf, --serving-network, --certificate, --key and --root')
  }
  return {
    name: servingNetworkName(name),
    ausf,
    root: await readFile(root, 'utf8'),
    credential: { certificateChain: await readFile(certificate, 'utf8'), privateKey: await secretText(key) },
    ...(resolve && { resolve }),
  }
}

interface AllowArguments {
  readonly eecId: EecId
  readonly out?: string
  readonly entitlement?: boolean
}

function addEdgeInterface(ue: Command): void {
  withFolder(ue.command('allow'))
    .description('let an EEC ask for its keys: write its credential, a file that only you can read')
    .requiredOption('--eec-id <id>', 'the EEC', eecIdArgument)
    .option('--out <file>', 'where the credential goes, if not into the folder of the UE')
    .option('--entitlement', 'it may also authenticate the subscriber to an entitlement server; it learns the IMSI so')
    .action(async ({ dir, json = false, eecId, out: file, entitlement = false }: Common & AllowArguments) => {
      const ue = await openUeFolder(dir, passphrase())
      const credential = await allowEec(ue, eecId, systemRandom, { file, entitlement })
      const may = entitlement ? 'its keys, and for EAP-AKA at an entitlement server' : 'its keys'
      const text = `${eecId} may ask for ${may}. Its credential is ${credential}: give it to nobody else.`
      print(json, { eecId, credential, entitlement }, text)
    })
  withFolder(ue.command('disallow'))
    .description('end the credential of an EEC')
    .requiredOption('--eec-id <id>', 'the EEC', eecIdArgument)
    .action(async ({ dir, json = false, eecId }: Common & { eecId: EecId }) => {
      const allowed = await disallowEec(await openUeFolder(dir, passphrase()), eecId)
      print(json, { eecId, allowed }, allowed ? `${eecId} gets no more keys.` : `${eecId} was not allowed.`)
    })
  withFolder(ue.command('serve'))
    .description('answer the EECs on this UE, at a Unix socket in its folder, until stopped')
    .action(async ({ dir }: Common) => {
      const folder = await openUeFolder(dir, passphrase())
      const serving = await serveUe(folder, createLog('ue', folder.configuration.log))
      await untilStopped({ ready: 'ue', listeners: serving.listeners })
      await serving.close()
    })
}

function describe(ue: UeDescription): string {
  const { homeNetwork, routingIndicator, protectionScheme, keyProfile, edgeKeys, eecs, entitlementEecs } = ue
  const { mcc, mnc, nid } = homeNetwork
  const named = eecs.map((eecId) => (entitlementEecs.includes(eecId) ? `${eecId} (and entitlement)` : eecId))
  return [
    `Home network ${mcc}-${mnc}${nid === undefined ? '' : `-${nid}`}, routing indicator ${routingIndicator}, SUPI concealed by scheme ${protectionScheme}`,
    edgeKeys === undefined
      ? 'Not authenticated: there are no keys of the edge.'
      : `Authenticated by ${edgeKeys.authType} at ${edgeKeys.establishedAt}: Kedge ID ${edgeKeys.kedgeId}, profile ${keyProfile}`,
    eecs.length === 0 ? 'No EEC may ask for keys.' : `EECs: ${named.join(', ')}`,
  ].join('\n')
}

function mncLengthArgument(text: string): number {
  if (text !== '2' && text !== '3') throw new InvalidArgumentError('It is neither 2 nor 3.')
  return Number(text)
}
