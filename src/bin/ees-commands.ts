import type { Command } from 'commander'

export function addEesCommands(program: Command): void {
  program.command('ees').description('an Edge Enabler Server: onboarding and the life of its registration')
}
