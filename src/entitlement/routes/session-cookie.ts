/** With this prefix it is set by this host alone, over TLS, for every path (RFC 6265bis 4.1.3.2). */
const NAME = '__Host-entitlement-session'
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict'
/** 32 octets in base64url. */
const SESSION = /^[A-Za-z0-9_-]{43}$/

export const sessionCookie = (session: string) => `${NAME}=${session}; ${ATTRIBUTES}`

export const clearedCookie = () => `${NAME}=; ${ATTRIBUTES}; Max-Age=0`

/** @returns undefined unless the header names one session, and one only */
export function sessionOf(cookies: string | undefined): string | undefined {
  const [session, ...others] = (cookies ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(`${NAME}=`))
    .map((cookie) => cookie.slice(NAME.length + 1))
  return session !== undefined && others.length === 0 && SESSION.test(session) ? session : undefined
}
