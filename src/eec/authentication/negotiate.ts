import { Type } from 'typebox'
import type { Message, Response } from '../../http/client.ts'
import { isOriginOf } from '../../http/origin.ts'
import { AnswerNotAccepted, acceptIf, readJson, requireStatus } from '../../http/response.ts'
import {
  chooseMethod,
  type EcsMethod,
  METHODS_HEADER,
  methodsLine,
  PSK_METHODS,
} from '../../spec/authentication-methods.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { Connect, Connection } from '../connection.ts'

/**
 * Which method EEC and ECS take: D-15. The ECS offers its methods in its metadata (RFC 8414), before anybody is
 * authenticated; each answer to an authenticated EEC repeats offer and choice, and so does each request. Whoever took a
 * method out of the metadata is found out by both (THREATS NG-02).
 */

/** What the EEC saw, and what it took of it. */
export interface Agreement {
  /** as offered, in the order of the offer */
  readonly offered: readonly string[]
  readonly chosen: EcsMethod
  /** `https://FQDN[:PORT]` of the listener for certificates of EECs, if the ECS has one */
  readonly certificateRoot?: string | undefined
}

/** Of RFC 8414 2, what an EEC looks at; the last members are ours. */
const Metadata = Type.Object({
  issuer: Type.String(),
  edge_eec_authentication_methods_supported: Type.Optional(Type.Unknown()),
  edge_eec_certificate_root: Type.Optional(Type.String()),
})

export function metadataRequest(): Message {
  return { method: 'GET', path: '/.well-known/oauth-authorization-server' }
}

/**
 * @param wanted - best first; what is not in it is below the floor
 * @throws Refusal AUTHENTICATION_METHOD_NOT_ACCEPTED if nothing is common; RefusedByServer, AnswerNotAccepted
 */
export function processMetadata(response: Response, ecs: Fqdn, wanted: readonly EcsMethod[]): Agreement {
  requireStatus(response, 200)
  const metadata = readJson(response, Metadata)
  const { edge_eec_authentication_methods_supported: offered, edge_eec_certificate_root: certificateRoot } = metadata
  acceptIf(isOriginOf(metadata.issuer, ecs), 'the metadata are those of another server')
  const elsewhere = certificateRoot !== undefined && !isOriginOf(certificateRoot, ecs)
  acceptIf(!elsewhere, 'the listener for certificates is that of another server')
  const chosen = chooseMethod(offered, wanted)
  const isNowhere = chosen === 'TLS_CLIENT_SERVER_CERTIFICATE' && certificateRoot === undefined
  acceptIf(!isNowhere, 'the ECS does not say where it takes certificates of EECs')
  return { chosen, offered: offered as readonly string[], certificateRoot }
}

/** The connections on which the EEC will be authenticated, and those alone, are held to what was agreed. */
export function connectAgreed(connect: Connect, agreement: Agreement): Connect {
  const hold = (connection: Connection) => holdToAgreement(connection, agreement)
  // Before the key is proven nobody knows who asks, so the certificate's connection has nothing to repeat.
  if (PSK_METHODS.includes(agreement.chosen)) {
    return { ...connect, byPsk: (origin, psk) => hold(connect.byPsk(origin, psk)) }
  }
  return { ...connect, byCertificate: (origin, own) => hold(connect.byCertificate(origin, own)) }
}

/** Says in each request what was agreed, and goes on only with an ECS that says the same. */
function holdToAgreement(connection: Connection, agreement: Agreement): Connection {
  const said = methodsLine(agreement.offered, agreement.chosen)
  return {
    open: () => connection.open(),
    close: () => connection.close(),
    async request(message) {
      const response = await connection.request({ ...message, headers: { ...message.headers, [METHODS_HEADER]: said } })
      const heard = response.headers[METHODS_HEADER]
      // A refusal can come from before the ECS knows who asks.
      if (heard === said || (heard === undefined && response.status >= 400)) return response
      connection.close()
      throw new AnswerNotAccepted(
        heard === undefined
          ? 'the ECS does not say which methods it offered'
          : 'the ECS offered other methods than the EEC has seen: somebody between them changed the offer',
      )
    },
  }
}
