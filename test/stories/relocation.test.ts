import assert from 'node:assert/strict'
import { appendFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { openRegistration, type Registration } from '../../src/ees/index.ts'
import type { ECSServProvResp } from '../../src/spec/messages/service-provisioning.ts'
import type { AccessTokenClaims } from '../../src/tokens/access-token.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

const SCOPE = 'edgeward-whoami'
const ECSS = { ecs1: 'ecs1.north.example.com', ecs2: 'ecs2.south.example.org' } as const
const EESS = { ees1: 'ees1.north.example.com', ees2: 'ees2.south.example.org' } as const
type Ecs = keyof typeof ECSS

/** What ecs1 lets its EES ask for, and what ecs2 gives to those of ecs1: both sides decide. */
const RULES: Record<Ecs, string> = {
  ecs1: `  - { id: out, effect: allow, eesId: ees1, scopes: [${SCOPE}], target: '*', eecIds: ['*'] }\n`,
  ecs2: `  - { id: in, effect: allow, ecs: ${ECSS.ecs1}, fqdn: ${EESS.ees1}, scopes: [${SCOPE}], target: ${EESS.ees2}, eecIds: [eec-1] }\n`,
}

/** P4 by the command line: each ECS a process, a store and a root of its own, killed and started again. */
describe('an EES of one ECS trusts an EES of another: TS 33.501 13.4.1.1.3', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  const ecss = {} as Record<Ecs, Server>
  let ees2: Server
  let ees1: Registration
  const names = [...Object.values(ECSS), ...Object.values(EESS)]
  const resolve = new Map(names.map((name) => [name, '127.0.0.1']))
  const flags = names.flatMap((name) => ['--resolve', `${name}=127.0.0.1`])

  before(async () => {
    story = await storyFolder()
    for (const ecs of ['ecs1', 'ecs2'] as const) {
      await edgewardJson('ecs', 'init', '--dir', story.at(ecs), '--fqdn', ECSS[ecs])
      appendFileSync(story.at(ecs, 'policy.yaml'), RULES[ecs])
      const known = names.map((name) => `  ${name}: 127.0.0.1\n`).join('')
      appendFileSync(story.at(ecs, 'ecs.yaml'), `\nresolve:\n${known}`)
      await start(ecs)
    }
    await onboard('ecs1', 'ees1')
    await onboard('ecs2', 'ees2')
    await addPeer('ecs1', 'ecs2', 'south.example.org')
    await addPeer('ecs2', 'ecs1', 'north.example.com')
    ees2 = await serve('ees', 'serve', '--dir', story.at('ees2'))
    ees1 = await openRegistration({ store: story.at('ees1'), resolve })
  })
  after(async () => {
    ees1.close()
    await Promise.all([ees2.stop(), ecss.ecs1.stop(), ecss.ecs2.stop()])
    await story.remove()
  })

  async function start(ecs: Ecs): Promise<void> {
    ecss[ecs] = await serve('ecs', 'serve', '--dir', story.at(ecs))
  }

  async function onboard(ecs: Ecs, name: keyof typeof EESS) {
    const who = ['--ees-id', name, '--fqdn', EESS[name]]
    const bundle = await edgewardJson<Bundle>('ecs', 'invite', '--dir', story.at(ecs), ...who)
    writeFileSync(story.at('bundle.json'), JSON.stringify(bundle))
    writeFileSync(
      story.at('profile.json'),
      JSON.stringify({ eesId: name, endPt: { fqdn: EESS[name] }, eecRegConf: true, easIds: [`eas-${name}`] }),
    )
    const files = ['--bundle', story.at('bundle.json'), '--profile', story.at('profile.json'), '--dir', story.at(name)]
    await edgewardJson('ees', 'onboard', ...files, ...flags)
  }

  function addPeer(one: Ecs, other: Ecs, nameSpace: string) {
    const { port } = new URL(ecss[other].ready.listeners['server'] ?? '')
    const said = ['--fqdn', ECSS[other], '--api-root', `https://${ECSS[other]}:${port}`, '--name-space', nameSpace]
    const root = ['--root', story.at(other, 'ca', 'root.crt')]
    return edgewardJson<{ known: boolean }>('ecs', 'peer', 'add', '--dir', story.at(one), ...said, ...root)
  }

  const token = (eecId = 'eec-1', target: string = EESS.ees2) =>
    edgeward(
      'ees',
      'token',
      '--dir',
      story.at('ees1'),
      '--scope',
      SCOPE,
      '--target',
      target,
      '--eec-id',
      eecId,
      '--json',
    )

  /** Until it is as it shall be, or a hundred tries are over. */
  async function until(reached: () => Promise<boolean>, what: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      if (await reached()) return
      await wait(100)
    }
    assert.fail(what)
  }

  function askWhoAmI() {
    const { port } = new URL(ees2.ready.listeners['mtls'] ?? '')
    const message = { method: 'GET', path: '/edgeward/v1/whoami' } as const
    return ees1.request(`https://${EESS.ees2}:${port}`, message, { scope: SCOPE, eecId: 'eec-1' })
  }

  const discover = (easId: string) =>
    edgeward('ees', 'discover', '--dir', story.at('ees1'), '--eas-id', easId, '--json')

  test('TK-14: the S-EES asks its own ECS who serves an EAS, finds the T-EES of the other one, and has a token for it', async () => {
    const { code, stdout, stderr } = await discover('eas-ees2')
    assert.equal(code, 0, stderr)
    const { ednCnfgInfo } = JSON.parse(stdout) as Pick<ECSServProvResp, 'ednCnfgInfo'>
    const [found, ...others] = ednCnfgInfo.flatMap(({ eess }) => eess)
    assert.deepEqual([found?.eesId, found?.endPt, others], ['ees2', { fqdn: EESS.ees2 }, []])
    assert.equal((await token('eec-1', found?.endPt?.fqdn)).code, 0)
    assert.deepEqual(JSON.parse((await discover('eas-ees1')).stdout), { ednCnfgInfo: [] })
    const ofEes2 = ['ees', 'discover', '--dir', story.at('ees2'), '--eas-id', 'eas-ees1']
    assert.match((await edgeward(...ofEes2)).stdout, /^No other EES serves eas-ees1\./, 'no rule opens ees1 to it')
  })

  test('the token that the other ECS signs opens the EES of that ECS, and says who asks, under which ECS, for which EEC', async () => {
    const response = await askWhoAmI()
    assert.equal(response.status, 200, response.body.toString())
    const claims = JSON.parse(response.body.toString()) as AccessTokenClaims
    assert.deepEqual(
      [new URL(claims.iss).hostname, claims.sub, claims.aud, claims.srcEcs, claims.eecId],
      [ECSS.ecs2, EESS.ees1, [EESS.ees2], ECSS.ecs1, 'eec-1'],
    )
  })

  test('an EEC that no rule speaks of, and a target that nobody has, are refused with one sentence', async () => {
    for (const refused of [await token('eec-2'), await token('eec-1', 'nobody.south.example.org')]) {
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /the scope is not granted for this target \(400 invalid_scope\)/)
    }
  })

  test('FW-08: the ECS of the target is killed: a clear error, nothing half done; it comes back, and so does the token', async () => {
    await ecss.ecs2.stop('SIGKILL')
    const without = await token()
    assert.equal(without.code, 1)
    assert.match(without.stderr, /503/)
    const unknown = await discover('eas-ees2')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /503/)
    await start('ecs2')
    await until(async () => (await token()).code === 0, 'no token after the restart of ecs2')
    for (const ecs of ['ecs1', 'ecs2'] as const)
      assert.equal((await edgewardJson<{ ok: boolean }>('ecs', 'audit', 'verify', '--dir', story.at(ecs))).ok, true)
  })

  test('the home ECS is killed and started: it knows whom it trusts', async () => {
    await ecss.ecs1.stop('SIGKILL')
    await start('ecs1')
    await until(async () => (await token()).code === 0, 'no token after the restart of ecs1')
    const { peers } = await edgewardJson<{ peers: { fqdn: string }[] }>(
      'ecs',
      'peer',
      'list',
      '--dir',
      story.at('ecs1'),
    )
    assert.deepEqual(
      peers.map(({ fqdn }) => fqdn),
      [ECSS.ecs2],
    )
  })

  test('a peer that is removed gets no more tokens for its EESs, and their connections end at the EESs', async () => {
    assert.equal((await askWhoAmI()).status, 200)
    await edgewardJson('ecs', 'peer', 'remove', ECSS.ecs1, '--dir', story.at('ecs2'))
    assert.equal((await token()).code, 1)
    await until(async () => (await askWhoAmI().catch(() => undefined))?.status !== 200, 'it is still let in')
  })
})
