import type { EDNConfigInfo, ServProvNotification } from '../../spec/messages/service-provisioning.ts'
import { type ProvisioningPorts, toEdnConfigInfo } from './provision-service.ts'
import type { IndexedEes, RegistrationChange } from './registration-index.ts'
import { type Aspects, fits, wishesOf } from './service-wishes.ts'
import { digestOf, type Subscription } from './subscriptions.ts'

/** What a subscriber was told. */
export interface Told {
  readonly subscriptionId: string
  /** of the subscription, as it was then */
  readonly version: number
  readonly told: string
}

export interface NotificationPorts extends ProvisioningPorts {
  now(): number
  monotonic(): number
  /** Lets everybody else work before it goes on. */
  pause(): Promise<void>
  /** @returns those that have not expired, by identifier, from the first after this one */
  subscriptionsAfter(subscriptionId: string, limit: number): Promise<readonly Subscription[]>
  /** @returns whether it was delivered, after several tries */
  notify(subscription: Subscription, notification: ServProvNotification): Promise<boolean>
  /** Durable; of a subscription that changed since, nothing is recorded. */
  recordTold(told: readonly Told[]): Promise<void>
  /** Hears of a round that could not read or record its subscriptions. */
  failed(error: unknown): void
}

/** Subscriptions that are read at once. */
const PAGE = 200
/** Milliseconds that a round works before it lets others. */
const SLICE = 10
/** Notifications on their way at once, and those that are recorded together. */
const ON_THEIR_WAY = 1_000
const RECORDED_TOGETHER = 250

/**
 * Tells subscribers what has changed: TS 24.558 5.3.2.5. In rounds: each goes once through all subscriptions with the
 * changes that were there when it began, and what changes meanwhile is for the next. A notification that is not delivered
 * is tried in a later round, because only what was delivered is recorded.
 */
export class Notifications {
  readonly #ecs: NotificationPorts
  #waiting: RegistrationChange[] = []
  /** all subscriptions are looked at, whatever has changed */
  #everything = false
  #undelivered = false
  #running: Promise<void> | undefined
  #closed = false

  constructor(ecs: NotificationPorts) {
    this.#ecs = ecs
  }

  changed(change: RegistrationChange): void {
    if (change.before === undefined && change.after === undefined) return
    this.#waiting.push(change)
    this.#start()
  }

  /** After a start: what changed before it, or was not delivered, is told now. */
  resume(): void {
    this.#everything = true
    this.#start()
  }

  /** Tries what was not delivered in the rounds before. */
  retry(): void {
    if (this.#undelivered) this.resume()
  }

  /** @returns when all that was under way is recorded */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  /** When no round is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  #start(): void {
    this.#running ??= this.#rounds().finally(() => {
      this.#running = undefined
    })
  }

  async #rounds(): Promise<void> {
    while (!this.#closed && (this.#everything || this.#waiting.length > 0)) {
      const changes = this.#everything ? 'any' : this.#waiting
      const ended = this.#waiting.flatMap(({ before, after }) =>
        before !== undefined && after === undefined ? before : [],
      )
      this.#waiting = []
      this.#everything = this.#undelivered = false
      await this.#round(changes, ended).catch((error: unknown) => {
        this.#undelivered = true
        this.#ecs.failed(error)
      })
    }
  }

  async #round(changes: readonly RegistrationChange[] | 'any', ended: readonly IndexedEes[]): Promise<void> {
    const deliveries = new Deliveries(ON_THEIR_WAY)
    let told: Told[] = []
    const record = async () => {
      const batch = told
      told = []
      if (batch.length > 0) await this.#ecs.recordTold(batch)
    }
    let since = this.#ecs.monotonic()
    for await (const subscription of this.#subscriptions()) {
      const wanted = wishesOf(subscription.message)
      if (changes === 'any' || changes.some((change) => concerns(change, wanted))) {
        const delivery = this.#tell(subscription, wanted, ended).then((done) => {
          if (done) told.push(done)
        })
        await deliveries.begin(delivery)
      }
      if (told.length >= RECORDED_TOGETHER) await record()
      if (this.#ecs.monotonic() - since < SLICE) continue
      await this.#ecs.pause()
      since = this.#ecs.monotonic()
    }
    await deliveries.end()
    await record()
  }

  async *#subscriptions(): AsyncIterable<Subscription> {
    let last = ''
    for (;;) {
      const page = await this.#ecs.subscriptionsAfter(last, PAGE)
      for (const subscription of page) {
        if (this.#closed) return
        yield subscription
      }
      if (page.length < PAGE) return
      last = page.at(-1)?.subscriptionId ?? last
    }
  }

  /** @returns what is to be recorded; undefined if the subscriber knows it already, or cannot be told now */
  async #tell(subscription: Subscription, wanted: Aspects, ended: readonly IndexedEes[]): Promise<Told | undefined> {
    const { subscriptionId, version } = subscription
    const current = toEdnConfigInfo(this.#ecs.findEess(wanted))
    const told = digestOf(current)
    if (told === subscription.told) return undefined
    // A notification names at least one EES: where none is left, those that have ended, as ended.
    const ednCnfgInfo = current.length > 0 ? current : this.#asEnded(ended.filter(({ served }) => fits(served, wanted)))
    const delivered =
      ednCnfgInfo.length === 0 || (await this.#ecs.notify(subscription, { subId: subscriptionId, ednCnfgInfo }))
    if (!delivered) this.#undelivered = true
    return delivered ? { subscriptionId, version, told } : undefined
  }

  #asEnded(eess: readonly IndexedEes[]): EDNConfigInfo[] {
    const lifeTime = new Date(this.#ecs.now()).toISOString()
    return toEdnConfigInfo(eess).map((group) => ({ ...group, lifeTime }))
  }
}

function concerns({ before, after }: RegistrationChange, wanted: Aspects): boolean {
  return [before, after].some((ees) => ees !== undefined && fits(ees.served, wanted))
}

/** Not more at once than there may be, and all of them over in the end. */
class Deliveries {
  readonly #most: number
  #underWay = 0
  #failure: unknown
  #waiting: (() => void) | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** @returns when there is room for another */
  async begin(delivery: Promise<void>): Promise<void> {
    this.#underWay += 1
    delivery
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#underWay -= 1
        this.#waiting?.()
      })
    await this.#until(this.#most - 1)
  }

  /** @throws what the first one threw that failed */
  async end(): Promise<void> {
    await this.#until(0)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #until(few: number): Promise<void> {
    while (this.#underWay > few) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }
}
