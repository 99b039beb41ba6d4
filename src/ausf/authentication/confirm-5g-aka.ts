import { deriveKseaf } from '../../keys/five-g-aka.ts'
import type { Kseaf } from '../../keys/key.ts'
import { sameOctets } from '../../octets/digest.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { Supi } from '../../spec/subscriber-identifiers.ts'
import { type CompletionPorts, completeAuthentication, KeyIdTaken, reportFailure } from './complete.ts'
import { type Contexts, type OpenContext, takeOf } from './context.ts'

export type ConfirmationPorts = CompletionPorts & { readonly contexts: Contexts }

export type Confirmed =
  | { readonly authResult: 'AUTHENTICATION_SUCCESS'; readonly supi: Supi; readonly kseaf: Kseaf }
  | { readonly authResult: 'AUTHENTICATION_FAILURE' }

/**
 * The SEAF brings RES* of the UE: TS 33.501 6.1.3.2 steps 10 to 12.
 *
 * @param resStar - undefined if the UE did not answer
 * @throws Refusal CONTEXT_NOT_FOUND, NF_CONGESTION: then the same can be sent again, unless the context is gone
 */
export async function confirm5gAka(
  ausf: ConfirmationPorts,
  seaf: Fqdn,
  { authCtxId, resStar }: { readonly authCtxId: string; readonly resStar: Buffer | undefined },
): Promise<Confirmed> {
  const context = takeOf(ausf.contexts, { authCtxId, seaf, method: '5G_AKA' })

  // Step 11: the AUSF compares RES* with XRES*. There is one try: the next one is a new challenge.
  if (resStar === undefined || !sameOctets(resStar, context.xresStar)) {
    await reportFailure(ausf, context)
    return { authResult: 'AUTHENTICATION_FAILURE' }
  }
  await succeed(ausf, authCtxId, context)

  // Step 12: KSEAF and SUPI go to the SEAF.
  const { supi, kausf, servingNetworkName } = context
  return { authResult: 'AUTHENTICATION_SUCCESS', supi, kseaf: deriveKseaf(kausf, servingNetworkName) }
}

/** Completes, and remembers that the result can be taken back. */
export async function succeed(ausf: ConfirmationPorts, authCtxId: string, context: OpenContext): Promise<void> {
  const { supi, seaf, servingNetworkName, method } = context
  try {
    const authEventId = await completeAuthentication(ausf, context)
    ausf.contexts.putBack(authCtxId, { method: 'ended', supi, seaf, servingNetworkName, authType: method, authEventId })
  } catch (error) {
    if (error instanceof KeyIdTaken) await reportFailure(ausf, context)
    else ausf.contexts.putBack(authCtxId, context)
    throw error
  }
}
