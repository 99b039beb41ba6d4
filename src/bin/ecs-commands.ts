import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { ADMIN_FILE, type AdminAddress } from '../ecs/adapters/admin-client.ts'
import { initFolder } from '../ecs/adapters/init-folder.ts'
import { openEcs } from '../ecs/adapters/open-ecs.ts'
import type { PolicyQuestion } from '../ecs/operator/commands.ts'
import type { EesDescription } from '../ecs/operator/describe-ees.ts'
import type { Resolve } from '../http/client.ts'
import { createLog } from '../http/log.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { fqdnArgument, portArgument, resolveArgument } from './arguments.ts'
import { printCopied } from './backup-command.ts'
import { addAuthorityCommands } from './ecs-ca-commands.ts'
import { addOperatorCommands } from './ecs-operator-commands.ts'
import { addPeerCommands } from './ecs-peer-commands.ts'
import { addTrustCommand } from './ecs-trust-command.ts'
import { serveOpened } from './measured.ts'
import { asOperator, systemEnvironment } from './operator.ts'
import { print, table } from './output.ts'
import { untilStopped } from './stop.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
}

export function addEcsCommands(ecs: Command): void {
  addLife(ecs)
  addInvite(ecs)
  addEesWork(ecs)
  addCare(ecs)
  addPolicy(ecs)
  addAuthorityCommands(ecs)
  addOperatorCommands(ecs)
  addPeerCommands(ecs)
  addTrustCommand(ecs)
}

/** Every command of an ECS works on its folder, and speaks JSON if asked to. */
function withFolder(command: Command): Command {
  return command.requiredOption('--dir <folder>', 'the folder of the ECS').option('--json', 'print one JSON document')
}

function addLife(ecs: Command): void {
  withFolder(ecs.command('init'))
    .description('make a new ECS: authorities, keys, store, policy, configuration; never overwrites')
    .requiredOption('--fqdn <name>', 'its host name', fqdnArgument)
    .option('--listen <address>', 'the address to listen on', '127.0.0.1')
    .option(
      '--server-port <port>',
      'of the listener without client certificates; 0: any that is free, and kept',
      portArgument,
      0,
    )
    .option('--mtls-port <port>', 'of the listener for registered EESs', portArgument, 0)
    .option('--psk-port <port>', 'of the listener for EECs with a key of their network', portArgument, 0)
    .option('--admin-port <port>', 'of the listener for operators', portArgument, 0)
    .option('--resolve <fqdn=address...>', 'where a name is reached, instead of asking DNS', resolveArgument)
    .action(async (options: Common & InitArguments) => {
      const { dir, fqdn, resolve: names, json = false } = options
      const { listen: address, serverPort: server, mtlsPort: mtls, pskPort: psk, adminPort: admin } = options
      const { clock, random, passphrase } = systemEnvironment('warn')
      const listen = { address, server, mtls, psk, admin }
      await initFolder(dir, fqdn, { clock, random, passphrase, listen, resolve: names })
      const next = `edgeward ecs serve --dir ${dir}`
      print(json, { dir: resolve(dir), fqdn, next }, `The ECS ${fqdn} stands in ${dir}.\nNext: ${next}`)
    })
  withFolder(ecs.command('serve'))
    .description('run until stopped; the first line of standard output says where, the log goes to standard error')
    .action(({ dir }: Common) => serve(dir))
}

interface InitArguments {
  readonly fqdn: Fqdn
  readonly listen: string
  readonly serverPort: number
  readonly mtlsPort: number
  readonly pskPort: number
  readonly adminPort: number
  readonly resolve?: Resolve
}

async function serve(dir: string): Promise<void> {
  // Only here: an invitation does not wait for listeners to be loaded.
  const { serveEcs } = await import('../ecs/server/serve-ecs.ts')
  const opened = await openEcs(dir, systemEnvironment('info'))
  const log = createLog('ecs', opened.configuration.log)
  const ecs = await serveOpened(opened, () => serveEcs({ ...opened, log }))
  const { fqdn, listeners } = ecs
  const address: AdminAddress = { fqdn, admin: listeners.admin }
  await writeFile(join(dir, ADMIN_FILE), JSON.stringify(address), { mode: 0o600 })
  const reload = () => opened.reloadPolicy().then(({ digest }) => log.info({ digest }, 'policy reloaded'))
  await untilStopped({ ready: 'ecs', fqdn, listeners }, { reload })
  await rm(join(dir, ADMIN_FILE), { force: true })
  await ecs.close()
}

function addInvite(ecs: Command): void {
  withFolder(ecs.command('invite'))
    .description('print the bundle that lets one EES onboard, once')
    .requiredOption('--ees-id <id>', 'the EES ID that the profile will name')
    .requiredOption('--fqdn <name>', 'the host name of the EES', fqdnArgument)
    .option('--ttl <time>', 'how long the token lives: 90s, 30m, 1h', secondsArgument)
    .option('--prov-id <id>', 'the ECSP that the EES must belong to')
    .option('--end-point <host...>', 'hosts and addresses beside the FQDN that its end point may have')
    .option(
      '--key <thumbprint>',
      'base64url of the SHA-256 of the only public key (DER SubjectPublicKeyInfo) that may be used',
    )
    .action(
      async (
        options: Common & {
          eesId: string
          fqdn: string
          ttl?: number
          provId?: string
          endPoint?: string[]
          key?: string
        },
      ) => {
        const { dir, eesId, fqdn, ttl, provId, endPoint, key } = options
        const bundle = await asOperator(dir, (operator) =>
          operator.invite({
            eesId,
            fqdn,
            ...(ttl !== undefined && { ttl }),
            ...(provId !== undefined && { provId }),
            ...(endPoint !== undefined && { endPoints: endPoint }),
            ...(key !== undefined && { spkiSha256: key }),
          }),
        )
        // The bundle is for a program in any case: the SDK, or a person's script.
        process.stdout.write(`${JSON.stringify(bundle, undefined, options.json === true ? 0 : 2)}\n`)
      },
    )
}

