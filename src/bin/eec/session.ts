import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import {
  authenticate,
  type ECSServProvResp,
  type EcsMethod,
  type EcsSession,
  type EESInfo,
  type EesMethod,
  type EesSession,
  NotUsable,
  type ProvisioningOptions,
  type ProvisioningWishes,
} from '../../eec/index.ts'
import type { Resolve } from '../../http/client.ts'
import type { Progress } from '../../ports/progress.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { readPrivateFile } from '../../store/private-file.ts'
import { credentialFile } from '../../ue/index.ts'
import { eecIdArgument, resolveArgument } from '../arguments.ts'
import { printedSteps } from '../step-lines.ts'

/** The names on the command line of the methods at an ECS, and at an EES. */
const METHODS = {
  'kedge-psk': 'TLS_KEDGE',
  akma: 'TLS_AKMA',
  certificate: 'TLS_CLIENT_SERVER_CERTIFICATE',
  'entitlement-token': 'ENTITLEMENT_TOKEN',
} as const
const EES_METHODS = { 'access-token': 'EDGE_ACCESS_TOKEN', 'entitlement-token': 'ENTITLEMENT_TOKEN' } as const

export interface SessionArguments {
  readonly dir: string
  readonly eecId: EecId
  readonly ecs: string
  readonly root: string
  readonly method: readonly (keyof typeof METHODS)[]
  readonly certificate?: string
  readonly key?: string
  readonly entitlementServer?: string
  readonly entitlementRoot?: string
  readonly credential?: string
  readonly state?: string
  readonly resolve?: Resolve
  readonly json?: boolean
}

export interface EesArguments extends SessionArguments {
  readonly eesId?: string
  readonly ees?: string
  readonly eesMethod?: readonly (keyof typeof EES_METHODS)[]
}

/** What it takes to authenticate at an ECS. */
export function withSession(command: Command): Command {
  return command
    .requiredOption('--dir <folder>', 'the folder of the UE, which must be serving')
    .requiredOption('--eec-id <id>', 'the EEC', eecIdArgument)
    .requiredOption('--ecs <url>', 'https://FQDN:PORT')
    .requiredOption('--root <file>', 'the root that is trusted for the ECS and its EESs, PEM')
    .addOption(
      new Option('--method <methods...>', 'how to authenticate, best first; others are never tried')
        .choices(Object.keys(METHODS))
        .default(['kedge-psk']),
    )
    .option('--certificate <file>', 'for certificate: that of the EEC, PEM')
    .option('--key <file>', 'its private key, PEM')
    .option('--entitlement-server <url>', 'for entitlement-token: https://FQDN:PORT')
    .option('--entitlement-root <file>', 'the root that is trusted for it, PEM')
    .option('--credential <file>', 'what "edgeward ue allow" wrote, if it is not in the folder of the UE')
    .option('--state <file>', 'keeps the key of the tokens and the authentication token; beside the credential')
    .option('--resolve <fqdn=address...>', 'where a name is reached, instead of asking DNS', resolveArgument)
    .option('--json', 'print one JSON document')
}

/** What it takes to go on to an EES. */
export function withEes(command: Command): Command {
  return withSession(command)
    .option('--ees-id <id>', 'which EES of the answer of the ECS, if there are several')
    .option('--ees <url>', 'https://FQDN:PORT of its listener for EECs, if the ECS says no URL')
    .addOption(
      new Option(
        '--ees-method <methods...>',
        'how to authenticate there, best first; all that the EEC can unless stated',
      ).choices(Object.keys(EES_METHODS)),
    )
}

/** Authenticates at the ECS, works, and closes. */
export async function atEcs<Result>(
  options: SessionArguments,
  work: (session: EcsSession, progress: Progress) => Promise<Result>,
): Promise<Result> {
  const { dir, eecId, ecs, root, resolve, json = false } = options
  const progress = printedSteps(json)
  const credential = options.credential ?? credentialFile(dir, eecId)
  const certificate = await ownCertificate(options)
  const entitlement = await entitlementServer(options)
  const session = await authenticate({
    credential,
    ecs,
    root: await readFile(root, 'utf8'),
    methods: options.method.map((method): EcsMethod => METHODS[method]),
    state: options.state ?? `${credential.replace(/\.json$/, '')}.state`,
    progress,
    ...(certificate && { certificate }),
    ...(entitlement && { entitlement }),
    ...(resolve && { resolve }),
  })
  try {
    return await work(session, progress)
  } finally {
    session.close()
  }
}

export function provision(
  session: EcsSession,
  progress: Progress,
  wishes: ProvisioningWishes = {},
  options: ProvisioningOptions = {},
) {
  const arrow = { clause: 'TS 24.558 6.2', from: 'EEC', to: session.ecs.fqdn }
  return progress.step(arrow, 'Eecs_ServiceProvisioning_Request', () => session.provision(wishes, options))
}

/** Goes on to an EES that the ECS names, works, and closes. */
export function atEes<Result>(
  options: EesArguments,
  work: (ees: EesSession, progress: Progress) => Promise<Result>,
): Promise<Result> {
  const { eesId, ees: apiRoot, eesMethod } = options
  return atEcs(options, async (session, progress) => {
    const info = chosenEes(await provision(session, progress, {}, { eesTokens: true }), eesId)
    const methods = eesMethod?.map((method): EesMethod => EES_METHODS[method])
    const ees = await session.openEes(info, { ...(apiRoot !== undefined && { apiRoot }), ...(methods && { methods }) })
    try {
      return await work(ees, progress)
    } finally {
      ees.close()
    }
  })
}

function chosenEes(found: ECSServProvResp | undefined, eesId: string | undefined): EESInfo {
  const all = (found?.ednCnfgInfo ?? []).flatMap(({ eess }) => eess)
  const [first, ...more] = eesId === undefined ? all : all.filter((info) => info.eesId === eesId)
  if (first === undefined) throw new NotUsable('the ECS names no such EES for this EEC')
  const others = more.filter((info) => info.eesId !== first.eesId)
  if (others.length === 0) return first
  throw new NotUsable(`the ECS names ${all.length} EESs: say which one by --ees-id, as ${first.eesId}`)
}

async function ownCertificate({ certificate, key }: SessionArguments) {
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) throw new NotUsable('a certificate is --certificate and --key')
  return {
    certificateChain: await readFile(certificate, 'utf8'),
    privateKey: (await readPrivateFile(key)).toString(),
  }
}

async function entitlementServer({ entitlementServer: server, entitlementRoot: root }: SessionArguments) {
  if (server === undefined && root === undefined) return undefined
  if (server === undefined || root === undefined) {
    throw new NotUsable('an entitlement server is --entitlement-server and --entitlement-root')
  }
  return { server, root: await readFile(root, 'utf8') }
}
