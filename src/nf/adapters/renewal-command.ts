import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** What an operator runs when a certificate in this folder of a network function ends. */
export function renewalCommand(folder: string): string {
  const core = dirname(resolve(folder))
  return existsSync(join(core, 'ca'))
    ? `edgeward core renew --dir ${core}`
    : `edgeward core renew --dir <the folder of the core> --name ${resolve(folder)}`
}
