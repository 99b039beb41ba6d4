import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { EecStore } from '../../src/ees/adapters/eec-store.ts'
import { outcomeOf } from '../../src/ees/context-relocation/context-exchange.ts'
import { type ContextPorts, receiveContext } from '../../src/ees/context-relocation/receive-context.ts'
import {
  type PushOutcome,
  type RelocationPorts,
  relocateContext,
  resumeRelocations,
} from '../../src/ees/context-relocation/relocate-context.ts'
import { modifyEec } from '../../src/ees/eec-registration/register-eec.ts'
import { EES_MIGRATIONS } from '../../src/ees/tables.ts'
import { PeerUnavailable } from '../../src/http/client.ts'
import { RefusedByServer } from '../../src/http/response.ts'
import { systemRandom } from '../../src/ports/random.ts'
import type { EECContext } from '../../src/spec/messages/eec-context-relocation.ts'
import { type EmbeddedStore, openStore } from '../../src/store/open-store.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { eecId } from '../tokens/parties.ts'

const EEC = eecId('eec-1')
const SOURCE = fqdn('ees1.example.com')
const TARGET = 'https://ees2.example.com:8444'
const LONGEST = 3_600_000

/** The process is gone: nothing that comes after it in the code happens. */
class Killed extends Error {}

/** Two EESs, each with a real store; between them is what the test says. */
class TwoEess {
  readonly folder = mkdtempSync(join(tmpdir(), 'edgeward-move-'))
  readonly stores: EmbeddedStore[] = []
  #opened: { readonly source: EecStore; readonly target: EecStore } | undefined

