import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { GuardFailed, StoreUnavailable } from './errors.ts'
import type { UnitOfWork } from './unit-of-work.ts'
import type { FromWriter, ToWriter, WriterData } from './writer-messages.ts'
import type { Outcome } from './writing-connection.ts'

/** Run as it stands, or compiled. */
const WRITER = new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url)

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * The writer, seen from the calling thread. Units of one turn of the event loop travel together, in both directions:
 * a message costs more than a unit. The process can end while nothing waits for an answer, not before.
 */
export class WriterThread {
  readonly #worker: Worker
  /** units without an answer, in the order in which they were given */
  #waiting: Waiting[] = []
  #collected: UnitOfWork[] = []
  #closing: Waiting | undefined
  #ended: StoreUnavailable | undefined

  /** @throws Error if the writer cannot open the store */
  static async start(data: WriterData): Promise<WriterThread> {
    const worker = new Worker(WRITER, { workerData: data, execArgv: ['--disable-warning=ExperimentalWarning'] })
    await once(worker, 'message')
    return new WriterThread(worker)
  }

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (message: FromWriter) => this.#answered(message))
    worker.on('error', (error) => this.#end('the writer failed', error))
    worker.on('exit', () => this.#end('the writer has ended'))
    worker.unref()
  }

  commit(unit: UnitOfWork): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) this.#worker.ref()
      if (this.#collected.length === 0) setImmediate(() => this.#send())
      this.#waiting.push({ resolve, reject })
      this.#collected.push(unit)
    })
  }

  /** Resolves when all units are answered and the writer has closed the database. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#send()
    await new Promise<void>((resolve, reject) => {
      this.#closing = { resolve, reject }
      this.#worker.ref()
      this.#post('close')
    })
  }

  #send(): void {
    if (this.#collected.length === 0 || this.#ended) return
    this.#post(this.#collected)
    this.#collected = []
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message)
  }

  #answered(message: FromWriter): void {
    if (message === 'ready') return
    if (message === 'closed') {
      this.#closing?.resolve()
      this.#closing = undefined
      return
    }
    const answered = this.#waiting.splice(0, message.count)
    if ('unavailable' in message) {
      for (const { reject } of answered) reject(unavailable(message.unavailable))
    } else {
      for (const [index, outcome] of message.refused) answered[index]?.reject(refusal(outcome))
      // Settling a promise twice changes nothing, so those that are refused need no second look.
      for (const { resolve } of answered) resolve()
    }
    if (this.#waiting.length === 0 && !this.#closing) this.#worker.unref()
  }

  /** Whatever has no answer by now gets none: nobody knows whether it is on disk. */
  #end(reason: string, cause?: unknown): void {
    this.#ended ??= new StoreUnavailable(reason, { cause })
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
    this.#closing?.reject(this.#ended)
    this.#closing = undefined
    this.#collected = []
  }
}

function unavailable(reason: string): StoreUnavailable {
  return new StoreUnavailable(`the store could not be written: ${reason}`)
}

function refusal(outcome: Outcome): Error {
  return outcome && 'guard' in outcome ? new GuardFailed(outcome.guard) : new Error(outcome?.mistake)
}
