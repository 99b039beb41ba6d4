import type { Fqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { type Contexts, type EndedContext, type OpenContext, takeOf } from './context.ts'

export interface TakeBackPorts {
  readonly contexts: Contexts
  /** DeleteAuth of TS 29.503 @throws Refusal */
  deleteAuth(context: EndedContext): Promise<void>
}

/**
 * The result of an authentication is taken back at the UDM: Delete5gAkaAuthenticationResult and
 * DeleteEapAuthenticationResult of TS 29.509.
 *
 * @throws Refusal CONTEXT_NOT_FOUND, NF_CONGESTION
 */
export async function takeBackResult(
  ausf: TakeBackPorts,
  seaf: Fqdn,
  { authCtxId, authType }: { readonly authCtxId: string; readonly authType: OpenContext['method'] },
): Promise<void> {
  const context = takeOf(ausf.contexts, { authCtxId, seaf, method: 'ended' })
  try {
    refuseUnless(context.authType === authType, 'CONTEXT_NOT_FOUND', 'there is no such authentication')
    await ausf.deleteAuth(context)
  } catch (error) {
    ausf.contexts.putBack(authCtxId, context)
    throw error
  }
}
