import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { FileRefused, readPrivateFile, writePrivateFile } from './private-file.ts'

/** What opens a sealed file: words a person knows, or a file of 32 random octets that only its owner can read. */
export type SealingSecret = { readonly passphrase: string } | { readonly keyFile: string }

const MAGIC = Buffer.from('edgeseal')
const VERSION = 1
const BY_PASSPHRASE = 1
const BY_KEY_FILE = 2
const SALT_START = MAGIC.length + 2
const NONCE_START = SALT_START + 16
const HEADER_LENGTH = NONCE_START + 12
const TAG_LENGTH = 16
/** 128 MiB and about a third of a second for each guess */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 }

/**
 * Encrypts octets so that only the holder of the secret can read or change them.
 *
 *     octets  0 to 7    "edgeseal"
 *     octet   8         version, 1
 *     octet   9         key: 1 = scrypt(passphrase, salt, N = 2^17, r = 8, p = 1), RFC 7914
 *                            2 = HKDF-SHA-256(key file, salt, info = "edgeseal"), RFC 5869
 *     octets 10 to 25   salt, random
 *     octets 26 to 37   nonce, random
 *     octets 38 to n-17 ciphertext, AES-256-GCM with octets 0 to 37 as additional data
 *     octets n-16 to n-1 tag
 *
 * The cost of scrypt belongs to the version, so whoever can write the file can neither lower nor raise it.
 */
export async function seal(octets: Uint8Array, secret: SealingSecret): Promise<Buffer> {
  const kind = 'passphrase' in secret ? BY_PASSPHRASE : BY_KEY_FILE
  const header = Buffer.concat([MAGIC, Buffer.of(VERSION, kind), randomBytes(HEADER_LENGTH - SALT_START)])
  const key = await deriveKey(header, secret)
  const cipher = createCipheriv('aes-256-gcm', key, header.subarray(NONCE_START)).setAAD(header)
  return Buffer.concat([header, cipher.update(octets), cipher.final(), cipher.getAuthTag()])
}

/** @throws FileRefused if the envelope is not of version 1, the secret is another one, or any octet was changed */
export async function unseal(sealed: Uint8Array, secret: SealingSecret): Promise<Buffer> {
  const header = Buffer.from(sealed.subarray(0, HEADER_LENGTH))
  if (sealed.length < HEADER_LENGTH + TAG_LENGTH || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new FileRefused('not a sealed file')
  }
  if (header[MAGIC.length] !== VERSION) throw new FileRefused('sealed by another version')

  const key = await deriveKey(header, secret)
  const decipher = createDecipheriv('aes-256-gcm', key, header.subarray(NONCE_START), { authTagLength: TAG_LENGTH })
  decipher.setAAD(header).setAuthTag(sealed.subarray(-TAG_LENGTH))
  const opened = decipher.update(sealed.subarray(HEADER_LENGTH, -TAG_LENGTH))
  try {
    return Buffer.concat([opened, decipher.final()])
  } catch (error) {
    throw new FileRefused('sealed with another secret, or changed since', { cause: error })
  }
}

/** As {@link writePrivateFile}, sealed. */
export async function writeSealedFile(
  file: string,
  octets: Uint8Array,
  secret: SealingSecret,
  options: { replace?: boolean } = {},
): Promise<void> {
  await writePrivateFile(file, await seal(octets, secret), options)
}

/** @throws FileRefused if others can read the file or its key file, or as {@link unseal} */
export async function readSealedFile(file: string, secret: SealingSecret): Promise<Buffer> {
  return await unseal(await readPrivateFile(file), secret)
}

/** Writes 32 random octets to a new private file, to be named as `keyFile`. */
export async function createKeyFile(file: string): Promise<void> {
  await writePrivateFile(file, randomBytes(32))
}

async function deriveKey(header: Buffer, secret: SealingSecret): Promise<Uint8Array> {
  const kind = header[MAGIC.length + 1]
  const salt = header.subarray(SALT_START, NONCE_START)
  if ('passphrase' in secret) {
    if (kind !== BY_PASSPHRASE) throw new FileRefused('sealed with a key file, not with a passphrase')
    if (secret.passphrase === '') throw new FileRefused('the passphrase is empty')
    return await stretch(secret.passphrase, salt)
  }
  if (kind !== BY_KEY_FILE) throw new FileRefused('sealed with a passphrase, not with a key file')
  const key = await readPrivateFile(secret.keyFile)
  if (key.length !== 32) throw new FileRefused(`${secret.keyFile} is not a key file: it holds ${key.length} octets`)
  return new Uint8Array(hkdfSync('sha256', key, salt, MAGIC, 32))
}

function stretch(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  // One text has several encodings in Unicode, and keyboards differ in which they send.
  const octets = Buffer.from(passphrase.normalize('NFC'))
  return new Promise((resolve, reject) => {
    scrypt(octets, salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
