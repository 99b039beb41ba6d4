import type { Operation } from './operation.ts'

/**
 * What an AUSF asks of a UDM, a SEAF or an ECS of an AUSF, and an ECS outside the operator's domain of a NEF: those
 * operations of Nudm_UEAU and Nausf_UEAuthentication that primary authentication and the key of the edge need. Where
 * the OpenAPI file gives no operationId, it is ours.
 */

const nudm = (id: string, method: Operation['method'], resource: string): Operation => {
  return { id, api: 'nudm-ueau', method, path: `/nudm-ueau/v1${resource}`, clause: 'TS 29.503 6.3.3' }
}

const nausf = (id: string, method: Operation['method'], resource: string, clause = 'TS 29.509 6.1.3'): Operation => {
  return { id, api: 'nausf-auth', method, path: `/nausf-auth/v1/ue-authentications${resource}`, clause }
}

export const NUDM_UEAU = {
  GenerateAuthData: nudm('GenerateAuthData', 'POST', '/{supiOrSuci}/security-information/generate-auth-data'),
  GenerateAv: nudm('GenerateAv', 'POST', '/{supi}/hss-security-information/{hssAuthType}/generate-av'),
  ConfirmAuth: nudm('ConfirmAuth', 'POST', '/{supi}/auth-events'),
  DeleteAuth: nudm('DeleteAuth', 'PUT', '/{supi}/auth-events/{authEventId}'),
} as const

/** Of GenerateAv alone: who has it gets no vector of 5G. */
export const HSS_VECTORS_SCOPE = 'nudm-ueau:hss-security-information:generate-av:invoke'

export const NAUSF_UE_AUTHENTICATION = {
  Authenticate: nausf('Authenticate', 'POST', ''),
  Confirm5gAka: nausf('Confirm5gAka', 'PUT', '/{authCtxId}/5g-aka-confirmation'),
  Delete5gAkaAuthenticationResult: nausf(
    'Delete5gAkaAuthenticationResult',
    'DELETE',
    '/{authCtxId}/5g-aka-confirmation',
  ),
  EapAuthMethod: nausf('EapAuthMethod', 'POST', '/{authCtxId}/eap-session'),
  DeleteEapAuthenticationResult: nausf('DeleteEapAuthenticationResult', 'DELETE', '/{authCtxId}/eap-session'),
  Deregister: nausf('Deregister', 'POST', '/deregister'),
  /** ours (D-21) */
  KeyRequest: nausf('KeyRequest', 'POST', '/key-request', 'TR 33.839 6.x.2.1 step 5'),
} as const

/** Ours (D-24), beside `3gpp-akma` of TS 29.522. */
export const EDGE_KEY_RETRIEVAL = {
  id: 'RetrieveEdgeKey',
  api: '3gpp-edge-key',
  method: 'POST',
  path: '/3gpp-edge-key/v1/retrieve',
  clause: 'TR 33.839 6.x.2.1 step 5.1',
} as const satisfies Operation

/** What an ECS asks of the AAnF when an EEC comes with AKMA (TS 33.535 6.2). */
export const NAANF_AKMA = {
  id: 'GetAKMAAPPKeyMaterial',
  api: 'naanf-akma',
  method: 'POST',
  path: '/naanf-akma/v1/retrieve-applicationkey',
  clause: 'TS 33.535 6.2.1 step 2',
} as const satisfies Operation

/** @param parameters - by the names in braces */
export function pathOf({ path }: Pick<Operation, 'path'>, parameters: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_braces, name: string) => {
    const value = parameters[name]
    if (value === undefined) throw new TypeError(`the path needs ${name}`)
    return encodeURIComponent(value)
  })
}
