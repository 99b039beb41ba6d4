import { acceptIf, isMediaType, requireStatus } from '../../http/response.ts'
import type { Registration } from '../registration/registration.ts'

/** What the ECS tells everybody. @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted */
export async function fetchOf(registration: Registration, url: string, mediaType: string): Promise<Buffer> {
  const response = await registration.fetch(url)
  requireStatus(response, 200)
  acceptIf(isMediaType(response.headers['content-type'], mediaType), `${url} is not ${mediaType}`)
  return response.body
}
