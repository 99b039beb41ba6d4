import { join } from 'node:path'
import { Type } from 'typebox'
import { isOfSchema } from '../../http/schema.ts'
import { SQN_SCHEME } from '../../keys/sqn.ts'
import { readPrivateFile, writePrivateFile } from '../../store/private-file.ts'
import { NotUsable } from '../errors.ts'
import type { SqnStore } from '../usim/authenticate.ts'
import { absent } from './absent.ts'
import { FILES } from './files.ts'
import { jsonOf } from './json-of.ts'

const LENGTH = 2 ** SQN_SCHEME.indLength

const SqnRecord = Type.Object({
  usim: Type.String(),
  seqMs: Type.Array(Type.Integer({ minimum: 0, maximum: 2 ** 43 - 1 }), { minItems: LENGTH, maxItems: LENGTH }),
})

/**
 * `U/sqn`: SEQ_MS of one USIM, as JSON. A file that is missing, damaged or of another USIM is an error, never a new
 * beginning: with zeros every old challenge would be fresh again.
 *
 * @param usim - of the card
 */
export function sqnFile(folder: string, usim: string): SqnStore {
  const file = join(folder, FILES.sqn)
  return {
    async load() {
      const octets = await readPrivateFile(file).catch(absent)
      const record = octets === undefined ? undefined : jsonOf(octets)
      if (!isOfSchema(SqnRecord, record) || record.usim !== usim) {
        throw new NotUsable(`${file} does not hold the sequence numbers of this USIM: put the USIM in anew`)
      }
      return { seqMs: record.seqMs }
    },
    save: ({ seqMs }) => writePrivateFile(file, Buffer.from(JSON.stringify({ usim, seqMs })), { replace: true }),
  }
}
