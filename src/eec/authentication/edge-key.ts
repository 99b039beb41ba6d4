import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Response } from '../../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { type AKid, formatAkmaPskIdentity, parseAKid } from '../../spec/a-kid.ts'
import { formatPskIdentity, type KedgeId, parseKedgeId } from '../../spec/kedge-id.ts'
import { ApplicationKeyResponse, EdgeKeyResponse } from '../../spec/messages/edge-key.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { Psk } from '../../tls/psk-client.ts'

/** What the UE gives to an EEC for one ECS. */
interface GivenKey<Name> {
  /** of the anchor key that it comes from, as the authentication request has it */
  readonly name: Name
  readonly keyProfile: KeyProfile
  readonly psk: Psk
}

/** TR 33.839 6.x.2.1 step 3. */
export type EdgeKey = GivenKey<{ readonly kedgeId: KedgeId }>

/** KAF: TS 33.535 6.2.1 step 1. All EECs of the UE have the same one, which is what the profile `literal` says. */
export type ApplicationKey = GivenKey<{ readonly aKId: AKid }>

/** The identity names this EEC and the Kedge ID, and nothing else. @throws RefusedByServer, AnswerNotAccepted */
export function processEdgeKeyResponse(response: Response, eecId: EecId): EdgeKey {
  requireStatus(response, 200)
  const { kedgeId: text, pskIdentity, psk, keyProfile } = readJson(response, EdgeKeyResponse)
  response.body.fill(0)
  const kedgeId = parseKedgeId(text)
  acceptIf(kedgeId, 'kedgeId is not a Kedge ID')
  const identity = keyProfile === 'literal' ? kedgeId : formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId })
  acceptIf(pskIdentity === identity, 'pskIdentity is not of this EEC and this Kedge ID')
  return { name: { kedgeId }, keyProfile, psk: { identity, key: keyOf(psk) } }
}

/** The identity names the A-KID, and nothing else. @throws RefusedByServer, AnswerNotAccepted */
export function processApplicationKeyResponse(response: Response): ApplicationKey {
  requireStatus(response, 200)
  const { aKId: text, pskIdentity, psk } = readJson(response, ApplicationKeyResponse)
  response.body.fill(0)
  const aKId = parseAKid(text)
  acceptIf(aKId, 'aKId is not an A-KID')
  const identity = formatAkmaPskIdentity(aKId)
  acceptIf(pskIdentity === identity, 'pskIdentity is not of this A-KID')
  return { name: { aKId }, keyProfile: 'literal', psk: { identity, key: keyOf(psk) } }
}

function keyOf(hexDigits: string): KeyObject {
  const octets = Buffer.from(hexDigits, 'hex')
  const key = createSecretKey(octets)
  octets.fill(0)
  return key
}
