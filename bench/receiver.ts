import http2 from 'node:http2'

/** The application server of many EECs: takes every notification. The certificate and its key come on the command line. */
const [cert = '', key = ''] = process.argv.slice(2).map((text) => Buffer.from(text, 'base64').toString())
const server = http2.createSecureServer({ cert, key, requestCert: true, rejectUnauthorized: false })
server.on('stream', (stream) => {
  stream.resume()
  stream.on('end', () => {
    stream.respond({ ':status': 204 }, { endStream: true })
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const listeners = { server: `https://127.0.0.1:${port}` }
  process.stdout.write(`${JSON.stringify({ ready: 'receiver', fqdn: 'cb1.apps.example', listeners })}\n`)
})
process.on('SIGTERM', () => process.exit(0))
