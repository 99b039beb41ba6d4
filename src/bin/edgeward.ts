import { Command, CommanderError } from 'commander'
import { addAusfCommands } from './ausf-commands.ts'
import { addCoreCommands } from './core-commands.ts'
import { addEcsCommands } from './ecs-commands.ts'
import { addEecCommands } from './eec-commands.ts'
import { addEesCommands } from './ees-commands.ts'
import { addEntitlementCommands } from './entitlement-commands.ts'
import { closeInspector, dangerOf, hardenPrototypes } from './environment.ts'
import { explainFailure } from './failure.ts'
import { addNefCommands } from './nef-commands.ts'
import { addUdmCommands } from './udm-commands.ts'
import { addUeCommands } from './ue-commands.ts'
import { addUpCommand } from './up-command.ts'

/** Done; refused or failed; wrong usage (ARCHITECTURE 7). */
const EXIT = { done: 0, failed: 1, usage: 2 } as const

/** @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const danger = dangerOf(process)
  if (danger !== undefined) {
    process.stderr.write(`edgeward does not start: ${danger}. Remove it and start again.\n`)
    return EXIT.failed
  }
  closeInspector(process)
  hardenPrototypes()
  const program = new Command('edgeward')
    .description('The security plane of a 3GPP edge: onboarding, certificates, tokens (TS 23.558, TS 33.558).')
    .exitOverride()
    .showHelpAfterError('(--help tells more)')
  addUpCommand(program)
  addEcsCommands(program)
  addCoreCommands(program)
  addUdmCommands(program)
  addAusfCommands(program)
  addNefCommands(program)
  addEntitlementCommands(program)
  addEesCommands(program)
  addUeCommands(program)
  addEecCommands(program)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    process.stderr.write(`${explainFailure(error)}\n`)
    return EXIT.failed
  }
}
