import { sha256 } from './digest.ts'

/**
 * The tag of an EEC in the PSK identity (D-20b): the first 8 octets of SHA-256(EEC ID), as 16 hexadecimal digits.
 * It tells the EECs of one UE apart and binds later requests to the handshake (D-28); it hides nothing.
 */
export function eecIdTag(eecId: string): string {
  return sha256(eecId).toString('hex', 0, 8)
}
