import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { openRegistration, type Registration } from '../../src/ees/index.ts'
import { edgewardJson, type Server, serve, storyFolder } from './program.ts'

const RULE = `
  - id: ees-1-may-ask-ees-2
    effect: allow
    eesId: ees-1
    scopes: [edgeward-whoami]
    target: ees2.example.com
`

/** The EES as resource server: TS 33.501 13.4.1.1.2 step 2, with processes of their own. */
describe('one EES calls another with a token of their ECS: TS 33.501 13.4.1', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let ecs: Server
  let ees2: Server
  let ees1: Registration
  const resolve = new Map(['ecs1', 'ees1', 'ees2'].map((label) => [`${label}.example.com`, '127.0.0.1']))
  const flags = [...resolve].flatMap(([name, address]) => ['--resolve', `${name}=${address}`])

  before(async () => {
    story = await storyFolder()
    await edgewardJson('ecs', 'init', '--dir', story.at('ecs1'), '--fqdn', 'ecs1.example.com')
    const policy = readFileSync(story.at('ecs1', 'policy.yaml'), 'utf8')
    writeFileSync(story.at('ecs1', 'policy.yaml'), policy + RULE)
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs1'))
    for (const name of ['ees1', 'ees2', 'ees3']) await onboard(name)
    ees2 = await serve('ees', 'serve', '--dir', story.at('ees2'))
    ees1 = await openRegistration({ store: story.at('ees1'), resolve })
  })
  after(async () => {
    ees1.close()
    await ees2.stop()
    await ecs.stop()
    await story.remove()
  })

  async function onboard(name: string) {
    const [eesId, fqdn] = [name.replace('ees', 'ees-'), `${name}.example.com`]
    const bundle = await edgewardJson<Bundle>(
      'ecs',
      'invite',
      '--dir',
      story.at('ecs1'),
      '--ees-id',
      eesId,
      '--fqdn',
      fqdn,
    )
    writeFileSync(story.at('bundle.json'), JSON.stringify(bundle))
    writeFileSync(story.at('profile.json'), JSON.stringify({ eesId, endPt: { fqdn }, eecRegConf: true }))
    const files = ['--bundle', story.at('bundle.json'), '--profile', story.at('profile.json'), '--dir', story.at(name)]
    await edgewardJson('ees', 'onboard', ...files, ...flags)
  }

  const askWhoAmI = (registration: Registration, scope = 'edgeward-whoami') => {
    const { port } = new URL(ees2.ready.listeners['mtls'] ?? '')
    const message = { method: 'GET', path: '/edgeward/v1/whoami' } as const
    return registration.request(`https://ees2.example.com:${port}`, message, { scope })
  }

  test('step 2: the guard verifies certificate and token, and tells who it has seen', async () => {
    const response = await askWhoAmI(ees1)
    assert.equal(response.status, 200, response.body.toString())
    const { sub, aud, scope } = JSON.parse(response.body.toString()) as { sub: string; aud: string[]; scope: string }
    assert.deepEqual([sub, aud, scope], ['ees1.example.com', ['ees2.example.com'], 'edgeward-whoami'])
  })

  test('step 1: an EES without a rule gets no token, so it cannot ask', async () => {
    const ees3 = await openRegistration({ store: story.at('ees3'), resolve })
    await assert.rejects(askWhoAmI(ees3), { name: 'RefusedByServer', code: 'invalid_scope' })
    ees3.close()
  })

  test('CA-06: after the revocation of the caller, the other EES refuses it within 5 s', async () => {
    await edgewardJson('ecs', 'ees', 'revoke', 'ees-1', '--dir', story.at('ecs1'))
    const start = Date.now()
    let refused = false
    while (!refused && Date.now() - start < 5_000) {
      const outcome = await askWhoAmI(ees1).catch(() => 'no connection' as const)
      refused = outcome === 'no connection' || outcome.status === 401
      if (!refused) await new Promise((wait) => setTimeout(wait, 200))
    }
    assert.equal(refused, true)
  })
})
