import { createHash, createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'

/** As much of RADIUS (RFC 2865, RFC 3579) as an EAP peer needs of its authentication server. */

const CODE = { request: 1, accept: 2, reject: 3, challenge: 11 } as const
const ATTRIBUTE = { state: 24, eapMessage: 79, messageAuthenticator: 80 } as const
const LONGEST_VALUE = 253

export interface RadiusServer {
  readonly port: number
  close(): void
}

/** What follows an EAP packet of the peer: the next request, or the end. */
export interface Next {
  readonly code: 'challenge' | 'accept' | 'reject'
  readonly eap: Buffer
}

/** @param answer - called with each EAP packet of the peer */
export async function radiusServer(secret: string, answer: (eap: Buffer) => Promise<Next>): Promise<RadiusServer> {
  const socket = createSocket('udp4')
  let closed = false
  const answered = new Map<string, Promise<Next>>()
  socket.on('message', async (packet, { address, port }) => {
    // The peer repeats itself when it has to wait, and hears the same again.
    const eap = eapOf(packet)
    const pending = answered.get(eap.toString('hex')) ?? answer(eap)
    answered.set(eap.toString('hex'), pending)
    const response = respond(packet, secret, await pending)
    if (!closed) socket.send(response, port, address)
  })
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
  return {
    port: socket.address().port,
    close() {
      closed = true
      socket.close()
    },
  }
}

function respond(packet: Buffer, secret: string, { code, eap }: Next): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < eap.length; at += LONGEST_VALUE) {
    parts.push(attribute(ATTRIBUTE.eapMessage, eap.subarray(at, at + LONGEST_VALUE)))
  }
  parts.push(
    attribute(ATTRIBUTE.state, Buffer.from('one')),
    attribute(ATTRIBUTE.messageAuthenticator, Buffer.alloc(16)),
  )
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(20)
  head.writeUInt8(CODE[code], 0)
  packet.copy(head, 1, 1, 2)
  head.writeUInt16BE(20 + body.length, 2)
  packet.copy(head, 4, 4, 20)
  // RFC 3579 3.2, then RFC 2865 3: both over the authenticator of the request.
  createHmac('md5', secret)
    .update(head)
    .update(body)
    .digest()
    .copy(body, body.length - 16)
  createHash('md5').update(head).update(body).update(secret).digest().copy(head, 4)
  return Buffer.concat([head, body])
}

function eapOf(packet: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 20; at < packet.length; at += packet.readUInt8(at + 1)) {
    if (packet[at] === ATTRIBUTE.eapMessage) parts.push(packet.subarray(at + 2, at + packet.readUInt8(at + 1)))
  }
  return Buffer.concat(parts)
}

function attribute(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type, value.length + 2), value])
}
