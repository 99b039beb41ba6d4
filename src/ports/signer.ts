import { createPublicKey, type KeyObject, sign } from 'node:crypto'

/** A private key that signs and does not leave: a file today, an HSM where the deployer has one (THREATS CA-12). */
export interface Signer {
  readonly publicKey: KeyObject
  /** @returns ECDSA with the hash of the curve (P-256: SHA-256, P-384: SHA-384), as DER `ECDSA-Sig-Value` (RFC 3279 2.2.3) */
  sign(octets: Uint8Array): Promise<Buffer>
}

/** @param privateKey - an EC key on P-256 or P-384 */
export function signerOf(privateKey: KeyObject): Signer {
  const curve = privateKey.asymmetricKeyDetails?.namedCurve
  const hash = curve === 'secp384r1' ? 'sha384' : 'sha256'
  if (curve !== 'prime256v1' && curve !== 'secp384r1') throw new TypeError('a signer needs a key on P-256 or P-384')
  return {
    publicKey: createPublicKey(privateKey),
    // The form with a callback signs in the thread pool and is the fastest that Node has.
    sign: (octets) =>
      new Promise((resolve, reject) => {
        sign(hash, octets, privateKey, (error, signature) => (error ? reject(error) : resolve(signature)))
      }),
  }
}
