import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { authenticate, type EecOptions } from '../../src/eec/index.ts'
import type { Progress } from '../../src/ports/progress.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import { AKMA, type AServingUe, EEC_1, VECTOR } from '../ue/a-folder.ts'
import type { AnEcs } from './an-ecs.ts'

export const K_ECS = createSecretKey(Buffer.from(VECTOR.kecs, 'hex'))
/** of the same UE for the same ECS */
export const KAF = createSecretKey(Buffer.from(AKMA.kaf ?? '', 'hex'))

/** For a session that asks nobody for anything. */
export const SESSION_PORTS = {
  givenTokens: { take: () => {} },
  notifications: { root: '', newSecret: () => assert.fail() },
  openEes: async () => assert.fail(),
}

/** What an application of this EEC would do. */
export function authenticateAt(
  ecs: Pick<AnEcs, 'apiRoot' | 'root' | 'resolve'>,
  ue: Pick<AServingUe, 'credential'>,
  change: Partial<EecOptions> & { eecId?: EecId } = {},
) {
  const { eecId = EEC_1, ...options } = change
  const { apiRoot, root, resolve } = ecs
  return authenticate({ credential: ue.credential(eecId), ecs: apiRoot, root, resolve, ...options })
}

/** Remembers the steps, and how they ended. */
export function recordedSteps() {
  const steps: string[] = []
  const progress: Progress = {
    async step({ clause, from, to }, _message, act) {
      try {
        const result = await act()
        steps.push(`${clause}: ${from} -> ${to}`)
        return result
      } catch (error) {
        steps.push(`${clause}: ${from} -> ${to} failed`)
        throw error
      }
    },
  }
  return { steps, progress }
}
