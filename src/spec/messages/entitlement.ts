import { type Static, Type } from 'typebox'

/** GSMA TS.43, as far as an EEC and its servers need it. What is not here is ignored. */

const text = Type.Optional(Type.String({ maxLength: 512 }))
const required = Type.String({ minLength: 1, maxLength: 256 })

/** The parameters of a request: TS.43 2.3, 2.8, 14.1. The same names stand in a query and in JSON. */
export const EntitlementRequest = Type.Object({
  terminal_id: required,
  terminal_vendor: required,
  terminal_model: required,
  terminal_sw_version: required,
  entitlement_version: Type.String({ pattern: '^[0-9]{1,4}[.][0-9]{1,4}$' }),
  app: required,
  vers: text,
  app_name: text,
  app_version: text,
  EAP_ID: text,
  token: text,
  temporary_token: text,
  operation: text,
  operation_targets: text,
  client_id: text,
  scope: text,
  msisdn: text,
})
export type EntitlementRequest = Static<typeof EntitlementRequest>

/** TS.43 2.8.1; an EAP packet of EAP-AKA is far below this length. */
export const EapRelayMessage = Type.Object({ 'eap-relay-packet': Type.String({ minLength: 1, maxLength: 4_096 }) })
export type EapRelayMessage = Static<typeof EapRelayMessage>

/** What an external entity asks: TS.43 14.1.6. */
export const ValidationRequest = Type.Object({
  requestor_id: required,
  entitlement_version: Type.Optional(EntitlementRequest.properties.entitlement_version),
  app: required,
  operation: required,
  operator_token: Type.String({ minLength: 1, maxLength: 8_192 }),
  client_id: text,
  scope: text,
})
export type ValidationRequest = Static<typeof ValidationRequest>

const values = Type.Record(Type.String(), Type.String())

/** The configuration document in JSON: TS.43 2.9; every value is text, as in XML. */
export const EntitlementDocument = Type.Object({
  Vers: Type.Object({ version: Type.String(), validity: Type.String() }),
  Token: Type.Optional(Type.Object({ token: Type.String(), validity: Type.Optional(Type.String()) })),
  ap2015: values,
})
export type EntitlementDocument = Static<typeof EntitlementDocument>
