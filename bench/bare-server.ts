import { createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import { join } from 'node:path'
import { openStore } from '../src/store/open-store.ts'
import { mutualTls, serverTls } from '../src/tls/profile.ts'

/**
 * The limits that ours is measured against: the same HTTP/2, the same TLS, the same store, and nothing looked at.
 * `onboarding` commits one row and signs twice, `verification` verifies twice besides, once with a key that it reads first.
 * The others ask for a client certificate: `grants` signs once, `commits` commits one row, `trips` does neither.
 */
const [mode = '', folder = ''] = process.argv.slice(2)
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const key = createPrivateKey(read('bare.key'))
const credential = { certificateChain: read('bare.crt'), privateKey: read('bare.key') }
const store = await openStore({
  file: join(folder, `${mode}.db`),
  migrations: [{ name: '1', statements: ['create table row (id text primary key, content text not null)'] }],
})

const signature = (octets: string) =>
  new Promise<Buffer>((resolve, reject) => {
    sign('sha256', Buffer.from(octets), key, (error, signed) => (error ? reject(error) : resolve(signed)))
  })

const publicKey = createPublicKey(key)
const publicPem = publicKey.export({ type: 'spki', format: 'pem' })
const message = Buffer.alloc(600, 1)
const known = sign('sha256', message, key)

const verification = (by: KeyObject) =>
  new Promise<boolean>((resolve, reject) => {
    verify('sha256', message, by, known, (error, valid) => (error ? reject(error) : resolve(valid)))
  })

const answers: Record<string, (body: string) => Promise<object>> = {
  async onboarding(body) {
    const id = randomUUID()
    await store.commit([{ sql: 'insert into row values (?, ?)', parameters: [id, body] }])
    const [certificate, token] = await Promise.all([signature(body), signature(id)])
    return {
      id,
      certificate: certificate.toString('base64'),
      token: token.toString('base64url'),
      padding: 'x'.repeat(2_500),
    }
  },
  async verification(body) {
    await verification(publicKey)
    await verification(createPublicKey(publicPem))
    return (await answers['onboarding']?.(body)) ?? {}
  },
  async commits(body) {
    const id = randomUUID()
    await store.commit([{ sql: 'insert into row values (?, ?)', parameters: [id, body] }])
    return { id, padding: 'x'.repeat(100) }
  },
  async trips(body) {
    return { length: body.length, padding: 'x'.repeat(600) }
  },
  async grants(body) {
    return { access_token: (await signature(body)).toString('base64url'), padding: 'x'.repeat(600) }
  },
}

const answer = answers[mode]
if (answer === undefined) throw new Error(`no such mode: ${mode}`)
const isOnboarding = mode === 'onboarding' || mode === 'verification'
const tls = isOnboarding ? serverTls(credential) : mutualTls(credential, [read('root.crt')])
const server = http2.createSecureServer({ ...tls, settings: { maxConcurrentStreams: 100 } })
server.on('stream', (stream) => {
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  stream.on('end', async () => {
    const body = await answer(Buffer.concat(parts).toString('utf8'))
    stream.respond({ ':status': isOnboarding ? 201 : 200, 'content-type': 'application/json' })
    stream.end(JSON.stringify(body))
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  process.stdout.write(
    `${JSON.stringify({ ready: 'bare', fqdn: 'localhost', listeners: { server: `https://127.0.0.1:${port}` } })}\n`,
  )
})
process.on('SIGTERM', async () => {
  server.close()
  await store.close()
  process.exit(0)
})
