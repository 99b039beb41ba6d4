import type { ConnectionOptions } from 'node:tls'
import { LRUCache } from 'lru-cache'
import type { Timers } from '../ports/timers.ts'
import { Refusal } from '../spec/refusal.ts'
import { openPeer, type Peer, type Resolve } from './client.ts'
import {
  addressFinder,
  type LookUp,
  type NotificationTarget,
  type NotificationTargets,
  parseNotificationUri,
} from './notification-target.ts'
import { requireStatus } from './response.ts'

export interface NotifierOptions {
  readonly targets: NotificationTargets
  /** whom to trust and what to show, as of now: callbacks go over mutual TLS (THREATS HT-07) */
  readonly tls: () => ConnectionOptions
  readonly timers: Pick<Timers, 'after'>
  readonly resolve?: Resolve
  /** asks DNS unless given */
  readonly lookUp?: LookUp
  /** hears of each notification that is given up */
  readonly failed?: (error: unknown) => void
}

/** Sends callbacks to addresses that subscribers chose. */
export interface Notifier {
  /** @throws Refusal NOTIFICATION_URI_NOT_ACCEPTED */
  check(uri: string): void
  /**
   * Queues one notification, as JSON. Delivery is tried three times.
   *
   * @param headers - what the subscriber wants to see, beside the certificate
   * @returns whether it was delivered, once that is known; nobody has to wait for it
   */
  send(uri: string, notification: object, headers?: Readonly<Record<string, string>>): Promise<boolean>
  /** Nothing more is sent. */
  close(): void
}

/**
 * Notifications under way, and those that wait; what comes beyond is given up, so that slow receivers cost no memory.
 */
const AT_ONCE = 64
const MOST_WAITING = 200_000
/** Receivers whose connection is kept, and for how long the address that was looked up holds (milliseconds). */
const MOST_PEERS = 256
const KEPT = 60_000
/** Milliseconds before the second and the third try, and for one answer. */
const PAUSES = [1_000, 5_000]
const PATIENCE = 5_000

interface Waiting {
  readonly uri: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly tried: number
  settle(delivered: boolean): void
}

/** Redirects are refusals here as everywhere: the answer to a notification is 200 or 204, or it has failed. */
export function createNotifier({ targets, tls, timers, resolve, lookUp, failed }: NotifierOptions): Notifier {
  const addressOf = addressFinder(targets, { resolve, lookUp })
  const peers = peersByOrigin(async ({ origin, host }) =>
    openPeer(origin, tls(), new Map([[host, await addressOf(host)]])),
  )
  const queue = new DeliveryQueue({
    timers,
    failed,
    async deliver({ uri, body, headers: wanted }) {
      const target = parseNotificationUri(uri, targets)
      const { path } = target
      const peer = await peers.of(target)
      const headers = { ...wanted, 'content-type': 'application/json' }
      requireStatus(await peer.request({ method: 'POST', path, headers, body, patience: PATIENCE }), 200, 204)
    },
  })
  return {
    check: (uri) => void parseNotificationUri(uri, targets),
    send: (uri, notification, headers = {}) =>
      new Promise((settle) => {
        queue.add({ uri, headers, body: JSON.stringify(notification), tried: 0, settle })
      }),
    close() {
      queue.close()
      peers.clear()
    },
  }
}

interface DeliveryOptions extends Pick<NotifierOptions, 'timers'> {
  readonly failed: NotifierOptions['failed'] | undefined
  deliver(item: Waiting): Promise<void>
}

/** First come, first served; what fails waits beside the queue, and then at its end. */
class DeliveryQueue {
  readonly #options: DeliveryOptions
  readonly #waiting = new Set<Waiting>()
  readonly #pauses = new Set<() => void>()
  #underWay = 0
  #closed = false

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  add(item: Waiting): void {
    if (this.#closed) item.settle(false)
    else if (this.#waiting.size >= MOST_WAITING) this.#giveUp(item, new Error('too many notifications wait'))
    else {
      this.#waiting.add(item)
      this.#goOn()
    }
  }

  close(): void {
    this.#closed = true
    for (const stop of this.#pauses) stop()
    for (const { settle } of this.#waiting) settle(false)
  }

  #goOn(): void {
    for (const item of this.#waiting) {
      if (this.#closed || this.#underWay >= AT_ONCE) return
      this.#waiting.delete(item)
      this.#underWay++
      this.#options
        .deliver(item)
        .then(() => item.settle(true))
        .catch((error: unknown) => this.#tryLater(item, error))
        .finally(() => {
          this.#underWay--
          this.#goOn()
        })
    }
  }

  #tryLater(item: Waiting, error: unknown): void {
    const pause = PAUSES[item.tried]
    if (this.#closed) item.settle(false)
    else if (pause === undefined || error instanceof Refusal) this.#giveUp(item, error)
    else this.#tryAfter(pause, item)
  }

  #tryAfter(pause: number, item: Waiting): void {
    const cancel = this.#options.timers.after(pause, () => {
      this.#pauses.delete(stop)
      this.add({ ...item, tried: item.tried + 1 })
    })
    const stop = () => {
      cancel()
      item.settle(false)
    }
    this.#pauses.add(stop)
  }

  #giveUp(item: Waiting, error: unknown): void {
    this.#options.failed?.(error)
    item.settle(false)
  }
}

/** One connection to each receiver, however many notifications go there at once. */
function peersByOrigin(open: (target: NotificationTarget) => Promise<Peer>) {
  const dispose = (peer: Promise<Peer>) => void peer.then((opened) => opened.close()).catch(() => {})
  const peers = new LRUCache<string, Promise<Peer>>({ max: MOST_PEERS, ttl: KEPT, dispose })
  return {
    of(target: NotificationTarget): Promise<Peer> {
      const known = peers.get(target.origin)
      if (known !== undefined) return known
      const opening = open(target)
      peers.set(target.origin, opening)
      opening.catch(() => peers.delete(target.origin))
      return opening
    },
    clear: () => peers.clear(),
  }
}
