import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { readCredential } from '../../src/eec/index.ts'
import { EcsSession } from '../../src/eec/session.ts'
import { deriveKecs, deriveKedge } from '../../src/keys/kedge.ts'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { parseKedgeId } from '../../src/spec/kedge-id.ts'
import { insertUsim, type UeDescription } from '../../src/ue/index.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { parsed } from '../keys/octets.ts'
import { certified } from '../nf/a-network.ts'
import { edgeward, edgewardJson, type Outcome, type Server, serve, storyFolder } from '../stories/program.ts'
import { EEC_1, insertion } from '../ue/a-folder.ts'
import { aSubscription, NETWORK, SUBSCRIPTION } from '../ue/a-home-network.ts'
import { AUSF, anAusf } from '../ue/an-ausf.ts'
import { type AnEcs, anEcs, ECS } from './an-ecs.ts'
import { authenticateAt, SESSION_PORTS } from './an-eec.ts'

interface Provisioned {
  readonly ecs: string
  readonly ednCnfgInfo: readonly { readonly eess: readonly { readonly eesId: string }[] }[]
}

describe('the device in TR 33.839 figure 6.x.2-1, on the command line', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let ausf: Awaited<ReturnType<typeof anAusf>>
  let ecs: AnEcs
  let ue: Server
  let kedgeId: string
  const outputs: string[] = []

  const run = async (...arguments_: string[]): Promise<Outcome> => {
    const outcome = await edgeward(...arguments_)
    outputs.push(outcome.stdout, outcome.stderr)
    return outcome
  }
  const runJson = async <Document>(...arguments_: string[]): Promise<Document> => {
    const document = await edgewardJson<Document>(...arguments_)
    outputs.push(JSON.stringify(document))
    return document
  }
  const authenticating = () => [
    ...['ue', 'authenticate', '--dir', story.at('U'), '--ausf', ausf.url, '--serving-network', NETWORK],
    ...['--certificate', story.at('amf.crt'), '--key', story.at('amf.key'), '--root', story.at('core.crt')],
    ...['--resolve', `${AUSF}=127.0.0.1`],
  ]
  const provisioning = (eecId: string) => [
    ...['eec', 'provision', '--dir', story.at('U'), '--eec-id', eecId, '--ecs', ecs.apiRoot],
    ...['--root', story.at('ecs.crt'), '--resolve', `${ECS}=127.0.0.1`],
  ]
  /** What steps 5 and 6 of the figure bring to the ECS. */
  const deliverKey = () => {
    const kedge = deriveKedge(ausf.home.kausf ?? assert.fail('there is no KAUSF'), aSubscription().settings.supi)
    ecs.keys.clear()
    ecs.keys.set(`e${eecIdTag(EEC_1)}.${kedgeId}`, deriveKecs(kedge, ECS, EEC_1))
    return kedge
  }

  const credentialFile = () => story.at('U', 'eecs', `${EEC_1}.json`)
  const provisionInProcess = () => authenticateAt(ecs, { credential: credentialFile })

  before(async () => {
    story = await storyFolder()
    ausf = await anAusf()
    ecs = await anEcs()
    const files = {
      'usim-in.json': JSON.stringify(SUBSCRIPTION),
      'amf.crt': ausf.seaf.certificateChain,
      'amf.key': ausf.seaf.privateKey,
      'core.crt': ausf.root,
      'ecs.crt': ecs.root,
    }
    for (const [name, content] of Object.entries(files)) await writeFile(story.at(name), content, { mode: 0o600 })
  })
  after(async () => {
    await ue?.stop()
    ausf.close()
    ecs.close()
    await story.remove()
  })

  test('steps 0 and 1: the UE authenticates and derives Kedge, with every step told', async () => {
    const subscription = story.at('usim-in.json')
    const init = await run('ue', 'init', '--dir', story.at('U'), '--subscription', subscription)
    assert.equal(init.code, 0, init.stderr)
    const { code, stdout, stderr } = await run(...authenticating())
    assert.equal(code, 0, stderr)
    for (const clause of ['TS 33.501 6.1.2', 'TS 33.501 6.1.3.2 step 7', 'TS 33.501 6.1.3.2 step 10', '6.x.2.1 step 1'])
      assert.ok(stdout.includes(clause), clause)
    kedgeId = parsed(parseKedgeId(/Kedge ID (\S+)\nNext/.exec(stdout)?.[1] ?? ''))
  })

  test('steps 3, 4 and 7: the EEC fetches its key, authenticates, and learns of its EESs', async () => {
    assert.equal((await run('ue', 'allow', '--dir', story.at('U'), '--eec-id', EEC_1)).code, 0)
    ue = await serve('ue', 'serve', '--dir', story.at('U'))
    deliverKey()
    const { code, stdout, stderr } = await run(...provisioning(EEC_1))
    assert.equal(code, 0, stderr)
    for (const step of [3, 4, 7]) assert.ok(stdout.includes(`TR 33.839 6.x.2.1 step ${step}`))
    assert.match(stdout, /ees-1 +ees1\.example\.com +eas-1 +yes/)
    assert.deepEqual(ecs.offered, [`e${eecIdTag(EEC_1)}.${kedgeId}`])
  })

  test('a new authentication holds at once: the old key is of no use, the new one is', async () => {
    const before = kedgeId
    kedgeId = (await runJson<{ kedgeId: string }>(...authenticating())).kedgeId
    assert.notEqual(kedgeId, before)
    await assert.rejects(provisionInProcess(), { name: 'AuthenticationStepFailed', step: 7 })
    deliverKey()
    const { ecs: name, ednCnfgInfo } = await runJson<Provisioned>(...provisioning(EEC_1))
    assert.deepEqual([name, ednCnfgInfo[0]?.eess[0]?.eesId], [ECS, 'ees-1'])
    const shown = await runJson<UeDescription>('ue', 'show', '--dir', story.at('U'))
    assert.deepEqual([shown.edgeKeys?.kedgeId, shown.eecs], [kedgeId, [EEC_1]])
  })

  test('NG-03: what fails ends with 1 and the step, and with no other try', async () => {
    const [received, offered] = [ecs.received.length, ecs.offered.length]
    ecs.keys.clear()
    const unknown = await run(...provisioning(EEC_1))
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /^Failed: TR 33\.839 6\.x\.2\.1 step 7 \(TLS with the pre-shared key\)/)
    const paths = ecs.received.slice(received).map(({ path }) => path)
    assert.deepEqual([paths, ecs.offered.length], [['/eecs-authentication/v1/requests'], offered + 1])
    assert.equal((await run(...provisioning(EEC_1), '--method', 'none')).code, 2)
  })

  test('TS 33.558 6.2: with a certificate, which needs its key, and no key of the UE', async () => {
    const taking = await anEcs({ offer: ['TLS_CLIENT_SERVER_CERTIFICATE'] })
    const { issuers } = await aDomain({ domain: 'device.example', rootCurve: 'P-256' })
    const { credential } = await certified(issuers.eec, { role: 'eec', eecId: EEC_1 })
    await writeFile(story.at('eec.crt'), credential.certificateChain)
    await writeFile(story.at('eec.key'), credential.privateKey, { mode: 0o600 })
    await writeFile(story.at('taking.crt'), taking.root)
    const way = ['--ecs', taking.apiRoot, '--root', story.at('taking.crt'), '--method', 'certificate']
    const own = ['--certificate', story.at('eec.crt')]
    const document = await runJson<Provisioned>(...provisioning(EEC_1), ...way, ...own, '--key', story.at('eec.key'))
    assert.equal(document.ednCnfgInfo.length, 1)
    const asked = taking.received.length
    const { code, stderr } = await run(...provisioning(EEC_1), ...way, ...own)
    assert.deepEqual([code, stderr], [1, 'Failed: a certificate is --certificate and --key\n'])
    await chmod(story.at('eec.key'), 0o644)
    assert.equal((await run(...provisioning(EEC_1), ...way, ...own, '--key', story.at('eec.key'))).code, 1)
    assert.equal(taking.received.length, asked)
    taking.close()
  })

  test('with another USIM the keys are gone, and the EECs hear so', async () => {
    const other = aSubscription({ supi: 'imsi-001010000000002' })
    await insertUsim(story.at('U'), other, insertion({ replace: true }))
    await assert.rejects(provisionInProcess(), {
      name: 'AuthenticationStepFailed',
      step: 3,
      message: /KEDGE_NOT_FOUND/,
    })
  })

  test('KE-11: no output, no log, no inspected object holds a key, a token or the SUPI', async () => {
    const kedge = deriveKedge(ausf.home.kausf ?? assert.fail(), aSubscription().settings.supi)
    const credential = readCredential(await readFile(credentialFile(), 'utf8'))
    const connection = { open: async () => {}, request: async () => assert.fail(), close() {} }
    const session = new EcsSession(
      EEC_1,
      { fqdn: ECS, apiRoot: ecs.apiRoot },
      { connection, proven: connection, expiresAt: 1 },
      { clock: { now: () => 0 }, ...SESSION_PORTS },
    )
    const objects = [credential, session]
    const error = await provisionInProcess().catch((thrown: unknown) => thrown)
    const said = [...outputs, ue.log(), inspect([...objects, error], { depth: 20, showHidden: true })]
    const text = [...said, JSON.stringify(objects), JSON.stringify(error), String(error)].join('\n')

    const keys = [
      Buffer.from(SUBSCRIPTION.k, 'hex'),
      Buffer.from(SUBSCRIPTION.opc, 'hex'),
      ausf.home.kausf?.export() ?? assert.fail(),
      kedge.export(),
      deriveKecs(kedge, ECS, EEC_1).export(),
    ]
    const forms = keys.flatMap((key) => [key.toString('hex'), key.toString('base64'), key.toString('base64url')])
    for (const secret of [...forms, credential.token, '001010000000001'])
      assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), secret)
    assert.ok(text.includes(kedgeId))
  })
})
