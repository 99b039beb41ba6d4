import { createPrivateKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Random } from '../../ports/random.ts'
import { readSealedFile, type SealingSecret, writeSealedFile } from '../../store/sealed-file.ts'

/** On P-256, which TS 33.310 recommends and every TLS stack has. */
export function newSigningKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

export const pkcs8 = (key: KeyObject): Buffer => key.export({ type: 'pkcs8', format: 'der' })

/** Zeroes the octets once they are sealed. */
export async function writeSealed(file: string, octets: Buffer, secret: SealingSecret): Promise<void> {
  try {
    await writeSealedFile(file, octets, secret)
  } finally {
    octets.fill(0)
  }
}

/** @throws FileRefused if the file is readable by others, or sealed with another secret (THREATS CA-12) */
export async function readSealedPrivateKey(file: string, secret: SealingSecret): Promise<KeyObject> {
  return takePkcs8(await readSealedFile(file, secret))
}

function takePkcs8(der: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    der.fill(0)
  }
}

/** For OpenSSL, which takes the private key of a listener as text. Zeroes the octets. */
export function pemOfPkcs8(der: Buffer): string {
  return takePkcs8(der).export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The key under which a network function seals the secrets of its store, 32 octets. */
export async function writeDataKey(file: string, secret: SealingSecret, random: Pick<Random, 'octets'>): Promise<void> {
  await writeSealed(file, random.octets(32), secret)
}

/** @throws FileRefused */
export async function readDataKey(file: string, secret: SealingSecret): Promise<KeyObject> {
  const octets = await readSealedFile(file, secret)
  try {
    return createSecretKey(octets)
  } finally {
    octets.fill(0)
  }
}
