import type { Operation } from './operation.ts'

type Row = readonly [method: Operation['method'], resource: string, clause: string]

/** The rows are the resources of one API, below `/<api>/v1` (TS 29.501 4.4.1), by operationId of the OpenAPI file. */
function operationsOf<Id extends string>(
  api: string,
  rows: Readonly<Record<Id, Row>>,
): Readonly<Record<Id, Operation>> {
  const operations = Object.entries<Row>(rows).map(([id, [method, resource, clause]]) => {
    return [id, { id, api, method, path: `/${api}/v1${resource}`, clause }]
  })
  return Object.fromEntries(operations)
}

/** The operations of the 3GPP APIs that Edgeward takes part in. */
export const OPERATIONS = {
  ...operationsOf('eecs-eesregistration', {
    CreateEESRegistration: ['POST', '/registrations', 'TS 29.558 9.1.2.2.3.1'],
    GetIndEESReg: ['GET', '/registrations/{registrationId}', 'TS 29.558 9.1.2.3.3.1'],
    UpdateIndEESReg: ['PUT', '/registrations/{registrationId}', 'TS 29.558 9.1.2.3.3.2'],
    ModifyIndEESReg: ['PATCH', '/registrations/{registrationId}', 'TS 29.558 9.1.2.3.3.4'],
    DeleteIndEESReg: ['DELETE', '/registrations/{registrationId}', 'TS 29.558 9.1.2.3.3.3'],
  }),
}
