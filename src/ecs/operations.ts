import type { Operation } from '../spec/operation.ts'
import { OPERATIONS } from '../spec/operations.ts'

/** Enrolment over secure transport: the operations of RFC 7030 that an ECS has. */
export const EST = {
  CaCerts: { id: 'CaCerts', api: 'est', method: 'GET', path: '/.well-known/est/cacerts', clause: 'RFC 7030 4.1' },
  SimpleReenroll: {
    id: 'SimpleReenroll',
    api: 'est',
    method: 'POST',
    path: '/.well-known/est/simplereenroll',
    clause: 'RFC 7030 4.2.2',
  },
} as const satisfies Record<string, Operation>

export const CRL: Operation = {
  id: 'GetRevocationList',
  api: 'crl',
  method: 'GET',
  path: '/crl/{issuer}',
  clause: 'RFC 5280 4.2.1.13',
}

/** What EESs call with their certificates, and policy therefore speaks of. */
export const POLICED_OPERATIONS: readonly Operation[] = [
  OPERATIONS.CreateEESRegistration,
  OPERATIONS.GetIndEESReg,
  OPERATIONS.UpdateIndEESReg,
  OPERATIONS.ModifyIndEESReg,
  OPERATIONS.DeleteIndEESReg,
  EST.SimpleReenroll,
]
