import type { Fqdn } from '../../spec/identifiers.ts'
import type { Connection } from '../connection.ts'

/** The ECS that the device was told of, with the EDN configuration (TS 23.558 8.3.2). */
export interface Ecs {
  readonly fqdn: Fqdn
  /** `https://FQDN[:PORT]` of the listener with a certificate */
  readonly apiRoot: string
}

/** An ECS and an EEC that know each other. */
export interface AuthenticatedConnection {
  /** every request on it is authenticated */
  readonly connection: Connection
  /** the same; every request on it also proves the key of the EEC */
  readonly proven: Connection
  /** milliseconds since 1970: the EEC has to authenticate anew then */
  readonly expiresAt: number
  /** how the EEC shows at the token endpoint who it is */
  readonly tokenGrant: TokenGrant
}

/** RFC 6749 4.4, where the connection says who asks, or RFC 7523 2.1, where the assertion does. */
export interface TokenGrant {
  readonly connection: Connection
  /** `https://FQDN[:PORT]` of the connection */
  readonly origin: string
  readonly parameters: Readonly<Record<string, string>>
}
