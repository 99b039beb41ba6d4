import { createPrivateKey, createPublicKey } from 'node:crypto'
import { lstat, mkdir, readFile, readlink, realpath, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { x5tS256 } from '../../certificates/certificate.ts'
import { isOfSchema } from '../../http/schema.ts'
import { lockExclusively } from '../../store/exclusive-lock.ts'
import { readPrivateFile, syncFolder, temporaryBeside, writePrivateFile } from '../../store/private-file.ts'
import { NotUsable } from '../errors.ts'
import type { OnboardingStore } from '../onboarding/onboard-ees.ts'
import { type EesCredential, RegistrationRecord, type StoredRegistration } from '../registration/record.ts'
import { certificateOf } from '../registration/reenrolment.ts'
import { newPrivateKey } from './private-key.ts'

const KEY = 'ees.key'
const CERTIFICATE = 'ees.crt'
const ROOT = 'ca.crt'
const RECORD = 'registration.json'
const CURRENT = 'current'
const PAIRS = 'pairs'
const LOCK = '.lock'

/**
 * The folder of an EES: `ees.key`, `ees.crt` (with its issuer), `ca.crt`, `registration.json`, all of mode 0600. The
 * record is written last and removed first: where it is, the rest is.
 *
 * At every moment, also after a crash, `ees.key` and `ees.crt` belong together. A renewal that keeps the key replaces one
 * file. A new key comes with its certificate in a folder of their own; both names lead there through the link `current`,
 * and replacing that link is the one step that changes both:
 *
 *     ees.key -> current/ees.key    ees.crt -> current/ees.crt    current -> pairs/<x5t#S256 of the certificate>
 */
export function eesFolder(folder: string): OnboardingStore {
  const at = (...names: readonly string[]) => join(folder, ...names)
  const replace = (file: string, text: string) => writePrivateFile(file, Buffer.from(text), { replace: true })
  const saveRecord = (record: RegistrationRecord) => replace(at(RECORD), `${JSON.stringify(record, null, 2)}\n`)

  return {
    async privateKey() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const earlier = await readPrivateFile(at(KEY)).catch(unless('ENOENT'))
      if (earlier !== undefined) return earlier.toString()
      await writePrivateFile(at(KEY), Buffer.from(await newPrivateKey())).catch(unless('EEXIST'))
      return (await readPrivateFile(at(KEY))).toString()
    },
    async create({ record, root, credential }) {
      await replace(at(ROOT), root)
      await replace(at(CERTIFICATE), credential.certificateChain)
      await saveRecord(record)
    },
    load: () => load(folder),
    saveRecord,
    saveRoot: (root) => replace(at(ROOT), root),
    async saveCredential(credential) {
      const { privateKey } = await readPair(folder)
      if (privateKey === credential.privateKey) {
        await replace(await realpath(at(CERTIFICATE)), credential.certificateChain)
      } else {
        await replacePair(folder, credential)
      }
    },
    async remove() {
      await rm(at(RECORD), { force: true })
      await syncFolder(folder)
      for (const name of [KEY, CERTIFICATE, ROOT, CURRENT, PAIRS, LOCK])
        await rm(at(name), { recursive: true, force: true })
      await syncFolder(folder)
    },
  }
}

async function load(folder: string): Promise<StoredRegistration | undefined> {
  const text = await readFile(join(folder, RECORD), 'utf8').catch(unless('ENOENT'))
  if (text === undefined) return undefined
  const record: unknown = parseJson(text)
  if (!isOfSchema(RegistrationRecord, record)) throw new NotUsable(`${join(folder, RECORD)} is not a registration`)
  return { record, root: await readFile(join(folder, ROOT), 'utf8'), credential: await readPair(folder) }
}

/** The two are read one after the other, and another process may renew in between: then they are read again. */
async function readPair(folder: string): Promise<EesCredential> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const pair = await readBoth(folder).catch(unless('ENOENT'))
    if (pair !== undefined && belongTogether(pair)) return pair
  }
  throw new NotUsable(`${KEY} and ${CERTIFICATE} in ${folder} do not belong together`)
}

async function readBoth(folder: string): Promise<EesCredential> {
  const privateKey = await readPrivateFile(join(folder, KEY))
  const certificateChain = await readFile(join(folder, CERTIFICATE), 'utf8')
  return { privateKey: privateKey.toString(), certificateChain }
}

function belongTogether(pair: EesCredential): boolean {
  const publicKey = createPublicKey(createPrivateKey(pair.privateKey))
  return certificateOf(pair).publicKey.equals(publicKey)
}

/** @throws CannotOpenStore `locked` while another process replaces the pair */
async function replacePair(folder: string, next: EesCredential): Promise<void> {
  const unlock = lockExclusively(join(folder, LOCK))
  try {
    await replaceLocked(folder, next)
  } finally {
    unlock()
  }
}

async function replaceLocked(folder: string, next: EesCredential): Promise<void> {
  const names = [KEY, CERTIFICATE]
  const plain = []
  for (const name of names) if (!(await lstat(join(folder, name))).isSymbolicLink()) plain.push(name)
  if (plain.length > 0) {
    // What the names show does not change yet: they are led to a copy of what they hold.
    await pointAt(folder, await readPair(folder))
    for (const name of plain) await placeLink(join(folder, name), join(CURRENT, name))
  }
  const before = await readlink(join(folder, CURRENT))
  await pointAt(folder, next)
  await rm(join(folder, before), { recursive: true, force: true })
}

/** Both names lead to this pair from now on. */
async function pointAt(folder: string, pair: EesCredential): Promise<void> {
  const name = x5tS256(certificateOf(pair).der)
  const place = join(folder, PAIRS, name)
  await mkdir(place, { recursive: true, mode: 0o700 })
  await writePrivateFile(join(place, KEY), Buffer.from(pair.privateKey), { replace: true })
  await writePrivateFile(join(place, CERTIFICATE), Buffer.from(pair.certificateChain), { replace: true })
  await syncFolder(join(folder, PAIRS))
  await placeLink(join(folder, CURRENT), join(PAIRS, name))
}

/** Replaces whatever has the name in one step; relative, so that the folder can be moved. */
async function placeLink(path: string, target: string): Promise<void> {
  const temporary = temporaryBeside(path)
  await symlink(target, temporary)
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @returns a handler that takes errors of this code for "there is none" */
function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === code)) throw error
  }
}
