import { join } from 'node:path'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { takeKeys } from '../../keys/key.ts'
import type { Random } from '../../ports/random.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { NotUsable } from '../errors.ts'
import { type Subscription, UsimSettingsRecord, usimSettings } from '../usim/subscription.ts'
import { FILES } from './files.ts'
import { readSealedKeys, writeSealedKeys } from './sealed-keys.ts'

/** A USIM as it is in a UE; what came from it remembers which one it was. */
export interface Card {
  readonly id: string
  readonly subscription: Subscription
}

interface Place {
  readonly folder: string
  readonly secret: SealingSecret
}

const CardRecord = Type.Object({ id: Type.String(), settings: UsimSettingsRecord })

/** K and OPc. */
const CARD = { octets: 32, record: CardRecord }

/** The same subscription put in again is another card: the keys of the one before end with it. */
export function newCard(subscription: Subscription, random: Pick<Random, 'uuid'>): Card {
  return { id: random.uuid(), subscription }
}

/** K || OPc || id and settings as JSON, sealed. */
export async function writeCard({ folder, secret }: Place, { id, subscription }: Card): Promise<void> {
  const { settings, keys } = subscription
  await writeSealedKeys(join(folder, FILES.usim), [keys.k, keys.opc], { id, settings }, secret)
}

/** @returns undefined if there is no USIM in the UE @throws NotUsable, FileRefused */
export async function findCard({ folder, secret }: Place): Promise<Card | undefined> {
  const read = await readSealedKeys(join(folder, FILES.usim), CARD, secret)
  if (read === undefined) return undefined
  const { id, settings }: Static<typeof CardRecord> = read.record
  const [k, opc] = takeKeys(read.keys, 'K', 'OPc')
  return { id, subscription: { settings: usimSettings(settings), keys: { k, opc } } }
}

/** @throws NotUsable if there is no USIM; FileRefused */
export async function readCard(place: Place): Promise<Card> {
  const card = await findCard(place)
  if (card === undefined) throw new NotUsable(`there is no USIM in ${place.folder}: put one in by "edgeward ue init"`)
  return card
}
