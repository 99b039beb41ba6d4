import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'

/** How much of it is done each second, 64 at once, as a server has them. */
export async function rateOf(count: number, work: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const start = performance.now()
  const worker = async () => {
    for (let n = next++; n < count; n = next++) await work(n)
  }
  await Promise.all(Array.from({ length: 64 }, worker))
  return count / ((performance.now() - start) / 1000)
}

/** The limit of whatever checks `signatures` signatures with ES256, one after another, for each request. */
export async function bareVerifications(count: number, signatures = 1): Promise<number> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const octets = randomBytes(600)
  const signature = sign('sha256', octets, privateKey)
  const once = () =>
    new Promise<void>((done, failed) => {
      verify('sha256', octets, publicKey, signature, (error) => (error ? failed(error) : done()))
    })
  return rateOf(count, async () => {
    for (let n = 0; n < signatures; n++) await once()
  })
}
