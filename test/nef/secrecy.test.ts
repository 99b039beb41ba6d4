import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { closeSync, globSync, openSync, readFileSync, readSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, connect as dial, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { decryptJwe, encryptJwe } from '../../src/tokens/jwe.ts'
import { type Server, serve } from '../stories/program.ts'
import {
  aScriptedAusf,
  type Caller,
  connect,
  delivered,
  ECS1,
  ECS2,
  makeCore,
  newKedgeId,
  says,
  trusted,
} from './a-nef.ts'

/** Every form in which a key could be written down. */
const formsOf = (key: Buffer) => [
  key,
  ...[key.toString('hex'), key.toString('hex').toUpperCase()].flatMap((hex) => [
    Buffer.from(hex),
    Buffer.from(hex, 'utf16le'),
  ]),
  Buffer.from(key.toString('base64').replace(/=+$/, '')),
  Buffer.from(key.toString('base64url')),
  Buffer.from([...key].join(',')),
]

const holds = (where: Buffer, key: Buffer) => formsOf(key).some((form) => where.includes(form))

describe('KE-09, KE-11: what a NEF process holds of the keys that it relays', () => {
  const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  /** of the ECS to which keys are encrypted */
  const unwrapKey = newKey()
  const seen: Buffer[] = []
  const open: { close(): void }[] = []
  let core: string
  let ausf: Awaited<ReturnType<typeof aScriptedAusf>>
  let nef: Server
  let wrapping: Caller
  let plain: Caller
  /** What the AUSF has under each Kedge ID. */
  const keys = new Map<string, Buffer>()
  const newKeyAtAusf = () => {
    const [kedgeId, key] = [newKedgeId(), randomBytes(32)]
    keys.set(kedgeId, key)
    return { kedgeId, key }
  }

  /** Between two parties, as somebody on the network is. */
  async function tapBefore(port: number): Promise<number> {
    const tap = createServer((client) => {
      const server = dial(port, '127.0.0.1')
      const both: [Socket, Socket][] = [
        [client, server],
        [server, client],
      ]
      for (const [from, to] of both)
        from
          .on('data', (part) => seen.push(part))
          .on('error', () => to.destroy())
          .pipe(to)
    })
    await new Promise<void>((done) => tap.listen(0, '127.0.0.1', done))
    open.push(tap)
    const address = tap.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  before(async () => {
    core = await makeCore()
    ausf = await aScriptedAusf(core)
    ausf.answer = (stream, asked) => {
      const { kedgeId = '', ecsFqdn } = asked.body
      const key = keys.get(kedgeId) ?? randomBytes(32)
      const given = { recipient: createPublicKey(unwrapKey), ephemeral: newKey(), iv: randomBytes(12) }
      const carried =
        ecsFqdn === ECS1 ? { kedge: undefined, kedgeJwe: encryptJwe(key, given) } : { kedge: key.toString('hex') }
      says(200, delivered({ kedgeId, ...carried }))(stream, asked)
    }
    const file = join(core, 'nef', 'nef.yaml')
    const configuration = parse(await readFile(file, 'utf8')) as { ausf: string; log: string }
    const { hostname } = new URL(configuration.ausf)
    const throughTap = `https://${hostname}:${await tapBefore(ausf.port)}`
    await writeFile(file, stringify({ ...configuration, ausf: throughTap, log: 'debug' }))
    const [ecs1, ecs2] = [await trusted(core, ECS1), await trusted(core, ECS2)]
    nef = await serve('nef', 'serve', '--dir', join(core, 'nef'))
    const root = await readFile(join(core, 'ca', 'root.crt'), 'utf8')
    const port = await tapBefore(Number(new URL(nef.ready.listeners['mtls'] ?? '').port))
    const at = { fqdn: nef.ready.fqdn, port, root }
    const callers = [connect(at, ecs1.credential, ECS1), connect(at, ecs2.credential, ECS2)] as const
    open.push(...callers)
    ;[wrapping, plain] = callers
  })
  after(async () => {
    for (const each of open) each.close()
    const code = await nef.stop()
    await ausf.stop()
    await rm(join(core, '..'), { recursive: true, force: true })
    assert.equal(code, 0)
  })

  test('its first line says where it listens', () => {
    const { ready, fqdn, listeners } = nef.ready
    assert.deepEqual([ready, fqdn, Object.keys(listeners)], ['nef', 'nef.5gc.mnc001.mcc001.3gppnetwork.org', ['mtls']])
  })

  test('KE-09: a key that is encrypted to the ECS arrives, and the NEF has it in no form: answer, log, wire, memory, files', async (t) => {
    const delivery = newKeyAtAusf()
    const { kedgeId, key } = delivery
    const { status, body, text } = await wrapping.retrieve({ kedgeId })
    assert.deepEqual([status, body.kedge], [200, undefined])
    assert.deepEqual(decryptJwe(body.kedgeJwe ?? '', unwrapKey), key)
    await wrapping.retrieve({ kedgeId, eecId: '../' })
    await nowhere(key, text)
    const memory = memoryOf(nef.process.pid ?? 0)
    if (memory === undefined) return t.skip('the memory of another process cannot be read here')
    assert.ok(!memory(key), 'the key is in its memory')

    // The same look finds one that the NEF has read.
    let found = false
    for (let time = 0; time < 5 && !found; time += 1) {
      const readable = newKeyAtAusf()
      assert.equal((await plain.retrieve({ kedgeId: readable.kedgeId })).body.kedge, readable.key.toString('hex'))
      found = memory(readable.key)
    }
    assert.ok(found, 'this way of looking finds nothing')
  })

  test('KE-11: a key that it can read is in no refusal, no log, no file and not on the wire', async () => {
    const { kedgeId, key } = newKeyAtAusf()
    assert.equal((await plain.retrieve({ kedgeId })).status, 200)
    const before = ausf.answer
    const texts: string[] = []
    const lies = [
      delivered({ kedge: key.toString('hex') }),
      delivered({ kedgeId, kedge: `${key.toString('hex')}00` }),
      delivered({ kedgeId, kedge: key.toString('hex'), keyScope: key.toString('hex') }),
      `<html>${key.toString('hex')}</html>`,
      { cause: key.toString('hex'), detail: key.toString('base64') },
    ]
    for (const lie of lies) {
      ausf.answer = says(200, lie)
      const { status, text } = await plain.retrieve({ kedgeId })
      assert.equal(status, 503)
      texts.push(text)
    }
    ausf.answer = before
    await nowhere(key, ...texts)
  })

  /** Neither in these texts nor in log, wire and folder. */
  async function nowhere(key: Buffer, ...texts: readonly string[]): Promise<void> {
    const log = nef.log()
    assert.match(log, /RetrieveEdgeKey/)
    const wire = Buffer.concat(seen)
    assert.ok(wire.length > 5_000)
    const files = globSync(join(core, 'nef', '**/*'), { withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name)))
    assert.ok(files.length >= 5)
    for (const place of [...texts.map((text) => Buffer.from(text)), Buffer.from(log), wire, ...files]) {
      assert.ok(!holds(place, key), place.subarray(0, 40).toString())
    }
  }
})

const CHUNK = 4_194_304
/** The longest form. */
const OVERLAP = 256

/**
 * @returns whether a process can have a key in its memory now; undefined if that cannot be seen (it takes Linux, and
 *   the right)
 */
function memoryOf(pid: number): ((key: Buffer) => boolean) | undefined {
  try {
    closeSync(openSync(`/proc/${pid}/mem`, 'r'))
  } catch {
    return undefined
  }
  return (key) => {
    const memory = openSync(`/proc/${pid}/mem`, 'r')
    try {
      return writableRanges(pid).some(([from, to]) => {
        for (let at = from; at < to; at += CHUNK - OVERLAP) {
          if (holds(readAt(memory, at, Math.min(CHUNK, to - at)), key)) return true
        }
        return false
      })
    } finally {
      closeSync(memory)
    }
  }
}

/** Code is not data: V8 reserves much room for it. */
function writableRanges(pid: number): (readonly [number, number])[] {
  return [...readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-/gm)].map(
    ([, from = '0', to = '0']) => [Number.parseInt(from, 16), Number.parseInt(to, 16)] as const,
  )
}

function readAt(memory: number, at: number, length: number): Buffer {
  const octets = Buffer.alloc(length)
  try {
    return octets.subarray(0, readSync(memory, octets, 0, length, at))
  } catch {
    // A range that has gone meanwhile holds nothing.
    return octets.subarray(0, 0)
  }
}
