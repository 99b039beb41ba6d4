import type { ApplicationError } from '../spec/application-errors.ts'
import { Refusal } from '../spec/refusal.ts'

/** Octets that are not strict DER, or text that is not strict PEM. The message never quotes them. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

/** Reads what a peer sent: what is malformed is refused with `code`, any other error is our own and passes. */
export function refuseMalformed<T>(code: ApplicationError, what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Malformed) throw new Refusal(code, `${what}: ${error.message}`, { cause: error })
    throw error
  }
}
