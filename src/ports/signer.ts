import { createPublicKey, type KeyObject, sign } from 'node:crypto'

/** A private key that signs and does not leave: a file today, an HSM where the deployer has one (THREATS CA-12). */
export interface Signer {
  readonly publicKey: KeyObject
  /**
   * @returns ECDSA with the hash of the curve (P-256: SHA-256, P-384: SHA-384), as DER `ECDSA-Sig-Value`
   *   (RFC 3279 2.2.3)
   */
  sign(octets: Uint8Array): Promise<Buffer>
}

/** @param privateKey - an EC key on P-256 or P-384 */
export function signerOf(privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey)
  const curve = privateKey.asymmetricKeyDetails?.namedCurve
  // Signing on P-256 takes no longer than handing it to the thread pool does.
  if (curve === 'prime256v1') return { publicKey, sign: async (octets) => sign('sha256', octets, privateKey) }
  if (curve === 'secp384r1') return { publicKey, sign: (octets) => signAside(octets, privateKey) }
  throw new TypeError('a signer needs a key on P-256 or P-384')
}

function signAside(octets: Uint8Array, privateKey: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha384', octets, privateKey, (error, signature) => (error ? reject(error) : resolve(signature)))
  })
}
