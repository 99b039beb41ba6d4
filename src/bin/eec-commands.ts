import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { authenticate, type ECSServProvResp, type EESInfo, NotUsable } from '../eec/index.ts'
import type { Resolve } from '../http/client.ts'
import { isOfSchema } from '../http/schema.ts'
import { ECSServProvReq } from '../spec/messages/service-provisioning.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import { credentialFile } from '../ue/index.ts'
import { resolveArgument } from './ees-commands.ts'
import { print, table } from './output.ts'
import { printedSteps } from './step-lines.ts'
import { eecIdArgument } from './ue-commands.ts'

interface ProvisionArguments {
  readonly dir: string
  readonly eecId: EecId
  readonly ecs: string
  readonly root: string
  readonly credential?: string
  readonly request?: string
  readonly resolve?: Resolve
  readonly json?: boolean
}

export function addEecCommands(program: Command): void {
  const eec = program.command('eec').description('an Edge Enabler Client: authentication and service provisioning')
  eec
    .command('provision')
    .description('authenticate at an ECS and ask it for EESs; if authentication fails, nothing else is tried')
    .requiredOption('--dir <folder>', 'the folder of the UE, which must be serving')
    .requiredOption('--eec-id <id>', 'the EEC', eecIdArgument)
    .requiredOption('--ecs <url>', 'https://FQDN:PORT')
    .requiredOption('--root <file>', 'the root that is trusted for the ECS, PEM')
    .addOption(new Option('--method <method>', 'how to authenticate').choices(['kedge-psk']).default('kedge-psk'))
    .option('--credential <file>', 'what "edgeward ue allow" wrote, if it is not in the folder of the UE')
    .option('--request <file>', 'ECSServProvReq of TS 24.558, JSON: what to ask for')
    .option('--resolve <fqdn=address...>', 'where a name is reached, instead of asking DNS', resolveArgument)
    .option('--json', 'print one JSON document')
    .action(provision)
}

async function provision(options: ProvisionArguments): Promise<void> {
  const { dir, eecId, ecs, root, resolve, json = false } = options
  const progress = printedSteps(json)
  const { eecId: _, ...wishes } = options.request === undefined ? { eecId } : await readRequest(options.request)
  const session = await authenticate({
    credential: options.credential ?? credentialFile(dir, eecId),
    ecs,
    root: await readFile(root, 'utf8'),
    progress,
    ...(resolve && { resolve }),
  })
  try {
    const arrow = { clause: 'TS 24.558 6.2', from: 'EEC', to: session.ecs.fqdn }
    const found = await progress.step(arrow, 'Eecs_ServiceProvisioning_Request', () => session.provision(wishes))
    const expiresAt = new Date(session.expiresAt).toISOString()
    const document = { ecs: session.ecs.fqdn, eecId: session.eecId, expiresAt, ednCnfgInfo: [], ...found }
    print(json, document, describe(found))
  } finally {
    session.close()
  }
}

async function readRequest(file: string): Promise<ECSServProvReq> {
  const text = await readFile(file, 'utf8')
  const request = parse(text)
  if (!isOfSchema(ECSServProvReq, request)) throw new NotUsable(`${file} is not an ECSServProvReq`)
  return request
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describe(found: ECSServProvResp | undefined): string {
  const rows = (found?.ednCnfgInfo ?? []).flatMap(({ eess }) => eess.map(row))
  return rows.length === 0 ? 'The ECS has no EES for this EEC.' : table(['EES', 'END POINT', 'EAS', 'REGISTER'], rows)
}

function row({ eesId, endPt, easIds = [], eecRegConf }: EESInfo): string[] {
  const { uri, fqdn, ipv4Addrs = [], ipv6Addrs = [] } = endPt ?? {}
  return [eesId, uri ?? fqdn ?? [...ipv4Addrs, ...ipv6Addrs].join(' '), easIds.join(' '), eecRegConf ? 'yes' : 'no']
}