function addEesWork(ecs: Command): void {
  const ees = ecs.command('ees').description('the EESs of this ECS')
  withFolder(ees.command('list'))
    .description('all registrations, also those that have ended')
    .action(async ({ dir, json = false }: Common) => {
      const ees = await asOperator(dir, async (operator) => {
        const all = []
        let page = await operator.list()
        for (;;) {
          all.push(...page.ees)
          if (page.next === undefined) return all
          page = await operator.list(page.next)
        }
      })
      const rows = ees.map(({ eesId, fqdn, state, expTime, registrationId }) => [
        eesId,
        fqdn,
        state,
        expTime,
        registrationId,
      ])
      print(
        json,
        { ees },
        ees.length === 0 ? 'No EES is registered.' : table(['EES', 'FQDN', 'STATE', 'UNTIL', 'REGISTRATION'], rows),
      )
    })
  withFolder(ees.command('show'))
    .description('one EES with its profile and its certificates')
    .argument('<id>', 'EES ID or registration ID')
    .action(async (id: string, { dir, json = false }: Common) => {
      const shown = await asOperator(dir, (operator) => operator.show(id))
      print(json, shown, describe(shown))
    })
  withFolder(ees.command('revoke'))
    .description('end its registration, its certificates, its tokens and its connections')
    .argument('<id>', 'EES ID or registration ID')
    .action(async (id: string, { dir, json = false }: Common) => {
      const shown = await asOperator(dir, (operator) => operator.revoke(id))
      print(json, shown, `${shown.eesId} is ${shown.state}; its certificates are on the revocation list.`)
    })
}

function describe({ eesId, fqdn, state, expTime, registrationId, certificates, eesProf }: EesDescription): string {
  const rows = certificates.map(({ serial, state: was, notAfter, revokedAt }) => [
    serial,
    was,
    notAfter,
    revokedAt ?? '',
  ])
  return [
    `${eesId} (${fqdn}) is ${state} until ${expTime}, registration ${registrationId}`,
    table(['SERIAL', 'STATE', 'NOT AFTER', 'REVOKED'], rows),
    JSON.stringify(eesProf, undefined, 2),
  ].join('\n')
}

function addCare(ecs: Command): void {
  const audit = ecs.command('audit').description('the audit trail')
  withFolder(audit.command('verify'))
    .description('check the hash chain from the first record to the last; names the first damaged one')
    .action(async ({ dir, json = false }: Common) => {
      const verdict = await asOperator(dir, (operator) => operator.verifyAudit())
      const text = verdict.ok
        ? `The audit trail is whole: ${verdict.records} records, head ${verdict.head.hash}`
        : `The audit trail is damaged: record ${verdict.firstDamaged} is ${verdict.reason}`
      print(json, verdict, text)
      if (!verdict.ok) process.exitCode = 1
    })
  withFolder(ecs.command('backup'))
    .description('copy the store as it is at this moment to a new file, also while it serves')
    .argument('<file>')
    .action(async (file: string, { dir, json = false }: Common) => {
      await asOperator(dir, (operator) => operator.backup(resolve(file)))
      printCopied(json, file, dir)
    })
  const keys = ecs.command('signing-keys').description('the keys that sign access tokens')
  withFolder(keys.command('rotate'))
    .description('publish the next key now; it signs once verifiers have had time to fetch it')
    .action(async ({ dir, json = false }: Common) => {
      const { published } = await asOperator(dir, (operator) => operator.rotateSigningKeys())
      print(json, { published }, `Published: ${published.join(', ')}`)
    })
}

function addPolicy(ecs: Command): void {
  const policy = ecs.command('policy').description('static authorization: policy.yaml')
  withFolder(policy.command('explain'))
    .description('which rule decides a request, and how')
    .requiredOption('--ees <id>', 'the EES that asks')
    .option('--fqdn <name>', 'its host name, if it is not registered')
    .option('--operation <id>', 'the operation it asks for, as GetIndEESReg')
    .option('--scope <api>', 'or the API that it asks a token for')
    .option('--target <fqdn>', 'the EES that the token is for, if not this ECS')
    .action(async ({ dir, json = false, ...question }: Common & PolicyQuestion) => {
      const explanation = await asOperator(dir, (operator) => operator.explainPolicy(question))
      const { decision, authorization, rules } = explanation
      const rows = rules.map(({ rule, effect, applies }) => [rule, effect, applies ? 'applies' : ''])
      const mode = authorization === undefined ? '' : `\nThe request must bring: certificate, ${authorization}`
      const verdict = decision.allowed ? 'Allowed' : 'Refused'
      print(
        json,
        explanation,
        `${verdict} by ${decision.rule}: ${decision.because}${mode}\n${table(['RULE', 'EFFECT', ''], rows)}`,
      )
    })
  withFolder(policy.command('reload'))
    .description('read policy.yaml again, if it is well formed')
    .action(async ({ dir, json = false }: Common) => {
      const { digest } = await asOperator(dir, (operator) => operator.reloadPolicy())
      print(json, { digest }, `The policy in force has the SHA-256 ${digest}`)
    })
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

function secondsArgument(text: string): number {
  const [, count, unit = 's'] = /^([1-9]\d{0,6})([smhd])?$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('It is not a time, as 90s, 30m or 1h.')
  return Number(count) * (UNITS[unit] ?? 1)
}
