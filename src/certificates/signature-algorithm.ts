import { type KeyObject, verify } from 'node:crypto'
import type { DerReader } from './der-reader.ts'
import { NULL, oid, sequence } from './der-writer.ts'
import { Malformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'

interface Algorithm {
  readonly oid: string
  readonly keyType: 'ec' | 'ed25519' | 'rsa'
  /** undefined where the signature scheme has its own */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | undefined
  /** AlgorithmIdentifier: with NULL for RSA (RFC 4055 5), without parameters otherwise (RFC 5758 3.2, RFC 8410 3) */
  readonly identifier: Buffer
}

function algorithm(dotted: string, keyType: Algorithm['keyType'], hash?: Algorithm['hash']): Algorithm {
  return { oid: dotted, keyType, hash, identifier: sequence(keyType === 'rsa' ? [oid(dotted), NULL] : [oid(dotted)]) }
}

/** What may sign a certificate, a CRL or a certification request. Everything else, SHA-1 first of all, is refused. */
const ALGORITHMS = {
  'ecdsa-with-SHA256': algorithm(OID.ecdsaWithSha256, 'ec', 'sha256'),
  'ecdsa-with-SHA384': algorithm(OID.ecdsaWithSha384, 'ec', 'sha384'),
  Ed25519: algorithm(OID.ed25519, 'ed25519'),
  sha256WithRSAEncryption: algorithm(OID.sha256WithRsaEncryption, 'rsa', 'sha256'),
  sha384WithRSAEncryption: algorithm(OID.sha384WithRsaEncryption, 'rsa', 'sha384'),
  sha512WithRSAEncryption: algorithm(OID.sha512WithRsaEncryption, 'rsa', 'sha512'),
}

export type SignatureAlgorithm = keyof typeof ALGORITHMS
/** Those that our own signers use. */
export type SignerAlgorithm = 'ecdsa-with-SHA256' | 'ecdsa-with-SHA384'

const NAMES = new Map(Object.entries(ALGORITHMS).map(([name, row]) => [row.oid, name as SignatureAlgorithm]))

/** @returns the DER of the AlgorithmIdentifier: RFC 5758 3.2, RFC 4055 5 */
export function writeSignatureAlgorithm(name: SignatureAlgorithm): Buffer {
  return ALGORITHMS[name].identifier
}

/** @throws Malformed for an algorithm that is not in the table */
export function readSignatureAlgorithm(der: DerReader): SignatureAlgorithm {
  return der.sequence((identifier) => {
    const name = NAMES.get(identifier.oid())
    if (name === undefined) throw new Malformed('a signature algorithm that is not accepted')
    if (ALGORITHMS[name].keyType === 'rsa') identifier.null()
    return name
  })
}

/** The algorithm that `Signer.sign` uses with this key. */
export function algorithmOfSigner(publicKey: KeyObject): SignerAlgorithm {
  const curve = publicKey.asymmetricKeyDetails?.namedCurve
  if (curve === 'prime256v1') return 'ecdsa-with-SHA256'
  if (curve === 'secp384r1') return 'ecdsa-with-SHA384'
  throw new TypeError('a signer has a key on P-256 or P-384')
}

interface Signed {
  readonly signatureAlgorithm: SignatureAlgorithm
  /** the octets that are signed */
  readonly tbs: Uint8Array
  readonly signature: Uint8Array
}

/** @returns false also where the algorithm does not fit the key */
export function signatureVerifies({ signatureAlgorithm, tbs, signature }: Signed, publicKey: KeyObject): boolean {
  const { keyType, hash } = ALGORITHMS[signatureAlgorithm]
  return publicKey.asymmetricKeyType === keyType && verify(hash, tbs, publicKey, signature)
}

/** The same in the thread pool, for what is signed by the thousand. */
export function signatureVerifiesAside(signed: Signed, publicKey: KeyObject): Promise<boolean> {
  const { keyType, hash } = ALGORITHMS[signed.signatureAlgorithm]
  if (publicKey.asymmetricKeyType !== keyType) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    verify(hash, signed.tbs, publicKey, signed.signature, (error, verified) =>
      error ? reject(error) : resolve(verified),
    )
  })
}
