import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { choosePorts, freePorts, isFree } from '../../src/http/free-ports.ts'

const ADDRESS = '127.0.0.1'

test('ports that are free now, none of them twice, and none that an outgoing connection may take', async () => {
  const ports = [...(await freePorts(ADDRESS, 5)), ...(await freePorts(ADDRESS, 5))]
  assert.equal(new Set(ports).size, 10)
  for (const port of ports) {
    assert.ok(port >= 16_384 && port < 32_768, String(port))
    assert.equal(await isFree(ADDRESS, port), true)
  }
})

test('a port that somebody listens on is passed over', async () => {
  const [last = 0] = await freePorts(ADDRESS, 1)
  const server = createServer().listen(last + 1, ADDRESS)
  await once(server, 'listening')
  assert.equal(await isFree(ADDRESS, last + 1), false)
  const [next] = await freePorts(ADDRESS, 1)
  assert.notEqual(next, last + 1)
  server.close()
})

test('processes that look at the same time find different ports', async () => {
  const module = new URL('../../src/http/free-ports.ts', import.meta.url).href
  const look = `import(${JSON.stringify(module)}).then(async (m) => console.log((await m.freePorts('${ADDRESS}', 8)).join()))`
  const outputs = await Promise.all(
    Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', look]),
    ),
  )
  const found = outputs.flatMap(({ stdout }) => stdout.trim().split(','))
  assert.equal(found.length, 32)
  assert.equal(new Set(found).size, 32)
})

test('an address that is not here is told, not searched', async () => {
  await assert.rejects(freePorts('192.0.2.1', 1), { code: 'EADDRNOTAVAIL' })
})

test('a port that is asked for is kept, and none beside it is the same', async () => {
  const [last = 0] = await freePorts(ADDRESS, 1)
  const wanted = [0, last + 1, 0, 8443]
  const chosen = await choosePorts(ADDRESS, wanted)
  assert.deepEqual([chosen[1], chosen[3], new Set(chosen).size], [last + 1, 8443, 4])
  assert.ok(chosen.every((port) => port > 0))
  await assert.rejects(choosePorts(ADDRESS, [8443, 0, 8443]), {
    name: 'PortGivenTwice',
    message: /8443 .* two listeners/,
  })
})
