import { refuseInvalidContent } from '../../http/admission.ts'
import { AP2015 } from '../../spec/entitlement-operations.ts'
import { EntitlementRequest } from '../../spec/messages/entitlement.ts'
import { refuseUnless } from '../../spec/refusal.ts'

/** TS.43 14.1 and 2.8.6, as they are spelt there. */
const OPERATIONS = ['AcquireOperatorToken', 'AcquireTemporaryToken'] as const
export type DeviceOperation = (typeof OPERATIONS)[number]

/** Who asks, apart from who the subscriber is: the key of a fast authentication token (TS.43 2.8.5). */
export interface Terminal {
  readonly terminalId: string
  /** in lower case */
  readonly app: string
  /** empty if none is named */
  readonly appName: string
}

/** What a terminal wants once it is authenticated. */
export interface Wish {
  readonly terminal: Terminal
  readonly operation?: DeviceOperation
  readonly clientId?: string
  readonly scope?: string
  readonly msisdn?: string
  readonly operationTargets?: string
}

/** How it can be authenticated: by a temporary token if it shows one, or its own token, or else by EAP-AKA. */
export interface Credentials {
  readonly token?: string
  readonly temporaryToken?: string
  readonly eapId?: string
}

/**
 * The parameters of a device: TS.43 2.3. Strings are compared without regard to case.
 *
 * @param versions - that are supported
 * @throws Refusal MANDATORY_IE_MISSING, MANDATORY_IE_INCORRECT, OPTIONAL_IE_INCORRECT, ENTITLEMENT_VERSION_UNSUPPORTED
 */
export function readEntitlementRequest(
  parameters: Readonly<Record<string, unknown>>,
  versions: readonly string[],
): { readonly wish: Wish; readonly credentials: Credentials } {
  refuseInvalidContent(EntitlementRequest, parameters)
  const given = parameters as EntitlementRequest
  const supported = versions.includes(given.entitlement_version)
  refuseUnless(supported, 'ENTITLEMENT_VERSION_UNSUPPORTED', `supported is ${versions.join(', ')}`)
  const app = given.app.toLowerCase()
  refuseUnless(app === AP2015, 'MANDATORY_IE_INCORRECT', `this server entitles to ${AP2015} only`)
  const operation = given.operation === undefined ? undefined : readOperation(given.operation)
  const { client_id: clientId, scope, msisdn, operation_targets: operationTargets } = given
  const { token, temporary_token: temporaryToken, EAP_ID: eapId } = given
  return {
    wish: {
      terminal: { terminalId: given.terminal_id, app, appName: given.app_name ?? '' },
      ...(operation && { operation }),
      ...(clientId !== undefined && { clientId }),
      ...(scope !== undefined && { scope }),
      ...(msisdn !== undefined && { msisdn }),
      ...(operationTargets !== undefined && { operationTargets }),
    },
    credentials: {
      ...(token !== undefined && { token }),
      ...(temporaryToken !== undefined && { temporaryToken }),
      ...(eapId !== undefined && { eapId }),
    },
  }
}

export function readOperation(name: string): DeviceOperation {
  const operation = OPERATIONS.find((each) => each.toLowerCase() === name.toLowerCase())
  refuseUnless(operation !== undefined, 'OPTIONAL_IE_INCORRECT', 'there is no such operation')
  return operation
}
