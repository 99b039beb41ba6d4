import type { Command } from 'commander'
import { AUSF_STORE, openAusf } from '../ausf/adapters/open-ausf.ts'
import { serveAusf } from '../ausf/server/serve-ausf.ts'
import { createLog } from '../http/log.ts'
import { addBackupCommand } from './backup-command.ts'
import { serveOpened } from './measured.ts'
import { systemEnvironment } from './operator.ts'
import { untilStopped } from './stop.ts'

const FOLDER = 'the folder of the AUSF, made by "edgeward core init"'

export function addAusfCommands(ausf: Command): void {
  ausf
    .command('serve')
    .description('run until stopped; the first line of standard output says where, the log goes to standard error')
    .requiredOption('--dir <folder>', FOLDER)
    .action(({ dir }: { dir: string }) => serve(dir))
  addBackupCommand(ausf, { folder: FOLDER, store: AUSF_STORE })
}

async function serve(dir: string): Promise<void> {
  const opened = await openAusf(dir, systemEnvironment('info'))
  const log = createLog('ausf', opened.configuration.log)
  const ausf = await serveOpened(opened, () => serveAusf({ ...opened, log }))
  const { fqdn, listeners } = ausf
  await untilStopped({ ready: 'ausf', fqdn, listeners }, { reload: ausf.reload })
  await ausf.close()
}
