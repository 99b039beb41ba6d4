import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'

/** The key schedule of RFC 8446 7.1, written again so that a test can say what no library would. */

export type Hash = 'sha256' | 'sha384'

const lengthOf = (hash: Hash) => (hash === 'sha256' ? 32 : 48)
const hmac = (hash: Hash, key: Uint8Array, data: Uint8Array) => createHmac(hash, key).update(data).digest()

export const digest = (hash: Hash, ...parts: Uint8Array[]) => createHash(hash).update(Buffer.concat(parts)).digest()
export const zeros = (hash: Hash) => Buffer.alloc(lengthOf(hash))

/** HKDF-Extract: RFC 5869 2.2. */
export const extract = (hash: Hash, salt: Uint8Array, secret: Uint8Array) => hmac(hash, salt, secret)

/** HKDF-Expand-Label, for outputs of one block. */
export function expandLabel(hash: Hash, secret: Buffer, label: string, context: Buffer, length = lengthOf(hash)) {
  const name = Buffer.from(`tls13 ${label}`)
  const info = Buffer.concat([
    Buffer.from([length >> 8, length & 0xff, name.length]),
    name,
    Buffer.from([context.length]),
    context,
    Buffer.from([1]),
  ])
  return hmac(hash, secret, info).subarray(0, length)
}

/** Derive-Secret over what was said so far. */
export const derive = (hash: Hash, secret: Buffer, label: string, ...said: Uint8Array[]) =>
  expandLabel(hash, secret, label, digest(hash, ...said))

/** `verify_data` of a Finished, and a binder: RFC 8446 4.4.4, 4.2.11.2. */
export const finished = (hash: Hash, secret: Buffer, ...said: Uint8Array[]) =>
  hmac(hash, expandLabel(hash, secret, 'finished', Buffer.alloc(0)), digest(hash, ...said))

/** One direction of a connection, under one secret: RFC 8446 5.2, AES-GCM only. */
export class RecordProtection {
  readonly #hash: Hash
  readonly #key: Buffer
  readonly #iv: Buffer
  #sequence = 0n
  #secret: Buffer

  constructor(hash: Hash, secret: Buffer) {
    this.#hash = hash
    this.#secret = secret
    this.#key = expandLabel(hash, secret, 'key', Buffer.alloc(0), hash === 'sha256' ? 16 : 32)
    this.#iv = expandLabel(hash, secret, 'iv', Buffer.alloc(0), 12)
  }

  /** The keys after a KeyUpdate: RFC 8446 7.2. */
  next(): RecordProtection {
    return new RecordProtection(this.#hash, expandLabel(this.#hash, this.#secret, 'traffic upd', Buffer.alloc(0)))
  }

  protect(type: number, content: Uint8Array): Buffer {
    const length = content.length + 1 + 16
    const header = Buffer.from([23, 3, 3, length >> 8, length & 0xff])
    const cipher = createCipheriv(this.#cipher(), this.#key, this.#nonce()).setAAD(header)
    const sealed = Buffer.concat([cipher.update(content), cipher.update(Buffer.from([type])), cipher.final()])
    return Buffer.concat([header, sealed, cipher.getAuthTag()])
  }

  /** @param record - with its header */
  unprotect(record: Buffer): { readonly type: number; readonly content: Buffer } {
    const [header, sealed, tag] = [record.subarray(0, 5), record.subarray(5, -16), record.subarray(-16)]
    const decipher = createDecipheriv(this.#cipher(), this.#key, this.#nonce()).setAAD(header).setAuthTag(tag)
    const inner = Buffer.concat([decipher.update(sealed), decipher.final()])
    const end = inner.findLastIndex((octet) => octet !== 0)
    return { type: inner.readUInt8(end), content: inner.subarray(0, end) }
  }

  #cipher() {
    return this.#hash === 'sha256' ? 'aes-128-gcm' : 'aes-256-gcm'
  }

  #nonce(): Buffer {
    const nonce = Buffer.from(this.#iv)
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#sequence++, 4)
    return nonce
  }
}
