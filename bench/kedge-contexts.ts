import { createSecretKey, randomBytes, randomInt } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kedgeStore } from '../src/ausf/adapters/anchor-key-store.ts'
import { AUSF_MIGRATIONS } from '../src/ausf/tables.ts'
import { takeKey } from '../src/keys/key.ts'
import { systemRandom } from '../src/ports/random.ts'
import { type KedgeId, parseKedgeId } from '../src/spec/kedge-id.ts'
import type { Supi } from '../src/spec/subscriber-identifiers.ts'
import { openStore } from '../src/store/open-store.ts'
import type { Bounded } from './result.ts'

const DAY = 86_400_000
const SOUGHT = 2_000

/** Kedge contexts of an AUSF: what they take on disk, and how long it takes to find one of them. */
export async function benchKedgeContexts(count: number): Promise<Bounded[]> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-bench-'))
  const store = await openStore({ file: join(folder, 'ausf.db'), migrations: AUSF_MIGRATIONS })
  const homeNetwork = { mcc: '001', mnc: '01' }
  const kedges = kedgeStore({ store, dataKey: createSecretKey(randomBytes(32)), random: systemRandom, homeNetwork })
  const now = Date.now()
  const add = async (n: number): Promise<KedgeId> => {
    const id = parseKedgeId(`rid0.kid${randomBytes(16).toString('hex')}@edge.5gc.mnc001.mcc001.3gppnetwork.org`)
    if (id === undefined) throw new Error('not a Kedge ID')
    const key = takeKey('Kedge', randomBytes(32))
    await kedges.replace(
      `imsi-00101${String(n).padStart(10, '0')}` as Supi,
      { id, key },
      { now, lifetime: DAY, grace: 0 },
    )
    return id
  }
  const sample: KedgeId[] = []
  for (let from = 0; from < count; from += 1_000) {
    const some = await Promise.all(Array.from({ length: Math.min(1_000, count - from) }, (_, n) => add(from + n)))
    sample.push(...some.slice(0, Math.ceil((SOUGHT * 1_000) / count)))
  }
  const took: number[] = []
  for (let round = 0; round < SOUGHT; round += 1) {
    const id = sample[randomInt(sample.length)]
    const start = performance.now()
    const found = id && (await kedges.find(id, now))
    took.push(performance.now() - start)
    if (found?.until === undefined) throw new Error('a key was not found')
  }
  await store.close()
  const { size } = await stat(join(folder, 'ausf.db'))
  await rm(folder, { recursive: true })
  const median = took.sort((a, b) => a - b)[SOUGHT / 2] ?? Number.POSITIVE_INFINITY
  const of = `of ${count} Kedge contexts`
  const share = count / 1_000_000
  return [
    { name: `disk ${of}`, value: Math.round(size / 2 ** 20), unit: 'MiB', atMost: Math.round(1_024 * share) },
    { name: `median time to find one ${of}`, value: Math.round(median * 1_000) / 1_000, unit: 'ms', atMost: 1 },
  ]
}
