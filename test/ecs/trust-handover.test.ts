import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { createRoot } from '../../src/certificates/authority.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { fingerprintsOfRoots } from '../../src/certificates/roots.ts'
import { initFolder } from '../../src/ecs/adapters/init-folder.ts'
import { type TrustOptions, trustHandover } from '../../src/ecs/adapters/trust-handover.ts'
import { newSigningKey } from '../../src/nf/adapters/own-keys.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'

const ECS = 'ecs1.example.com' as Fqdn
const now = systemClock.now()
const LISTEN = { address: '127.0.0.1', server: 8443, mtls: 0, psk: 0, admin: 0 }

const newRoot = async (at = now) => {
  const given = { signer: signerOf(newSigningKey()), now: at, random: systemRandom }
  return writePem('CERTIFICATE', (await createRoot('operator.example' as Fqdn, given)).certificate.der)
}

const KEY_SERVICE = { realm: 'mnc001.mcc001', via: 'ausf', apiRoot: 'https://ausf.operator.example:8443' }
const TWICE = '{ realm: mnc001.mcc001, via: ausf, apiRoot: "https://ausf.operator.example", root: x.crt }'
const ENT = {
  issuer: 'https://ent.operator.example',
  apiRoot: 'https://ent.operator.example:8445',
  introspectionRoot: 'https://ent.operator.example:8446',
}

