import { RefusedByServer } from '../http/response.ts'
import { Refusal } from '../spec/refusal.ts'

/** What people can do about an error, by its name or its code. */
const ADVICE: Record<string, string> = {
  EADDRINUSE: 'another program listens on that port: change the port in the configuration, or stop the other one',
  EACCES: 'this user may not do that: check the owner of the folder, or take a port above 1023',
  ENOENT: 'check the name',
  EEXIST: 'it exists already and is never overwritten: take another name',
}

/** One sentence for people: what went wrong and what to do next. Never a stack, a key or a token. */
export function explainFailure(error: unknown): string {
  if (error instanceof Refusal) return `Refused: ${error.detail} (${error.code}).`
  if (error instanceof RefusedByServer)
    return `Refused by the server: ${error.detail ?? 'no reason is given'} (${error.status} ${error.code}).`
  if (!(error instanceof Error)) return 'Failed for an unknown reason.'
  const code = 'code' in error ? String(error.code) : ''
  const advice = ADVICE[code]
  return advice === undefined ? `Failed: ${error.message}` : `Failed: ${error.message}; ${advice}.`
}
