import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
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
  const [first = '', invite = '', onboard = '', life = '', revoke = ''] = blocks('')

  const paste = (text: string) => {
    // npm runs scripts in the folder of the package, so relative names are made those of this story.
    const inStory = `edgeward() { "${process.execPath}" --disable-warning=ExperimentalWarning "${CHECKOUT}bin/edgeward.mjs" "$@"; }`
    const lines = text.split('\n').filter((line) => !line.startsWith('edgeward() {'))
    writeFileSync(story.at('pasted.sh'), ['set -euo pipefail', inStory, ...lines].join('\n'))
    return run('bash', ['pasted.sh'], { cwd: story.folder })
  }

  before(async () => {
    story = await storyFolder()
  })
  after(async () => {
    await Promise.all([ecs, ...others].map((server) => server?.stop()))
    await story.remove()
  })

  test('the command line onboards an EES: operator and vendor, from init to revoke', async () => {
    for (const step of [first]) assert.deepEqual((await paste(step)).stderr, '')
    assert.deepEqual(blocks('serve'), ['edgeward ecs serve --dir ecs1\n'])
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs1'))
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
curl -sS --cacert ca.crt $resolve "$api/eecs-eesregistration/v1/registrations" -o refused.json -w '%{http_code}' \\
  -H "Authorization: Bearer ${bundle.onboardingToken}" -H "Content-Type: application/json" --data @thief.json`)
    assert.equal(again.stdout, '401', again.stderr + again.stdout)
    assert.equal(JSON.parse(readFileSync(story.at('refused.json'), 'utf8')).cause, 'ONBOARDING_TOKEN_USED')

    // Another EES's registration: 404. After the revocation: no connection, or 401.
    const mutual = `${blocks('openssl')[2]?.split('\n').slice(0, 3).join('\n').replace('--fail-with-body', '')}
[ -f token.json ] || $ees2 "$mtls/oauth2/token" -d grant_type=client_credentials -d scope=eecs-eesregistration -o token.json
$ees2 "$mtls/eecs-eesregistration/v1/registrations/11111111-1111-4111-8111-111111111111" -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(field access_token token.json)"`
    const reader = blocks('openssl')[0]?.split('\n')[0] ?? ''
    const foreign = await paste(`${reader}\n${mutual}`)
    assert.equal(foreign.stdout, '404', foreign.stderr)
    await edgewardJson('ecs', 'ees', 'revoke', 'ees-2', '--dir', story.at('ecs1'))
    const revoked = await paste(`${reader}\n${mutual} || true`)
    assert.match(revoked.stdout, /^(401|000)$/, revoked.stderr)
  })

  test('a device opens the edge with the key of its subscription', async () => {
    const { code, stderr } = await paste(blocks('core').join('\n'))
    assert.equal(code, 0, stderr)
    await ecs?.stop()
    const commands = blocks('servers').join('').trimEnd().split('\n')
    assert.equal(commands.length, 4)
    for (const command of commands) {
      const [, entity = '', folder = ''] = /^edgeward (\w+) serve --dir (\S+)$/.exec(command) ?? []
      others.push(await serve(entity, 'serve', '--dir', story.at(folder)))
    }
    const device = await paste(blocks('device').join('\n'))
    assert.equal(device.code, 0, device.stderr)
    assert.match(device.stdout, /TR 33.839 6.x.2.1 step 7/)
  })
})

test('whatever file README and docs/procedures name is there', () => {
  const procedures = readdirSync(`${CHECKOUT}docs/procedures`).map((name) => `docs/procedures/${name}`)
  const missing = ['README.md', ...procedures].flatMap((document) =>
    [...readFileSync(`${CHECKOUT}${document}`, 'utf8').matchAll(/`((?:src|test|docs|examples)\/[^`\s]*)`/g)]
      .filter(([, file = '']) => !existsSync(`${CHECKOUT}${file}`))
      .map(([, file]) => `${document}: ${file}`),
  )
  assert.deepEqual(missing, [])
})
