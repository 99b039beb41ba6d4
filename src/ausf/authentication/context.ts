import type { Kausf, Key } from '../../keys/key.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { EecId, RoutingIndicator, ServingNetworkName, Supi } from '../../spec/subscriber-identifiers.ts'

interface ContextOfAnyMethod {
  readonly supi: Supi
  readonly servingNetworkName: ServingNetworkName
  /** the SEAF that began it: nobody else goes on with it */
  readonly seaf: Fqdn
  readonly routingIndicator: RoutingIndicator
  /** whether the subscriber may use the edge */
  readonly edge: boolean
  /** whether the subscriber may use AKMA */
  readonly akma: boolean
  /** the only ones that its EECs may have, or undefined if the UDM lists none */
  readonly eecIds: readonly EecId[] | undefined
  /** 16 octets, of the challenge */
  readonly rand: Buffer
  /** one resynchronisation went before; there is no second (TS 33.501 6.1.3.3) */
  readonly resynchronised: boolean
}

/** A challenge that the UE has not answered. It lives in memory only, and KAUSF with it. */
export interface FiveGAkaContext extends ContextOfAnyMethod {
  readonly method: '5G_AKA'
  /** 16 octets */
  readonly xresStar: Buffer
  readonly kausf: Kausf
}

export interface EapContext extends ContextOfAnyMethod {
  readonly method: 'EAP_AKA_PRIME'
  /** of the request that is open, 0 to 255 */
  readonly identifier: number
  readonly xres: Buffer
  readonly kAut: Key<"EAP-AKA' K_aut">
  readonly kausf: Kausf
}

export type OpenContext = FiveGAkaContext | EapContext

/** An authentication that succeeded, for as long as its result may be taken back. It holds no key. */
export interface EndedContext {
  readonly method: 'ended'
  readonly supi: Supi
  readonly servingNetworkName: ServingNetworkName
  readonly seaf: Fqdn
  readonly authType: OpenContext['method']
  /** under which the UDM keeps the result */
  readonly authEventId: string
}

export type Context = OpenContext | EndedContext

/**
 * A context of the method that the resource is for.
 *
 * @throws Refusal CONTEXT_NOT_FOUND; one of another method stays where it is
 */
export function takeOf<Method extends Context['method']>(
  contexts: Contexts,
  { authCtxId, seaf, method }: { readonly authCtxId: string; readonly seaf: Fqdn; readonly method: Method },
): Extract<Context, { method: Method }> {
  const context = contexts.take(authCtxId, seaf)
  if (isOf(context, method)) return context
  if (context !== undefined) contexts.putBack(authCtxId, context)
  throw new Refusal('CONTEXT_NOT_FOUND', 'there is no such authentication')
}

function isOf<Method extends Context['method']>(
  context: Context | undefined,
  method: Method,
): context is Extract<Context, { method: Method }> {
  return context?.method === method
}

/** The authentications under way. What is taken is nobody else's until it is put back. */
export interface Contexts {
  /** @returns its identifier, random */
  open(context: Context): string
  /** @returns the context if it exists, is this SEAF's and has not expired */
  take(authCtxId: string, seaf: Fqdn): Context | undefined
  /** @returns the 5G AKA context whose challenge this was, under the same conditions */
  takeByRand(rand: Buffer, seaf: Fqdn): FiveGAkaContext | undefined
  /** Puts back what was taken, or what became of it. */
  putBack(authCtxId: string, context: Context): void
}
