import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isOfSchema } from '../../http/schema.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { type FilePair, PAIRS_FOLDER, PAIRS_LOCK, readPair, replacePair } from '../../store/file-pair.ts'
import { readPrivateFile, syncFolder, writePrivateFile } from '../../store/private-file.ts'
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

const pairIn = (folder: string): FilePair => ({ folder, key: KEY, certificate: CERTIFICATE, current: CURRENT })

/**
 * The folder of an EES: `ees.key`, `ees.crt` (with its issuer), `ca.crt`, `registration.json`, all of mode 0600. The
 * record is written last and removed first: where it is, the rest is.
 *
 * At every moment, also after a crash, `ees.key` and `ees.crt` belong together: a renewal that keeps the key replaces one
 * file, and one with a new key changes both in one step ({@link FilePair}).
 */
export function eesFolder(folder: string): OnboardingStore {
  const at = (...names: readonly string[]) => join(folder, ...names)
  const replace = (file: string, text: string) => writePrivateFile(file, Buffer.from(text), { replace: true })
  const saveRecord = (record: RegistrationRecord) => replace(at(RECORD), `${JSON.stringify(record, null, 2)}\n`)

  return {
    async privateKey() {
      await ensureFolder(folder, 0o700)
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
      const { privateKey, certificateChain } = credential
      if ((await readCredential(folder)).privateKey === privateKey) {
        await replace(await realpath(at(CERTIFICATE)), certificateChain)
      } else {
        await replacePair(pairIn(folder), { key: Buffer.from(privateKey), certificate: Buffer.from(certificateChain) })
      }
    },
    async remove() {
      await rm(at(RECORD), { force: true })
      await syncFolder(folder)
      for (const name of [KEY, CERTIFICATE, ROOT, CURRENT, PAIRS_FOLDER, PAIRS_LOCK])
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
  return { record, root: await readFile(join(folder, ROOT), 'utf8'), credential: await readCredential(folder) }
}

/** @throws NotUsable if they do not belong together */
async function readCredential(folder: string): Promise<EesCredential> {
  const credential = await readPair(pairIn(folder), async ({ key, certificate }) => {
    const read = { privateKey: key.toString(), certificateChain: certificate.toString() }
    return belongTogether(read) ? read : undefined
  })
  if (credential !== undefined) return credential
  throw new NotUsable(`${KEY} and ${CERTIFICATE} in ${folder} do not belong together`)
}

function belongTogether(credential: EesCredential): boolean {
  const publicKey = createPublicKey(createPrivateKey(credential.privateKey))
  return certificateOf(credential).publicKey.equals(publicKey)
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
