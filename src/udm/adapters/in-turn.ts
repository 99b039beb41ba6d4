import { Refusal } from '../../spec/refusal.ts'

/** How much may wait for one subscriber: more is no authentication but an attack, or a loop. */
const MOST_WAITING = 32

/** Runs what is for one key one after the other; what is for different keys does not wait. */
export function inTurn(): <Result>(key: string, work: () => Promise<Result>) => Promise<Result> {
  const queues = new Map<string, { last: Promise<unknown>; waiting: number }>()
  return (key, work) => {
    const queue = queues.get(key) ?? { last: Promise.resolve(), waiting: 0 }
    if (queue.waiting >= MOST_WAITING) {
      return Promise.reject(new Refusal('NF_CONGESTION', 'too much is under way for this subscriber'))
    }
    queue.waiting += 1
    queues.set(key, queue)
    const result = queue.last.then(work, work)
    queue.last = result.catch(() => {})
    return result.finally(() => {
      queue.waiting -= 1
      if (queue.waiting === 0) queues.delete(key)
    })
  }
}
