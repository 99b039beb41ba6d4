import type { Command } from 'commander'
import { createLog } from '../http/log.ts'
import { openNef } from '../nef/adapters/open-nef.ts'
import { serveNef } from '../nef/server/serve-nef.ts'
import { measured } from './measured.ts'
import { systemEnvironment } from './operator.ts'
import { untilStopped } from './stop.ts'

export function addNefCommands(nef: Command): void {
  nef
    .command('serve')
    .description('run until stopped; the first line of standard output says where, the log goes to standard error')
    .requiredOption('--dir <folder>', 'the folder of the NEF, made by "edgeward core init"')
    .action(({ dir }: { dir: string }) => serve(dir))
}

async function serve(dir: string): Promise<void> {
  const opened = await openNef(dir, systemEnvironment('info'))
  const log = createLog('nef', opened.configuration.log)
  const nef = await measured(opened.configuration.metrics, () => serveNef({ ...opened, log }))
  const { fqdn, listeners } = nef
  await untilStopped({ ready: 'nef', fqdn, listeners }, { reload: nef.reload })
  await nef.close()
}
