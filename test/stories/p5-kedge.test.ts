import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { needs } from '../judges.ts'
import { type Capture, captureLoopback, formsOfDigits, maySniff } from './capture.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

const SUPI_DIGITS = '001010918273645'
const OTHER_SUPI_DIGITS = '001010827364519'
const GPSI_DIGITS = '491700000001'
const ECS1 = 'ecs1.edge.example.com'
const ECS2 = 'ecs2.edge.example.net'

/**
 * A core network, an ECS in its domain and one outside, an EES at each, and two UEs with an EEC each: processes of their
 * own. The second UE is not honest: it lets its EEC take the EEC ID of the first one's.
 */
async function runEdge(profile: 'bound' | 'literal') {
  const story = await storyFolder()
  const { at } = story
  const servers = new Map<string, Server>()
  const start = async (name: string, ...command: string[]) => {
    const server = await serve(...command)
    servers.set(name, server)
    return server
  }
  const change = (file: string, values: object) =>
    writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), ...values }))

  await edgewardJson('core', 'init', '--dir', at('core'), '--mcc', '001', '--mnc', '01')
  const names = ['udm', 'ausf', 'nef', 'amf'].map((name) => `${name}.5gc.mnc001.mcc001.3gppnetwork.org`)
  const resolve = Object.fromEntries([...names, ECS1, ECS2].map((name) => [name, '127.0.0.1']))
  const ausf = at('core', 'ausf', 'ausf.yaml')
  const { edge } = parse(readFileSync(ausf, 'utf8')) as { edge?: object }
  change(ausf, { edge: { ...edge, keyProfile: profile } })
  await aDevice(
    'ue',
    ['--supi', `imsi-${SUPI_DIGITS}`, '--gpsi', `msisdn-${GPSI_DIGITS}`, '--eec-id', 'eec-1'],
    'eec-1',
  )
  await aDevice('ue2', ['--supi', `imsi-${OTHER_SUPI_DIGITS}`, '--eec-id', 'eec-2'], 'eec-2', 'eec-1')

  for (const [name, fqdn, via] of [
    ['ecs1', ECS1, 'ausf'],
    ['ecs2', ECS2, 'nef'],
  ] as const) {
    await edgewardJson('ecs', 'init', '--dir', at(name), '--fqdn', fqdn)
    // Keys for the ECS outside are encrypted to it: its NEF relays what it cannot read.
    const wrapping = via === 'nef' ? wrapFor(at(name, 'unwrap.key'), at('unwrap.pub')) : []
    const trust = ['--ecs-fqdn', fqdn, '--root', at(name, 'ca', 'root.crt'), '--via', via, ...wrapping]
    const { keyService } = await edgewardJson<{ keyService: object }>('core', 'trust', '--dir', at('core'), ...trust)
    const unwrapKey = via === 'nef' ? { unwrapKey: 'unwrap.key' } : {}
    change(at(name, 'ecs.yaml'), {
      authentication: { keyProfile: profile, keyServices: [keyService], ...unwrapKey },
      resolve,
    })
  }
  await Promise.all([
    ...['udm', 'ausf', 'nef'].map((name) => start(name, name, 'serve', '--dir', at('core', name))),
    ...['ecs1', 'ecs2'].map((name) => start(name, 'ecs', 'serve', '--dir', at(name))),
    ...['ue', 'ue2'].map((name) => start(name, 'ue', 'serve', '--dir', at(name))),
  ])
  await onboard('ecs1', 'ees1')
  await onboard('ecs2', 'ees3')

  async function aDevice(ue: string, subscriber: string[], ...eecIds: string[]) {
    const usim = at(`${ue}.usim`)
    const added = ['--dir', at('core', 'udm'), ...subscriber, '--edge', '--new-usim', usim]
    await edgewardJson('udm', 'subscriber', 'add', ...added)
    await edgewardJson('ue', 'init', '--dir', at(ue), '--subscription', usim, '--key-profile', profile)
    for (const eecId of eecIds) await edgewardJson('ue', 'allow', '--dir', at(ue), '--eec-id', eecId)
  }

  async function onboard(ecs: string, ees: string) {
    const fqdn = `${ees}.${ecs === 'ecs1' ? 'edge.example.com' : 'edge.example.net'}`
    const bundle = await edgewardJson('ecs', 'invite', '--dir', at(ecs), '--ees-id', ees, '--fqdn', fqdn)
    writeFileSync(at(`${ees}.bundle`), JSON.stringify(bundle))
    writeFileSync(at(`${ees}.profile`), JSON.stringify({ eesId: ees, endPt: { fqdn }, eecRegConf: true }))
    const files = ['--bundle', at(`${ees}.bundle`), '--profile', at(`${ees}.profile`), '--dir', at(ees)]
    await edgewardJson('ees', 'onboard', ...files, '--resolve', `${ecs === 'ecs1' ? ECS1 : ECS2}=127.0.0.1`)
  }

  return {
    at,
    serverOf: (name: string) => servers.get(name) ?? assert.fail(`${name} does not run`),
    authenticate: (ue = 'ue') =>
      edgewardJson<{ kedgeId: string }>('ue', 'authenticate', '--dir', at(ue), '--amf', at('core', 'amf')),
    /** `edgeward eec provision` at one ECS */
    provision(name: 'ecs1' | 'ecs2', { ue = 'ue', eecId = 'eec-1' } = {}) {
      const fqdn = name === 'ecs1' ? ECS1 : ECS2
      const { port } = new URL(servers.get(name)?.ready.listeners['server'] ?? '')
      const ecs = ['--ecs', `https://${fqdn}:${port}`, '--root', at(name, 'ca', 'root.crt')]
      const resolved = ['--resolve', `${fqdn}=127.0.0.1`]
      return edgeward('eec', 'provision', '--dir', at(ue), '--eec-id', eecId, ...ecs, ...resolved, '--json')
    },
    async close() {
      await Promise.all([...servers.values()].map((server) => server.stop()))
      await story.remove()
    },
  }
}