  get source(): EecStore {
    assert.ok(this.#opened)
    return this.#opened.source
  }

  get target(): EecStore {
    assert.ok(this.#opened)
    return this.#opened.target
  }

  async open(): Promise<void> {
    for (const store of this.stores.splice(0)) await store.close()
    const opened = async (name: string) => {
      const store = await openStore({ file: join(this.folder, name), migrations: EES_MIGRATIONS })
      this.stores.push(store)
      return new EecStore(store, Date.now, 10)
    }
    this.#opened = { source: await opened('source.db'), target: await opened('target.db') }
  }

  async close(): Promise<void> {
    for (const store of this.stores) await store.close()
    rmSync(this.folder, { recursive: true })
  }

  async register(): Promise<void> {
    const content = { acProfs: [{ acId: 'ac-1' }] }
    const ids = { registrationId: 'r-1', contextId: 'c-1', eecId: EEC }
    await this.source.insert({ ...ids, content, carried: {}, version: 1, expiresAt: Date.now() + LONGEST })
  }

  /** The T-EES, as the guard lets the S-EES through. */
  receive(context: EECContext) {
    const { target } = this
    const ports: ContextPorts = {
      now: Date.now,
      longest: LONGEST,
      newId: systemRandom.uuid,
      eecInToken: 'required',
      findByEecId: target.findByEecId,
      findByContextId: target.findByContextId,
      findReceived: (source, contextId) => target.findReceived(source, contextId),
      insert: (registration, received) => target.insert(registration, received),
      update: (next, received) => target.update(next, received),
      subscriptionsOf: async () => [],
    }
    const claims = { eecId: EEC } as Parameters<typeof receiveContext>[1]['claims']
    return receiveContext(ports, { fqdn: SOURCE, claims }, { eesId: SOURCE, eecCntx: context })
  }

  ports(change: Partial<RelocationPorts> = {}): RelocationPorts {
    const { source } = this
    return {
      findByEecId: source.findByEecId,
      moving: () => source.moving(),
      update: (next) => source.update(next),
      forget: (registration, target) => source.forget(registration, target),
      subscriptionsOf: async () => [],
      push: async (_target, context) => ({ is: 'acknowledged', answer: await this.receive(context) }),
      ...change,
    }
  }

  async where() {
    return {
      source: (await this.source.findByEecId(EEC)) !== undefined,
      target: (await this.target.findByEecId(EEC)) !== undefined,
    }
  }
}

describe('a context moves, or stays: TS 23.558 8.9.2', () => {
  let eess: TwoEess
  beforeEach(async () => {
    eess = new TwoEess()
    await eess.open()
    await eess.register()
  })
  afterEach(() => eess.close())

  const relocate = (change?: Partial<RelocationPorts>) => relocateContext(eess.ports(change), EEC, TARGET)
  const resume = async () => {
    const failures: unknown[] = []
    const ports = eess.ports()
    await resumeRelocations(
      { moving: ports.moving, relocate: (id, target) => relocateContext(ports, id, target) },
      (error) => failures.push(error),
    )
    assert.deepEqual(failures, [])
  }

  test('the EEC is registered at the T-EES, and the S-EES forgets it', async () => {
    const { implReg } = await relocate()
    assert.deepEqual(await eess.where(), { source: false, target: true })
    const there = await eess.target.findByEecId(EEC)
    assert.equal(there?.registrationId, implReg?.regId)
    assert.deepEqual(there?.content, { acProfs: [{ acId: 'ac-1' }] })
    await assert.rejects(relocate(), { code: 'REGISTRATION_NOT_FOUND' })
  })

  const kills: [string, () => Partial<RelocationPorts>][] = [
    ['before anything is recorded', () => ({ update: () => Promise.reject(new Killed()) })],
    ['before the push leaves', () => ({ push: () => Promise.reject(new Killed()) })],
    [
      'after the T-EES has it, before its answer arrives',
      () => ({
        async push(_target, context) {
          await eess.receive(context)
          throw new Killed()
        },
      }),
    ],
    ['after the answer, before the S-EES forgets', () => ({ forget: () => Promise.reject(new Killed()) })],
  ]
  for (const [moment, change] of kills) {
    test(`killed ${moment}: nothing is lost, and the move is finished or has never begun`, async () => {
      await assert.rejects(relocate(change()), Killed)
      await eess.open()
      const { source, target } = await eess.where()
      assert.ok(source || target)
      const before = await eess.target.findByEecId(EEC)
      await resume()
      const begun = moment !== 'before anything is recorded'
      assert.deepEqual(await eess.where(), { source: !begun, target: begun })
      if (before !== undefined) assert.deepEqual(await eess.target.findByEecId(EEC), before)
    })
  }

  test('while an answer is missing, the EEC changes nothing here, and goes nowhere else', async () => {
    const lost = new PeerUnavailable('answer', 'no answer in time')
    const push = async (): Promise<PushOutcome> => outcomeOf(lost, { isRepeated: false, sent: true })
    await assert.rejects(relocate({ push }), lost)
    const { source } = eess
    const ports = {
      now: Date.now,
      longest: LONGEST,
      newId: systemRandom.uuid,
      findByEecId: source.findByEecId,
      findByRegistrationId: source.findByRegistrationId,
      insert: source.insert.bind(source),
      update: (next: Parameters<EecStore['update']>[0]) => source.update(next),
      remove: source.remove.bind(source),
    }
    const peer = { eecId: EEC, method: 'EDGE_ACCESS_TOKEN', claims: {} } as const
    await assert.rejects(modifyEec(ports, peer, 'r-1', { ueMobilityReq: true }), { code: 'EEC_CONTEXT_MOVING' })
    await assert.rejects(relocateContext(eess.ports(), EEC, 'https://ees3.example.com'), { code: 'EEC_CONTEXT_MOVING' })
    const unreachable = new PeerUnavailable('connect', 'connection refused')
    const cannot: RelocationPorts['push'] = async (_target, _context, isRepeated) =>
      outcomeOf(unreachable, { isRepeated, sent: true })
    await assert.rejects(relocate({ push: cannot }), unreachable)
    assert.equal((await source.findByEecId(EEC))?.movingTo, TARGET)
    assert.deepEqual(await eess.where(), { source: true, target: false })
    await resume()
    assert.deepEqual(await eess.where(), { source: false, target: true })
  })

  test('refused, or never left: the EEC stays as it was, and can be changed and moved again', async () => {
    const errors = [
      new RefusedByServer({ status: 403, code: 'EEC_MISMATCH' }),
      new PeerUnavailable('connect', 'connection refused'),
    ]
    for (const error of errors) {
      await assert.rejects(relocate({ push: async () => outcomeOf(error, { isRepeated: false, sent: true }) }), error)
      assert.equal((await eess.source.findByEecId(EEC))?.movingTo, undefined)
    }
    await relocate()
    assert.deepEqual(await eess.where(), { source: false, target: true })
  })

  test('of what may have been sent before, that it cannot be sent now says nothing', () => {
    const unreachable = new PeerUnavailable('connect', 'connection refused')
    const unavailable = new RefusedByServer({ status: 503, code: 'NF_CONGESTION' })
    const refused = new RefusedByServer({ status: 400, code: 'invalid_scope' })
    const outcomes = [
      outcomeOf(unreachable, { isRepeated: true, sent: true }),
      outcomeOf(unavailable, { isRepeated: false, sent: true }),
      outcomeOf(new PeerUnavailable('answer', 'cut off'), { isRepeated: false, sent: true }),
      outcomeOf(unavailable, { isRepeated: true, sent: false }),
      outcomeOf(unavailable, { isRepeated: false, sent: false }),
      outcomeOf(refused, { isRepeated: true, sent: false }),
    ]
    assert.deepEqual(
      outcomes.map(({ is }) => is),
      ['unknown', 'unknown', 'unknown', 'unknown', 'refused', 'refused'],
    )
  })

  test('a target that is none is refused before anything is recorded', async () => {
    for (const target of ['ees2.example.com', 'http://ees2.example.com', 'https://127.0.0.1', 'https://a.example/x'])
      await assert.rejects(relocateContext(eess.ports(), EEC, target), { code: 'MANDATORY_IE_INCORRECT' }, target)
    assert.equal((await eess.source.findByEecId(EEC))?.movingTo, undefined)
  })

  test('an EEC that was at the T-EES before its context keeps what it has said there', async () => {
    const own = { registrationId: 'r-2', contextId: 'c-2', eecId: EEC, content: { ueMobilityReq: true } }
    await eess.target.insert({ ...own, carried: {}, version: 1, expiresAt: Date.now() + LONGEST })
    assert.equal((await relocate()).implReg?.regId, 'r-2')
    assert.deepEqual((await eess.target.findByEecId(EEC))?.content, { ueMobilityReq: true })
  })
})
