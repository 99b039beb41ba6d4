import { acceptIf } from '../../http/response.ts'

const MOST_COOKIES = 8
/** RFC 6265 4.1.1: a token, and octets that need no quoting. */
const PAIR = /^(?<name>[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})=(?<value>[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,2048})$/

/** The cookies of one exchange with one server; they are never kept, and so their attributes say nothing new. */
export class Cookies {
  readonly #values = new Map<string, string>()

  /** @param setCookie - as Node gives the header @throws AnswerNotAccepted */
  take(setCookie: readonly string[] | undefined): void {
    for (const line of setCookie ?? []) {
      const { name, value } = PAIR.exec(line.split(';', 1)[0]?.trim() ?? '')?.groups ?? {}
      acceptIf(name !== undefined && value !== undefined, 'a cookie is not well formed')
      this.#values.set(name, value)
      acceptIf(this.#values.size <= MOST_COOKIES, 'there are too many cookies')
    }
  }

  /** For the next request; nothing if there are none. */
  headers(): Readonly<Record<string, string>> {
    if (this.#values.size === 0) return {}
    return { cookie: [...this.#values].map(([name, value]) => `${name}=${value}`).join('; ') }
  }
}
