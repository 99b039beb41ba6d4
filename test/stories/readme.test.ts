import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { useEdge } from '../../examples/eec.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { isFree } from '../../src/http/free-ports.ts'
import { needs } from '../judges.ts'
import { edgeward, edgewardJson, run, type Server, serve, storyFolder } from './program.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

/** The blocks of the README that are marked `sh` and this word, or none. */
function blocks(mark: string): string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  return [...readme.matchAll(/^```sh ?(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, word]) => word === mark)
    .map(([, , text = '']) => text)
}

/** What a newcomer copies and pastes, run as it stands there. Only the checkout that npm looks for is named beside. */
describe('the README', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let ecs: Server | undefined
  const others: Server[] = []
  /** in the place of those that the README names, which may be taken here */
  const ports = new Map<string, number>()
  const NAMED = ['8443', '8444', '8445', '8543', '9443', '9444']
  const [first = '', invite = '', onboard = '', life = '', revoke = ''] = blocks('')

  const onFreePorts = (text: string) => text.replaceAll(/\b\d{4}\b/g, (port) => `${ports.get(port) ?? port}`)

  const paste = (text: string) => {
    // npm runs scripts in the folder of the package, so relative names are made those of this story.
    const inStory = `edgeward() { "${process.execPath}" --disable-warning=ExperimentalWarning "${CHECKOUT}bin/edgeward.mjs" "$@"; }`
    const lines = text.split('\n').filter((line) => !line.startsWith('edgeward() {'))
    writeFileSync(story.at('pasted.sh'), onFreePorts(['set -eu', inStory, ...lines].join('\n')))
    return run('sh', ['pasted.sh'], { cwd: story.folder })
  }

  before(async () => {
    story = await storyFolder()
    // Some wait long for their turn: they are none of those that servers meanwhile choose for themselves.
    let port = 2_000 + (process.pid % 128) * 100
    for (const named of NAMED) {
      while (!(await isFree('127.0.0.1', ++port)));
      ports.set(named, port)
    }
  })
  after(async () => {
    for (const server of [...others].reverse()) await server.stop()
    await story.remove()
  })

  test('the command line onboards an EES: operator and vendor, from init to revoke', async () => {
    for (const step of [first]) assert.deepEqual((await paste(step)).stderr, '')
    assert.deepEqual(blocks('serve'), ['edgeward ecs serve --dir ecs1\n'])
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs1'))
    others.push(ecs)
    for (const step of [invite, onboard, life, revoke]) {
      const { code, stderr } = await paste(step)
      assert.equal(code, 0, stderr)
    }
    const { code, stderr } = await edgeward('ees', 'show', '--dir', story.at('ees1'))
    assert.equal(code, 1, 'after the revocation nothing works')
    assert.match(stderr, /revoked/)
  })

  test('openssl and curl alone onboard an EES and renew its certificate', needs('openssl', 'curl'), async () => {
    const { code, stdout, stderr } = await paste(blocks('openssl').join('\n'))
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"eesId":"ees-2"/)
    assert.match(stdout, /"token_type":"Bearer"/)

    // The same token again: 401.
    const bundle = JSON.parse(readFileSync(story.at('bundle2.json'), 'utf8')) as Bundle
    const again = await paste(`${blocks('openssl')[0]?.replace(/^edgeward ecs invite.*$/m, '')}
openssl ecparam -name prime256v1 -genkey -noout -out thief.key
openssl req -new -key thief.key -subj "/CN=ees-2" -out thief.csr
sed "s|\\"csr\\": \\".*\\"|\\"csr\\": \\"$(awk '{ printf "%s\\\\\\\\n", $0 }' thief.csr)\\"|" registration.json > thief.json
curl -sS --cacert ca.crt --resolve ecs1.example.com:8443:127.0.0.1 -o refused.json -w '%{http_code}' \\
  https://ecs1.example.com:8443/eecs-eesregistration/v1/registrations \\
  -H "Authorization: Bearer ${bundle.onboardingToken}" -H "Content-Type: application/json" --data @thief.json`)
    assert.equal(again.stdout, '401', again.stderr + again.stdout)
    assert.equal(JSON.parse(readFileSync(story.at('refused.json'), 'utf8')).cause, 'ONBOARDING_TOKEN_USED')

    // Another EES's registration: 404. After the revocation: no connection, or 401.
    const [reader = ''] = blocks('openssl')[0]?.split('\n') ?? []
    const [caller = ''] = /^ees2\(\) \{[\s\S]*?^\}$/m.exec(blocks('openssl')[2] ?? '') ?? []
    const mutual = `${reader}\n${caller.replace(' --fail-with-body', '')}
[ -f token.json ] || ees2 /oauth2/token -d grant_type=client_credentials -d scope=eecs-eesregistration -o token.json
ees2 /eecs-eesregistration/v1/registrations/11111111-1111-4111-8111-111111111111 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(field access_token token.json)"`
    const foreign = await paste(mutual)
    assert.equal(foreign.stdout, '404', foreign.stderr)
    await edgewardJson('ecs', 'ees', 'revoke', 'ees-2', '--dir', story.at('ecs1'))
    const revoked = await paste(`${mutual} || true`)
    assert.match(revoked.stdout, /^(401|000)$/, revoked.stderr)
  })

  /** Starts the servers of a block, each of which the README gives a terminal of its own. */
  const start = async (mark: string) => {
    for (const command of onFreePorts(blocks(mark).join('')).trimEnd().split('\n')) {
      const [, entity = '', folder = '', more = ''] = /^edgeward (\w+) serve --dir (\S+)(.*)$/.exec(command) ?? []
      const options = more.split(' ').filter((word) => word !== '')
      const server = await serve(entity, 'serve', '--dir', story.at(folder), ...options)
      others.push(server)
      if (entity === 'ecs' && folder === 'ecs1') ecs = server
    }
  }
  const pasted = async (mark: string) => {
    const outcome = await paste(blocks(mark).join(''))
    assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout)
    return outcome.stdout
  }

  test('a device opens the edge with the key of its subscription', async () => {
    // OP-05: both operators are shown the same fingerprint.
    const shown = (await pasted('core')).match(/^ {4}(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/gm)
    assert.deepEqual([shown?.length, new Set(shown).size], [2, 1])
    await ecs?.stop()
    await start('servers')
    assert.match(await pasted('device'), /TR 33.839 6.x.2.1 step 7/)
  })

  test('and with a token of its operator, at the ECS and at an EES', async () => {
    await pasted('entitlement')
    await ecs?.stop()
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs1'))
    others.push(ecs)
    await start('servers2')
    const said = await pasted('token')
    assert.match(said, /TR 33.739 6.25.2 step 2/)
    assert.match(said, /Registered at ees-3/)
    assert.match(said, /The EES has no EAS for this EEC/)
  })

  test('its program of an EEC does the same, with the key of the subscription', async () => {
    const { ecs: home, root } = JSON.parse(readFileSync(story.at('bundle.json'), 'utf8')) as Bundle
    const resolve = new Map([home.fqdn, 'ees3.example.com'].map((name) => [name, '127.0.0.1']))
    const edge = { credential: story.at('ue', 'eecs', 'eec-1.json'), ecs: home.apiRoot, root, resolve }
    const used = await useEdge(edge, 'ees-3')
    assert.deepEqual(used?.easIds, [])
    assert.match(used?.registrationId ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(await useEdge(edge, 'ees-9'), undefined)
  })

  test('one edge trusts another: an EEC goes over', async () => {
    await pasted('edge2')
    await start('servers3')
    assert.match(await pasted('trust'), /ecs2\.example\.net is trusted for example\.net; its trust bundle is here/)
    await start('servers4')
    const said = await pasted('relocate')
    assert.match(said, /eec-1 is registered at .*ees4\.example\.net.*, and no longer here/)
    assert.match(said, /^eec-1 until /m)
  })
})

test('whatever file README, docs/operations.md and docs/procedures name is there', () => {
  const procedures = readdirSync(`${CHECKOUT}docs/procedures`).map((name) => `docs/procedures/${name}`)
  const missing = ['README.md', 'docs/operations.md', ...procedures].flatMap((document) =>
    [...readFileSync(`${CHECKOUT}${document}`, 'utf8').matchAll(/`((?:src|test|docs|examples)\/[^`\s]*)`/g)]
      .filter(([, file = '']) => !existsSync(`${CHECKOUT}${file}`))
      .map(([, file]) => `${document}: ${file}`),
  )
  assert.deepEqual(missing, [])
})
