import { join } from 'node:path'
import { ECS_MIGRATIONS } from '../src/ecs/tables.ts'
import { openStore } from '../src/store/open-store.ts'
import { edgewardChild } from './child.ts'
import type { Bounded } from './result.ts'
import { prepare } from './setting.ts'

const PEM = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1_700)}\n-----END CERTIFICATE-----\n`
const YEAR = 365 * 86_400_000

/** Memory of an ECS with many registrations, and how long it takes from its start to its ready line. */
export async function benchRegistrations(count: number): Promise<Bounded[]> {
  const { ecs, remove } = await prepare()
  const store = await openStore({ file: join(ecs, 'ecs.db'), migrations: ECS_MIGRATIONS })
  for (let from = 0; from < count; from += 500) {
    await Promise.all(Array.from({ length: Math.min(500, count - from) }, (_, n) => store.commit(rows(from + n))))
  }
  await store.close()
  const server = await edgewardChild('ecs', 'serve', '--dir', ecs)
  const resident = server.resident()
  await server.stop()
  await remove()
  const of = `with ${count} registrations`
  return [
    { name: `resident memory ${of}`, value: Math.round(resident), unit: 'MiB', atMost: 400 },
    { name: `restart to ready ${of}`, value: Math.round(server.readyAfter), unit: 'ms', atMost: 3_000 },
  ]
}

function rows(n: number) {
  const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  const profile = JSON.stringify({
    eesId: `ees-${n}`,
    endPt: { fqdn: `ees-${n}.example.com` },
    eecRegConf: true,
    easIds: ['eas-1'],
  })
  const now = Date.now()
  const end = now + YEAR
  return [
    {
      sql: `insert into registration (registration_id, ees_id, fqdn, profile_json, version, state, expires_at, created_at, updated_at)
            values (?, ?, ?, ?, 1, ?, ?, ?, ?)`,
      parameters: [id, `ees-${n}`, `ees-${n}.example.com`, profile, 'live', end, now, now],
    },
    {
      sql: `insert into certificate (serial, registration_id, spki_sha256, state, pem, thumbprint, not_after, recorded_at)
            values (?, ?, ?, ?, ?, ?, ?, ?)`,
      parameters: [String(n).padStart(32, '0'), id, `key-${n}`, 'issued', PEM, `thumbprint-${n}`, end, now],
    },
    { sql: 'insert into registered_key (spki_sha256, registration_id) values (?, ?)', parameters: [`key-${n}`, id] },
    {
      sql: 'insert into onboarding_token (jti, registration_id, spki_sha256, used_at) values (?, ?, ?, ?)',
      parameters: [`jti-${n}`, id, `key-${n}`, now],
    },
  ]
}
