import type { IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Static, TSchema } from 'typebox'
import type { Operation } from '../spec/operation.ts'
import type { Scheme } from './problem.ts'

/** What a client shows before its message is read: the head of the request, and the connection it came on. */
export interface Evidence {
  readonly headers: IncomingHttpHeaders
  readonly socket: TLSSocket
  readonly operation: Operation
  /** of the request, without its query */
  readonly path: string
}

/** How each kind of credential is checked. A name that is not here cannot be declared by a route. */
export type Authenticators<Peers> = {
  readonly [Credential in keyof Peers]: (evidence: Evidence) => Promise<Peers[Credential]>
}

type MediaType =
  | 'application/json'
  | 'application/merge-patch+json'
  | 'application/x-www-form-urlencoded'
  | 'application/pkcs10'
  | 'application/vnd.gsma.eap-relay.v1.0+json'

/** In which schemes the tokens of a credential are shown, for the challenges; `Bearer` for what is not here. */
export type Schemes<Peers> = { readonly [Credential in keyof Peers]?: readonly Scheme[] }

/** The content that a route takes. */
export interface Content<Schema extends TSchema> {
  /** a list where the schema is of messages of several kinds */
  readonly mediaType: MediaType | readonly MediaType[]
  readonly schema: Schema
  /** octets; 65,536 unless stated */
  readonly limit?: number
}

export interface RouteRequest<Peer, Body> {
  /** what the declared credential proved, and nothing else that the request says of itself */
  readonly peer: Peer
  readonly body: Body
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** without the query */
  readonly path: string
  readonly socket: TLSSocket
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** an object leaves as JSON, octets and text as they are */
  readonly body?: object | string
}

/**
 * One operation on one listener. Everything that decides who may call it and what may be said is declared here,
 * so that server, OpenAPI document and the table of the authorization tests have one source.
 */
export interface Route<Peers, Credential extends keyof Peers = keyof Peers, Schema extends TSchema = TSchema> {
  readonly operation: Operation
  /** what the client must show; checked before a single octet of content is read */
  readonly credential: Credential
  readonly content?: Content<Schema>
  /** how a refusal is told: RFC 9457 problem details, or RFC 6749 5.2 at the OAuth endpoints */
  readonly refusals?: 'problem' | 'oauth'
  handle(request: RouteRequest<Peers[Credential], Static<Schema>>): Promise<Answer>
}

/**
 * Makes the function with which an entity declares its routes: the type of `peer` follows from the declared credential.
 */
export function routesOf<Peers>() {
  return <Credential extends keyof Peers, Schema extends TSchema>(
    route: Route<Peers, Credential, Schema>,
  ): Route<Peers> => route as Route<Peers>
}

export const ok = (body: object | string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  headers,
  body,
})

export const noContent = (headers: Readonly<Record<string, string>> = {}): Answer => ({ status: 204, headers })

export const created = (location: string, body: object, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 201,
  headers: { location, ...headers },
  body,
})
