import { refuseUnless } from '../../spec/refusal.ts'
import type { Supi } from '../../spec/subscriber-identifiers.ts'
import type { DeviceOperation, Terminal } from '../ts43/request.ts'

/** A fast authentication token as a terminal gets it. */
export interface AuthenticationToken {
  readonly token: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

export interface AuthenticationTokenPorts {
  now(): number
  /** milliseconds */
  readonly authenticationTokenLifetime: number
  /** Makes an opaque token and keeps its hash. */
  newAuthenticationToken(supi: Supi, terminal: Terminal): Promise<AuthenticationToken>
  /** @returns undefined unless this terminal was given this token, for this app */
  findAuthenticationToken(
    token: string,
    terminal: Terminal,
  ): Promise<{ readonly supi: Supi; readonly expiresAt: number } | undefined>
  newTemporaryToken(supi: Supi, terminal: Terminal, targets: readonly DeviceOperation[]): Promise<AuthenticationToken>
  /** Takes it out, so that it works once (THREATS EN-03). */
  takeTemporaryToken(
    token: string,
    terminal: Terminal,
  ): Promise<{ readonly supi: Supi; readonly targets: readonly string[] } | undefined>
}

/**
 * Fast authentication: TS.43 2.8.5. A token in the second half of its life is renewed; the old one ends by itself, so
 * that an answer that gets lost locks nobody out.
 *
 * @returns undefined if the token is not good: then the terminal authenticates in full
 */
export async function authenticateFast(
  ent: AuthenticationTokenPorts,
  token: string,
  terminal: Terminal,
): Promise<{ readonly supi: Supi; readonly next: AuthenticationToken } | undefined> {
  const found = await ent.findAuthenticationToken(token, terminal)
  if (found === undefined || found.expiresAt <= ent.now()) return undefined
  const { supi, expiresAt } = found
  const young = expiresAt - ent.now() > ent.authenticationTokenLifetime / 2
  return { supi, next: young ? { token, expiresAt } : await ent.newAuthenticationToken(supi, terminal) }
}

/**
 * Authentication by a temporary token: TS.43 2.8.6.
 *
 * @throws Refusal TEMPORARY_TOKEN_INVALID, POLICY_DENIED if it was given for other operations
 */
export async function authenticateOnce(
  ent: AuthenticationTokenPorts,
  token: string,
  { terminal, operation }: { readonly terminal: Terminal; readonly operation: DeviceOperation | undefined },
): Promise<Supi> {
  const taken = await ent.takeTemporaryToken(token, terminal)
  refuseUnless(taken !== undefined, 'TEMPORARY_TOKEN_INVALID', 'the temporary token is not good, or no longer')
  const allowed = operation !== undefined && taken.targets.includes(operation)
  refuseUnless(allowed, 'POLICY_DENIED', 'the temporary token was given for other operations')
  return taken.supi
}
