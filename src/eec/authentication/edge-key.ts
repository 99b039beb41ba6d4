import { createSecretKey } from 'node:crypto'
import type { Response } from '../../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { formatPskIdentity, type KedgeId, parseKedgeId } from '../../spec/kedge-id.ts'
import { EdgeKeyResponse } from '../../spec/messages/edge-key.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { Psk } from '../../tls/psk-client.ts'

/** What the UE gives to an EEC for one ECS: TR 33.839 6.x.2.1 step 3. */
export interface EdgeKey {
  readonly kedgeId: KedgeId
  readonly keyProfile: KeyProfile
  readonly psk: Psk
}

/** The identity names this EEC and the Kedge ID, and nothing else. @throws RefusedByServer, AnswerNotAccepted */
export function processEdgeKeyResponse(response: Response, eecId: EecId): EdgeKey {
  requireStatus(response, 200)
  const { kedgeId: text, pskIdentity, psk, keyProfile } = readJson(response, EdgeKeyResponse)
  response.body.fill(0)
  const kedgeId = parseKedgeId(text)
  acceptIf(kedgeId, 'kedgeId is not a Kedge ID')
  const identity = keyProfile === 'literal' ? kedgeId : formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId })
  acceptIf(pskIdentity === identity, 'pskIdentity is not of this EEC and this Kedge ID')
  const octets = Buffer.from(psk, 'hex')
  const key = createSecretKey(octets)
  octets.fill(0)
  return { kedgeId, keyProfile, psk: { identity, key } }
}
