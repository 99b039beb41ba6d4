import type { Issuer } from '../../certificates/authority.ts'
import { writePem } from '../../certificates/pem.ts'
import { sha256 } from '../../octets/digest.ts'
import type { Store } from '../../store/store.ts'
import { type Authorities, type RollOverStage, type Standing, trustedOf } from '../certificate-authority/authorities.ts'
import type { RollOverPorts } from '../certificate-authority/roll-over.ts'
import type { AuthorityFiles } from './authority-files.ts'
import { commit } from './registration-store.ts'
import { readSetting, writeSetting } from './settings.ts'
import { turnsByName } from './turns.ts'

const SETTING = 'authorities'

/** The certificate authorities of an ECS as they are now. */
export interface LiveAuthorities {
  standing(): Standing
  /** that signs */
  present(): Authorities
  /** that whoever comes may be under, the present one first */
  trusted(): readonly Authorities[]
  /** PEM of the root that signs */
  root(): string
  /** PEM of each that is trusted */
  roots(): readonly string[]
  /** Of the authorities of this name. @throws Error if they are trusted no more */
  eesIssuer(id: string): Issuer
  record: RollOverPorts['record']
  /** One step after another, whoever takes it. */
  inTurn<Result>(step: () => Promise<Result>): Promise<Result>
  readonly files: AuthorityFiles
}

/** What stands in the store: files by their names, and the one whose keys shall be gone. */
interface Stored {
  readonly stage: RollOverStage
  readonly present: string
  readonly other?: string
  readonly since: number
  readonly retired?: string
}

/** @throws FileRefused */
export async function openAuthorities(
  files: AuthorityFiles,
  store: Store,
  now: () => number,
): Promise<LiveAuthorities> {
  const value = await readSetting(store, SETTING)
  const stored = value === undefined ? undefined : (JSON.parse(value) as Stored)
  let standing = await load(files, stored)
  if (stored?.retired !== undefined) await files.destroy(stored.retired, standing.present)
  const turns = turnsByName()
  return {
    files,
    inTurn: (step) => turns(SETTING, step),
    standing: () => standing,
    present: () => standing.present,
    trusted: () => trustedOf(standing),
    root: () => rootOf(standing.present),
    roots: () => trustedOf(standing).map(rootOf),
    eesIssuer(id) {
      const authorities = trustedOf(standing).find((each) => each.id === id)
      if (authorities === undefined) throw new Error('the authority has been retired')
      return authorities.eesIssuer
    },
    async record(next, { step, of, left }) {
      const { stage, present, other, since } = next
      const retired = step === 'retired' ? { retired: of.id } : {}
      const named: Stored = { stage, present: present.id, ...(other && { other: other.id }), since, ...retired }
      await commit(store, now(), [writeSetting(SETTING, JSON.stringify(named))], {
        event: `authority-${step}`,
        root: sha256(of.root.der).toString('hex'),
        ...(left !== undefined && { left }),
      })
      standing = next
      if (step === 'retired') await files.destroy(of.id, present)
    },
  }
}

const rootOf = ({ root }: Authorities) => writePem('CERTIFICATE', root.der)

async function load(files: AuthorityFiles, stored: Stored | undefined): Promise<Standing> {
  if (stored === undefined) return { stage: 'settled', present: await files.load(''), since: 0 }
  const { stage, since } = stored
  const present = await files.load(stored.present)
  if (stored.other !== undefined) return { stage, present, other: await files.load(stored.other), since }
  const { cross: _, ...alone } = present
  return { stage, present: alone, since }
}
