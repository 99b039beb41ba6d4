import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCrl } from '../../certificates/crl.ts'
import { isDue, renewCrl } from '../../nf/adapters/renew-authority.ts'
import { RENEWAL_NOTICE } from '../../nf/server/certificate-end.ts'
import type { OpenEcs } from './open-ecs.ts'
import { readAuthority } from './own-keys.ts'

/**
 * Signs again, with what is on them, the lists that stand in files and are good for a year: of each root, without which
 * no other ECS lets in what is below it, and of the authority for operators. Where the key of a root is kept elsewhere,
 * the log says what is to do.
 *
 * @throws FileRefused
 */
export async function renewOfflineLists(ecs: OpenEcs): Promise<void> {
  const roots = ecs.ca.trusted().map(({ id }) => ecs.ca.files.at(id, 'root'))
  for (const path of [...roots, join(ecs.folder, 'ca', 'operator-issuer')]) {
    const file = `${path}.crl`
    if (existsSync(file)) await renewOffline(ecs, path, file)
  }
}

async function renewOffline({ clock, secret, log }: OpenEcs, path: string, file: string): Promise<void> {
  const now = clock.now()
  const { thisUpdate, nextUpdate } = readCrl(await readFile(file))
  if (!isDue(thisUpdate, nextUpdate, { notice: RENEWAL_NOTICE, now })) return
  if (!existsSync(`${path}.key`)) {
    const [from, until] = [thisUpdate, nextUpdate].map((time) => new Date(time).toISOString())
    log.warn(
      { file, from, until },
      'a revocation list ends soon, or is not good yet: put the key of its authority back, and start again',
    )
    return
  }
  await renewCrl(file, await readAuthority(path, secret), RENEWAL_NOTICE, now)
  log.info({ file }, 'a revocation list is signed again')
}