function wrapFor(file: string, publicFile: string): string[] {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }))
  return ['--encryption-key', publicFile]
}

const eessIn = (stdout: string) =>
  (JSON.parse(stdout) as { ednCnfgInfo: { eess: { eesId: string }[] }[] }).ednCnfgInfo.flatMap(({ eess }) =>
    eess.map(({ eesId }) => eesId),
  )
const operationsIn = (log: string) =>
  [...log.matchAll(/"operation":"(\w+)".*?"status":(\d+)/g)].map(([, id, status]) => `${id} ${status}`)

for (const profile of ['bound', 'literal'] as const) {
  describe(`P5, TLS-PSK with Kedge, profile ${profile}: TR 33.839 6.x.2, figures 6.x.2-1 and 6.x.2-2`, () => {
    let edge: Awaited<ReturnType<typeof runEdge>>
    let capture: Capture | undefined
    let kedgeId: string
    const logOf = (name: string) => edge.serverOf(name).log()
    before(async () => {
      edge = await runEdge(profile)
      if (maySniff && needs('tcpdump').skip === false) capture = await captureLoopback(edge.at('capture'))
    })
    after(() => edge.close())

    test('steps 0 to 2: the UE authenticates, and both ends derive Kedge and Kedge ID', async () => {
      kedgeId = (await edge.authenticate()).kedgeId
      assert.match(kedgeId, /^rid0\.kid[0-9a-f]{32}@edge\.5gc\.mnc001\.mcc001\.3gppnetwork\.org$/)
    })

    test('figure 6.x.2-1, steps 3 to 7: inside the domain, the ECS asks the AUSF', async () => {
      const { code, stdout, stderr } = await edge.provision('ecs1')
      assert.equal(code, 0, stderr)
      assert.deepEqual(eessIn(stdout), ['ees1'])
      assert.deepEqual(operationsIn(logOf('ausf')).slice(-1), ['KeyRequest 200'])
      assert.deepEqual(operationsIn(logOf('nef')), [])
      assert.deepEqual(
        operationsIn(logOf('ecs1'))
          .slice(-2)
          .map((line) => line.split(' ')[1]),
        ['201', '200'],
      )
    })

    test('figure 6.x.2-2, steps 3 to 7: outside the domain, the ECS asks the NEF, and the NEF the AUSF', async () => {
      const { code, stdout, stderr } = await edge.provision('ecs2')
      assert.equal(code, 0, stderr)
      assert.deepEqual(eessIn(stdout), ['ees3'])
      assert.deepEqual(operationsIn(logOf('nef')), ['RetrieveEdgeKey 200'])
      assert.deepEqual(operationsIn(logOf('ausf')).slice(-1), ['KeyRequest 200'])
    })

    test("NG-04: another subscriber's UE, with its own key, gets nothing in the name of the first one's EEC", async () => {
      await edge.authenticate('ue2')
      for (const [ecs, ees] of [
        ['ecs1', 'ees1'],
        ['ecs2', 'ees3'],
      ] as const) {
        const own = await edge.provision(ecs, { ue: 'ue2', eecId: 'eec-2' })
        assert.deepEqual(eessIn(own.stdout), [ees], own.stderr)
        // The ECS has the key of this UE now; in the profile `literal` it is the key of every EEC on it.
        const { code, stdout, stderr } = await edge.provision(ecs, { ue: 'ue2', eecId: 'eec-1' })
        assert.deepEqual([code, stdout], [1, ''])
        assert.match(stderr, /step 4 \(authentication request to the ECS\): 404/)
        assert.deepEqual(operationsIn(logOf('ausf')).slice(-2), ['KeyRequest 200', 'KeyRequest 404'])
        const honest = await edge.provision(ecs)
        assert.deepEqual(eessIn(honest.stdout), [ees], honest.stderr)
      }
    })

    test('KE-01: what went over the wire, and what was logged, holds no SUPI and no GPSI', async (t) => {
      const supis = [SUPI_DIGITS, OTHER_SUPI_DIGITS].flatMap((digits) => [digits, digits.slice(5)])
      const secrets = [...supis, GPSI_DIGITS].flatMap(formsOfDigits)
      for (const name of ['ausf', 'nef', 'ecs1', 'ecs2', 'ue', 'ue2']) {
        for (const form of secrets) assert.ok(!Buffer.from(logOf(name)).includes(form), `log of ${name}`)
      }
      if (capture === undefined) {
        t.skip('nothing was captured: tcpdump is needed, and the rights of root')
        return
      }
      const packets = await capture.stop()
      // What may be seen: the name of the server, and the PSK identity.
      assert.ok(packets.includes(ECS2) && packets.includes(kedgeId), 'the figures were captured')
      for (const form of secrets) assert.ok(!packets.includes(form), 'a capture of both figures')
    })

    test('KE-13: with the AUSF stopped, an EEC that has no key yet gets a clear refusal, and no access', async () => {
      await edge.serverOf('ausf').stop()
      const before = operationsIn(logOf('ecs2')).length
      // A new ECS process has no key in memory.
      await edge.serverOf('ecs2').stop()
      const again = await serve('ecs', 'serve', '--dir', edge.at('ecs2'))
      try {
        const { code, stderr } = await edge.provision('ecs2')
        assert.equal(code, 1)
        assert.match(stderr, /step 4 \(authentication request to the ECS\): 503/)
        assert.ok(before > 0)
        assert.deepEqual(
          operationsIn(again.log()).filter((line) => line.endsWith(' 200') && !line.startsWith('GetAuthorization')),
          [],
        )
      } finally {
        await again.stop()
      }
    })
  })
}

test('the forms of digits are found where they are: in text, BCD and base64', () => {
  for (const [before, after] of [
    ['', '@realm'],
    ['0', '"'],
    ['imsi-', ''],
  ] as const) {
    const written = Buffer.from(`${before}${SUPI_DIGITS}${after}`)
    const encodings = [written, Buffer.from(written.toString('base64')), Buffer.from(written.toString('hex'))]
    for (const encoded of encodings) assert.ok(formsOfDigits(SUPI_DIGITS).some((form) => encoded.includes(form)))
  }
  const msin = Buffer.from('9081726354', 'hex')
  assert.ok(formsOfDigits(SUPI_DIGITS.slice(5)).some((form) => Buffer.concat([Buffer.of(1), msin]).includes(form)))
})
