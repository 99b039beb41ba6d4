import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'

/** Does it so often, 64 at once, as a server has them. */
export async function atOnce(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let n = next++; n < count; n = next++) await work(n)
  }
  await Promise.all(Array.from({ length: 64 }, worker))
}

/** Seconds that this process has used so far, all its threads together. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** The limit of whatever checks `signatures` signatures with ES256, one after another, for each of so many requests. */
export function bareVerifications(count: number, signatures = 1): () => Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const octets = randomBytes(600)
  const signature = sign('sha256', octets, privateKey)
  const once = () =>
    new Promise<void>((done, failed) => {
      verify('sha256', octets, publicKey, signature, (error) => (error ? failed(error) : done()))
    })
  return () =>
    atOnce(count, async () => {
      for (let n = 0; n < signatures; n++) await once()
    })
}
