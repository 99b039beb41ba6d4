import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import { takeKeys } from '../../keys/key.ts'
import { type AKid, parseAKid } from '../../spec/a-kid.ts'
import { type KedgeId, parseKedgeId } from '../../spec/kedge-id.ts'
import { closedEnum } from '../../spec/messages/forms.ts'
import { syncFolder } from '../../store/private-file.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { NotUsable } from '../errors.ts'
import type { EstablishedKeys } from '../primary-authentication.ts'
import { FILES } from './files.ts'
import { readSealedKeys, writeSealedKeys } from './sealed-keys.ts'

const KeyRecord = Type.Object({
  /** of the card that they came from */
  usim: Type.String(),
  kedgeId: Type.String(),
  aKid: Type.String(),
  authType: closedEnum(['5G_AKA', 'EAP_AKA_PRIME']),
  establishedAt: Type.Integer(),
})

/** Kedge and KAKMA. */
const KEYS = { octets: 64, record: KeyRecord }

/**
 * `U/keys`: Kedge || KAKMA || their names and more as JSON, sealed; the keys of one USIM and of its last primary
 * authentication.
 */
export interface KeyFile {
  replace(keys: EstablishedKeys): Promise<void>
  /** @returns undefined if there are none; those of another USIM are deleted */
  load(): Promise<EstablishedKeys | undefined>
}

/** @param usim - the USIM that is in the UE now: keys of another one are not found */
export function keyFile({ folder, secret }: { folder: string; secret: SealingSecret }, usim: string): KeyFile {
  const file = join(folder, FILES.keys)
  return {
    replace: ({ kedge, kakma, ...rest }) => writeSealedKeys(file, [kedge, kakma], { usim, ...rest }, secret),
    async load() {
      const read = await readSealedKeys(file, KEYS, secret)
      if (read === undefined) return undefined
      const [kedge, kakma] = takeKeys(read.keys, 'Kedge', 'KAKMA')
      const { authType, establishedAt } = read.record
      if (read.record.usim === usim) return { kedge, kakma, ...namesIn(read.record, file), authType, establishedAt }
      await rm(file, { force: true })
      await syncFolder(folder)
      return undefined
    },
  }
}

function namesIn(record: Static<typeof KeyRecord>, file: string): { kedgeId: KedgeId; aKid: AKid } {
  const [kedgeId, aKid] = [parseKedgeId(record.kedgeId), parseAKid(record.aKid)]
  if (kedgeId === undefined || aKid === undefined) throw new NotUsable(`${file} does not name its keys`)
  return { kedgeId, aKid }
}
