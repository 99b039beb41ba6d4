import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { asEesOperator } from '../../src/ees/adapters/as-operator.ts'
import { certifyEas } from '../../src/ees/adapters/eas-authority.ts'
import { operatorClient } from '../../src/ees/adapters/operator-client.ts'
import { readEesConfiguration } from '../../src/ees/adapters/read-configuration.ts'
import { EES_DEFAULTS } from '../../src/ees/configuration.ts'
import { serveEes } from '../../src/ees/index.ts'
import { createLog } from '../../src/http/log.ts'
import { aKey } from '../certificates/a-domain.ts'
import { csrOf } from '../ecs/running-ecs.ts'
import { EES_FQDN } from './an-ecs.ts'
import { anEcsOnTls, anEec, type RunningEes, resolve, runEes } from './running-ees.ts'

const log = createLog('test', 'silent')

describe('the folder of an EES that serves', () => {
  let ecs: Awaited<ReturnType<typeof anEcsOnTls>>
  let ees: RunningEes

  before(async () => {
    ecs = await anEcsOnTls()
    ees = await runEes(ecs.ecs)
  })
  after(async () => {
    await ees.close()
    ecs.network.close()
  })

  const write = (text: string) => writeFileSync(join(ees.folder, 'ees.yaml'), text)

  test('NG-01: a configuration with a mistake, as the method none, is refused with the place of the mistake', async () => {
    const mistakes: [string, RegExp][] = [
      ['eec: { methods: [] }', /\/eec\/methods/],
      ['eec: { methods: [none] }', /\/eec\/methods\/0/],
      ['eec: { methods: [TLS_CLIENT_SERVER_CERTIFICATE] }', /\/eec\/methods\/0/],
      ['relocation: { eecInToken: perhaps }', /\/relocation\/eecInToken/],
      ['quotas: { eecs: 0 }', /\/quotas\/eecs/],
      ['unknown: 1', /unknown|additional/],
      ['- a list', /not a YAML mapping/],
      ['a: &a 1\nb: *a', /not YAML/],
      ['"', /not YAML/],
    ]
    for (const [text, expected] of mistakes) {
      write(text)
      await assert.rejects(readEesConfiguration(ees.folder), { name: 'NotUsable', message: expected }, text)
    }
    write('')
    assert.deepEqual(await readEesConfiguration(ees.folder), EES_DEFAULTS)
    write('listen: { mtls: 8444 }')
    assert.deepEqual((await readEesConfiguration(ees.folder)).listen, { ...EES_DEFAULTS.listen, mtls: 8444 })
    write('')
  })

  test('a second process on the same folder does not start, and the first goes on', async () => {
    await assert.rejects(serveEes(ees.registration, { folder: ees.folder, resolve, log }), { reason: 'locked' })
    assert.deepEqual(await ees.serving.operator.listEecs('', 1), [])
  })

  test('an EES whose port is taken leaves its folder free', async () => {
    const { port } = new URL(ees.serving.listeners.mtls)
    const elsewhere = await runEes(ecs.ecs)
    const { registration, options } = elsewhere
    await elsewhere.restart({}, () =>
      assert.rejects(serveEes(registration, { ...options, port: Number(port) }), { code: 'EADDRINUSE' }),
    )
    assert.deepEqual(await elsewhere.serving.operator.listEecs('', 1), [])
    await elsewhere.close()
  })

  test('what an operator asks is done by the process that serves, or on the folder if none does', async () => {
    const eec = await anEec(ecs.ecs, 'eec-1')
    const path = '/eees-eecregistration/v1/registrations'
    assert.equal((await eec.ask(ees.connect('server'), 'POST', path, { eecId: 'eec-1' })).status, 201)
    const { folder, registration } = ees
    const list = () =>
      asEesOperator({ folder, registration, log }, async (operator) =>
        (await operator.listEecs('', 10)).map(({ eecId }) => eecId),
      )
    assert.deepEqual(await list(), ['eec-1'])
    await assert.rejects(operatorClient(folder).relocate('eec-9', 'https://ees9.ecsp.example'), {
      name: 'RefusedByServer',
      code: 'REGISTRATION_NOT_FOUND',
    })
    await ees.restart({}, async () => assert.deepEqual(await list(), ['eec-1']))
  })

  test("CA-12: keys, the store and the operator's socket are for the owner of the folder alone", async () => {
    await certifyEas(ees.folder, EES_FQDN, { csr: await csrOf(aKey()), easId: 'eas-1' })
    const secret = /\.(key|sock)$|^ees\.db/
    const files = ['.', 'eas-ca'].flatMap((place) =>
      readdirSync(join(ees.folder, place)).map((name) => join(place, name)),
    )
    const checked = files.filter((file) => secret.test(file.split('/').at(-1) ?? ''))
    for (const file of checked) assert.equal(statSync(join(ees.folder, file)).mode & 0o077, 0, file)
    for (const name of ['ees.key', 'notification.key', 'operator.sock', 'ees.db', 'eas-ca/issuer.key'])
      assert.ok(checked.includes(name), name)
  })
})
