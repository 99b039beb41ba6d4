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
  const waiting = new Set<Waiting>()
  const pauses = new Set<() => void>()
  let [underWay, closed] = [0, false]

  const deliver = async ({ uri, body, headers: wanted }: Waiting) => {
    const target = parseNotificationUri(uri, targets)
    const { path } = target
    const peer = await peers.of(target)
    const headers = { ...wanted, 'content-type': 'application/json' }
    requireStatus(await peer.request({ method: 'POST', path, headers, body, patience: PATIENCE }), 200, 204)
  }
  const giveUp = (item: Waiting, error: unknown) => {
    failed?.(error)
    item.settle(false)
  }
  const tryLater = (item: Waiting, error: unknown) => {
    if (closed) return item.settle(false)
    const pause = PAUSES[item.tried]
    if (pause === undefined || error instanceof Refusal) return giveUp(item, error)
    const cancel = timers.after(pause, () => {
      pauses.delete(stop)
      enqueue({ ...item, tried: item.tried + 1 })
    })
    const stop = () => {
      cancel()
      item.settle(false)
    }
    pauses.add(stop)
  }
  const goOn = () => {
    for (const item of waiting) {
      if (closed || underWay >= AT_ONCE) return
      waiting.delete(item)
      underWay++
      deliver(item)
        .then(() => item.settle(true))
        .catch((error: unknown) => tryLater(item, error))
        .finally(() => {
          underWay--
          goOn()
        })
    }
  }
  const enqueue = (item: Waiting) => {
    if (closed) return item.settle(false)
    if (waiting.size >= MOST_WAITING) return giveUp(item, new Error('too many notifications wait'))
    waiting.add(item)
    goOn()
  }
  return {
    check: (uri) => void parseNotificationUri(uri, targets),
    send: (uri, notification, headers = {}) =>
      new Promise((settle) => {
        enqueue({ uri, headers, body: JSON.stringify(notification), tried: 0, settle })
      }),
    close() {
      closed = true
      for (const stop of pauses) stop()
      for (const { settle } of waiting) settle(false)
      peers.clear()
    },
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
