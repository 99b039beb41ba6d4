import { type Logger, pino } from 'pino'

export type Log = Logger

/**
 * One JSON line an event. What may hold a credential is never given to the log; the redaction is the second lock.
 *
 * @param destination - a file descriptor: standard output belongs to the ready line, so servers log to standard error
 */
export function createLog(name: string, level: string, destination = 2): Log {
  const secret = ['authorization', 'cookie', 'token', 'onboardingToken', 'accessToken', 'access_token', 'csr', 'key']
  return pino(
    { name, level, redact: { paths: secret.flatMap((member) => [member, `*.${member}`]), censor: '[redacted]' } },
    pino.destination({ dest: destination, sync: true }),
  )
}
