import type { Command } from 'commander'
import type { AuthorityDescription, AuthorityStanding } from '../ecs/operator/commands.ts'
import { asOperator } from './operator.ts'
import { print, table } from './output.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
}

interface Forced extends Common {
  readonly force?: boolean
}

const TEXT = {
  settled: 'There is one certificate authority.',
  staged: 'The next certificate authority is published. It does not sign yet: edgeward ecs ca switch',
  switched: 'The next certificate authority signs. The one before it is still trusted: edgeward ecs ca retire',
} as const

/** One certificate authority takes the place of another, step by step, while the ECS serves. */
export function addAuthorityCommands(ecs: Command): void {
  const ca = ecs.command('ca').description('the certificate authority of this ECS, and the one that takes its place')
  withFolder(ca.command('show'))
    .description('which authority signs, which is trusted beside it, and how many EESs have its certificates alone')
    .action(async ({ dir, json = false }: Common) => {
      show(json, await asOperator(dir, (operator) => operator.showAuthorities()))
    })
  withFolder(ca.command('stage'))
    .description('make the next authority and publish it; EESs and other ECSs begin to trust it')
    .action(async ({ dir, json = false }: Common) => {
      show(json, await asOperator(dir, (operator) => operator.stageAuthority()))
    })
  withFolder(ca.command('switch'))
    .description('let the next authority sign; EESs renew their certificates')
    .option('--force', 'although somebody may not have heard of it yet')
    .action(async ({ dir, json = false, force }: Forced) => {
      show(json, await asOperator(dir, (operator) => operator.switchAuthority({ force })))
    })
  withFolder(ca.command('retire'))
    .description('trust the authority before no more, and destroy its keys')
    .option('--force', 'although EESs are left with its certificates: they have to be onboarded anew')
    .action(async ({ dir, json = false, force }: Forced) => {
      show(json, await asOperator(dir, (operator) => operator.retireAuthority({ force })))
    })
}

function withFolder(command: Command): Command {
  return command.requiredOption('--dir <folder>', 'the folder of the ECS').option('--json', 'print one JSON document')
}

function show(json: boolean, standing: AuthorityStanding): void {
  const { stage, present, other, switchAfter } = standing
  const rows = [row('signs', present), ...(other ? [row(stage === 'staged' ? 'next' : 'before', other)] : [])]
  const when = switchAfter === undefined ? '' : `\nEverybody has heard of it at ${switchAfter}.`
  print(
    json,
    standing,
    `${TEXT[stage]}${when}\n${table(['', 'ROOT (SHA-256)', 'NOT AFTER', 'ONLY ITS', 'FOLDER'], rows)}`,
  )
}

function row(what: string, { root, notAfter, holders, folder }: AuthorityDescription): string[] {
  return [what, root, notAfter, `${holders} EESs`, folder]
}
