import { type Static, Type } from 'typebox'

/**
 * EAP-AKA of an EEC at its entitlement server, at the local interface of the UE; ours (D-12). The EEC carries packets,
 * the USIM answers them.
 */

/** Begins an exchange; one that the same EEC has open is over. */
export const EapStartRequest = Type.Object({ eecId: Type.String({ maxLength: 128 }) })
export type EapStartRequest = Static<typeof EapStartRequest>

export const EapStartResponse = Type.Object({
  session: Type.String({ minLength: 1, maxLength: 64 }),
  /** root NAI (TS 23.003 19.3.2): the identity that the subscriber has at the server */
  eapId: Type.String({ minLength: 1, maxLength: 253 }),
})
export type EapStartResponse = Static<typeof EapStartResponse>

/** An EAP packet, in base64. */
const EapPacket = Type.String({ minLength: 8, maxLength: 2_048 })

/** `eapPacket` is an EAP request of the server. */
export const EapRespondRequest = Type.Object({
  eecId: Type.String({ maxLength: 128 }),
  session: Type.String({ maxLength: 64 }),
  eapPacket: EapPacket,
})
export type EapRespondRequest = Static<typeof EapRespondRequest>

/** `eapPacket` is the EAP response of the UE. */
export const EapRespondResponse = Type.Object({ eapPacket: EapPacket })
export type EapRespondResponse = Static<typeof EapRespondResponse>
