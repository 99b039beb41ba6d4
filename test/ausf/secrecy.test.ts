import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { pino } from 'pino'
import { deriveKseaf } from '../../src/keys/five-g-aka.ts'
import { deriveKecs } from '../../src/keys/kedge.ts'
import { withOctets } from '../../src/keys/key.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import { authenticate, authenticated, ECS1, runCore, SERVING_NETWORK, SET_1, SUPI } from './a-core.ts'

const EEC_ID = 'eec-of-this-subscriber'

/** Every form in which a secret could be written down. */
const formsOf = (octets: Buffer) => [
  octets,
  Buffer.from(octets.toString('hex')),
  Buffer.from(octets.toString('hex').toUpperCase()),
  Buffer.from(octets.toString('base64').replace(/=+$/, '')),
  Buffer.from(octets.toString('base64url')),
  Buffer.from([...octets].join(',')),
]

test('KE-01, KE-11: logs, refusals and files of UDM and AUSF hold no key, and those of the AUSF no SUPI and no EEC ID', async (t) => {
  const written: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(Buffer.from(chunk))
      done()
    },
  })
  const log = pino({ level: 'trace' }, sink)
  const subscriber = { ...SET_1, sqn: '000000000000', eecIds: [EEC_ID] }
  const core = await runCore({ ausf: { log }, udm: { log }, subscribers: [subscriber] })
  t.after(() => core.close())
  const ecs = await core.trustedEcs()
  const keys = await authenticated(core.seaf)
  const refused = [
    await authenticate(core.seaf, { supiOrSuci: 'imsi-001010000000009' }),
    await authenticate(core.seaf, { servingNetworkName: '5G:mnc002.mcc001.3gppnetwork.org' }),
    await ecs.keyRequest({ kedgeId: keys.kedgeId.replace('rid0', 'rid9'), eecId: EEC_ID }),
    await core.seaf.call('POST', '/nausf-auth/v1/ue-authentications', { supiOrSuci: SUPI, servingNetworkName: 7 }),
  ]
  const delivered = await ecs.keyRequest({ kedgeId: keys.kedgeId, eecId: EEC_ID })
  assert.equal(delivered.status, 200)
  await core.udm.operator.remove(SUPI)
  await authenticate(core.seaf)

  const copyOf = (key: Parameters<typeof withOctets>[0]) => withOctets(key, (octets) => Buffer.from(octets))
  const secrets = {
    K: Buffer.from(SET_1.k, 'hex'),
    OPc: Buffer.from(SET_1.opc, 'hex'),
    KAUSF: copyOf(keys.kausf),
    KSEAF: copyOf(deriveKseaf(keys.kausf, SERVING_NETWORK)),
    Kedge: copyOf(keys.kedge),
    K_ECS: copyOf(deriveKecs(keys.kedge, ECS1, EEC_ID as EecId)),
    'RES*': Buffer.from(keys.resStar, 'hex'),
  }
  const files = ['ausf', 'udm'].flatMap((name) => globSync(join(core.folder, name, '**/*'), { withFileTypes: true }))
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => [join(file.parentPath, file.name), readFileSync(join(file.parentPath, file.name))] as const)
  const logged = Buffer.concat(written)
  assert.ok(logged.length > 1_000 && texts.some(([name]) => name.endsWith('ausf.db-wal')))
  const everywhere = [
    ['the log', logged] as const,
    ...refused.map(({ text }) => ['a refusal', Buffer.from(text)] as const),
    ...texts,
  ]
  for (const [place, text] of everywhere) {
    for (const [name, octets] of Object.entries(secrets)) {
      for (const form of formsOf(octets)) assert.ok(!text.includes(form), `${name} in ${place}`)
    }
    if (place.includes('/udm/')) continue
    for (const name of ['001010000000001', EEC_ID]) assert.ok(!text.includes(name), `${name} in ${place}`)
  }
})
