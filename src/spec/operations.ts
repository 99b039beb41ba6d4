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
  ...operationsOf('eecs-targeteesdiscovery', {
    GetEESProfiles: ['GET', '/ees-profiles', 'TS 29.558 9.2'],
  }),
  ...operationsOf('eecs-ecsdiscovery', {
    GetECSDiscInfo: ['POST', '/ecs-info/discover', 'TS 23.558 8.17.2'],
  }),
  ...operationsOf('eecs-esp', {
    ServProvRetReq: ['POST', '/request', 'TS 23.558 8.17.2'],
    CreateServProvSubsc: ['POST', '/subscriptions', 'TS 23.558 8.17.2'],
    GetIndServProvSubsc: ['GET', '/subscriptions/{subscId}', 'TS 23.558 8.17.2'],
    UpdateIndServProvSubsc: ['PUT', '/subscriptions/{subscId}', 'TS 23.558 8.17.2'],
    ModifyIndServProvSubsc: ['PATCH', '/subscriptions/{subscId}', 'TS 23.558 8.17.2'],
    DeleteIndServProvSubsc: ['DELETE', '/subscriptions/{subscId}', 'TS 23.558 8.17.2'],
  }),
  ...operationsOf('eees-eecregistration', {
    CreateEECReg: ['POST', '/registrations', 'TS 23.558 8.4.2'],
    UpdateIndEECReg: ['PUT', '/registrations/{registrationId}', 'TS 23.558 8.4.2'],
    ModifyIndEECReg: ['PATCH', '/registrations/{registrationId}', 'TS 23.558 8.4.2'],
    DeleteIndEECReg: ['DELETE', '/registrations/{registrationId}', 'TS 23.558 8.4.2'],
  }),
  ...operationsOf('eees-easregistration', {
    CreateEASRegistration: ['POST', '/registrations', 'TS 29.558 8.1'],
    ReadIndEASRegistration: ['GET', '/registrations/{registrationId}', 'TS 29.558 8.1'],
    UpdateIndEASRegistration: ['PUT', '/registrations/{registrationId}', 'TS 29.558 8.1'],
    ModifyIndEASRegistration: ['PATCH', '/registrations/{registrationId}', 'TS 29.558 8.1'],
    DeleteIndEASRegistration: ['DELETE', '/registrations/{registrationId}', 'TS 29.558 8.1'],
  }),
  ...operationsOf('eees-easdiscovery', {
    GetEASDiscInfo: ['POST', '/eas-profiles/request-discovery', 'TS 23.558 8.5.2'],
    CreateEASDiscSub: ['POST', '/subscriptions', 'TS 23.558 8.5.2'],
    UpdateIndEASDiscSub: ['PUT', '/subscriptions/{subscriptionId}', 'TS 23.558 8.5.2'],
    ModifyIndEASDiscSub: ['PATCH', '/subscriptions/{subscriptionId}', 'TS 23.558 8.5.2'],
    DeleteIndEASDiscSub: ['DELETE', '/subscriptions/{subscriptionId}', 'TS 23.558 8.5.2'],
  }),
  ...operationsOf('eees-eeccontextreloc', {
    PushEecContexts: ['POST', '/eec-contexts', 'TS 23.558 8.9.2'],
    PullEecContexts: ['GET', '/eec-contexts', 'TS 23.558 8.9.2'],
  }),
}