describe('what the operator of a core hands over', () => {
  let place: string
  let folder: string
  let root: string
  let written: string
  before(async () => {
    place = await mkdtemp(join(tmpdir(), 'edgeward-handover-'))
    folder = join(place, 'ecs1')
    await initFolder(folder, ECS, { clock: systemClock, random: systemRandom, listen: LISTEN })
    root = await newRoot()
    written = await readFile(join(folder, 'ecs.yaml'), 'utf8')
  })
  after(() => rm(place, { recursive: true }))
  beforeEach(async () => {
    await writeFile(join(folder, 'ecs.yaml'), written)
    await rm(join(folder, 'trusted'), { recursive: true, force: true })
  })

  const configuration = async () => readFile(join(folder, 'ecs.yaml'), 'utf8')
  async function trust(handover: unknown, options: Partial<TrustOptions> = {}) {
    const file = join(place, 'handover.json')
    await writeFile(file, typeof handover === 'string' ? handover : JSON.stringify(handover))
    return trustHandover(folder, file, { now, ...options })
  }
  const keyService = (more: object = {}, outer: object = {}) => ({
    ecsFqdn: ECS,
    keyService: { ...KEY_SERVICE, ...more },
    keyProfile: 'bound',
    root,
    ...outer,
  })
  const entitlement = (outer: object = {}) => ({ ecsFqdn: ECS, entitlementServer: ENT, root, ...outer })

  test('stands behind what is written already, and nothing else is another; twice is once', async () => {
    const first = await trust(keyService(), { resolve: new Map([['ausf.operator.example', '127.0.0.1']]) })
    assert.deepEqual([first.before, first.changed], [undefined, true])
    await trust(entitlement())
    const text = await configuration()
    assert.ok(text.startsWith(written), text)
    const { authentication, resolve } = parse(text)
    assert.deepEqual(authentication, {
      keyServices: [{ ...KEY_SERVICE, root: 'trusted/core-mnc001.mcc001.crt' }],
      entitlementServers: [
        {
          ...ENT,
          anchors: ['trusted/entitlement-ent.operator.example.crt'],
          verify: 'certificate',
          unbound: 'refused',
        },
      ],
    })
    assert.deepEqual(resolve, { 'ausf.operator.example': '127.0.0.1' })
    for (const file of ['core-mnc001.mcc001.crt', 'entitlement-ent.operator.example.crt']) {
      assert.equal(await readFile(join(folder, 'trusted', file), 'utf8'), root)
    }

    const again = await trust(keyService())
    assert.deepEqual([again.changed, again.fingerprints], [false, first.fingerprints])
    assert.equal(await configuration(), text)
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('.')),
      [],
    )
  })

  test('OP-05: takes the place of what the same network said before, in whatever form that is written; comments stay', async () => {
    const before = `fqdn: ${ECS} # ours
authentication:
  # of networks
  keyServices:
    # the other operator
    - { realm: mnc002.mcc001, via: nef, apiRoot: 'https://nef.other.example', root: other.crt, afId: af-1 }
    # our operator
    - realm: mnc001.mcc001
      via: ausf
      apiRoot: https://old.operator.example # moves soon
      root: mine.crt
      akma: true
  entitlementServers: [{ issuer: https://ent.operator.example, anchors: [mine.crt], verify: both, unbound: allowed }]
listen: { address: 127.0.0.1, server: 1, mtls: 2, psk: 3, admin: 4 }
`
    await writeFile(join(folder, 'ecs.yaml'), before)
    await writeFile(join(folder, 'mine.crt'), root)
    await trust(keyService())
    await trust(entitlement())
    const text = await configuration()
    for (const comment of before.match(/#.*/g) ?? []) assert.ok(text.includes(comment), comment)
    const { authentication, ...rest } = parse(text)
    const { authentication: old, ...others } = parse(before)
    assert.deepEqual(Object.keys(parse(text)), Object.keys(parse(before)))
    assert.deepEqual(rest, others)
    // AKMA is not in the file: it ends.
    assert.deepEqual(authentication.keyServices, [
      old.keyServices[0],
      { ...KEY_SERVICE, root: 'trusted/core-mnc001.mcc001.crt' },
    ])
    // How tokens are verified is said here, and nowhere else.
    const [{ verify, unbound }] = authentication.entitlementServers
    assert.deepEqual([verify, unbound], ['both', 'allowed'])
    await trust(entitlement(), { verify: 'introspection' })
    assert.equal(parse(await configuration()).authentication.entitlementServers[0].verify, 'introspection')
  })

  test('OP-05: an entitlement server with the name of a network takes the place of no root of that network', async () => {
    await trust(keyService())
    const issuer = `https://${KEY_SERVICE.realm}`
    const own = await newRoot()
    await trust({ ecsFqdn: ECS, entitlementServer: { ...ENT, issuer }, root: own })
    const { authentication } = parse(await configuration())
    const [network] = authentication.keyServices
    const [server] = authentication.entitlementServers
    assert.equal(await readFile(join(folder, network.root), 'utf8'), root)
    assert.equal(await readFile(join(folder, server.anchors[0]), 'utf8'), own)
  })

  test('OP-05: of files that come at a time, each is taken whole or refused', async () => {
    const files = await Promise.all(
      ['mnc001.mcc001', 'mnc002.mcc001', 'mnc001.mcc001'].map(async (realm, index) => {
        const file = join(place, `handover-${index}.json`)
        await writeFile(file, JSON.stringify(keyService({ realm }, { root: await newRoot() })))
        return file
      }),
    )
    const done = await Promise.allSettled(files.map((file) => trustHandover(folder, file, { now })))
    const taken = done.filter((each) => each.status === 'fulfilled').map(({ value }) => value)
    assert.ok(taken.length > 0)
    for (const each of done) if (each.status === 'rejected') assert.match(String(each.reason), /locked|another root/)
    const { keyServices } = parse(await configuration()).authentication
    assert.deepEqual(new Set(keyServices), new Set(taken.map(({ entry }) => entry)))
    for (const { entry, fingerprints } of taken) {
      const pem = await readFile(join(folder, 'root' in entry ? entry.root : ''), 'utf8')
      assert.deepEqual(fingerprintsOfRoots(pem, now), fingerprints)
    }
  })

  test('OP-05: is refused with a sentence, and nothing is written, if it is not what it should be', async () => {
    const refused: [unknown, RegExp][] = [
      ['fqdn: ecs1', /is not what "edgeward core trust --out" writes: not a JSON object/],
      ['[]', /not a JSON object/],
      ['null', /not a JSON object/],
      [' '.repeat(70_000), /not a JSON object/],
      [{ ecsFqdn: ECS, keyService: { ...KEY_SERVICE, root: '/ca/root.crt' } }, /root/],
      [keyService({}, { listen: {} }), /\/listen is not a setting/],
      [keyService({ realm: '../../mnc001' }), /\/keyService\/realm/],
      [keyService({ via: 'amf' }), /\/keyService\/via/],
      [keyService({ apiRoot: 'http://ausf.operator.example' }), /\/keyService\/apiRoot/],
      [keyService({ via: 'nef', akma: true }), /AKMA come via ausf alone/],
      [keyService({ afId: 'af-1\u001b[2J' }), /\/keyService\/afId/],
      [keyService({}, { ecsFqdn: 'ecs1\u001b[2J' }), /\/ecsFqdn/],
      [keyService({ verify: 'none' }), /\/keyService\/verify is not a setting/],
      [
        keyService({}, { ecsFqdn: 'ecs2.example.net' }),
        /is for the ECS ecs2\.example\.net, and this is ecs1\.example\.com/,
      ],
      [keyService({}, { keyProfile: 'literal' }), /profile literal, and this ECS takes bound/],
      [
        entitlement({ entitlementServer: { ...ENT, unbound: 'allowed' } }),
        /"edgeward entitlement trust --out".*unbound/,
      ],
      [entitlement({ entitlementServer: { ...ENT, issuer: 'https://ent/../x' } }), /issuer/],
      [keyService({}, { root: '' }), /handover\.json: /],
      [keyService({}, { root: 'no PEM' }), /handover\.json: /],
      [keyService({}, { root: await newRoot(now - 30 * 365 * 86_400_000) }), /not good at this time/],
      [
        keyService({}, { root: await readFile(join(folder, 'ca', 'ecs-issuer.crt'), 'utf8') }),
        /none of a root authority/,
      ],
    ]
    for (const [handover, says] of refused) {
      await assert.rejects(trust(handover), { name: 'ConfigurationError', message: says }, JSON.stringify(handover))
    }
    assert.equal(await configuration(), written)
    assert.ok(!(await readdir(folder)).includes('trusted'))
  })

  test('OP-05: changes no root that is trusted already, unless this operator says so', async () => {
    const { fingerprints } = await trust(keyService())
    const other = await newRoot()
    await assert.rejects(trust(keyService({}, { root: other })), (error) => {
      return error instanceof Error && error.message.includes(fingerprints.join()) && /--new-root/.test(error.message)
    })
    assert.equal(await readFile(join(folder, 'trusted', 'core-mnc001.mcc001.crt'), 'utf8'), root)
    // What cannot be compared is another one.
    await writeFile(join(folder, 'trusted', 'core-mnc001.mcc001.crt'), 'damaged')
    await assert.rejects(trust(keyService()), /another root is trusted for mnc001\.mcc001 \(SHA-256 not readable\)/)
    const { changed } = await trust(keyService({}, { root: other }), { newRoot: true })
    assert.equal(changed, true)
    assert.equal(await readFile(join(folder, 'trusted', 'core-mnc001.mcc001.crt'), 'utf8'), other)
  })

  test('is not written into a file that the ECS would not start with, or that nobody can edit by rule', async () => {
    for (const [text, says] of [
      [`${written}\nsurprise: true\n`, /\/surprise is not a setting/],
      [`${written}\n- x`, /not YAML/],
      [`${written}\nresolve: &r { a.example: 127.0.0.1 }\nauthentication: *r\n`, /not a setting|aliases/],
      [
        `${written}\nauthentication: { keyServices: [${[1, 2].map(() => TWICE).join()}] }\n`,
        /mnc001\.mcc001 stands in ecs\.yaml twice/,
      ],
      [`${written}\nresolve: { a.example: &a 127.0.0.1, b.example: *a }\n`, /aliases/],
    ] as const) {
      await writeFile(join(folder, 'ecs.yaml'), text)
      await assert.rejects(trust(keyService()), { name: 'ConfigurationError', message: says })
      assert.equal(await configuration(), text)
    }
  })

  test('is read by whoever could read ecs.yaml before; a name with nothing behind it is a section', async () => {
    await writeFile(join(folder, 'ecs.yaml'), `${written}\nauthentication:\nresolve:\n`)
    await chmod(join(folder, 'ecs.yaml'), 0o640)
    await trust(keyService(), { resolve: new Map([['a.example', '::1']]) })
    assert.equal((await stat(join(folder, 'ecs.yaml'))).mode & 0o777, 0o640)
    const { authentication, resolve } = parse(await configuration())
    assert.deepEqual([authentication.keyServices.length, resolve], [1, { 'a.example': '::1' }])
    await chmod(join(folder, 'ecs.yaml'), 0o644)
  })

  test('in any order and number: one entry for each network, the last that was said of it', async () => {
    const network = fc.integer({ min: 1, max: 3 }).map((mnc) => `mnc00${mnc}.mcc001`)
    const one = fc.record({ realm: network, port: fc.integer({ min: 1, max: 65_535 }), akma: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 6 }), async (said) => {
        await writeFile(join(folder, 'ecs.yaml'), written)
        for (const { realm, port, akma } of said) {
          await trust(keyService({ realm, apiRoot: `https://ausf.operator.example:${port}`, akma }))
        }
        const { authentication, ...rest } = parse(await configuration())
        const last = new Map(said.map(({ realm, port, akma }) => [realm, [`:${port}`, akma]]))
        const stands = (authentication?.keyServices ?? []).map(
          ({ realm, apiRoot, akma }: typeof KEY_SERVICE & { akma: boolean }) => [
            realm,
            [apiRoot.replace('https://ausf.operator.example', ''), akma],
          ],
        )
        assert.deepEqual(stands, [...last])
        assert.deepEqual(rest, parse(written))
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 300 : 15 },
    )
  })
})
