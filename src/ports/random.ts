import { randomBytes, randomUUID } from 'node:crypto'

/** Where randomness comes from. */
export interface Random {
  /** @returns `count` unpredictable octets */
  octets(count: number): Buffer
  /** @returns a version 4 UUID in lower case */
  uuid(): string
  /** @returns a number in [0, 1), for jitter; never for secrets */
  fraction(): number
}

/**
 * Octets that nobody has seen yet: a draw of many costs what a draw of a few does, so Node keeps some for its UUIDs
 * too.
 */
let ahead = Buffer.alloc(0)
const AHEAD = 4_096

function draw(count: number): Buffer {
  if (count > 64) return randomBytes(count)
  if (ahead.length < count) ahead = randomBytes(AHEAD)
  const drawn = Buffer.alloc(count)
  ahead.copy(drawn)
  // Whoever reads this memory later does not find what was handed out.
  ahead.fill(0, 0, count)
  ahead = ahead.subarray(count)
  return drawn
}

export const systemRandom: Random = {
  octets: draw,
  uuid: () => randomUUID(),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
}
