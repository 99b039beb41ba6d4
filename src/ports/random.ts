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

export const systemRandom: Random = {
  octets: (count) => randomBytes(count),
  uuid: () => randomUUID(),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
}
