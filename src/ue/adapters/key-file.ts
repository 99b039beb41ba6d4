import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from 'typebox'
import { takeKey } from '../../keys/key.ts'
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
  authType: closedEnum(['5G_AKA', 'EAP_AKA_PRIME']),
  establishedAt: Type.Integer(),
})

/** `U/keys`: Kedge || Kedge ID and more as JSON, sealed; the keys of one USIM and of its last primary authentication. */
export interface KeyFile {
  replace(keys: EstablishedKeys): Promise<void>
  /** @returns undefined if there are none; those of another USIM are deleted */
  load(): Promise<EstablishedKeys | undefined>
}

export function keyFile({ folder, secret }: { folder: string; secret: SealingSecret }, usim: string): KeyFile {
  const file = join(folder, FILES.keys)
  return {
    replace: ({ kedge, ...rest }) => writeSealedKeys(file, [kedge], { usim, ...rest }, secret),
    async load() {
      const read = await readSealedKeys(file, KeyRecord, secret)
      if (read === undefined) return undefined
      const kedge = takeKey('Kedge', read.keys)
      const { kedgeId, authType, establishedAt } = read.record
      if (read.record.usim === usim) return { kedge, kedgeId: known(kedgeId, file), authType, establishedAt }
      await rm(file, { force: true })
      await syncFolder(folder)
      return undefined
    },
  }
}

function known(text: string, file: string): KedgeId {
  const kedgeId = parseKedgeId(text)
  if (kedgeId === undefined) throw new NotUsable(`${file} has no Kedge ID`)
  return kedgeId
}
