import { Command, CommanderError } from 'commander'
import { closeInspector, dangerOf, hardenPrototypes } from './environment.ts'

export { leave } from './leave.ts'

interface Part {
  readonly name: string
  readonly description: string
  readonly addTo: (command: Command) => Promise<void>
}

/** What `edgeward` does. A part is loaded when it is asked for: nobody waits for a core network to invite an EES. */
export const PARTS: readonly Part[] = [
  {
    name: 'up',
    description: 'the edge on this machine, every figure live, step by step; then it serves until stopped',
    addTo: async (up) => (await import('./up-command.ts')).addUpCommand(up),
  },
  {
    name: 'ecs',
    description: 'the Edge Configuration Server: registrar, certificate authority, authorization server',
    addTo: async (ecs) => (await import('./ecs-commands.ts')).addEcsCommands(ecs),
  },
  {
    name: 'core',
    description: 'the core network of one operator: UDM, AUSF, NEF, ENT, and who may call them',
    addTo: async (core) => (await import('./core-commands.ts')).addCoreCommands(core),
  },
  {
    name: 'udm',
    description: 'the Unified Data Management: subscribers and their authentication',
    addTo: async (udm) => (await import('./udm-commands.ts')).addUdmCommands(udm),
  },
  {
    name: 'ausf',
    description: 'the Authentication Server Function, with its key service for the edge',
    addTo: async (ausf) => (await import('./ausf-commands.ts')).addAusfCommands(ausf),
  },
  {
    name: 'nef',
    description: "the Network Exposure Function, which relays keys of the edge to ECSs outside the operator's domain",
    addTo: async (nef) => (await import('./nef-commands.ts')).addNefCommands(nef),
  },
  {
    name: 'entitlement',
    description: 'the Entitlement Configuration Server: tokens for the EECs of its subscribers (GSMA TS.43)',
    addTo: async (entitlement) => (await import('./entitlement-commands.ts')).addEntitlementCommands(entitlement),
  },
  {
    name: 'ees',
    description: 'an Edge Enabler Server: onboarding and the life of its registration',
    addTo: async (ees) => (await import('./ees-commands.ts')).addEesCommands(ees),
  },
  {
    name: 'ue',
    description: 'a UE: its USIM, primary authentication, keys for the EECs on it',
    addTo: async (ue) => (await import('./ue-commands.ts')).addUeCommands(ue),
  },
  {
    name: 'eec',
    description: 'an Edge Enabler Client: authentication, service provisioning, registration and discovery at EESs',
    addTo: async (eec) => (await import('./eec-commands.ts')).addEecCommands(eec),
  },
]

/** A reader as `head` leaves when it has enough. That is no failure, and a server goes on without one. */
function unlessReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** Done; refused or failed; wrong usage. */
const EXIT = { done: 0, failed: 1, usage: 2 } as const

/** @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const danger = dangerOf(process)
  if (danger !== undefined) {
    process.stderr.write(`edgeward does not start: ${danger}. Remove it and start again.\n`)
    return EXIT.failed
  }
  process.stdout.on('error', unlessReaderLeft)
  process.stderr.on('error', unlessReaderLeft)
  closeInspector(process)
  hardenPrototypes()
  const program = new Command('edgeward')
    .description('The security plane of a 3GPP edge: onboarding, certificates, tokens (TS 23.558, TS 33.558).')
    .exitOverride()
    .showHelpAfterError('(--help tells more)')
  // The first of them: `ees eec list` is a command of the part `ees`.
  const asked = argv.find((word) => PARTS.some(({ name }) => name === word))
  for (const { name, description, addTo } of PARTS) {
    const command = program.command(name).description(description)
    if (name === asked) await addTo(command)
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    const { explainFailure } = await import('./failure.ts')
    process.stderr.write(`${explainFailure(error)}\n`)
    return EXIT.failed
  }
}
