import type { Response } from '../http/client.ts'
import { isUrlOf } from '../http/origin.ts'
import { acceptIf } from '../http/response.ts'
import type { Fqdn } from '../spec/identifiers.ts'

/**
 * The name of the resource that a server has made, from `Location`: of this server, under this path, and of a form that
 * later requests can carry.
 *
 * @throws AnswerNotAccepted
 */
export function resourceIdOf({ headers: { location = '' } }: Response, server: Fqdn, parent: string): string {
  const path = location.startsWith('/') ? location : isUrlOf(location, server) ? new URL(location).pathname : ''
  const resourceId = path.startsWith(`${parent}/`) ? path.slice(parent.length + 1) : ''
  acceptIf(/^[\w-]{1,128}$/.test(resourceId), 'Location is not a resource of this kind at this server')
  return resourceId
}
