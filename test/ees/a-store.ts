import { generateKeyPairSync } from 'node:crypto'
import type { OnboardingStore } from '../../src/ees/onboarding/onboard-ees.ts'
import type { StoredRegistration } from '../../src/ees/registration/record.ts'

export function aPrivateKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** A place to keep a registration, that tells what was done to it. */
export function aStore(stored?: StoredRegistration) {
  const did: string[] = []
  let kept = stored
  let key: string | undefined
  const change = (name: string, next: (before: StoredRegistration) => StoredRegistration) => {
    if (kept === undefined) throw new Error('nothing is kept here')
    did.push(name)
    kept = next(kept)
  }
  const store: OnboardingStore = {
    privateKey: async () => {
      did.push('privateKey')
      key ??= aPrivateKey()
      return key
    },
    create: async (registration) => {
      did.push('create')
      kept = registration
    },
    load: async () => kept,
    saveRecord: async (record) => change('saveRecord', (before) => ({ ...before, record })),
    saveRoot: async (root) => change('saveRoot', (before) => ({ ...before, root })),
    saveCredential: async (credential) => change('saveCredential', (before) => ({ ...before, credential })),
    remove: async () => {
      did.push('remove')
      kept = undefined
    },
  }
  return { store, did, kept: () => kept }
}
