import { createSecretKey } from 'node:crypto'
import { createListener } from '../src/http/listener.ts'
import { createLog } from '../src/http/log.ts'
import { pskServer } from '../src/tls/psk-server.ts'
import { pskOf } from './psk-keys.ts'

/** The `psk` listener of an ECS that holds 1,000 keys and has nothing to say. */
const keys = new Map(
  Array.from({ length: 1_000 }, (_, n) => [pskOf(n).identity, { key: createSecretKey(pskOf(n).psk) }]),
)
const { tls, provenKey } = pskServer({
  keyOf: (identity) => keys.get(identity),
  isGoodNow: () => true,
  dummySecret: Buffer.alloc(32, 7),
})
const listener = createListener<{ psk: unknown }>({
  name: 'psk',
  tls,
  routes: [],
  authenticators: { psk: async ({ socket }) => provenKey(socket) },
  admit: provenKey,
  hosts: ['localhost'],
  log: createLog('bench', 'silent'),
})
const port = await listener.listen('127.0.0.1', 0)
const ready = { ready: 'psk', fqdn: 'localhost', listeners: { psk: `https://127.0.0.1:${port}` } }
process.stdout.write(`${JSON.stringify(ready)}\n`)
process.on('SIGTERM', async () => {
  await listener.close()
  process.exit(0)
})
