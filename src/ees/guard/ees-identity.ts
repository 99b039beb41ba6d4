import type { Caller } from './guard.ts'

/**
 * Whether `eesId` or `ees-id` of a message is the EES that calls: its FQDN, which is the subject of its token (D-19a), or
 * the EES ID that the authority of its ECS has certified beside that.
 */
export function isIdentityOf({ fqdn, eesId }: Caller, named: string): boolean {
  return named === fqdn || (eesId !== undefined && named === eesId)
}
