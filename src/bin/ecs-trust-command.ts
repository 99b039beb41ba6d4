import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { type Trusted, trustHandover } from '../ecs/adapters/trust-handover.ts'
import type { Resolve } from '../http/client.ts'
import { systemClock } from '../ports/clock.ts'
import { resolveArgument } from './arguments.ts'
import { print } from './output.ts'

interface TrustArguments {
  readonly dir: string
  readonly resolve?: Resolve
  readonly verify?: 'certificate' | 'introspection' | 'both'
  readonly newRoot?: boolean
  readonly json?: boolean
}

/** Whom the ECS asks about EECs: the core networks and the entitlement servers that their operators have handed over. */
export function addTrustCommand(ecs: Command): void {
  ecs
    .command('trust')
    .description(
      'write into ecs.yaml what a file of "edgeward core trust --out" or "edgeward entitlement trust --out" says',
    )
    .argument('<file>')
    .requiredOption('--dir <folder>', 'the folder of the ECS')
    .option('--resolve <fqdn=address...>', 'where a name is reached, instead of asking DNS', resolveArgument)
    .addOption(
      new Option(
        '--verify <how>',
        'how tokens of an entitlement server are verified; unless stated, as before, or by its certificate',
      ).choices(['certificate', 'introspection', 'both']),
    )
    .option('--new-root', 'take the root of the file, although another one is trusted now')
    .option('--json', 'print one JSON document')
    .action(async (file: string, { dir, resolve, verify, newRoot, json = false }: TrustArguments) => {
      const trusted = await trustHandover(dir, file, { now: systemClock.now(), resolve, verify, newRoot })
      const { entry, before, fingerprints, changed } = trusted
      print(json, { entry, ...(before && { before }), fingerprints, changed }, describe(trusted, dir))
    })
}

function describe({ entry, before, fingerprints, changed }: Trusted, dir: string): string {
  const source =
    'realm' in entry
      ? `Keys of EECs of ${entry.realm} come from ${entry.apiRoot} (${entry.via.toUpperCase()}${entry.akma ? ', also of AKMA' : ''}).`
      : `Tokens of ${entry.issuer} are taken; they are verified by ${VERIFIED[entry.verify]}.`
  const replaced =
    before === undefined || before.apiRoot === entry.apiRoot ? [] : [`Until now that was ${before.apiRoot}.`]
  return [
    source,
    ...replaced,
    `Its operator has been told ${toldOf(fingerprints)}:`,
    ...fingerprints.map((each) => `    ${each}`),
    changed
      ? `${join(dir, 'ecs.yaml')} is written. If it is, stop the ECS and start it again: edgeward ecs serve --dir ${dir}`
      : `${join(dir, 'ecs.yaml')} says so already.`,
  ].join('\n')
}

/** A root that somebody has put beside the right one is seen by their number. */
function toldOf({ length }: readonly string[]): string {
  return length === 1
    ? 'the SHA-256 of the root. It has to be'
    : `the SHA-256 of ${length} roots. They have to be these, and as many`
}

const VERIFIED = {
  certificate: 'its certificate',
  introspection: 'asking it',
  both: 'its certificate and by asking it',
}
