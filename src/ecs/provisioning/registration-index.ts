import type { EesId, Fqdn, RegistrationId } from '../../spec/identifiers.ts'
import type { EESInfo } from '../../spec/messages/service-provisioning.ts'
import type { Registration } from '../registrar/registration.ts'
import {
  ASPECTS,
  type Aspect,
  type Aspects,
  EVERYWHERE_IF_SILENT,
  fits,
  type Served,
  servedBy,
} from './service-wishes.ts'

/** A live registration as an EEC may learn of it. */
export interface IndexedEes {
  readonly registrationId: RegistrationId
  readonly eesId: EesId
  readonly fqdn: Fqdn
  readonly served: Served
  /** of the edge data network in which it stands; empty if it does not say */
  readonly dnn: string
  readonly eesInfo: EESInfo
  /** milliseconds since 1970 */
  readonly expiresAt: number
  /** counts the registrations: those that came first are answered first */
  readonly order: number
}

/** What the index needs to know of a registration. */
export type IndexedRegistration = Pick<
  Registration,
  'registrationId' | 'eesId' | 'fqdn' | 'eesProf' | 'state' | 'expiresAt'
>

/** What became different: `before` is undefined for a new registration, `after` for one that has ended. */
export interface RegistrationChange {
  readonly before?: IndexedEes | undefined
  readonly after?: IndexedEes | undefined
}

/**
 * The live registrations of this ECS, found by what they serve. A search looks through the shortest of the lists that
 * the wishes lead to, so it takes as long as that list is, however many EESs are registered.
 *
 * It holds what was committed and nothing else: whoever commits a change puts it in before he answers.
 */
export class RegistrationIndex {
  readonly #describe: (registration: IndexedRegistration) => EESInfo
  readonly #entries = new Map<RegistrationId, IndexedEes>()
  readonly #lists: Readonly<Record<Aspect, ServedLists>> = {
    easId: new ServedLists(EVERYWHERE_IF_SILENT.easId),
    ecspId: new ServedLists(EVERYWHERE_IF_SILENT.ecspId),
    cell: new ServedLists(EVERYWHERE_IF_SILENT.cell),
    trackingArea: new ServedLists(EVERYWHERE_IF_SILENT.trackingArea),
    plmn: new ServedLists(EVERYWHERE_IF_SILENT.plmn),
  }
  #next = 0

  /** @param describe - how an EEC is told of an EES */
  constructor(describe: (registration: IndexedRegistration) => EESInfo) {
    this.#describe = describe
  }

  get size(): number {
    return this.#entries.size
  }

  /** Takes the place of what was known of this registration; one that does not live is not kept. */
  put(registration: IndexedRegistration): RegistrationChange {
    const { registrationId, eesId, fqdn, eesProf, expiresAt } = registration
    if (registration.state !== 'live') return this.remove(registrationId)
    const before = this.#entries.get(registrationId)
    const after: IndexedEes = {
      registrationId,
      eesId,
      fqdn,
      served: servedBy(eesProf),
      dnn: eesProf.ednInfoSets?.dnn ?? '',
      eesInfo: this.#describe(registration),
      expiresAt,
      order: before?.order ?? this.#next++,
    }
    for (const aspect of ASPECTS) {
      if (before) this.#lists[aspect].delete(before, before.served[aspect])
      this.#lists[aspect].add(after, after.served[aspect])
    }
    this.#entries.set(registrationId, after)
    return { before, after }
  }

  remove(registrationId: RegistrationId): RegistrationChange {
    const before = this.#entries.get(registrationId)
    if (before === undefined) return {}
    for (const aspect of ASPECTS) this.#lists[aspect].delete(before, before.served[aspect])
    this.#entries.delete(registrationId)
    return { before }
  }

  /**
   * @param accept - which of those that fit may be told
   * @returns at most so many that fit and have not expired, the oldest registration first
   */
  find(wanted: Aspects, now: number, most: number, accept: (ees: IndexedEes) => boolean = everyone): IndexedEes[] {
    const found = new Set<IndexedEes>()
    for (const ees of this.#candidates(wanted)) {
      if (found.size === most) break
      if (ees.expiresAt > now && fits(ees.served, wanted) && accept(ees)) found.add(ees)
    }
    return [...found].sort((a, b) => a.order - b.order)
  }

  *#candidates(wanted: Aspects): Iterable<IndexedEes> {
    let shortest: readonly ReadonlySet<IndexedEes>[] = []
    let length = Number.POSITIVE_INFINITY
    for (const aspect of ASPECTS) {
      if (wanted[aspect].size === 0) continue
      const lists = this.#lists[aspect].of(wanted[aspect])
      const sum = lists.reduce((total, { size }) => total + size, 0)
      if (sum < length) [shortest, length] = [lists, sum]
    }
    if (length === Number.POSITIVE_INFINITY) return yield* this.#entries.values()
    for (const list of shortest) yield* list
  }
}

const everyone = () => true

/** Who serves which value of one aspect, and who says nothing about it. */
class ServedLists {
  readonly #byValue = new Map<string, Set<IndexedEes>>()
  /** undefined where who says nothing is not found */
  readonly #silent: Set<IndexedEes> | undefined

  constructor(everywhereIfSilent: boolean) {
    this.#silent = everywhereIfSilent ? new Set() : undefined
  }

  add(ees: IndexedEes, values: readonly string[]): void {
    if (values.length === 0) this.#silent?.add(ees)
    for (const value of values) {
      const list = this.#byValue.get(value)
      if (list === undefined) this.#byValue.set(value, new Set([ees]))
      else list.add(ees)
    }
  }

  delete(ees: IndexedEes, values: readonly string[]): void {
    this.#silent?.delete(ees)
    for (const value of values) {
      const list = this.#byValue.get(value)
      list?.delete(ees)
      if (list?.size === 0) this.#byValue.delete(value)
    }
  }

  of(values: ReadonlySet<string>): ReadonlySet<IndexedEes>[] {
    const lists = [...values].flatMap((value) => this.#byValue.get(value) ?? [])
    return this.#silent === undefined ? lists : [...lists, this.#silent]
  }
}
