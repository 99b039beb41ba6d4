import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { backup } from '../store/backup.ts'
import { print } from './output.ts'

interface BackupArguments {
  readonly dir: string
  readonly json?: boolean
}

/**
 * `backup`, for whoever keeps a store.
 *
 * @param folder - whose it is, for people
 * @param store - name of its file in that folder
 */
export function addBackupCommand(part: Command, { folder, store }: { folder: string; store: string }): void {
  part
    .command('backup')
    .description('copy the store as it is at this moment to a new file, also while it serves')
    .argument('<file>')
    .requiredOption('--dir <folder>', folder)
    .option('--json', 'print one JSON document')
    .action(async (file: string, { dir, json = false }: BackupArguments) => {
      const source = join(dir, store)
      await access(source)
      await backup({ file: source }, resolve(file))
      printCopied(json, file, dir)
    })
}

export function printCopied(json: boolean, file: string, dir: string): void {
  print(json, { file: resolve(file) }, `The store is copied to ${file}. The keys are in ${dir}: keep them too.`)
}
