import type { Command } from 'commander'

export function addUpCommand(program: Command): void {
  program.command('up').description('the whole edge on this machine, every figure live')
}
